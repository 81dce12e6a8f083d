"""What a trial measured, as flat numbers that a sweep can be told to make small or large."""

from statistics import fmean
from typing import Any

_ROW = ("bit_accuracy", "exact_match")


def bench_metrics(summary: dict[str, Any]) -> dict[str, float]:
    """Numbers from a benchmark's summary.

    Args:
        summary: As in ``summary.json``.

    Returns:
        ``bench/bit_accuracy``, ``bench/exact_match`` (means over all attacks and views), ``bench/worst_bit_accuracy``,
        ``bench/psnr_db`` and ``bench/ssim`` of tagging, and of every scenario ``bench/SCENARIO/bit_accuracy`` and
        ``bench/SCENARIO/exact_match``.
    """
    rows = [row for row in summary["scenarios"] if row["n_images"]]
    attacks = [row for row in rows if row["family"] != "control"]
    found = {f"bench/{row['scenario']}/{name}": float(row[name]) for row in rows for name in _ROW}
    for name in _ROW:
        if attacks:
            found[f"bench/{name}"] = fmean(row[name] for row in attacks)
    if attacks:
        found["bench/worst_bit_accuracy"] = min(float(row["bit_accuracy"]) for row in attacks)
    for name in ("psnr_db", "ssim"):
        measured = [float(row[name]) for row in rows if row.get(name) is not None]
        if measured:
            found[f"bench/{name}"] = measured[0]
    return found
