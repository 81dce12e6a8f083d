"""The figures of one row: accuracy with its interval, evidence, detection, what untagged pictures do, what was lost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from faketagger.bench.capacity import capacity_bits
from faketagger.bench.evidence import holm, survival_p_value
from faketagger.bench.nulls import basis, nulls_needed, rate_limit, uniformity_p_value
from faketagger.bench.statistics import Interval, clustered_interval, p_value_quantiles, rate_at
from faketagger.coding import bits_needed, corrected_p_value, match_p_value


@dataclass(frozen=True)
class Rules:
    """What all rows of a table have in common.

    Attributes:
        fpr: Nominal false positive rates.
        candidates: Registered tags that a found picture is looked up among.
        seed: Of the resampling.
        resamples: Bootstrap replicates.
    """

    fpr: Sequence[float]
    candidates: int
    seed: int
    resamples: int


def score(rules: Rules, tagged: pd.DataFrame, null: pd.DataFrame, claimed: bool = True) -> dict[str, Any]:
    """Figures of one scenario.

    Args:
        rules: Of the table.
        tagged: Records that are scored.
        null: Untagged pictures through the same attack.
        claimed: Whether the row claims that tags survive; False where ``tagged`` holds nulls.
    """
    interval = _interval(rules, tagged)
    worked = tagged[(tagged["attack_status"] == "attacked") & (tagged["read_status"] == "read")]
    attacked = _interval(rules, worked)
    status = tagged["attack_status"].value_counts()
    bits = int(tagged["bits"].max()) if len(tagged) else 0
    return {
        "n_images": interval.n,
        "n_clusters": interval.n_clusters,
        "bit_accuracy": interval.estimate,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "bit_accuracy_attacked": attacked.estimate,
        "bit_accuracy_attacked_ci_low": attacked.low,
        "bit_accuracy_attacked_ci_high": attacked.high,
        "n_attacked": attacked.n,
        "n_attacked_clusters": attacked.n_clusters,
        "p_survives": _survives(tagged) if claimed else None,
        "p_holm": None,
        "capacity_bits": capacity_bits(interval.estimate, bits),
        "capacity_ci_low": capacity_bits(interval.low, bits),
        "capacity_ci_high": capacity_bits(interval.high, bits),
        "exact_match": float(tagged["exact"].mean()) if len(tagged) else math.nan,
        "tpr_at_fpr": {f"{fpr:g}": rate_at(tagged["p_value"], fpr) for fpr in rules.fpr},
        "identified_at_fpr": _identified(rules, tagged),
        "p_value_quantiles": p_value_quantiles(tagged["p_value"]),
        **_null_figures(rules, null),
        "attacked": int(status.get("attacked", 0)),
        "passed_through": int(status.get("passed_through", 0)),
        "failed": int(status.get("failed", 0)),
        "no_face": int((tagged["read_status"] == "no_face").sum()),
    }


def correct_for_all(scenarios: list[dict[str, Any]]) -> None:
    """Put ``p_holm`` into all rows that claim that tags survive an attack: the family is every such row of the table.

    Controls make no claim. In the donor role pictures share a message, so the claim is that of their pooled words.

    Args:
        scenarios: Rows of the summary.
    """
    claims = [(row, _claim(row)) for row in scenarios if row["family"] != "control" and row["status"] == "run"]
    made = [(row, p_value) for row, p_value in claims if p_value is not None]
    for (row, _), corrected in zip(made, holm([p_value for _, p_value in made]), strict=True):
        row["p_holm"] = corrected


def thresholds(rules: Rules, bits: int, nulls: int) -> list[dict[str, Any]]:
    """What a nominal rate means in matched bits, for one tag and for a search among all candidates.

    Args:
        rules: Of the table.
        bits: Length L of a message.
        nulls: Untagged attacked pictures read in one view.

    Returns:
        By rate and number of candidates: bits needed (more than L where no match suffices), the rate that threshold
        really has, and whether the nulls of this table are enough to call it measured.
    """
    found = []
    for fpr in rules.fpr:
        for candidates in sorted({1, rules.candidates}):
            needed = bits_needed(bits, fpr, candidates)
            attained = corrected_p_value(match_p_value(needed, bits), candidates) if needed <= bits else 0.0
            found.append(
                {
                    "fpr": fpr,
                    "candidates": candidates,
                    "bits": bits,
                    "bits_needed": needed,
                    "attained_fpr": attained,
                    "basis": basis(fpr, nulls) if candidates == 1 else "theoretical",
                    "nulls": nulls,
                    "nulls_needed": nulls_needed(fpr),
                }
            )
    return found


def _survives(tagged: pd.DataFrame) -> float | None:
    """Of the carrier role; in the donor role the pooled words are the test."""
    if tagged.empty or (tagged["role"] == "donor").any():
        return None
    read = tagged[tagged["read_status"] == "read"]
    return survival_p_value(int(read["matched"].sum()), int(read["bits"].sum()))


def _claim(row: dict[str, Any]) -> float | None:
    return row["pooled_p_value"] if row["role"] == "donor" else row["p_survives"]


def _identified(rules: Rules, tagged: pd.DataFrame) -> dict[str, float]:
    """Share of pictures whose right tag is significant among all candidates, ``p' = 1 - (1 - p)^N``."""
    values, places = np.unique(tagged["p_value"].to_numpy(np.float64), return_inverse=True)
    corrected = np.array([corrected_p_value(value, rules.candidates) for value in values])[places]
    return {f"{fpr:g}": rate_at(corrected, fpr) for fpr in rules.fpr}


def _null_figures(rules: Rules, null: pd.DataFrame) -> dict[str, Any]:
    shared = bool(len(null)) and (null["role"] == "donor").any()
    independent = null["cluster"].nunique() if shared else len(null)
    rates = {f"{fpr:g}": rate_at(null["p_value"], fpr) for fpr in rules.fpr}
    hits = {f"{fpr:g}": int((null["p_value"] <= fpr).sum()) for fpr in rules.fpr}
    read = null[null["read_status"] == "read"]
    bits = int(null["bits"].max()) if len(null) else 0
    return {
        "null_fpr": rates,
        "n_null": len(null),
        "null_fpr_ci_high": {key: math.nan if shared else rate_limit(count, len(null)) for key, count in hits.items()},
        "null_basis": {f"{fpr:g}": basis(fpr, independent) for fpr in rules.fpr},
        "null_uniformity_p": math.nan if shared else uniformity_p_value(read["matched"], bits, rules.seed),
    }


def _interval(rules: Rules, read: pd.DataFrame) -> Interval:
    clusters = read["cluster"].cat.codes.to_numpy()
    return clustered_interval(read["matched"], read["bits"], clusters, rules.seed, rules.resamples)
