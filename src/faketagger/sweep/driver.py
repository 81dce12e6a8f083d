"""What every engine of our own does: draw the next trial, start it, take what came out."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from faketagger.errors import FakeTaggerError
from faketagger.sweep.outcomes import conclude
from faketagger.sweep.schema import SweepConfig
from faketagger.sweep.search import Search, ranked
from faketagger.sweep.trials import RESULT, SweepFolder, Trial, settled_before

PARALLEL = 2
"""Trials side by side if the user names no number."""
MOST_LOSSES = 3
"""A trial whose worker is lost so often has failed."""


class Driver:
    """Hands out the trials of a sweep in order, each as soon as it may start.

    Trial n may start when all trials up to n - ``parallel`` have settled, since it is drawn from their results.

    Args:
        sweep: Its folder, begun.
        console: Where a line a trial goes.

    Attributes:
        failure: Why no further trial is handed out.
    """

    def __init__(self, sweep: SweepFolder, console: Console) -> None:
        self.sweep, self.config = sweep, sweep.config()
        seed, self.parallel = sweep.choices()
        self.search = Search(self.config, seed)
        self.failure: FakeTaggerError | None = None
        self._console = console
        self._running: set[int] = set()
        self._losses: Counter[int] = Counter()
        self._end = self.search.total
        for trial in sweep.trials():
            if trial.state == "failed":  # the same call again tries it again
                (sweep.folder(trial.id) / RESULT).unlink(missing_ok=True)
        self.trials = {trial.number: trial for trial in sweep.trials()}

    @property
    def settled(self) -> int:
        """How many trials there is nothing left to do for."""
        return sum(trial.settled for trial in self.trials.values())

    @property
    def done(self) -> bool:
        """Whether no trial is running and none is left to start."""
        return not self._running and (self.failure is not None or self._first_open() is None)

    def _first_open(self) -> int | None:
        for number in range(self._end):
            known = self.trials.get(number)
            if number not in self._running and not (known and known.settled):
                return number
        return None

    def next(self) -> Trial | None:
        """The next trial, from now on counted as running; None if none may start yet, or at all."""
        number = self._first_open()
        if number is None or self.failure or len(self._running) >= self.parallel:
            return None
        before = [self.trials.get(other) for other in range(number - self.parallel + 1)]
        if any(trial is None or not trial.settled for trial in before):
            return None
        if number not in self.trials:
            seen = settled_before(list(self.trials.values()), number, self.parallel)
            if self.search.reached(seen):
                self._end = number
                return None
            coordinates, parameters = self.search.propose(number, seen)
            self.trials[number] = self.sweep.add(number, coordinates, parameters)
        self._running.add(number)
        return self.trials[number]

    def take(self, trial: Trial) -> None:
        """A trial that was started has come to its end.

        Args:
            trial: What became of it; one that has not settled was lost with its worker, and is handed out again.
        """
        self._running.discard(trial.number)
        if not trial.settled:
            self._losses[trial.number] += 1
            if self._losses[trial.number] < MOST_LOSSES:
                return
            failure = f"its worker was lost {MOST_LOSSES} times"
            trial = conclude(self.config, self.sweep.folder(trial.id), time.time(), failure)
        self.trials[trial.number] = trial
        what = ", ".join(f"{m.name} {v:.4g}" for m, v in zip(self.config.objectives, trial.values, strict=False))
        line = f"{self.settled} of {self._end}: trial {trial.id} {trial.state}, {what or trial.reason}"
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
        first = [self.trials.get(number) for number in range(min(self.parallel, self._end))]
        if all(one is not None and one.state == "failed" for one in first):
            self.failure = FakeTaggerError(
                f"The first {len(first)} trials have failed: {trial.reason}",
                f"Mend it and call again; their logs are in {self.sweep.root / 'trials'}.",
            )

    def best(self) -> Trial | None:
        """The best finished trial."""
        found = ranked(list(self.trials.values()), self.config)
        return found[0] if found else None


Engine = Callable[[Driver], None]


def run_sweep(
    config: SweepConfig, folder: Path, seed: int, parallel: int | None, console: Console, engine: Engine
) -> Driver:
    """Begin a sweep or go on with it, and run what is left of it.

    Args:
        config: The file.
        folder: Of the sweep.
        seed: Fixes every draw.
        parallel: Trials side by side; None for what the sweep was begun with, or :data:`PARALLEL`.
        console: Where progress goes.
        engine: Runs what the driver hands out.

    Returns:
        The driver, with every trial.

    Raises:
        ConfigError: The file does not fit, or the folder holds another sweep.
        FakeTaggerError: Another call is at it, or its first trials have all failed.
    """
    sweep = SweepFolder(folder)
    Search(config, seed)
    with sweep.held():
        side_by_side = parallel or (sweep.choices()[1] if sweep.begun else PARALLEL)
        sweep.begin(config, seed, side_by_side)
        driver = Driver(sweep, console)
        if driver.settled:
            console.print(f"{driver.settled} trials were there already", highlight=False)
        if not driver.done:
            engine(driver)
        if driver.failure:
            raise driver.failure
        return driver

