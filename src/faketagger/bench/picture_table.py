"""Every single read, packed so that a page can sort and filter it: columns, with texts as numbers into lists."""

import json
from typing import Any

import numpy as np
import pandas as pd

from faketagger.bench.strips import FOUND_AT

MOST_ROWS = 25_000
ATTACK_WORDS = {"attacked": "attacked", "passed_through": "unchanged", "failed": "failed"}
READ_WORDS = ("payload read", "found", "not found", "no face", "not read")


def pack_reads(records: pd.DataFrame, summary: dict[str, Any]) -> dict[str, Any]:
    """The reads of a page, column by column.

    Where there are more than :data:`MOST_ROWS` whole pictures are left out, evenly over the set, so that those that
    stay have all their rows.

    Args:
        records: All records.
        summary: Of the benchmark; gives the order of the scenarios.

    Returns:
        Plain values: ``all`` reads there are, ``rows`` of the page, ``texts`` by column and ``columns`` of equal
        length. ``result`` says ``payload read``, ``found`` (p at most :data:`FOUND_AT`, payload lost) or
        ``not found``; of an untagged picture ``found`` is a false alarm.
    """
    kept = _thinned(records)
    labels = {row["scenario"]: row["label"] for row in summary["scenarios"]}
    texts: dict[str, list[str]] = {}
    columns: dict[str, list[Any]] = {}
    scenarios = kept["scenario"].astype(str)
    of_text = {
        "picture": kept["picture"],
        "person": kept["identity"],
        "attack": scenarios.map(labels),
        "view": kept["view"],
        "kind": kept["kind"].astype(str).map({"tagged": "tagged", "null": "untagged"}),
        "state": kept["attack_status"].astype(str).map(ATTACK_WORDS),
        "result": pd.Series(np.array(READ_WORDS)[_results(kept)], index=kept.index),
    }
    order = {"attack": list(dict.fromkeys(labels.values())), "result": list(READ_WORDS)}
    for name, values in of_text.items():
        present = set(values.astype(str))
        texts[name] = [text for text in order.get(name, sorted(present)) if text in present]
        columns[name] = pd.Categorical(values.astype(str), categories=texts[name]).codes.tolist()
    columns["matched"] = kept["matched"].tolist()
    columns["bits"] = kept["bits"].tolist()
    columns["p"] = [float(f"{value:.3g}") for value in kept["p_value"]]
    columns["attack_db"] = [None if np.isnan(db) else round(db, 1) for db in kept["attack_psnr_db"].astype(float)]
    return {"all": len(records), "rows": len(kept), "texts": texts, "columns": columns}


def as_script(packed: dict[str, Any]) -> str:
    """JSON that may stand between script tags.

    Args:
        packed: Of :func:`pack_reads`.
    """
    text = json.dumps(packed, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _thinned(records: pd.DataFrame) -> pd.DataFrame:
    if len(records) <= MOST_ROWS:
        return records
    pictures = np.sort(records["picture"].astype(str).unique())
    count = max(1, len(pictures) * MOST_ROWS // len(records))
    chosen = pictures[np.linspace(0, len(pictures) - 1, count).round().astype(int)]
    return records[records["picture"].isin(chosen)].iloc[:MOST_ROWS]


def _results(records: pd.DataFrame) -> np.ndarray:
    """Index into :data:`READ_WORDS` of every record."""
    unread = (records["read_status"] == "unread").to_numpy()
    faceless = (records["read_status"] == "no_face").to_numpy()
    exact, found = records["exact"].to_numpy(bool), (records["p_value"] <= FOUND_AT).to_numpy()
    return np.select([unread, faceless, exact, found], [4, 3, 0, 1], default=2)
