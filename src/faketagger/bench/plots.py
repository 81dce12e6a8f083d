"""Plots as inline SVG that takes the page's own text colour, so that it reads in light, dark and print."""

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from faketagger.bench.statistics import calibration
from faketagger.bench.table import by_job

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHITE, BLACK, CONTROL = "#0e7c86", "#c2410c", "#8a8f98"
_INK, _RULE = "#010203", "#040506"
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "faketagger",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _RULE,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def draw_all(summary: dict[str, Any], records: pd.DataFrame) -> dict[str, str]:
    """Every plot that the results give reason for.

    Args:
        summary: Of a benchmark.
        records: All records.

    Returns:
        SVG elements by name: ``survival``, ``calibration``, and where they apply ``severity`` and
        ``strength``.
    """
    import matplotlib

    matplotlib.use("Agg")
    with matplotlib.rc_context(_STYLE):
        plots = {"survival": survival(summary), "calibration": null_calibration(records)}
        if any(len(points) > 1 for points in _graded(summary).values()):
            plots["severity"] = by_severity(summary)
        plots["strength"] = by_strength(summary)
    return plots


def colour(row: dict[str, Any]) -> str:
    """Colour of a scenario: control, white box or black box.

    Args:
        row: Of the summary.
    """
    return CONTROL if row["family"] == "control" else BLACK if row["black_box"] else WHITE


def survival(summary: dict[str, Any]) -> str:
    """Bit accuracy with intervals for every attack, frame and face view.

    Args:
        summary: Of a benchmark.
    """
    from matplotlib.lines import Line2D
    from matplotlib.pyplot import subplots

    jobs = [views for views in by_job(summary["scenarios"]) if next(iter(views.values()))["status"] == "run"]
    figure, axes = subplots(figsize=(7.2, 0.34 * len(jobs) + 1.1))
    for place, views in enumerate(jobs):
        for view, row in views.items():
            height = place + (-0.13 if view == "frame" else 0.13)
            if row["ci_low"] is not None:
                limits = [100 * row["ci_low"], 100 * row["ci_high"]]
                axes.plot(limits, [height] * 2, color=colour(row), lw=2, alpha=0.45)
            face = "none" if view == "face" else colour(row)
            axes.plot(100 * row["bit_accuracy"], height, "o", ms=5.5, mec=colour(row), mfc=face, mew=1.4)
    axes.axvline(50, color=_RULE, lw=1, ls="--")
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
    return _svg(figure, "Bit accuracy of every scenario with its 95 % interval")


def null_calibration(records: pd.DataFrame) -> str:
    """How often untagged pictures are called tagged, against the nominal rate.

    Args:
        records: All records; the nulls are used, but those of donors, which share a message.
    """
    from matplotlib.pyplot import subplots

    independent = (records["kind"] == "null") & (records["role"] == "carrier")
    nulls = records.loc[independent, "p_value"].to_numpy()
    grid = np.logspace(np.log10(max(1.0 / max(len(nulls), 1), 1e-6)), 0, 60)
    figure, axes = subplots(figsize=(4.6, 4.0))
    axes.plot(grid, grid, color=_RULE, lw=1, ls="--")
    found = calibration(nulls, grid)
    axes.step(grid[found > 0], found[found > 0], where="post", color=WHITE, lw=1.8)
    axes.set(xscale="log", yscale="log", xlabel="nominal false positive rate", ylabel="share of untagged pictures")
    axes.grid(lw=0.6)
    axes.text(
        0.04,
        0.95,
        f"{len(nulls):,} untagged reads\nbelow the line is safe",
        transform=axes.transAxes,
        va="top",
    )
    return _svg(figure, "Calibration of p-values on untagged pictures")


def by_severity(summary: dict[str, Any]) -> str:
    """Bit accuracy against severity, one small plot for each graded attack.

    Args:
        summary: Of a benchmark.
    """
    from matplotlib.pyplot import subplots

    graded = {name: points for name, points in _graded(summary).items() if len(points) > 1}
    columns = min(3, len(graded))
    rows = -(-len(graded) // columns)
    figure, grid = subplots(rows, columns, figsize=(max(4.6, 2.5 * columns), 2.6 * rows), squeeze=False, sharey=True)
    for axes in grid.ravel()[len(graded) :]:
        axes.set_visible(False)
    for axes, (name, points) in zip(grid.ravel(), graded.items(), strict=False):
        points.sort(key=lambda row: row["severity"])
        x = [row["severity"] for row in points]
        y = [100 * row["bit_accuracy"] for row in points]
        axes.fill_between(
            x,
            [100 * r["ci_low"] for r in points],
            [100 * r["ci_high"] for r in points],
            color=WHITE,
            alpha=0.2,
            lw=0,
        )
        axes.plot(x, y, "o-", color=WHITE, ms=4)
        axes.axhline(50, color=_RULE, lw=1, ls="--")
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("severity", fontsize=9)
        axes.grid(lw=0.6)
    grid[0, 0].set_ylabel("bit accuracy, %")
    figure.tight_layout()
    return _svg(figure, "Bit accuracy by severity")


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
    for row in rows:
        if row["attack_psnr_db"] is not None:
            axes.plot(row["attack_psnr_db"], 100 * row["bit_accuracy"], "o", color=colour(row), ms=7, alpha=0.85)
    _name_extremes(axes, rows)
    axes.axhline(50, color=_RULE, lw=1, ls="--")
    axes.set(xlabel="attacked against tagged, dB (left: harder)", ylabel="bit accuracy, %, frame")
    axes.grid(lw=0.6)
    return _svg(figure, "Bit accuracy against the strength of the attack")


def _name_extremes(axes: "Axes", rows: list[dict[str, Any]]) -> None:
    measured = [row for row in rows if row["attack_psnr_db"] is not None]
    for row in sorted(measured, key=lambda row: row["bit_accuracy"])[:4]:
        axes.annotate(
            row["label"],
            (row["attack_psnr_db"], 100 * row["bit_accuracy"]),
            textcoords="offset points",
            xytext=(7, 3),
            fontsize=8.5,
        )


def _graded(summary: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    graded: dict[str, list[dict[str, Any]]] = {}
    for row in summary["scenarios"]:
        if row["severity"] is not None and row["view"] == "frame" and row["status"] == "run":
            graded.setdefault(row["attack"], []).append(row)
    return graded


def _svg(figure: "Figure", title: str) -> str:
    from matplotlib.pyplot import close

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor").replace(_RULE, "var(--rule)")
    head, rest = text.split(">", 1)
    width = re.search(r'width="([\d.]+)pt"', head)
    head = re.sub(r' (height|width)="[^"]*"', "", head)
    widest = f"max-width:{float(width[1]) * 1.4:.0f}px" if width else ""
    return head.replace("<svg", f'<svg role="img" aria-label="{title}" style="{widest}"', 1) + ">" + rest
