"""``faketagger tag`` for millions: list, cut, work through, count; the same call again goes on."""

import hashlib
import json
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from faketagger.coding import key_from
from faketagger.ray_cluster import ScaleError, ray_session
from faketagger.scale.engine import STATUS, Need, run_batches, unfinished
from faketagger.scale.frozen import FrozenListing, freeze
from faketagger.scale.listing import list_collection
from faketagger.scale.progress import Advance
from faketagger.scale.tagging import TagOrder

WORK, RESULTS, SUMMARY = ".work", "results", "summary.json"


@dataclass(frozen=True)
class Outcome:
    """What became of a collection.

    Attributes:
        counts: Rows by status, over all calls.
        rows: Rows of the listing.
        done_now: Rows that this call worked through.
        seconds: Length of this call.
        core_seconds: What all workers spent on all rows, over all calls.
    """

    counts: dict[str, int]
    rows: int
    done_now: int
    seconds: float
    core_seconds: float

    def plain(self) -> dict[str, Any]:
        """As summary.json keeps it."""
        rate = self.done_now / self.seconds if self.seconds else None
        return {
            "rows": self.rows,
            "counts": self.counts,
            "last_call": {"rows": self.done_now, "seconds": self.seconds, "rows_per_second": rate},
            "core_seconds": self.core_seconds,
        }


def tag_collection(
    source: str, order: TagOrder, workers: int, address: str | None, batch_rows: int, advance: Advance, gpus: float = 0
) -> Outcome:
    """Tag a collection, or what is left of it.

    Args:
        source: As for :func:`faketagger.scale.listing.list_collection`.
        order: What to do with every picture; ``order.out`` then holds the pictures (``ab/cd/KEY.jpg``), the records
            (``results/``, Parquet) and ``summary.json``.
        workers: Processes at a time.
        address: Of a Ray cluster, or None for this machine.
        batch_rows: Pictures of a batch.
        advance: Shown what is finished.
        gpus: Share of a GPU that each worker gets.

    Returns:
        Counts and times.

    Raises:
        DataError: There is no such collection.
        ScaleError: ``order.out`` belongs to another call, or Ray cannot run.
    """
    start = time.perf_counter()
    work, results = order.out / WORK, order.out / RESULTS
    check_same_order(source, order, work)
    listing = freeze(list_collection(source), work / "listing", batch_rows)
    results.mkdir(exist_ok=True)
    left = sum(listing.size(int(number)) for number in unfinished(listing, results))
    done = 0
    with advance.of(listing.rows, listing.rows - left):
        if left:
            with ray_session(workers, address) as ray:
                for batch in run_batches(ray, listing, order, results, workers, Need(gpus=gpus)):
                    done += sum(batch.counts.values())
                    advance.finished(batch.counts)
    counts, core_seconds = gather(listing, results)
    outcome = Outcome(counts, listing.rows, done, time.perf_counter() - start, core_seconds)
    (order.out / SUMMARY).write_text(json.dumps(outcome.plain(), indent=1))
    return outcome


def gather(listing: FrozenListing, results: Path) -> tuple[dict[str, int], float]:
    """Count the records of all batches, one file at a time.

    Args:
        listing: The collection.
        results: Folder of the records.

    Returns:
        Rows by status, and the seconds spent on them.
    """
    counts: Counter[str] = Counter()
    seconds = 0.0
    for path in sorted(results.glob("*/batch-*.parquet")):
        table = pq.read_table(path, columns=[STATUS, "seconds"])
        counts.update(table.column(STATUS).to_pylist())
        seconds += sum(table.column("seconds").to_pylist())
    return dict(counts), seconds


def check_same_order(source: str, order: TagOrder, work: Path) -> None:
    """Keep what was asked for beside the work; refuse to go on with something else.

    Args:
        source: The collection.
        order: What to do.
        work: Folder of the work.

    Raises:
        ScaleError: The folder belongs to another call.
    """
    path = work / "order.json"
    asked = {"source": source} | {name: getattr(order, name) for name in ("model", "payload", "psnr", "again")}
    if path.is_file():
        kept = {"again": False} | json.loads(path.read_text())
        same_key = kept.pop("key") == _proof(order.key, bytes.fromhex(kept.pop("salt")))
        if kept != asked or not same_key:
            what = "key" if kept == asked else next(name for name in asked if kept.get(name) != asked[name])
            what = "choice of --again" if what == "again" else what
            raise ScaleError(f"{order.out} holds a collection tagged with another {what}.", "Choose another --out.")
        return
    work.mkdir(parents=True, exist_ok=True)
    salt = secrets.token_bytes(16)
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(asked | {"salt": salt.hex(), "key": _proof(order.key, salt)}, indent=1))
    partial.replace(path)


def _proof(key: str | None, salt: bytes) -> str:
    """What tells one key from another and gives neither away."""
    return hashlib.scrypt(key_from(key), salt=salt, n=2**14, r=8, p=1).hex()
