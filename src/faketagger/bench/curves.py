"""Plots of one quantity against another: survival by severity and by quality, simulator against real tool."""

import math
from typing import TYPE_CHECKING, Any

from faketagger.bench.figures import (
    BLACK,
    CONTROL,
    INK,
    MANY,
    MARKERS,
    RULE,
    WHITE,
    colour,
    small_plots,
    to_svg,
)
from faketagger.bench.table import by_job

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ATTACKS = 18
"""Attacks of the plot of quality: those that cost most."""
_MARKS = {"frame": "o", "face": "s"}


def _limits(row: dict[str, Any]) -> tuple[float, float]:
    """Confidence limits in percent; NaN, which is not drawn, where one cluster gives none."""
    low, high = row["ci_low"], row["ci_high"]
    return (math.nan, math.nan) if low is None else (100 * low, 100 * high)


def by_severity(summary: dict[str, Any]) -> str:
    """Bit accuracy against severity, one small plot for each graded attack; empty where there is none.

    Args:
        summary: Of a benchmark.
    """
    graded = graded_rows(summary)
    if not graded:
        return ""
    figure, grid = small_plots(len(graded))
    for axes, (name, points) in zip(grid, graded.items(), strict=True):
        points.sort(key=lambda row: row["severity"])
        x = [row["severity"] for row in points]
        low, high = zip(*(_limits(row) for row in points), strict=True)
        axes.fill_between(x, low, high, color=WHITE, alpha=0.2, lw=0)
        axes.plot(x, [100 * row["bit_accuracy"] for row in points], "o-", color=WHITE, ms=4)
        axes.axhline(50, color=RULE, lw=1, ls="--")
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("severity", fontsize=9)
        axes.grid(lw=0.6)
    figure.tight_layout()
    return to_svg(figure, "Bit accuracy by severity")


def by_strength(summary: dict[str, Any]) -> str:
    """Bit accuracy against how much the attack changes the picture.

    Args:
        summary: Of a benchmark.
    """
    from matplotlib.pyplot import subplots

    figure, axes = subplots(figsize=(4.6, 4.0))
    rows = [
        views["frame"]
        for views in by_job(summary["scenarios"])
        if "frame" in views and views["frame"]["status"] == "run" and views["frame"]["family"] != "control"
    ]
    measured = [row for row in rows if row["attack_psnr_db"] is not None]
    for row in measured:
        axes.plot(row["attack_psnr_db"], 100 * row["bit_accuracy"], "o", color=colour(row), ms=7, alpha=0.85)
    _name_lowest(axes, measured)
    axes.axhline(50, color=RULE, lw=1, ls="--")
    axes.set(xlabel="attacked against tagged, dB (left: harder)", ylabel="bit accuracy, %, frame")
    axes.grid(lw=0.6)
    return to_svg(figure, "Bit accuracy against the strength of the attack")


def _name_lowest(axes: "Axes", rows: list[dict[str, Any]], most: int = 4) -> None:
    """Name the lowest points, but those whose name would lie on another's."""
    named: list[tuple[float, float]] = []
    for row in sorted(rows, key=lambda row: row["bit_accuracy"]):
        x, y = row["attack_psnr_db"], 100 * row["bit_accuracy"]
        if len(named) == most or any(abs(x - at) < 12 and abs(y - height) < 3 for at, height in named):
            continue
        axes.annotate(row["label"], (x, y), textcoords="offset points", xytext=(7, 3), fontsize=8.5)
        named.append((x, y))


