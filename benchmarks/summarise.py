"""Records of 10,000 pictures through 40 scenarios, from the chunks of an output folder to its summary: time and memory.

.venv/bin/python benchmarks/run.py summarise
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from faketagger.bench.chunks import BLOCK
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.records import SCHEMA, as_frame, save_part
from faketagger.bench.scenario import KINDS, Job, plan
from faketagger.bench.store import Store
from faketagger.coding import match_p_value
from faketagger.config import check

PICTURES, SCENARIOS, CHUNK, BITS = 10_000, 40, 8, 64
INPUTS = {"benchmark file": "synthetic"}
P_VALUES = np.array([match_p_value(matched, BITS) for matched in range(BITS + 1)])


def jobs_of(scenarios: int = SCENARIOS) -> list[Job]:
    """The two controls and enough attacks, each read in both views."""
    attacks = [{"attack": f"attack{i}"} for i in range(scenarios // 2 - 2)]
    values = {"protocol": {"name": "synthetic", "version": 1}, "model": "synthetic", "scenarios": attacks}
    return plan(check(values, BenchConfig, "synthetic"))


def fill(root: Path, pictures: int = PICTURES) -> list[Job]:
    """An output folder as a run leaves it: blocks of chunks, tagged and null, both views.

    Args:
        root: Folder to make.
        pictures: How many.

    Returns:
        Its jobs.
    """
    store, jobs, rng = Store(root), jobs_of(), np.random.default_rng(0)
    store.open(INPUTS)
    size = BLOCK * CHUNK
    for job in jobs:
        store.chunks.part(job, "tagged", 0).parent.mkdir(exist_ok=True)
        for kind in KINDS:
            for block, start in enumerate(range(0, pictures, size)):
                numbers = np.arange(start, min(start + size, pictures))
                timings = {"attack": 1.0, "read": 1.0, "pictures": float(len(numbers)), "cached": 0.0}
                save_part(store.chunks.block(job, kind, block), _records(job, kind, numbers, rng), timings)
    return jobs


def _records(job: Job, kind: str, numbers: np.ndarray, rng: np.random.Generator) -> pa.Table:
    parts = []
    for view in job.views:
        matched = rng.binomial(BITS, 0.9 if kind == "tagged" else 0.5, len(numbers))
        facts: dict[str, Any] = {
            "scenario": job.scenario_id(view),
            "job": job.id,
            "label": job.label,
            "attack": job.attack,
            "version": 1,
            "family": "degradation",
            "role": "carrier",
            "view": view,
            "black_box": False,
            "kind": kind,
            "attack_status": "attacked",
            "read_status": "read",
            "reason": "",
            "bits": BITS,
            "picture": [f"folder/picture-{i:06d}.png" for i in numbers],
            "identity": [f"person {i // 2:05d}" for i in numbers],
            "cluster": [f"person {i // 2:05d}" for i in numbers],
            "matched": matched,
            "p_value": P_VALUES[matched],
            "exact": matched > 55,
            **{name: rng.normal(35, 2, len(numbers)) for name in ("psnr_db", "psnr_face_db", "attack_psnr_db")},
            **{name: rng.random(len(numbers)) for name in ("ssim", "ssim_face", "changed")},
        }
        columns = [_column(facts.get(field.name), len(numbers), field.type) for field in SCHEMA]
        parts.append(pa.Table.from_arrays(columns, schema=SCHEMA))
    return pa.concat_tables(parts)


def _column(value: Any, rows: int, kind: pa.DataType) -> pa.Array:
    return pa.array(value if isinstance(value, list | np.ndarray) else [value] * rows, kind)


def summarise_folder(root: Path) -> dict[str, float]:
    """What a run does when its last chunk is there, in this process.

    Args:
        root: A folder of :func:`fill`.

    Returns:
        Seconds of gathering and of summarising, and the peak of this process's memory in MB.
    """
    from faketagger.bench.summary import Measured, summarise

    store, jobs = Store(root), jobs_of()
    store.open(INPUTS)
    began = time.perf_counter(), time.process_time()
    store.finish_records(jobs)
    gathered = time.perf_counter()
    records = as_frame(store.records())
    store.save_json("summary.json", summarise(Measured({}, records, jobs)))
    return {
        "records": float(len(records)),
        "gather_s": gathered - began[0],
        "summarise_s": time.perf_counter() - gathered,
        "wall_s": time.perf_counter() - began[0],
        "cpu_s": time.process_time() - began[1],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure() -> dict[str, float]:
    """Fill a folder, summarise it in a fresh process.

    Returns:
        Figures of :func:`summarise_folder` with the targets of 30 s and 2 GB.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "out"
        fill(root)
        done = subprocess.run([sys.executable, __file__, str(root)], capture_output=True, text=True, check=True)
        figures: dict[str, float] = json.loads(done.stdout)
    return figures | {"wall_target_s": 30.0, "peak_target_mb": 2000.0}


if __name__ == "__main__":
    print(json.dumps(summarise_folder(Path(sys.argv[1]))))
