"""Two finished benchmarks of the same pictures, attack by attack: differences, whose intervals are those of pairs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from faketagger.bench.evidence import holm
from faketagger.bench.page import check_comparable, load_measured
from faketagger.bench.pairing import paired
from faketagger.bench.statistics import Interval
from faketagger.bench.table import job_of, percent

RESAMPLES = 2000
SIGNIFICANT = 0.05
"""Largest p-value, corrected for all rows, at which a difference is coloured."""

_TITLE = "bits right, % (payloads decoded); difference with its 95 % interval over people"


@dataclass(frozen=True)
class Difference:
    """Two watermarks through one attack, in one view.

    Attributes:
        job: Id of the attack job.
        label: Of the attack.
        view: ``frame`` or ``face``.
        bits: Share of bits right, of the first and of the second.
        payloads: Share of payloads decoded, of both.
        interval: Of the second's bits minus the first's, over people.
        p_value: That of a two-sided test against no difference.
        p_holm: The same, corrected for all rows of the table.
    """

    job: str
    label: str
    view: str
    bits: tuple[float, float]
    payloads: tuple[float, float]
    interval: Interval
    p_value: float
    p_holm: float


def find_differences(first: Path, second: Path) -> tuple[list[str], list[Difference]]:
    """Compare the tagged pictures of two finished benchmarks.

    Args:
        first: Output folder of ``faketagger bench``.
        second: Another, of the same benchmark file on the same faces.

    Returns:
        The names of both watermarks, or of the folders where one watermark was measured twice; and one row for each
        attack and view that both ran, in the first's order.

    Raises:
        BenchError: A folder cannot be read, or the runs must not be compared.
    """
    (one, records), (other, others) = (load_measured(folder) for folder in (first, second))
    check_comparable(first, one, second, other)
    groups = [dict(iter(_carried(table).groupby("scenario", observed=True))) for table in (records, others)]
    theirs = {row["scenario"]: row for row in other["scenarios"]}
    rows = [row for row in one["scenarios"] if all(row["scenario"] in group for group in groups)]
    names = [row["scenario"] for row in rows]
    pairings = [paired(groups[0][name], groups[1][name], one["seed"], RESAMPLES) for name in names]
    corrected = holm([pairing.p_value for pairing in pairings])
    found = [
        Difference(
            job_of(row["scenario"]),
            row["label"],
            row["view"],
            (row["bit_accuracy"], theirs[row["scenario"]]["bit_accuracy"]),
            (row["exact_match"], theirs[row["scenario"]]["exact_match"]),
            pairing.interval,
            pairing.p_value,
            p_holm,
        )
        for row, pairing, p_holm in zip(rows, pairings, corrected, strict=True)
    ]
    watermarks = [str(summary["model"]["name"]) for summary in (one, other)]
    return watermarks if len(set(watermarks)) == 2 else [first.name, second.name], found


def markdown(names: list[str], found: list[Difference]) -> str:
    """A Markdown table, one attack a line, both views side by side.

    Args:
        names: Of the two watermarks.
        found: Rows of :func:`find_differences`.
    """
    head, *body = _cells(names, found)
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *body)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def render(names: list[str], found: list[Difference]) -> Table:
    """The same for a terminal, one view a line; coloured where the difference holds among all rows of the table.

    Args:
        names: Of the two watermarks.
        found: Rows of :func:`find_differences`.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=_TITLE, title_justify="left")
    table.add_column("attack", overflow="fold")
    table.add_column("view")
    for name in (*names, "difference"):
        table.add_column(name, justify="right", no_wrap=name == "difference")
    for row in found:
        sure = "" if row.p_holm > SIGNIFICANT else "green" if row.interval.estimate > 0 else "red"
        *sides, change = _three(row)
        table.add_row(row.label, row.view, *sides, Text(change, sure))
    return table


def _carried(records: pd.DataFrame) -> pd.DataFrame:
    """Tagged pictures that went through an attack themselves; in the donor role a message has no picture of its own."""
    return records[(records["kind"] == "tagged") & (records["role"] == "carrier")]


def _cells(names: list[str], found: list[Difference]) -> list[list[str]]:
    views = list(dict.fromkeys(row.view for row in found))
    head = ["attack"]
    for view in views:
        head += [f"{view}: {names[0]}", names[1], "difference"]
    rows: dict[str, dict[str, list[str]]] = {}
    for row in found:
        rows.setdefault(row.job, {"label": [row.label]})[row.view] = _three(row)
    nothing = ["–"] * 3
    return [head, *([cell for part in ("label", *views) for cell in of.get(part, nothing)] for of in rows.values())]


def _three(row: Difference) -> list[str]:
    sides = [f"{percent(bits)} ({percent(whole, 0)} %)" for bits, whole in zip(row.bits, row.payloads, strict=True)]
    change, low, high = (100 * value for value in (row.interval.estimate, row.interval.low, row.interval.high))
    limits = "" if np.isnan(low) else f" ({low:+.1f} to {high:+.1f})"
    return [*sides, f"{change:+.1f}{limits}"]
