"""What became of a trial, from what its command left in the trial's folder."""

import difflib
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from faketagger.errors import FakeTaggerError
from faketagger.sweep.schema import SweepConfig
from faketagger.sweep.trials import (
    METRICS,
    OUTCOME,
    RESULT,
    VERDICT,
    Trial,
    read_json,
    read_reports,
    read_trial,
    write_json,
)


def conclude(config: SweepConfig, folder: Path, began: float, failure: str | None) -> Trial:
    """What became of a trial whose command has ended, from what it left in its folder; written there as its result.

    Args:
        config: The sweep.
        folder: Of the trial.
        began: ``time.time()`` at its start.
        failure: Why its command failed; None if it did not.
    """
    metrics = read_json(folder / METRICS) if (folder / METRICS).is_file() else {}
    verdict = read_json(folder / VERDICT) if (folder / VERDICT).is_file() else {}
    iterations = iterations_of(config, read_reports(folder))
    trial = replace(read_trial(folder), metrics=metrics, iterations=iterations, rungs=verdict.get("rungs", []))
    trial = replace(trial, seconds=round(time.time() - began, 3))
    if not verdict.get("goes_on", True):
        trial = replace(trial, state="stopped", values=iterations[-1:])
    elif failure is not None:
        trial = replace(trial, state="failed", reason=failure)
    else:
        try:
            trial = replace(trial, state="finished", values=objective_values(config, metrics))
        except FakeTaggerError as error:
            trial = replace(trial, state="failed", reason=f"{error.message} {error.hint}")
    write_json(folder / RESULT, {name: getattr(trial, name) for name in OUTCOME})
    return trial


def objective_values(config: SweepConfig, metrics: Mapping[str, float]) -> list[float]:
    """The objectives among everything that was measured.

    Raises:
        FakeTaggerError: One was not measured.
    """
    values = []
    for metric in config.objectives:
        value = metrics.get(metric.name)
        if value is None or not math.isfinite(value):
            close = difflib.get_close_matches(metric.name, list(metrics), n=1, cutoff=0.3)
            hint = f"Nearest: {close[0]!r}." if close else f"Measured: {', '.join(sorted(metrics)) or 'nothing'}."
            raise FakeTaggerError(f"The metric {metric.name!r} was {'not measured' if value is None else value}.", hint)
        values.append(float(value))
    return values


def iterations_of(config: SweepConfig, reports: Mapping[int, Mapping[str, float]]) -> list[float]:
    """The first objective after each validation that measured it."""
    name = config.objectives[0].name
    return [found[name] for _, found in sorted(reports.items()) if name in found]


def last_words(log: Path) -> str:
    """The sentence that a trial ended with: its last ``error:`` line, or its last line."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("error: ")[:300]
