"""The plots of the page: what survives, and whether the p-values are honest."""

from typing import Any

import numpy as np
import pandas as pd

from faketagger.bench.curves import by_quality, by_severity, by_strength, by_twins
from faketagger.bench.figures import BLACK, CONTROL, RULE, WHITE, colour, house_style, to_svg
from faketagger.bench.statistics import calibration
from faketagger.bench.table import by_job


def draw_all(summary: dict[str, Any], records: pd.DataFrame, others: list[dict[str, Any]]) -> dict[str, str]:
    """Every plot of the page.

    Args:
        summary: Of a benchmark.
        records: All its records.
        others: Summaries to lay over it.

    Returns:
        SVG elements by name: ``survival``, ``calibration``, ``strength``, and ``severity``, ``twins`` and ``quality``,
        empty where the results give no reason for them.
    """
    with house_style():
        return {
            "survival": survival(summary),
            "calibration": null_calibration(records),
            "severity": by_severity(summary),
            "strength": by_strength(summary),
            "twins": by_twins(summary),
            "quality": by_quality([summary, *others]),
        }


def survival(summary: dict[str, Any]) -> str:
    """Bit accuracy with intervals for every attack that was run and left anything to read, frame and face view.

    Args:
        summary: Of a benchmark.
    """
    from matplotlib.lines import Line2D
    from matplotlib.pyplot import subplots

    jobs = [views for views in by_job(summary["scenarios"]) if _was_read(next(iter(views.values())))]
    figure, axes = subplots(figsize=(7.2, 0.34 * len(jobs) + 1.1))
    for place, views in enumerate(jobs):
        for view, row in views.items():
            height = place + (-0.13 if view == "frame" else 0.13)
            if row["ci_low"] is not None:
                limits = [100 * row["ci_low"], 100 * row["ci_high"]]
                axes.plot(limits, [height] * 2, color=colour(row), lw=2, alpha=0.45)
            face = "none" if view == "face" else colour(row)
            axes.plot(100 * row["bit_accuracy"], height, "o", ms=5.5, mec=colour(row), mfc=face, mew=1.4)
    axes.axvline(50, color=RULE, lw=1, ls="--")
    axes.text(50, -0.9, "chance", ha="center", va="bottom", fontsize=9)
    axes.set_yticks(range(len(jobs)), [next(iter(views.values()))["label"] for views in jobs])
    axes.set_ylim(len(jobs) - 0.4, -1)
    axes.set_xlim(min(45, axes.get_xlim()[0]), 101.5)
    axes.set_xlabel("bit accuracy, % (95 % interval over identities)")
    axes.grid(axis="x", lw=0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    marks = [
        Line2D([], [], marker="o", ls="", color=WHITE, label="white box, frame"),
        Line2D([], [], marker="o", ls="", color=BLACK, label="black box, frame"),
        Line2D([], [], marker="o", ls="", color=CONTROL, label="control, frame"),
        Line2D([], [], marker="o", ls="", mec=WHITE, mfc="none", label="face only"),
    ]
    figure.legend(handles=marks, loc="lower center", ncols=4, fontsize=9, handletextpad=0.2, columnspacing=1.2)
    figure.subplots_adjust(bottom=(0.95 / figure.get_figheight()))
    return to_svg(figure, "Bit accuracy of every scenario with its 95 % interval")


def _was_read(row: dict[str, Any]) -> bool:
    return row["status"] == "run" and row["bit_accuracy"] is not None


def null_calibration(records: pd.DataFrame) -> str:
    """How often untagged pictures are called tagged, against the nominal rate.

    The band holds 95 % of the shares that honest p-values would give, rate by rate; both views of a picture are held
    against one message, so they count once in it.

    Args:
        records: All records; the nulls are used, but those of donors, which share a message.
    """
    from matplotlib.pyplot import subplots
    from scipy.stats import binom

    nulls = records[(records["kind"] == "null") & (records["role"] == "carrier")]
    messages = max(1, len(nulls[["job", "picture"]].drop_duplicates()))
    lowest = max(1.0 / max(len(nulls), 1), 1e-6)
    grid = np.logspace(np.log10(lowest), 0, 60)
    found = calibration(nulls["p_value"].to_numpy(), grid)
    figure, axes = subplots(figsize=(4.6, 4.0))
    floor = lowest / 3
    low, high = (np.clip(binom.ppf(tail, messages, grid) / messages, floor, 1) for tail in (0.025, 0.975))
    axes.fill_between(grid, low, high, color=CONTROL, alpha=0.22, lw=0)
    axes.plot(grid, grid, color=CONTROL, lw=1, ls="--")
    axes.step(grid[found > 0], found[found > 0], where="post", color=WHITE, lw=1.8)
    axes.set(xscale="log", yscale="log", xlabel="nominal false positive rate", ylabel="share of untagged pictures")
    axes.set_ylim(floor, 1.2)
    axes.grid(lw=0.6)
    words = f"{len(nulls):,} untagged reads, {messages:,} messages\nin the band or below it is safe"
    axes.text(0.04, 0.95, words, transform=axes.transAxes, va="top", fontsize=9)
    return to_svg(figure, "Calibration of p-values on untagged pictures")
