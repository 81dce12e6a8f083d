"""Which parameters a trial gets, and whether it may go on: Optuna's samplers and pruner, made to repeat themselves.

A sampler's draws depend on when the trials before have finished, and a resumed study starts its random stream again.
Here the parameters of trial n are a pure function of the seed, of n, and of the results of the trials 0 .. n - N, N
being how many run side by side. So a sweep that was killed and resumed draws what one that was not draws.
"""

import hashlib
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from faketagger.errors import ConfigError
from faketagger.sweep.schema import SweepConfig
from faketagger.sweep.space import Dimension, dimensions
from faketagger.sweep.trials import Trial

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


class Search:
    """The search that a sweep file describes.

    Args:
        config: The file.
        seed: Fixes every draw.

    Raises:
        ConfigError: A grid over something that has no finite number of values.
    """

    def __init__(self, config: SweepConfig, seed: int) -> None:
        self.config, self.seed = config, seed
        self.dimensions: list[Dimension] = dimensions(config.parameters)
        endless = [d.name for d in self.dimensions if d.choices is None]
        if config.method == "grid" and endless:
            raise ConfigError(
                f"A grid cannot be laid over {endless[0]!r}, which has no finite number of values.",
                "Give it values, or choose method: random or bayes.",
            )

    @property
    def total(self) -> int:
        """How many trials the sweep has."""
        cap = self.config.run_cap or math.inf
        size = math.prod(len(d.choices or []) for d in self.dimensions) if self.config.method == "grid" else math.inf
        return int(min(cap, size))

    def propose(self, number: int, seen: Sequence[Trial]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Parameters of a trial.

        Args:
            number: Of the trial, from 0.
            seen: The settled trials that it may learn from, by number.

        Returns:
            Optuna's coordinates and the values, both by dotted name.
        """
        if self.config.method == "grid":
            return self._grid_point(number)
        space = {d.name: d.distribution for d in self.dimensions if d.distribution is not None}
        coordinates = self.study(seen, number).ask(space).params
        return coordinates, {d.name: d.decode(coordinates.get(d.name)) for d in self.dimensions}

    def _grid_point(self, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        places = {}
        for dimension in reversed(self.dimensions):  # the last parameter of the file changes fastest
            number, places[dimension.name] = divmod(number, len(dimension.choices or []))
        coordinates = {d.name: d.coordinate(places[d.name]) for d in self.dimensions if d.distribution is not None}
        return coordinates, {d.name: (d.choices or [])[places[d.name]] for d in self.dimensions}

    def study(self, seen: Sequence[Trial], number: int = 0) -> "Study":
        """An Optuna study in memory that knows some trials.

        Args:
            seen: Settled trials.
            number: Of the trial that is to be drawn from it.
        """
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        digest = hashlib.sha256(f"{self.seed}/{number}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big")
        bayes = self.config.method == "bayes"
        sampler = optuna.samplers.TPESampler(seed=seed) if bayes else optuna.samplers.RandomSampler(seed=seed)
        directions = [metric.goal for metric in self.config.objectives]
        study = optuna.create_study(directions=directions, sampler=sampler, pruner=self._pruner())
        study.add_trials([frozen for trial in seen if (frozen := self._frozen(trial)) is not None])
        return study

    def _pruner(self) -> Any:
        import optuna

        rule = self.config.early_terminate
        if rule is None:
            return optuna.pruners.NopPruner()
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=rule.first_rung, reduction_factor=rule.eta)

    def _frozen(self, trial: Trial) -> "FrozenTrial | None":
        import optuna

        states = {"finished": "COMPLETE", "stopped": "PRUNED", "failed": "FAIL"}
        state = optuna.trial.TrialState[states[trial.state]]
        if state.name == "PRUNED" and not trial.iterations:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return optuna.trial.create_trial(
                state=state,
                params=trial.coordinates,
                distributions={
                    d.name: d.distribution
                    for d in self.dimensions
                    if d.distribution is not None and d.name in trial.coordinates
                },
                values=trial.values if state.name == "COMPLETE" else None,
                intermediate_values=dict(enumerate(trial.iterations, 1)),
                system_attrs={f"completed_rung_{i}": value for i, value in enumerate(trial.rungs)},
            )

    def may_go_on(self, trial: Trial, seen: Sequence[Trial], reports: Sequence[float]) -> tuple[bool, list[float]]:
        """Whether a trial that is under way is among those that go on.

        Args:
            trial: The trial.
            seen: As for :meth:`propose`.
            reports: The metric after each of its validations so far.

        Returns:
            The answer, and its values at the rungs it came to.
        """
        study = self.study(seen, trial.number)
        space = {d.name: d.distribution for d in self.dimensions if d.name in trial.coordinates}
        study.enqueue_trial(trial.coordinates)
        live = study.ask({name: found for name, found in space.items() if found is not None})
        goes_on = True
        for iteration, value in enumerate(reports, 1):
            live.report(value, iteration)
            goes_on = not live.should_prune()
        attributes = live.system_attrs
        rungs = sorted((key for key in attributes if key.startswith("completed_rung_")), key=_rung)
        return goes_on, [attributes[key] for key in rungs]

    def reached(self, trials: Sequence[Trial]) -> bool:
        """Whether a finished trial is as good as the file's ``target``."""
        metric = self.config.metric
        if metric is None or metric.target is None:
            return False
        sign = 1 if metric.goal == "maximize" else -1
        values = [sign * trial.values[0] for trial in trials if trial.state == "finished"]
        return any(value >= sign * metric.target for value in values)


def _rung(key: str) -> int:
    return int(key.rsplit("_", 1)[1])


def ranked(trials: Sequence[Trial], config: SweepConfig) -> list[Trial]:
    """Finished trials, the best first; with two objectives those of the Pareto front first, then by the first one.

    Args:
        trials: Of the sweep.
        config: Its file.
    """
    front = set(pareto_front(trials, config))
    sign = 1 if config.objectives[0].goal == "minimize" else -1
    done = [trial for trial in trials if trial.state == "finished"]
    return sorted(done, key=lambda t: (t.number not in front, sign * t.values[0], t.number))


def pareto_front(trials: Sequence[Trial], config: SweepConfig) -> list[int]:
    """Numbers of the finished trials that none beats in one objective without losing in the other.

    Args:
        trials: Of the sweep.
        config: Its file; empty for one objective.
    """
    if len(config.objectives) == 1:
        return []
    signs = [1 if metric.goal == "minimize" else -1 for metric in config.objectives]
    points = {t.number: [s * v for s, v in zip(signs, t.values, strict=True)] for t in trials if t.state == "finished"}

    def beaten(point: list[float]) -> bool:
        return any(
            other != point and all(a <= b for a, b in zip(other, point, strict=True)) for other in points.values()
        )

    return [number for number, point in points.items() if not beaten(point)]

