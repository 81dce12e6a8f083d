"""Rows of earlier benchmarks, one reviewed JSON file a tool in docs/zoo, so that a new summary loses none of them."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf

from faketagger.bench.zoo_rows import ToolRow
from faketagger.errors import BenchError
from faketagger.imaging import write_atomically

_FACTS = (
    *("family", "version", "pin", "n_clusters", "attacked", "failed"),
    *("bit_accuracy", "ci_low", "ci_high", "exact_match", "tpr_at_fpr"),
    *("pooled_matched", "pooled_bits", "pooled_p_value", "null_pooled_p_value"),
    *("changed_pixels", "attack_psnr_db", "moved", "donor_distance", "donor_distance_before"),
)
_GAP = ("difference", "ci_low", "ci_high")


def read_kept(folder: Path) -> list[ToolRow]:
    """The rows of all tools.

    Args:
        folder: With a file ``TOOL.json`` for each; may be absent.

    Raises:
        BenchError: A file holds something else.
    """
    rows = []
    for path in sorted(folder.glob("*.json")):
        try:
            rows += [_row(plain) for plain in json.loads(path.read_text(encoding="utf-8"))]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BenchError(f"{path} is no list of results.", "Take it from the repository again.") from error
    return rows


def read_unrun(folder: Path) -> list[dict[str, Any]]:
    """The settings that nobody has run, each with ``tool``, ``roles``, ``preset`` and ``reason``.

    Args:
        folder: Of :func:`read_kept`; without ``not_run.yaml`` there are none.
    """
    path = folder / "not_run.yaml"
    if not path.is_file():
        return []
    return cast(list[dict[str, Any]], OmegaConf.to_container(OmegaConf.load(path)))


def write_kept(rows: Iterable[ToolRow], folder: Path) -> None:
    """Write the rows of each tool to its file.

    Args:
        rows: Those of a tool side by side; all of them.
        folder: Of :func:`read_kept`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for tool, own in groupby(rows, key=lambda row: row.tool):
        text = json.dumps([_plain(row) for row in own], indent=1, ensure_ascii=False)
        write_atomically(f"{text}\n".encode(), folder / f"{tool}.json")


def _plain(row: ToolRow) -> dict[str, Any]:
    views = {view: {name: facts.get(name) for name in _FACTS} for view, facts in row.views.items()}
    gaps = {view: {"label": label, **{name: gap[name] for name in _GAP}} for view, (label, gap) in row.gaps.items()}
    return {**asdict(row), "views": views, "gaps": gaps}


def _row(plain: dict[str, Any]) -> ToolRow:
    views = {view: {name: facts[name] for name in _FACTS} for view, facts in plain["views"].items()}
    gaps = {view: (gap["label"], {name: gap[name] for name in _GAP}) for view, gap in plain["gaps"].items()}
    return ToolRow(**{**plain, "views": views, "gaps": gaps})
