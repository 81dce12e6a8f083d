"""Several watermarks side by side: one benchmark each, one table of all, and none stops the others."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from faketagger.bench.benchmark import run_benchmark
from faketagger.bench.protocol import BenchConfig, View
from faketagger.bench.table import by_job, percent
from faketagger.errors import AdapterError, CheckpointError, PayloadError, WatermarkError
from faketagger.imaging import write_atomically

COMPARISON = "comparison"
_OF_A_WATERMARK = (WatermarkError, CheckpointError, AdapterError, PayloadError)


@dataclass(frozen=True)
class Outcome:
    """What became of one watermark.

    Attributes:
        model: As it was asked for.
        folder: Its results; None where there are none.
        summary: Its summary; None where it failed.
        reason: Why it failed, in one sentence; empty where it did not.
        hint: What to do about it.
    """

    model: str
    folder: Path | None = None
    summary: dict[str, Any] | None = None
    reason: str = ""
    hint: str = ""


def run_all(
    config: BenchConfig, out: Path | None, console: Console, command: Callable[[str], str]
) -> list[Outcome]:
    """Benchmark every watermark of a configuration; one that fails is named and the others go on.

    Args:
        config: The benchmark.
        out: Folder with one folder a watermark below it; None for the default folders. The comparison goes here.
        console: Where progress and tables go.
        command: What to type for one watermark alone.

    Returns:
        One outcome a watermark, in order.
    """
    outcomes: list[Outcome] = []
    for model in config.models:
        folder = None if out is None else out / folder_name(model, [one.model for one in outcomes])
        console.rule(model)
        try:
            root, summary = run_benchmark(config.alone(model), folder, console, command(model))
            outcomes.append(Outcome(model, root, summary))
        except _OF_A_WATERMARK as error:
            outcomes.append(Outcome(model, None, None, error.message, error.hint or ""))
            console.print(f"[bold red]![/] {error.message} {error.hint or ''}", highlight=False, soft_wrap=True)
    done = [one.summary for one in outcomes if one.summary is not None]
    if done:
        console.rule("side by side")
        console.print(side_by_side(done))
    for one in outcomes:
        if one.summary is None:
            console.print(f"[bold red]![/] {one.model}: {one.reason}", highlight=False, soft_wrap=True)
    if out is not None:
        write_atomically((markdown(outcomes)).encode(), out / f"{COMPARISON}.md")
        plain = json.dumps(compare(outcomes), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        write_atomically(plain.encode(), out / f"{COMPARISON}.json")
    return outcomes


def folder_name(model: str, before: list[str]) -> str:
    """Folder of one watermark below the output folder; numbered where an earlier one has taken its name.

    Args:
        model: As it was asked for.
        before: Those that were asked for earlier.
    """

    def plain(text: str) -> str:
        return re.sub(r"[^A-Za-z0-9_.=-]+", "_", text if "@" in text else Path(text).name)

    taken = sum(plain(one) == plain(model) for one in before)
    return f"{plain(model)}-{taken + 1}" if taken else plain(model)


def compare(outcomes: list[Outcome]) -> dict[str, Any]:
    """All watermarks as plain values.

    Args:
        outcomes: Of :func:`run_all`.

    Returns:
        ``watermarks``: a list of ``model, summary`` (path) or ``model, reason``; ``scenarios``: by scenario id the bit
        accuracies by watermark.
    """
    rows: dict[str, dict[str, float | None]] = {}
    for one in outcomes:
        for row in one.summary["scenarios"] if one.summary else []:
            rows.setdefault(row["scenario"], {})[one.summary["model"]["name"]] = row["bit_accuracy"]  # type: ignore[index]
    watermarks = [
        {"model": one.model, "reason": one.reason, "hint": one.hint}
        if one.summary is None
        else {"model": one.model, **one.summary["model"], "psnr_db": cost(one.summary)}
        for one in outcomes
    ]
    return {"watermarks": watermarks, "scenarios": rows}


def side_by_side(summaries: list[dict[str, Any]]) -> Table:
    """Bit accuracies in the frame view, watermarks in columns.

    Args:
        summaries: Of the same benchmark.
    """
    table = Table(box=box.SIMPLE_HEAD, title="bits right, %, frame", title_justify="left", pad_edge=False)
    head, *body = _cells(summaries, "frame")
    for place, cell in enumerate(head):
        table.add_column(cell, justify="left" if place == 0 else "right", overflow="fold")
    for cells in body:
        table.add_row(*cells)
    return table


def markdown(outcomes: list[Outcome]) -> str:
    """The comparison as Markdown, both views, and what did not run.

    Args:
        outcomes: Of :func:`run_all`.
    """
    done = [one.summary for one in outcomes if one.summary is not None]
    views: tuple[View, ...] = ("frame", "face")
    parts = [f"Bits right, %, {view} view.\n\n{_pipes(_cells(done, view))}" for view in views if _has(done, view)]
    parts += [f"- {one.model}: {one.reason} {one.hint}".rstrip() for one in outcomes if one.summary is None]
    return "\n\n".join(parts) + "\n"


def cost(summary: dict[str, Any]) -> float | None:
    """Mean PSNR in dB of the tagged pictures.

    Args:
        summary: Of a benchmark.
    """
    return next((row["psnr_db"] for row in summary["scenarios"] if row["attack"] == "no_attack"), None)


def _has(summaries: list[dict[str, Any]], view: str) -> bool:
    return any(row["view"] == view for summary in summaries for row in summary["scenarios"])


def _cells(summaries: list[dict[str, Any]], view: str) -> list[list[str]]:
    models = [summary["model"] for summary in summaries]
    rows = [["", *(model["name"] for model in models)], ["message bits", *(str(m["message_bits"]) for m in models)]]
    rows.append(["PSNR, dB", *("–" if (db := cost(one)) is None else f"{db:.1f}" for one in summaries)])
    labels: dict[str, str] = {}
    found: list[dict[str, str]] = []
    for summary in summaries:
        column = {}
        for views in by_job(summary["scenarios"]):
            row = views.get(view)
            if row is not None:
                labels[row["scenario"]] = row["label"]
                column[row["scenario"]] = percent(row["bit_accuracy"])
        found.append(column)
    rows += [[label, *(column.get(scenario, "–") for column in found)] for scenario, label in labels.items()]
    return rows


def _pipes(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
