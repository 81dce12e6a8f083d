"""Tagging a folder with one worker and with two, in turn: how much of the second worker arrives.

.venv/bin/python benchmarks/scaling.py [--pictures N] [--rounds N]. Run it on an idle machine; the load is reported.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from PIL import Image

from faketagger.data.demo import demo_faces
from faketagger.ray_cluster import ray_session
from faketagger.scale.engine import run_batches
from faketagger.scale.frozen import freeze
from faketagger.scale.listing import listed
from faketagger.scale.tagging import TagOrder

BATCH = 4


def once(root: Path, files: list[str], workers: int) -> tuple[float, float]:
    """Pictures a second of so many workers once they all work, and processor seconds a picture."""
    batches = -(-len(files) // BATCH)
    listing = freeze([listed(files)], root / "listing", BATCH)
    with ray_session(workers, None) as ray:
        finished: list[float] = []
        busy = 0.0
        order = TagOrder(root, "face-128", "benchmark", "int:1", None)
        for batch in run_batches(ray, listing, order, root / "r", workers):
            finished.append(time.perf_counter())
            busy += batch.seconds
    # The workers start up one after another: count from the moment every one of them has finished a batch or two.
    first = 2 * workers
    return (batches - first) * BATCH / (finished[-1] - finished[first - 1]), busy / len(files)


def measure(pictures: int = 96, rounds: int = 3) -> dict[str, float]:
    """Median rates and efficiency over rounds, each round both in turn."""
    ones, twos = [], []
    loads = [os.getloadavg()[0]]
    for _ in range(rounds):
        for workers, kept in ((1, ones), (2, twos)):
            with tempfile.TemporaryDirectory() as folder:
                faces = Path(folder) / "faces"
                faces.mkdir()
                portraits = demo_faces(24)
                for number in range(pictures):
                    pixels = portraits[number % len(portraits)][2].copy()
                    pixels[0, 0] = number % 251, number // 251, 7  # contents differ, so that each is tagged
                    Image.fromarray(pixels).save(faces / f"{number:05d}.png")
                kept.append(once(Path(folder), sorted(map(str, faces.glob("*.png"))), workers)[0])
        loads.append(os.getloadavg()[0])
    shares = [two / (2 * one) for one, two in zip(ones, twos, strict=True)]
    return {
        "one_worker_per_s": statistics.median(ones), "two_workers_per_s": statistics.median(twos),
        "efficiency": statistics.median(shares), "lowest": min(shares), "highest": max(shares),
        "load_before": loads[0], "load_after": loads[-1], "cores": len(os.sched_getaffinity(0)), "target": 0.9,
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    print(json.dumps(measure(**vars(parser.parse_args())), indent=1))
