"""What a training owes to its seed: one summary a seed as one table. ``python -m faketagger.bench.spread SUMMARY …``"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

from faketagger.errors import ConfigError, FakeTaggerError

_HEAD = "| attack | frame: bits right | face only: bits right | payload read |\n|---|---|---|---|"


def spread_table(summaries: list[dict[str, Any]]) -> str:
    """Mean and standard deviation over seeds, the hardest attack first.

    Args:
        summaries: What each seed's ``summary.json`` holds: the same protocol, pictures and attacks.

    Returns:
        A Markdown table in per cent.

    Raises:
        ConfigError: There are fewer than two, or they did not measure the same.
    """
    if len(summaries) < 2:
        raise ConfigError("A spread needs the summaries of at least two seeds.")
    tables = [_rows(summary) for summary in summaries]
    if any(table.keys() != tables[0].keys() for table in tables):
        raise ConfigError("The summaries hold different attacks.", "Run the same benchmark file on the same pictures.")
    found = {key: [table[key] for table in tables] for key in tables[0]}
    labels = sorted({label for label, _ in found}, key=lambda label: _mean(found, label, "bit_accuracy"))
    return "\n".join([_HEAD, *(_line(found, label) for label in labels)])


def _rows(summary: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["label"], row["view"]): row for row in summary["scenarios"] if row["status"] == "run"}


def _values(found: dict[tuple[str, str], list[dict[str, Any]]], label: str, view: str, name: str) -> list[float]:
    return [100 * float(row[name]) for row in found.get((label, view), [])]


def _mean(found: dict[tuple[str, str], list[dict[str, Any]]], label: str, name: str) -> float:
    return statistics.fmean(_values(found, label, "face", name) or _values(found, label, "frame", name))


def _line(found: dict[tuple[str, str], list[dict[str, Any]]], label: str) -> str:
    cells = []
    for view, name, digits in (("frame", "bit_accuracy", 1), ("face", "bit_accuracy", 1), ("frame", "exact_match", 0)):
        values = _values(found, label, view, name)
        shown = f"{statistics.fmean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f} %" if values else "–"
        cells.append(shown)
    return f"| {label} | {' | '.join(cells)} |"


if __name__ == "__main__":
    try:
        print(spread_table([json.loads(Path(path).read_text()) for path in sys.argv[1:]]))
    except FakeTaggerError as error:
        sys.exit(f"error: {error}")
