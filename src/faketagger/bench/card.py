"""The table of a model card: a benchmark's summaries as Markdown. ``python -m faketagger.bench.card SUMMARY...``"""

import json
import sys
from pathlib import Path
from typing import Any

from faketagger.errors import BenchError

_HEAD = (
    "| attack | frame: bits right | face only: bits right | payload read | found at p ≤ 0.001 |\n|---|---|---|---|---|"
)


def card_table(*summaries: dict[str, Any]) -> str:
    """Rows of one or more summaries of the same tagger on the same pictures, one attack a line, the hardest first.

    Args:
        summaries: What ``summary.json`` holds, of parts of a benchmark that ran one by one; of a row that several
            have, the controls, the first counts.

    Returns:
        A Markdown table; percentages with their 95 % interval over identities.

    Raises:
        BenchError: The summaries are of different taggers or pictures.
    """
    if len({(each["model"]["digest"], each["faces"]["digest"], each["seed"]) for each in summaries}) > 1:
        raise BenchError("The summaries are of different taggers, pictures or seeds, so they are no one table.")
    views: dict[str, dict[str, dict[str, Any]]] = {}
    for row in [row for each in summaries for row in each["scenarios"]]:
        if row["status"] == "run":
            views.setdefault(_label(row), {}).setdefault(row["view"], row)
    order = sorted(views, key=lambda label: _accuracy(views[label]))
    return "\n".join([_HEAD, *(_line(label, views[label]) for label in order)])


def _label(row: dict[str, Any]) -> str:
    return str(row["label"]) + (" (external tool)" if row["black_box"] else "")


def _accuracy(views: dict[str, dict[str, Any]]) -> float:
    return float((views.get("face") or views["frame"])["bit_accuracy"])


def _line(label: str, views: dict[str, dict[str, Any]]) -> str:
    shown = views.get("frame") or views["face"]
    found = shown["tpr_at_fpr"]["0.001"]
    cells = [
        _bits(views.get("frame")),
        _bits(views.get("face")),
        f"{100 * shown['exact_match']:.0f} %",
        f"{100 * found:.0f} %",
    ]
    return f"| {label} | {' | '.join(cells)} |"


def _bits(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    if row["ci_low"] is None:
        return f"{100 * row['bit_accuracy']:.1f} %"
    return f"{100 * row['bit_accuracy']:.1f} % ({100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f})"


if __name__ == "__main__":
    print(card_table(*(json.loads(Path(path).read_text()) for path in sys.argv[1:])))
