"""From records to summary.json: a pure function, the same bytes for the same records and seed."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from faketagger.bench.flags import raise_flags
from faketagger.bench.scenario import CHANCE, CONTROLS, NO_ATTACK, UNTAGGED_NULL, Job, View
from faketagger.bench.statistics import Interval, clustered_interval, p_value_quantiles, rate_at

_QUALITY = ("psnr_db", "ssim", "psnr_face_db", "ssim_face")


@dataclass(frozen=True)
class Missing:
    """Why a job has no records.

    Attributes:
        reason: A sentence.
        command: What to type.
        family: Where it is known.
        version: Where it is known.
    """

    reason: str
    command: str
    family: str | None = None
    version: int | None = None


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
    """

    header: dict[str, Any]
    records: pd.DataFrame
    jobs: list[Job]
    missing: dict[str, Missing] = field(default_factory=dict)
    fpr: tuple[float, ...] = (0.01, 0.001)
    seed: int = 0
    resamples: int = 2000


def summarise(measured: Measured) -> dict[str, Any]:
    """Compute the whole summary.

    Args:
        measured: Records and what they belong to.

    Returns:
        Plain values: ``protocol, model, faces, scenarios, gaps, flags`` and ``seed``.
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
            if job.attack not in CONTROLS and (job.scenario_id(view), "null") in groups
        ]
        pooled = pd.concat(attacked) if attacked else empty
        scenarios.insert(position, _untagged(measured, UNTAGGED_NULL, "untagged, attacked", view, pooled))
        position += 1
    gaps = [gap for pair in _pairs(measured.jobs) for gap in _gaps(measured, pair, groups)]
    summary = {**measured.header, "seed": measured.seed, "scenarios": scenarios, "gaps": gaps}
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
        "view": view,
        "black_box": job.box == "black",
        "severity": job.severity,
        "params": job.params,
        "preset": job.preset,
        "pair": job.pair,
        "status": "not run" if missing else "run",
        "reason": missing.reason if missing else None,
        "command": missing.command if missing else None,
    }
    quality = {name: _mean(tagged[name]) for name in _QUALITY}
    strength = {"attack_psnr_db": _mean(tagged["attack_psnr_db"]), "changed_pixels": _mean(tagged["changed"])}
    return {**facts, **_scores(measured, tagged, null), **quality, **strength}


def _untagged(measured: Measured, name: str, label: str, view: View, null: pd.DataFrame) -> dict[str, Any]:
    facts = {
        "scenario": f"{name}/{view}",
        "label": label,
        "attack": name,
        "version": 1,
        "family": "control",
        "role": "carrier",
        "view": view,
        "black_box": False,
        "severity": None,
        "params": {},
        "preset": None,
        "pair": None,
        "status": "run",
        "reason": None,
        "command": None,
    }
    strength = {"attack_psnr_db": _mean(null["attack_psnr_db"]), "changed_pixels": _mean(null["changed"])}
    return {**facts, **_scores(measured, null, null), **dict.fromkeys(_QUALITY), **strength}


def _scores(measured: Measured, read: pd.DataFrame, null: pd.DataFrame) -> dict[str, Any]:
    interval = _interval(measured, read)
    worked = read[(read["attack_status"] == "attacked") & (read["read_status"] == "read")]
    status = read["attack_status"].value_counts()
    return {
        "n_images": interval.n,
        "n_clusters": interval.n_clusters,
        "bit_accuracy": interval.estimate,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "bit_accuracy_attacked": _interval(measured, worked).estimate,
        "exact_match": _mean(read["exact"]),
        "tpr_at_fpr": {f"{fpr:g}": rate_at(read["p_value"], fpr) for fpr in measured.fpr},
        "null_fpr": {f"{fpr:g}": rate_at(null["p_value"], fpr) for fpr in measured.fpr},
        "n_null": len(null),
        "p_value_quantiles": p_value_quantiles(read["p_value"]),
        "attacked": int(status.get("attacked", 0)),
        "passed_through": int(status.get("passed_through", 0)),
        "failed": int(status.get("failed", 0)),
        "no_face": int((read["read_status"] == "no_face").sum()),
    }


def _interval(measured: Measured, read: pd.DataFrame) -> Interval:
    identities = read["identity"].cat.codes.to_numpy()
    return clustered_interval(read["matched"], read["bits"], identities, measured.seed, measured.resamples)


def _pairs(jobs: list[Job]) -> list[tuple[Job, Job]]:
    paired = [job for job in jobs if job.pair]
    return [
        (white, black)
        for white in paired
        for black in paired
        if white.box == "white" and black.box == "black" and white.pair == black.pair
    ]


def _gaps(
    measured: Measured, pair: tuple[Job, Job], groups: dict[tuple[str, str], pd.DataFrame]
) -> list[dict[str, Any]]:
    white, black = pair
    found = []
    for view in (view for view in white.views if view in black.views):
        sides = [groups.get((job.scenario_id(view), "tagged")) for job in pair]
        if measured.missing.keys() & {white.id, black.id} or sides[0] is None or sides[1] is None:
            continue
        both = sides[0].merge(sides[1], on="picture", suffixes=("", "_black"), validate="one_to_one")
        difference = both["matched"].to_numpy(np.int64) - both["matched_black"].to_numpy(np.int64)
        identities = both["identity"].cat.codes.to_numpy()
        gap = clustered_interval(difference, both["bits"], identities, measured.seed, measured.resamples)
        found.append(
            {
                "pair": white.pair,
                "white": white.scenario_id(view),
                "black": black.scenario_id(view),
                "view": view,
                "n_images": gap.n,
                "n_clusters": gap.n_clusters,
                "difference": gap.estimate,
                "ci_low": gap.low,
                "ci_high": gap.high,
            }
        )
    return found


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
