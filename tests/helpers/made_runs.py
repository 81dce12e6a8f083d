"""Finished benchmark folders made by code, in a second and without a model: for pages, W&B runs and the like."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from faketagger.bench.pictures import save_png
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.records import SCHEMA, Record, as_frame, gather, save_table
from faketagger.bench.scenario import Job, plan
from faketagger.bench.strips import Face
from faketagger.bench.summary import Measured, Missing, summarise
from faketagger.coding import match_p_value
from faketagger.config import check

BITS, SIDE = 64, 48
P_VALUES = [float(match_p_value(k, BITS)) for k in range(BITS + 1)]
SCENARIOS: list[dict[str, Any]] = [
    {"attack": "jpeg", "severity": [90.0, 50.0, 30.0]},
    {"attack": "synthesis", "pair": "twins"},
    {"attack": "realesrgan", "box": "black", "pair": "twins", "label": "Real-ESRGAN"},
    {"attack": "absent", "box": "black", "label": "a tool that is not there"},
]
RATES = {"no_attack": 1.0, "jpeg-30": 0.8, "synthesis": 0.9, "realesrgan": 0.75}
"""Share of bits that survive; 0.95 for everything else."""


def make_run(
    folder: Path, name: str = "toy", psnr_db: float = 38.0, pictures: int = 40, loss: float = 0.0, **changes: Any
) -> Path:
    """Write what a finished benchmark leaves behind.

    Args:
        folder: To make.
        name: Of the watermark.
        psnr_db: Of the tagged pictures.
        pictures: How many, two of each person.
        loss: Taken off every survival rate.
        **changes: Of the benchmark file.
    """
    (folder / "pictures").mkdir(parents=True)
    values = {"protocol": {"name": "made", "version": 1}, "model": name, "scenarios": SCENARIOS, "resamples": 200}
    config = check({**values, **changes}, BenchConfig, "made.yaml")
    jobs = plan(config)
    rng = np.random.default_rng(int(psnr_db * 10))
    records = [one for job in jobs if job.attack != "absent" for one in _records(job, pictures, psnr_db, loss, rng)]
    table = gather([pa.Table.from_pylist([asdict(record) for record in records], schema=SCHEMA)])
    save_table(folder / "records.parquet", table)
    header = {
        "format": 2,
        "protocol": config.protocol.plain(),
        "model": {"name": name, "digest": "0" * 64, "message_bits": BITS, "payload_bits": 32},
        "faces": {
            "source": "made",
            "digest": "1" * 64,
            "size": SIDE,
            "finder": "none",
            "skipped": [],
            "n_images": pictures,
            "n_clusters": pictures // 2,
        },
    }
    missing = {"absent": Missing("<b>absent</b> is not installed", "faketagger zoo install absent")}
    summary = summarise(Measured(header, as_frame(table), jobs, missing, seed=config.seed, resamples=200))
    (folder / "summary.json").write_text(json.dumps(summary))
    faces = [_show(folder, jobs, number, rng) for number in range(2)]
    spent = {"attack": 2.0, "read": 1.0, "pictures": 2.0 * pictures, "cached": 0.0, "memory_mb": 300.0}
    timings = {
        "date": "2026-01-02",
        "cpu_count": 2,
        "peak_memory_mb": 512.0,
        "wall_seconds": 60.0,
        "attack_seconds": 12.0,
        "tagging": {"seconds": 4.0, "pictures": pictures},
        "sandboxes": {},
        "jobs": {job.id: dict(spent) for job in jobs if job.attack != "absent"},
    }
    (folder / "timings.json").write_text(json.dumps(timings))
    state = {
        "shown": [asdict(face) for face in faces],
        "command": "faketagger bench made.yaml",
        "config": "made: true\n",
        "inputs": {"model": "0" * 64},
    }
    (folder / "state.json").write_text(json.dumps(state))
    return folder


def _records(job: Job, pictures: int, psnr_db: float, loss: float, rng: np.random.Generator) -> list[Record]:
    made = []
    for view in job.views:
        for kind in ("tagged", "null"):
            rate = min(1.0, RATES.get(job.id, 0.95) - loss) if kind == "tagged" else 0.5
            for number, matched in enumerate(rng.binomial(BITS, rate, pictures)):
                failed = job.id == "realesrgan" and kind == "tagged" and number == 0
                matched = BITS // 2 if failed else int(matched)
                made.append(
                    Record(
                        scenario=job.scenario_id(view),
                        job=job.id,
                        label=job.label,
                        attack=job.attack,
                        version=1,
                        family="control" if job.box == "control" else "synthesis",
                        role=job.role,
                        view=view,
                        black_box=job.box == "black",
                        severity=job.severity,
                        pair=job.pair,
                        kind=kind,
                        picture=f"p{number:05d}.png",
                        identity=f"person {number // 2}",
                        cluster=f"person {number // 2}",
                        attack_status="failed" if failed else "attacked",
                        read_status="unread" if failed else "read",
                        reason="it crashed" if failed else "",
                        bits=BITS,
                        matched=matched,
                        p_value=1.0 if failed else P_VALUES[matched],
                        exact=matched > 56,
                        attack_psnr_db=None if failed else 30.0 + len(job.id),
                        changed=1.0,
                        moved=None,
                        donor_distance=None,
                        donor_distance_before=None,
                        agreement=None,
                        psnr_db=psnr_db,
                        ssim=0.98,
                        psnr_face_db=36.0,
                        ssim_face=0.9,
                    )
                )
    return made


def _show(folder: Path, jobs: list[Job], number: int, rng: np.random.Generator) -> Face:
    """A shown face with a picture for every job; Real-ESRGAN's is missing for the first, where it failed."""
    stem = f"pictures/{number:05d}"
    face = Face(f"p{number:05d}.png", f"{stem}-original.png", f"{stem}-tagged.png", 38.0)
    image = np.full((SIDE, SIDE, 3), 60 * (number + 1), dtype=np.uint8)
    save_png(folder / face.original, image)
    save_png(folder / face.tagged, image + 3)
    for job in jobs:
        if job.attack == "absent" or (job.id == "realesrgan" and number == 0):
            continue
        place = folder / "strips" / job.id
        place.mkdir(parents=True, exist_ok=True)
        for view in job.views:
            noise = rng.integers(0, 9, image.shape, dtype=np.uint8)
            save_png(place / f"{number:05d}-tagged-{view}.png", image + noise)
    return face
