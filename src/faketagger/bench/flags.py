"""Sanity flags: what an honest reader of the table would ask about."""

import math
from typing import Any

import pandas as pd

from faketagger.bench.scenario import UNTAGGED_NULL
from faketagger.bench.statistics import exceeds_nominal
from faketagger.bench.wording import counted

FEW_CLUSTERS = 20
STILL = 0.15
"""Face-embedding distance below which a face has not become another: JPEG at quality 30 moves one by 0.10, another
picture of the same person lies at 0.3, another person at 0.7 to 0.85 (measured on 18 pictures of three people)."""
UNTOUCHED = 0.001
"""Share of changed pixels below which an attack did nothing."""
_ALARM = 0.001
_Z95, _Z999 = 1.96, 3.09
"""A table has many rows, and one in forty rows at chance lies below its 95 % limit: flags ask for 99.9 %."""


def raise_flags(
    scenarios: list[dict[str, Any]], gaps: list[dict[str, Any]], records: pd.DataFrame
) -> list[dict[str, Any]]:
    """Look for results that should not be believed as they stand.

    Args:
        scenarios: Rows of the summary.
        gaps: Paired differences, white minus black.
        records: Everything that was measured; nulls are counted from here.

    Returns:
        One ``flag, scenario, message`` for each finding; ``scenario`` is None where it concerns the whole
        table.
    """
    flags: list[dict[str, Any]] = []

    def flag(name: str, scenario: str | None, message: str) -> None:
        flags.append({"flag": name, "scenario": scenario, "message": message})

    clusters = int(records["identity"].nunique())
    if clusters < FEW_CLUSTERS:
        flag(
            "few_clusters",
            None,
            f"Only {counted(clusters, 'identity')}: intervals from fewer than {FEW_CLUSTERS} are too optimistic.",
        )
    for row in scenarios:
        for name, message in _row_flags(row):
            flag(name, row["scenario"], message)
    labels = {row["scenario"]: row["label"] for row in scenarios}
    for gap in gaps:
        if gap["ci_high"] < 0:
            flag(
                "black_above_white",
                gap["black"],
                f"{labels[gap['black']]} (black box, {gap['view']}) is read better than its white twin "
                f"{labels[gap['white']]}: the twin is no fair stand-in, or the tool does less than it should.",
            )
    return flags


def _far_below_half(row: dict[str, Any]) -> bool:
    if row["ci_high"] is None or not math.isfinite(row["ci_high"]):
        return False
    reach = (row["ci_high"] - row["bit_accuracy"]) * _Z999 / _Z95
    return bool(row["bit_accuracy"] + reach < 0.5)


def _row_flags(row: dict[str, Any]) -> list[tuple[str, str]]:
    if row["status"] == "not run":
        return [("not_run", f"{row['label']} was not run: {row['reason']}")]
    found = []
    if row["role"] == "donor":
        found += _donor_flags(row)
    for fpr, rate in row["null_fpr"].items() if row["role"] == "carrier" and row["n_null"] else ():
        hits = round(rate * row["n_null"])
        if exceeds_nominal(hits, row["n_null"], float(fpr)):
            message = f"{hits} of {row['n_null']} untagged pictures were called tagged at a nominal {fpr}."
            found.append(("null_above_nominal", f"{row['label']}: {message}"))
    if row["attack"] == UNTAGGED_NULL and _measured(row["null_uniformity_p"]) and row["null_uniformity_p"] < _ALARM:
        message = f"p-values are not uniform (p = {row['null_uniformity_p']:.1g}): messages are not fresh, or leak"
        found.append(("null_not_uniform", f"{row['label']}, {row['view']}: {message}."))
    if _far_below_half(row):
        found.append(("below_chance", f"{row['label']}: bit accuracy is significantly below one half."))
    if row["family"] == "control":
        return found
    n = row["n_images"]
    idle = _idle(row)
    if idle:
        found.append(("attack_did_nothing", f"{row['label']} {idle}."))
    if (row["failed"] + row["no_face"]) * 5 > n:
        losses = f"{counted(row['failed'], 'attack')} failed and {counted(row['no_face'], 'picture')} without a face"
        found.append(("many_failures", f"{row['label']}: {losses}, of {n}; they count as read at chance."))
    return found


def _idle(row: dict[str, Any]) -> str | None:
    """What shows that an attack did nothing."""
    n = row["n_images"]
    if row["passed_through"] * 2 >= n:
        return f"left {row['passed_through']} of {n} pictures as they were"
    if _measured(row["changed_pixels"]) and row["changed_pixels"] < UNTOUCHED:
        return f"changed {100 * row['changed_pixels']:.2f} % of the pixels"
    if row["family"] != "swap" or not _measured(row["moved"]):
        return None
    if row["moved"] < STILL:
        return f"swaps faces, and moved them by {row['moved']:.2f} only: they are still the same people"
    if _measured(row["donor_distance"]) and row["donor_distance"] >= row["donor_distance_before"]:
        return (
            f"swaps faces, and brought them no nearer to the identity it puts on ({row['donor_distance_before']:.2f} "
            f"before, {row['donor_distance']:.2f} after)"
        )
    return None


def _donor_flags(row: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    donors, label = row["n_clusters"], row["label"]
    if donors == 1:
        message = "one message for all pictures, so there is no interval; the pooled p-value is valid"
        found.append(("few_clusters", f"{label}: {message}."))
    elif donors < FEW_CLUSTERS:
        message = f"{counted(donors, 'message')}: intervals from fewer than {FEW_CLUSTERS} are too optimistic"
        found.append(("few_clusters", f"{label}: {message}; the pooled p-value is valid."))
    if _measured(row["null_pooled_p_value"]) and row["null_pooled_p_value"] < _ALARM:
        message = f"the control, prepared without a tag, reads as tagged (p = {row['null_pooled_p_value']:.1g})"
        found.append(("null_above_nominal", f"{label}: {message}."))
    return found


def _measured(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
