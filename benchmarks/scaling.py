"""Tagging with one worker and with two, and the same work in processes without Ray: what is lost, and to whom.

.venv/bin/python benchmarks/scaling.py [--pictures N] [--rounds N] [--keep]. Run it on an idle machine, for about three
minutes; the load is reported. --keep lays the result beside the cost that 'faketagger plan' plans with.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from faketagger.data.demo import demo_faces
from faketagger.ray_cluster import ray_session
from faketagger.scale.cost import Scaling, load_table, measure_cost, table_path
from faketagger.scale.engine import BatchWorker, run_batches, unfinished
from faketagger.scale.frozen import FrozenListing, freeze
from faketagger.scale.listing import listed
from faketagger.scale.tagging import TagOrder

MODEL, BATCH, WORKERS = "face-128", 4, 2
NAMES = ("plain_one", "plain_several", "one", "several")


def with_ray(ray: Any, listing: FrozenListing, order: TagOrder, workers: int) -> float:
    """Pictures a second of so many workers of Ray, once they all work."""
    batches = run_batches(ray, listing, order, order.out / "results", workers)
    finished = [time.perf_counter() for _ in batches]
    # The workers start up one after another: count from the moment every one of them has finished a batch or two.
    first = 2 * workers
    return (listing.batches - first) * BATCH / (finished[-1] - finished[first - 1])


def plainly(listing: FrozenListing, order: TagOrder, workers: int) -> float:
    """Pictures a second of so many processes that do the same to a part each, begun together."""
    context = multiprocessing.get_context("spawn")
    begin, spans = context.Barrier(workers), context.Queue()
    todo = unfinished(listing, order.out / "results")
    parts = [todo[place::workers] for place in range(workers)]
    arguments = [(listing, order, part, begin, spans) for part in parts]
    processes = [context.Process(target=_one_process, args=each) for each in arguments]
    for process in processes:
        process.start()
    found = [spans.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    warmed = workers * BATCH
    return (listing.rows - warmed) / (max(end for _, end in found) - min(start for start, _ in found))


def _one_process(listing: FrozenListing, order: TagOrder, todo: np.ndarray, begin: Any, spans: Any) -> None:
    worker = BatchWorker(order, listing, order.out / "results", todo)
    worker({"id": np.array([0])})  # whatever is loaded on first use
    begin.wait()
    start = time.perf_counter()
    for place in range(1, len(todo)):
        worker({"id": np.array([place])})
    spans.put((start, time.perf_counter()))


def _pictures(folder: Path, count: int) -> FrozenListing:
    portraits = [pixels for _, _, pixels in demo_faces(24)]
    folder.mkdir()
    for number in range(count):
        pixels = portraits[number % len(portraits)].copy()
        pixels[0, 0] = number % 251, number // 251, 7  # contents differ, so that each is tagged
        Image.fromarray(pixels).save(folder / f"{number:05d}.png")
    return freeze([listed(sorted(map(str, folder.glob("*.png"))))], folder / "listing", BATCH)


def measure_scaling(pictures: int, rounds: int) -> Scaling:
    """All four in turn, round after round."""
    rates: dict[str, list[float]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory() as folder, ray_session(WORKERS, None) as ray:
        listing = _pictures(Path(folder) / "pictures", pictures)
        for turn in range(rounds):
            for name, found in rates.items():
                order = TagOrder(Path(folder) / f"{name}-{turn}", MODEL, "benchmark", "int:1", None)
                workers = WORKERS if name.endswith("several") else 1
                plain = name.startswith("plain")
                found.append(plainly(listing, order, workers) if plain else with_ray(ray, listing, order, workers))
    return Scaling(WORKERS, **{name: tuple(found) for name, found in rates.items()})


def summary(scaling: Scaling) -> dict[str, Any]:
    """Medians and the range over rounds."""
    shares = {
        "efficiency": scaling.efficiency,
        "machine_allows": scaling.allowed,
        "rays_share": scaling.efficiency / scaling.allowed,
    }
    told = {
        name: {"median": float(np.median(found)), "lowest": float(found.min()), "highest": float(found.max())}
        for name, found in shares.items()
    }
    rates = {name: float(np.median(getattr(scaling, name))) for name in NAMES}
    return told | {"pictures_per_s": rates, "target": "rays_share >= 0.9"}


def _keep(scaling: Scaling) -> None:
    path = table_path(MODEL, "cpu")
    table = load_table(path) if path.is_file() else measure_cost(MODEL, "cpu")
    replace(table, scaling=scaling).save(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="for 'faketagger plan'")
    arguments = parser.parse_args()
    before, began = os.getloadavg()[0], time.perf_counter()
    measured = measure_scaling(arguments.pictures, arguments.rounds)
    if arguments.keep:
        _keep(measured)
    machine = {"cores": len(os.sched_getaffinity(0)), "load_before": before, "load_after": os.getloadavg()[0]}
    print(json.dumps(summary(measured) | machine | {"seconds": time.perf_counter() - began}, indent=1))
