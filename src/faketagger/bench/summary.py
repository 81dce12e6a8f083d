"""From records to summary.json: a pure function, the same bytes for the same records and seed."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from faketagger.bench.flags import raise_flags
from faketagger.bench.gaps import find_gaps
from faketagger.bench.pooling import pool_records
from faketagger.bench.scenario import CHANCE, CONTROLS, NO_ATTACK, UNTAGGED_NULL, Job, View
from faketagger.bench.scores import Rules, correct_for_all, score, thresholds

_QUALITY = ("psnr_db", "ssim", "psnr_face_db", "ssim_face")
_POOLED = (
    *("pooled_matched", "pooled_bits", "pooled_p_value"),
    *("null_pooled_matched", "null_pooled_bits", "null_pooled_p_value"),
)
_STRENGTH = {
    "attack_psnr_db": "attack_psnr_db",
    "changed_pixels": "changed",
    "moved": "moved",
    "donor_distance": "donor_distance",
    "donor_distance_before": "donor_distance_before",
}


@dataclass(frozen=True)
class Missing:
    """Why a job has no records.

    Attributes:
        reason: A sentence.
        command: What to type.
        family: Where it is known.
        version: Where it is known.
        pin: Version or commit of an external tool.
    """

    reason: str
    command: str
    family: str | None = None
    version: int | None = None
    pin: str | None = None


@dataclass(frozen=True)
class Measured:
    """Everything a summary is made from.

    Attributes:
        header: ``protocol``, ``model`` and ``faces`` as plain values.
        records: All records, sorted.
        jobs: All jobs in the order of the table.
        missing: Jobs without records, by id.
        fpr: Nominal false positive rates.
        seed: Of the resampling.
        resamples: Bootstrap replicates.
        pins: Version or commit of the external tools, by job.
        candidates: Registered tags that a found picture is looked up among.
    """

    header: dict[str, Any]
    records: pd.DataFrame
    jobs: list[Job]
    missing: dict[str, Missing] = field(default_factory=dict)
    fpr: tuple[float, ...] = (0.01, 0.001)
    seed: int = 0
    resamples: int = 2000
    pins: dict[str, str] = field(default_factory=dict)
    candidates: int = 10**6

    @property
    def rules(self) -> Rules:
        """What all rows have in common."""
        return Rules(self.fpr, self.candidates, self.seed, self.resamples)


def summarise(measured: Measured) -> dict[str, Any]:
    """Compute the whole summary.

    Args:
        measured: Records and what they belong to.

    Returns:
        Plain values: ``protocol, model, faces, scenarios, gaps, flags, thresholds, candidates`` and ``seed``.
    """
    groups = dict(iter(measured.records.groupby(["scenario", "kind"], observed=True, sort=False)))
    empty = measured.records.iloc[:0]
    scenarios = []
    for job in measured.jobs:
        for view in job.views:
            tagged = groups.get((job.scenario_id(view), "tagged"), empty)
            null = groups.get((job.scenario_id(view), "null"), empty)
            scenarios.append(_scenario(measured, job, view, tagged, null))
            if job.attack == NO_ATTACK:
                scenarios.append(_untagged(measured, CHANCE, "chance (untagged)", view, null))
    position = 2 * len(measured.jobs[0].views) + len(measured.jobs[1].views)
    for view in measured.jobs[0].views:
        attacked = [
            groups[job.scenario_id(view), "null"]
            for job in measured.jobs
            if job.attack not in CONTROLS and job.role == "carrier" and (job.scenario_id(view), "null") in groups
        ]
        pooled = pd.concat(attacked) if attacked else empty
        scenarios.insert(position, _untagged(measured, UNTAGGED_NULL, "untagged, attacked", view, pooled))
        position += 1
    gaps = find_gaps(measured.jobs, set(measured.missing), groups, measured.seed, measured.resamples)
    correct_for_all(scenarios)
    nulls = max((row["n_null"] for row in scenarios if row["attack"] == UNTAGGED_NULL), default=0)
    bits = int(measured.records["bits"].max()) if len(measured.records) else 0
    summary = {**measured.header, "seed": measured.seed, "scenarios": scenarios, "gaps": gaps}
    summary |= {"candidates": measured.candidates, "thresholds": thresholds(measured.rules, bits, nulls)}
    summary["flags"] = raise_flags(scenarios, gaps, measured.records)
    return _plain(summary)


def _scenario(measured: Measured, job: Job, view: View, tagged: pd.DataFrame, null: pd.DataFrame) -> dict[str, Any]:
    missing = measured.missing.get(job.id)
    if missing is not None:
        tagged, null = tagged.iloc[:0], null.iloc[:0]
    first = tagged.iloc[0] if len(tagged) else None
    facts = {
        "scenario": job.scenario_id(view),
        "label": job.label,
        "attack": job.attack,
        "version": first["version"] if first is not None else missing.version if missing else None,
        "family": first["family"] if first is not None else missing.family if missing else None,
        "role": job.role,
        "donors": job.donors if job.role == "donor" else None,
        "view": view,
        "black_box": job.box == "black",
        "pin": missing.pin if missing else measured.pins.get(job.id),
        "severity": job.severity,
        "params": job.params,
        "preset": job.preset,
        "pair": job.pair,
        "status": "not run" if missing else "run",
        "reason": missing.reason if missing else None,
        "command": missing.command if missing else None,
    }
    quality = {name: _mean(tagged[name]) for name in _QUALITY}
    pooled = _pooled(tagged, null) if job.role == "donor" else dict.fromkeys(_POOLED)
    return {**facts, **score(measured.rules, tagged, null), **pooled, **quality, **_strength(tagged)}


def _untagged(measured: Measured, name: str, label: str, view: View, null: pd.DataFrame) -> dict[str, Any]:
    facts = {
        "scenario": f"{name}/{view}",
        "label": label,
        "attack": name,
        "version": 1,
        "family": "control",
        "role": "carrier",
        "donors": None,
        "view": view,
        "black_box": False,
        "pin": None,
        "severity": None,
        "params": {},
        "preset": None,
        "pair": None,
        "status": "run",
        "reason": None,
        "command": None,
    }
    nothing = dict.fromkeys((*_POOLED, *_QUALITY))
    return {**facts, **score(measured.rules, null, null, claimed=False), **nothing, **_strength(null)}


def _strength(read: pd.DataFrame) -> dict[str, Any]:
    return {name: _mean(read[column]) for name, column in _STRENGTH.items()}


def _pooled(tagged: pd.DataFrame, null: pd.DataFrame) -> dict[str, Any]:
    """Evidence of the donor role, see :mod:`faketagger.bench.pooling`."""
    if tagged.empty:
        return dict.fromkeys(_POOLED)
    found, control = pool_records(tagged), pool_records(null)
    figures = (found.matched, found.bits, found.p_value, control.matched, control.bits, control.p_value)
    return dict(zip(_POOLED, figures, strict=True))


def _mean(column: pd.Series) -> float:
    return float(column.mean()) if len(column) else math.nan


def _plain(value: Any) -> Any:
    """Plain JSON values: ten significant digits, None for what is not a number."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    return value
