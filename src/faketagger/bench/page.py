"""The page of finished benchmarks: everything it shows is in their folders, so it can be drawn again at any time."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faketagger.bench.costs import PRICE_PER_CORE_HOUR
from faketagger.bench.records import as_frame
from faketagger.bench.report import ReportInput, render_report
from faketagger.bench.strips import Face, cut_strips
from faketagger.errors import BenchError
from faketagger.imaging import write_atomically

if TYPE_CHECKING:
    import pandas as pd

_COMPARED = {"protocol": ("protocol",), "set of faces": ("faces", "digest"), "seed": ("seed",)}
"""What runs on one page must have in common, by the word for it."""


def load_measured(folder: Path) -> tuple[dict[str, Any], "pd.DataFrame"]:
    """Summary and records of a finished benchmark.

    Args:
        folder: Output folder of ``faketagger bench``.

    Raises:
        BenchError: A file is missing or unreadable.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    summary, path = _json(folder / "summary.json"), folder / "records.parquet"
    try:
        return summary, as_frame(pq.read_table(path))
    except (OSError, pa.ArrowException) as error:
        raise BenchError(f"{path} cannot be read.", "Run the benchmark again; finished work is kept.") from error


def load_run(folder: Path) -> ReportInput:
    """Everything that the page of a finished benchmark shows.

    Args:
        folder: Output folder of ``faketagger bench``.

    Raises:
        BenchError: A file is missing or unreadable, or the folder was written before pages could be drawn again.
    """
    summary, records = load_measured(folder)
    timings, state = (_json(folder / f"{name}.json") for name in ("timings", "state"))
    try:
        faces = [Face(**face) for face in state["shown"]]
        return ReportInput(
            summary=summary,
            records=records,
            timings=timings,
            strips=cut_strips(folder, faces, summary, records),
            command=state["command"],
            config=state["config"],
            digests=state["inputs"],
        )
    except (KeyError, TypeError) as error:
        raise BenchError(
            f"{folder} was written by another version of faketagger.", "Measure again into a new folder."
        ) from error
    except OSError as error:
        raise BenchError(
            f"A picture of {folder} is missing: {error.filename}.", "Measure again into a new folder."
        ) from error


def write_page(folders: list[Path], out: Path | None = None, price: float = PRICE_PER_CORE_HOUR) -> Path:
    """Write the page of a finished benchmark, with further ones laid over it.

    Args:
        folders: Output folders of ``faketagger bench``; the page is the first one's.
        out: HTML file; None for ``report.html`` in the first folder, ``comparison.html`` for several folders.
        price: US$ for an hour of one core.

    Returns:
        The HTML file.

    Raises:
        BenchError: A folder cannot be read, or the runs must not be compared.
    """
    runs = [load_run(folder) for folder in folders]
    for folder, run in zip(folders[1:], runs[1:], strict=True):
        check_comparable(folders[0], runs[0].summary, folder, run.summary)
    path = out or folders[0] / ("report.html" if len(folders) == 1 else "comparison.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(render_report(runs[0], runs[1:], price).encode(), path)
    return path


def check_comparable(first: Path, one: dict[str, Any], second: Path, other: dict[str, Any]) -> None:
    """Refuse two runs, folder and summary each, that did not measure the same.

    Raises:
        BenchError: Protocol, faces or seed differ.
    """
    for word, keys in _COMPARED.items():
        mine, theirs = one, other
        for key in keys:
            mine, theirs = mine[key], theirs[key]
        if mine != theirs:
            raise BenchError(
                f"{first} and {second} were measured with another {word}, so they cannot be compared.",
                "Run the same benchmark file on the same faces for each watermark or strength.",
            )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BenchError(f"{path.parent} holds no finished benchmark.", "faketagger bench FILE --out FOLDER") from None
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} cannot be read.", "Run the benchmark again; finished work is kept.") from error
