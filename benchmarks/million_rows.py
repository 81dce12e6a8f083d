"""A manifest of a million rows through the scheduler, with next to no work a row: memory of the driver, rows a second.

.venv/bin/python benchmarks/million_rows.py [--rows N] [--batch N] [--workers N]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from faketagger.bench.memory import PEAK
from faketagger.ray_cluster import ray_session
from faketagger.scale.engine import run_batches, unfinished
from faketagger.scale.frozen import freeze
from faketagger.scale.listing import list_collection


def record(rows: pa.Table, first: int) -> pa.Table:
    """Records every row and does nothing else."""
    return pa.table({"row": range(first, first + len(rows)), "status": ["tagged"] * len(rows)})


def make():
    """What a worker makes for itself."""
    return record


def measure(rows: int = 1_000_000, batch: int = 64, workers: int = 1) -> dict[str, float]:
    """Write a manifest, list it, lay it down, schedule every batch; what the driver's memory came to."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with (root / "manifest.csv").open("w") as file:
            file.write("path\n")
            file.writelines(f"pictures/{number // 1000:05d}/{number:09d}.jpg\n" for number in range(rows))
        start = time.perf_counter()
        listing = freeze(list_collection(str(root / "manifest.csv")), root / "listing", batch)
        listed = time.perf_counter()
        with ray_session(workers, None) as ray:
            scheduling = time.perf_counter()
            done = sum(sum(one.counts.values()) for one in run_batches(ray, listing, make, root / "results", workers))
            end = time.perf_counter()
        left = len(unfinished(listing, root / "results"))
    return {
        "rows": rows, "batches": listing.batches, "done": done, "batches_left": left,
        "driver_peak_mb": PEAK.megabytes(),
        "listing_s": listed - start, "scheduling_s": end - scheduling, "rows_per_s": done / (end - scheduling),
        "target_mb": 1024,
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--workers", type=int, default=1)
    print(json.dumps(measure(**vars(parser.parse_args())), indent=1))
