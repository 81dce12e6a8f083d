"""Trials on disk: what one is to do is written before it starts, what came out as its last act, both whole.

So the state of a sweep is what lies in its folder, whoever was killed when:

``DIR/sweep.json``            the file, the seed and how many run side by side
``DIR/trials/ID/trial.json``  what the trial is
``DIR/trials/ID/reports.json``  its validations so far; ``verdict.json`` whether it may go on after them
``DIR/trials/ID/metrics.json``  what its command measured
``DIR/trials/ID/result.json`` what came out
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from faketagger.config import check
from faketagger.errors import ConfigError, FakeTaggerError
from faketagger.imaging import write_atomically
from faketagger.places import working_alone
from faketagger.sweep.schema import SweepConfig

State = Literal["waiting", "running", "finished", "stopped", "failed"]
SETTLED = ("finished", "stopped", "failed")
SPEC, RESULT, LOG = "trial.json", "result.json", "log.txt"
REPORTS, VERDICT, METRICS = "reports.json", "verdict.json", "metrics.json"


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes:
        id: Name of its folder.
        number: From 0.
        parameters: Values by dotted name.
        coordinates: What Optuna drew.
        state: waiting, running, finished, stopped (early) or failed.
        metrics: Everything measured.
        values: The objectives, in the order of the file.
        iterations: The objective after each validation.
        rungs: The objective at each rung of early termination.
        reason: Why it failed.
        seconds: From its start to its end.
    """

    id: str
    number: int
    parameters: dict[str, Any]
    coordinates: dict[str, Any] = field(default_factory=dict)
    state: State = "waiting"
    metrics: dict[str, float] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)
    iterations: list[float] = field(default_factory=list)
    rungs: list[float] = field(default_factory=list)
    reason: str = ""
    seconds: float = 0.0

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state in SETTLED

    def plain(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


_NAMES = {one.name for one in fields(Trial)}
OUTCOME = ("state", "metrics", "values", "iterations", "rungs", "reason", "seconds")
"""What of a trial its result holds."""


class SweepFolder:
    """The folder of a sweep.

    Args:
        root: It.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def begun(self) -> bool:
        """Whether a sweep was started here."""
        return (self.root / "sweep.json").is_file()

    def begin(self, config: SweepConfig, seed: int, parallel: int) -> None:
        """Start a sweep here, or go on with the one that was started.

        Raises:
            ConfigError: The folder holds another sweep.
        """
        wanted = {"sweep": config.plain(), "seed": seed, "parallel": parallel}
        if self.begun:
            before = read_json(self.root / "sweep.json")
            changed = sorted(key for key in wanted if wanted[key] != before.get(key))
            if changed:
                what = "sweep file" if "sweep" in changed else " and ".join(changed)
                raise ConfigError(
                    f"{self.root} holds a sweep with another {what}.",
                    "Choose another --out, or give what it was begun with (sweep.json).",
                )
            return
        (self.root / "trials").mkdir(parents=True, exist_ok=True)
        write_json(self.root / "sweep.json", wanted)

    def config(self) -> SweepConfig:
        """The file that the sweep was begun with.

        Raises:
            ConfigError: There is no sweep.
        """
        if not self.begun:
            raise ConfigError(f"There is no sweep in {self.root}.", "faketagger sweep FILE --out DIR starts one.")
        return check(read_json(self.root / "sweep.json")["sweep"], SweepConfig, str(self.root / "sweep.json"))

    def choices(self) -> tuple[int, int]:
        """Seed and number of trials side by side that the sweep was begun with."""
        begun = read_json(self.root / "sweep.json")
        return int(begun["seed"]), int(begun["parallel"])

    def folder(self, trial_id: str) -> Path:
        """Folder of a trial."""
        return self.root / "trials" / trial_id

    def add(
        self, number: int, coordinates: Mapping[str, Any], parameters: Mapping[str, Any], trial_id: str | None = None
    ) -> Trial:
        """Write down what a trial is to do; it is named by its number unless it has a name."""
        trial = Trial(trial_id or f"{number:04d}", number, dict(parameters), dict(coordinates))
        self.folder(trial.id).mkdir(parents=True, exist_ok=True)
        names = ("id", "number", "parameters", "coordinates")
        write_json(self.folder(trial.id) / SPEC, {name: getattr(trial, name) for name in names})
        return trial

    def trials(self) -> list[Trial]:
        """All trials, by number."""
        specs = sorted((self.root / "trials").glob(f"*/{SPEC}"))
        return sorted((read_trial(path.parent) for path in specs), key=lambda trial: (trial.number, trial.id))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the sweep, so that no second call works on it.

        Raises:
            FakeTaggerError: Another one does.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with working_alone(self.root):
            yield


def read_trial(folder: Path) -> Trial:
    """A trial from its folder."""
    known = {key: value for key, value in read_json(folder / SPEC).items() if key in _NAMES}
    trial = Trial(**known)
    if (folder / RESULT).is_file():
        return replace(trial, **{key: value for key, value in read_json(folder / RESULT).items() if key in OUTCOME})
    return trial


def read_reports(folder: Path) -> dict[int, dict[str, float]]:
    """Validations of a trial by training step."""
    path = folder / REPORTS
    return {int(step): found for step, found in read_json(path).items()} if path.is_file() else {}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        FakeTaggerError: It is none.
    """
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FakeTaggerError(f"{path} cannot be read.", "Delete it, or the folder it is in.") from error
    if not isinstance(found, dict):
        raise FakeTaggerError(f"{path} holds no JSON object.", "Delete it, or the folder it is in.")
    return found


def write_json(path: Path, value: Any) -> None:
    """Write plain values whole or not at all."""
    write_atomically((json.dumps(value, indent=1) + "\n").encode(), path)


def settled_before(trials: Sequence[Trial], number: int, parallel: int) -> list[Trial]:
    """The trials whose results trial ``number`` may know: all but those that may run beside it."""
    return [trial for trial in trials if trial.number <= number - parallel and trial.settled]
