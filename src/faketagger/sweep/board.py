"""The leaderboard of a sweep: as a table, as plain values."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from faketagger.sweep.schema import SweepConfig
from faketagger.sweep.search import Search, pareto_front, ranked
from faketagger.sweep.space import shown
from faketagger.sweep.trials import SweepFolder, Trial

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Board:
    """A sweep as it stands.

    Attributes:
        root: Its folder.
        config: Its file.
        seed: Its seed.
        total: How many trials it is to have.
        trials: The best first, then the ones without a result.
        front: Numbers of the trials on the Pareto front; empty for one objective.
    """

    root: Path
    config: SweepConfig
    seed: int
    total: int
    trials: list[Trial]
    front: list[int]

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Look at a folder.

        Raises:
            ConfigError: There is no sweep in it.
        """
        sweep = SweepFolder(folder)
        config = sweep.config()
        seed, _ = sweep.choices()
        trials = sweep.trials()
        best = ranked(trials, config)
        rest = [trial for trial in trials if trial.state != "finished"]
        total = Search(config, seed).total
        return cls(sweep.root, config, seed, total, [*best, *rest], pareto_front(trials, config))

    @property
    def counts(self) -> dict[str, int]:
        """Number of trials by state."""
        return dict(Counter(trial.state for trial in self.trials))

    @property
    def columns(self) -> list[str]:
        """Names of the parameters, those that differ between trials."""
        names = self.trials[0].parameters if self.trials else {}
        first = {name: self.trials[0].parameters[name] for name in names}
        return [name for name in names if any(t.parameters.get(name) != first[name] for t in self.trials)]

    def plain(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        names = [metric.name for metric in self.config.objectives]
        finished = [trial for trial in self.trials if trial.state == "finished"]
        return {
            "name": self.config.name,
            "method": self.config.method,
            "seed": self.seed,
            "objectives": [metric.plain() for metric in self.config.objectives],
            "total": self.total,
            "counts": self.counts,
            "best": finished[0].id if finished else None,
            "pareto": [trial.id for trial in self.trials if trial.number in self.front],
            "trials": [
                {
                    "id": trial.id,
                    "number": trial.number,
                    "state": trial.state,
                    "parameters": trial.parameters,
                    "metric": trial.values[0] if trial.values else None,
                    "objectives": dict(zip(names, trial.values, strict=False)),
                    "metrics": trial.metrics,
                    "reason": trial.reason or None,
                    "seconds": trial.seconds,
                    "folder": str(self.root / "trials" / trial.id),
                }
                for trial in self.trials
            ],
        }

    def header(self) -> list[str]:
        """Heads of the table's columns."""
        objectives = [f"{metric.name} ({metric.goal[:3]})" for metric in self.config.objectives]
        return ["trial", "state", *objectives, *short_names(self.columns), "seconds"]

    def rows(self) -> list[list[str]]:
        """Cells of the table, a row a trial; a star marks the Pareto front."""
        wanted = len(self.config.objectives)
        rows = []
        for trial in self.trials:
            star = " *" if trial.number in self.front else ""
            values = [f"{value:.4g}" for value in trial.values] + ["–"] * (wanted - len(trial.values))
            given = [shown(trial.parameters[name]) for name in self.columns]
            rows.append([trial.id + star, trial.state, *values, *given, f"{trial.seconds:.0f}"])
        return rows

    def table(self) -> "Table":
        """The leaderboard for a terminal."""
        from rich.table import Table

        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        table = Table(title=f"{self.config.name}: {counts} of {self.total}")
        for place, name in enumerate(self.header()):
            table.add_column(name, justify="left" if place < 2 else "right", no_wrap=place < 2, overflow="fold")
        for row in self.rows():
            table.add_row(*row)
        return table


def short_names(names: list[str]) -> list[str]:
    """The last part of each dotted name, or as many as it takes to tell it from the others."""
    short = []
    for name in names:
        parts = name.split(".")
        ends = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
        alone = [end for end in ends if sum(f".{other}".endswith(f".{end}") for other in names) == 1]
        short.append(alone[0] if alone else name)
    return short