def by_twins(summary: dict[str, Any]) -> str:
    """Bit accuracy after a real tool against bit accuracy after its simulator; empty where there are no pairs.

    Args:
        summary: Of a benchmark.
    """
    from matplotlib.lines import Line2D
    from matplotlib.pyplot import subplots

    rows = {row["scenario"]: row for row in summary["scenarios"]}
    if not summary["gaps"]:
        return ""
    figure, axes = subplots(figsize=(4.6, 4.0))
    for gap in summary["gaps"]:
        white, black = rows[gap["white"]], rows[gap["black"]]
        x, y = 100 * white["bit_accuracy"], 100 * black["bit_accuracy"]
        axes.plot([100 * white["ci_low"], 100 * white["ci_high"]], [y, y], color=BLACK, lw=1.4, alpha=0.45)
        axes.plot([x, x], [100 * black["ci_low"], 100 * black["ci_high"]], color=BLACK, lw=1.4, alpha=0.45)
        axes.plot(x, y, _MARKS[gap["view"]], mec=BLACK, mfc="none" if gap["view"] == "face" else BLACK, ms=7, mew=1.4)
        if gap["view"] == "frame" or gap["black"].replace("/face", "/frame") not in rows:
            axes.annotate(black["label"], (x, y), textcoords="offset points", xytext=(7, -11), fontsize=8.5)
    limits = (min(45, axes.get_xlim()[0], axes.get_ylim()[0]), 102)
    axes.plot([0, 100], [0, 100], color=CONTROL, lw=1, ls="--")
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set(xlabel="white box (simulator): bit accuracy, %", ylabel="black box (real tool): bit accuracy, %")
    axes.grid(lw=0.6)
    views = {gap["view"] for gap in summary["gaps"]}
    faces = {"frame": INK, "face": "none"}
    marks = [Line2D([], [], marker=_MARKS[v], ls="", mec=INK, mfc=faces[v], label=v) for v in faces if v in views]
    axes.legend(handles=marks, loc="upper left", fontsize=9)
    return to_svg(figure, "Bit accuracy after the real tool against bit accuracy after its simulator")


def by_quality(summaries: list[dict[str, Any]]) -> str:
    """Bit accuracy against the PSNR of the tagged pictures, one small plot an attack and one line a watermark.

    Args:
        summaries: Of the same benchmark with other watermarks or strengths; one alone gives no curve.

    Returns:
        An SVG element; empty for a single summary.
    """
    if len(summaries) < 2:
        return ""
    names = list(dict.fromkeys(summary["model"]["name"] for summary in summaries))
    points: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for summary in summaries:
        for row in quality_rows(summary):
            points.setdefault(row["label"], {}).setdefault(summary["model"]["name"], []).append(row)
    hardest = sorted(points, key=lambda label: min(r["bit_accuracy"] for rows in points[label].values() for r in rows))
    shown = [label for label in points if label in hardest[:MOST_ATTACKS]]
    figure, grid = small_plots(len(shown))
    for axes, label in zip(grid, shown, strict=True):
        for place, name in enumerate(names):
            rows = sorted(points[label].get(name, []), key=lambda row: row["psnr_db"])
            x, y = [row["psnr_db"] for row in rows], [100 * row["bit_accuracy"] for row in rows]
            ink, marker = MANY[place % len(MANY)], MARKERS[place % len(MARKERS)]
            for row in rows:
                axes.plot([row["psnr_db"]] * 2, _limits(row), color=ink, lw=1.4, alpha=0.4)
            axes.plot(x, y, color=ink, marker=marker, ms=5, lw=1.4, label=name)
        axes.axhline(50, color=RULE, lw=1, ls="--")
        axes.set_title(label, fontsize=10)
        axes.set_xlabel("tagged against original, dB", fontsize=9)
        axes.grid(lw=0.6)
    figure.tight_layout()
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(4, len(names)), fontsize=9)
    return to_svg(figure, "Bit accuracy against the quality of the tagged pictures")


def quality_rows(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that tell of one strength: carrier role, with an interval, frame view where it was read.

    Args:
        summary: Of a benchmark.
    """
    shown = (views.get("frame") or views["face"] for views in by_job(summary["scenarios"]))
    return [row for row in shown if row["psnr_db"] is not None and row["role"] == "carrier" and row["n_images"]]


def graded_rows(summary: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Rows of the attacks that were run at several severities, by attack; frame view where it was read.

    Args:
        summary: Of a benchmark.
    """
    graded: dict[str, list[dict[str, Any]]] = {}
    for views in by_job(summary["scenarios"]):
        row = views.get("frame") or views["face"]
        if row["severity"] is not None and row["n_images"]:
            graded.setdefault(row["attack"], []).append(row)
    return {attack: rows for attack, rows in graded.items() if len(rows) > 1}
