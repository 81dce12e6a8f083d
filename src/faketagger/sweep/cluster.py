"""The engine ``ray``: Ray Tune runs the trials, on this machine or on a cluster.

Tune asks a searcher for the next trial and tells it when one has ended. Ours is Optuna's search as
:mod:`faketagger.sweep.search` has it, not Tune's ``OptunaSearch``, whose draws depend on the order in which trials
end; early stopping is Optuna's successive halving, the algorithm of Tune's ASHA, for the same reason. The folder of the
sweep must lie where every machine sees it.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from faketagger.bench.cores import usable_cores
from faketagger.ray_cluster import ray_session
from faketagger.sweep.driver import Driver
from faketagger.sweep.process import TrialHost
from faketagger.sweep.trials import SweepFolder, read_trial


class Cluster:
    """Ray, as the user wants it.

    Args:
        address: Of a running cluster; None starts Ray on this machine for as long as the sweep takes.
        cpus: Cores of a trial; None for an equal share of this machine, or 1 on a cluster.
        gpus: Graphics cards of a trial.
    """

    def __init__(self, address: str | None = None, cpus: float | None = None, gpus: float = 0) -> None:
        self.address, self.cpus, self.gpus = address, cpus, gpus

    def run(self, driver: Driver) -> None:
        """Run what is left of a sweep.

        Args:
            driver: Hands out the trials.

        Raises:
            ScaleError: Ray is not installed or does not start.
            KeyboardInterrupt: It was stopped.
        """
        os.environ.update(RAY_AIR_NEW_OUTPUT="0", TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1")
        share = self.cpus if self.cpus is not None else 1 if self.address else usable_cores() / driver.parallel
        storage = driver.sweep.root / "ray"
        shutil.rmtree(storage, ignore_errors=True)
        with ray_session(usable_cores(), self.address):
            from ray import tune

            tune.Tuner(
                tune.with_resources(_trainable, {"cpu": share, "gpu": self.gpus}),
                param_space={"sweep": str(driver.sweep.root)},
                tune_config=tune.TuneConfig(
                    search_alg=_searcher(driver),
                    num_samples=-1,
                    max_concurrent_trials=driver.parallel,
                    reuse_actors=True,
                ),
                run_config=tune.RunConfig(name=driver.config.name, storage_path=str(storage), verbose=0),
            ).fit()
        if not driver.done:
            raise KeyboardInterrupt


def _trainable(config: dict[str, Any]) -> None:
    """What a worker of Ray does: the trial in a process of its own, its metrics to Tune."""
    from ray import tune

    sweep = SweepFolder(Path(config["sweep"]))
    ended = TrialHost(sweep).run(read_trial(sweep.folder(config["trial"])))
    found: dict[str, Any] = {"state": ended.state, **ended.metrics}
    tune.report(found)


def _searcher(driver: Driver) -> Any:
    """Tune's view of a driver; a class made late, so that this file imports without Ray."""
    from ray.tune.search import Searcher

    class DriverSearcher(Searcher):
        def __init__(self, driver: Driver) -> None:
            super().__init__(metric="state", mode="max")
            self._driver = driver
            self._known: dict[str, str] = {}

        def __getstate__(self) -> dict[str, Any]:
            return {}  # Tune keeps a copy of everything; the state of a sweep is its folder

        def suggest(self, trial_id: str) -> Any:
            if self._driver.done:
                return Searcher.FINISHED
            trial = self._driver.next()
            if trial is None:
                return None
            self._known[trial_id] = trial.id
            return {"sweep": str(self._driver.sweep.root), "trial": trial.id}

        def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
            self._driver.take(read_trial(self._driver.sweep.folder(self._known.pop(trial_id))))

        def save(self, checkpoint_path: str) -> None:
            """Nothing to save, for the same reason."""

        def restore(self, checkpoint_path: str) -> None:
            """Nothing to restore."""

    return DriverSearcher(driver)
