"""From finished chunks to the files people open: records, summary, timings, page, W&B run."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from faketagger.bench.assignments import NotRun
from faketagger.bench.memory import PEAK
from faketagger.bench.page import write_page
from faketagger.bench.pictures import Picture
from faketagger.bench.prepare import Preparation
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.records import as_frame
from faketagger.bench.runner import shown
from faketagger.bench.scenario import Job
from faketagger.bench.store import Store
from faketagger.bench.strips import as_face
from faketagger.bench.subject import Subject
from faketagger.bench.summary import Measured, Missing, summarise
from faketagger.bench.tagging import Tagging
from faketagger.bench.wandb_log import Logged, RunWriter
from faketagger.errors import CheckpointError
from faketagger.faces import backend_in_use
from faketagger.tagger.checkpoint import CONFIG, WEIGHTS, checkpoint_folder
from faketagger.zoo import get_adapter

FORMAT = 2
"""Of summary.json and records.parquet: 2 has attack strengths, donors and their pooled evidence."""


@dataclass(frozen=True)
class Done:
    """What the measuring half hands over.

    Attributes:
        began: ``time.perf_counter()`` at the start.
        jobs: All jobs in the order of the table.
        not_run: Those without results.
        subject: The watermark under test.
        pictures: All pictures.
        preparation: Knows what was skipped and how long it took.
        tagging: Knows how long the tagger itself took.
        sandboxes: Kind of sandbox by job.
        psnr_match: How the strength was found that holds the asked PSNR; None where none was asked.
    """

    began: float
    jobs: list[Job]
    not_run: list[NotRun]
    subject: Subject
    pictures: list[Picture]
    preparation: Preparation
    tagging: Tagging
    sandboxes: dict[str, str]
    psnr_match: dict[str, Any] | None = None


def write_results(
    config: BenchConfig, store: Store, done: Done, command: str, aside: ThreadPoolExecutor, run: RunWriter
) -> dict[str, Any]:
    """Write every result file.

    Args:
        config: The benchmark.
        store: Folder with all chunks.
        done: What was measured.
        command: What the user typed.
        aside: Its one thread is opening ``run``, and writes it while the page is drawn here.
        run: The W&B run.

    Returns:
        The summary.
    """
    missing = {
        lost.job.id: Missing(_public(lost.reason, store), lost.hint or command, lost.family, lost.version, lost.pin)
        for lost in done.not_run
    }
    store.save_state(not_run=sorted(missing))
    spent = store.finish_records([job for job in done.jobs if job.id not in missing])
    records = as_frame(store.records())
    header = describe(config, store, done)
    pins = {job.id: get_adapter(job.attack).manifest.upstream.pin for job in done.jobs if job.box == "black"}
    fpr = tuple(config.fpr)
    summary = summarise(Measured(header, records, done.jobs, missing, fpr, config.seed, config.resamples, pins))
    store.save_json("summary.json", summary)
    faces = [as_face(picture, store.root) for picture in shown(done.pictures, config.strips)]
    timings = measure_cost(spent, done)
    store.save_json("timings.json", timings)
    text = yaml.safe_dump(config.public(), sort_keys=False, allow_unicode=True)
    store.save_state(shown=[asdict(face) for face in faces], command=command, config=text)
    written = aside.submit(run.write, Logged(store.root, summary, records, faces, timings, model_files(config.model)))
    write_page([store.root])
    written.result()
    store.save_json("timings.json", {**timings, "wall_seconds": time.perf_counter() - done.began})
    return summary


def model_files(name: str) -> list[Path]:
    """Configuration and weights of a tagger; none for a watermark that has no checkpoint.

    Args:
        name: Of a shipped tagger, or its folder.
    """
    try:
        folder = checkpoint_folder(name)
    except CheckpointError:
        return []
    return [path for file in (CONFIG, WEIGHTS) if (path := folder / file).is_file()]


def describe(config: BenchConfig, store: Store, done: Done) -> dict[str, Any]:
    """``format, protocol, model`` and ``faces`` of the summary; no absolute path, so that it is the same anywhere.

    Args:
        config: The benchmark.
        store: Opened output folder.
        done: What was measured.
    """
    digests = store.state["inputs"]
    return {
        "format": FORMAT,
        "protocol": config.protocol.plain(),
        "model": {
            "name": done.subject.name,
            "digest": digests["model"],
            "message_bits": done.subject.message_bits,
            "payload_bits": done.subject.payload_bits,
            "coded": done.subject.coded,
            "kind": done.subject.kind,
            "version": done.subject.version,
            "psnr_match": done.psnr_match,
        },
        "faces": {
            "source": Path(config.faces.source).name,
            "digest": digests["faces"],
            "size": config.faces.size,
            "finder": backend_in_use(),
            "n_images": len(done.pictures),
            "n_clusters": len({picture.identity for picture in done.pictures}),
            "skipped": done.preparation.skipped,
        },
    }


def measure_cost(spent: dict[str, dict[str, float]], done: Done) -> dict[str, Any]:
    """Seconds, memory and machine: everything that two equal runs may differ in.

    Args:
        spent: Seconds by job, as kept in the chunks.
        done: What was measured.
    """
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "jobs": spent,
        "prepare_seconds": done.preparation.seconds,
        "tagging": {"seconds": done.tagging.seconds, "pictures": done.tagging.made},
        "attack_seconds": sum(job["attack"] for job in spent.values()),
        "wall_seconds": time.perf_counter() - done.began,
        "cpu_count": os.cpu_count(),
        "peak_memory_mb": PEAK.highest(),
        "sandboxes": done.sandboxes,
    }


def _public(reason: str, store: Store) -> str:
    return reason.replace(str(store.root.resolve()), "OUT").replace(str(store.root), "OUT")
