"""The engine ``ray``: Ray Tune runs the trials, on this machine or on a cluster.

Tune asks a searcher for the next trial and tells it when one has ended. Ours is Optuna's search of
:mod:`faketagger.sweep.search` and not Tune's ``OptunaSearch``, whose draws depend on the order in which trials end; early
stopping is Optuna's successive halving, which is Tune's ASHA, for the same reason. The folder of the sweep must lie where
every machine sees it.
"""

import logging
import os
import shutil
from pathlib import Path
from typing import Any

from faketagger.bench.cores import usable_cores
from faketagger.errors import FakeTaggerError
from faketagger.sweep.driver import Driver
from faketagger.sweep.process import TrialHost
from faketagger.sweep.trials import SweepFolder, read_trial

_OBJECT_STORE = 80 * 2**20
"""Bytes; trials hand over names, not data."""


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
            FakeTaggerError: Ray is not installed or does not start.
            KeyboardInterrupt: It was stopped.
        """
        os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AIR_NEW_OUTPUT="0", TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1")
        try:
            import ray
            from ray import tune
        except ImportError as error:
            raise FakeTaggerError("Ray is not installed.", "pip install 'faketagger[sweep]'") from error
        share = self.cpus if self.cpus is not None else 1 if self.address else usable_cores() / driver.parallel
        self._start(ray)
        storage = driver.sweep.root / "ray"
        shutil.rmtree(storage, ignore_errors=True)
        try:
            tune.Tuner(
                tune.with_resources(_trainable, {"cpu": share, "gpu": self.gpus}),
                param_space={"sweep": str(driver.sweep.root)},
                tune_config=tune.TuneConfig(
                    search_alg=_searcher(driver), num_samples=-1, max_concurrent_trials=driver.parallel
                ),
                run_config=tune.RunConfig(name=driver.config.name, storage_path=str(storage), verbose=0),
            ).fit()
        finally:
            ray.shutdown()
        if not driver.done:
            raise KeyboardInterrupt

    def _start(self, ray: Any) -> None:
        options: dict[str, Any] = {"configure_logging": False, "log_to_driver": False}
        if self.address is None:
            options |= {
                "num_cpus": usable_cores(),
                "include_dashboard": False,
                "object_store_memory": _OBJECT_STORE,
                "address": "local",
            }
        else:
            options["address"] = self.address
        logging.getLogger("ray").setLevel(logging.ERROR)
        try:
            ray.init(**options)
        except Exception as error:  # ray raises whatever went wrong, in words of its own
            where = f"at {self.address}" if self.address else "on this machine"
            text = " ".join(str(error).split())[:200]
            raise FakeTaggerError(f"Ray does not start {where}: {text}.", "Is 'ray start' running there?") from error


def _trainable(config: dict[str, Any]) -> None:
    """What a worker of Ray does: the trial in a process of its own, its metrics to Tune."""
    from ray import tune

    sweep = SweepFolder(Path(config["sweep"]))
    ended = TrialHost(sweep).run(read_trial(sweep.folder(config["trial"])))
    tune.report({"state": ended.state, **dict(enumerate(ended.values)), **ended.metrics})


def _searcher(driver: Driver) -> Any:
    """Tune's view of a driver; a class made late, so that this file imports without Ray."""
    from ray.tune.search import Searcher

    class DriverSearcher(Searcher):
        def __init__(self) -> None:
            super().__init__(metric="state", mode="max")
            self._known: dict[str, str] = {}

        def suggest(self, trial_id: str) -> Any:
            if driver.done:
                return Searcher.FINISHED
            trial = driver.next()
            if trial is None:
                return None
            self._known[trial_id] = trial.id
            return {"sweep": str(driver.sweep.root), "trial": trial.id}

        def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
            driver.take(read_trial(driver.sweep.folder(self._known.pop(trial_id))))

        def save(self, checkpoint_path: str) -> None:
            """Nothing: the folder of the sweep is the state."""

        def restore(self, checkpoint_path: str) -> None:
            """Nothing, likewise."""

    return DriverSearcher()
