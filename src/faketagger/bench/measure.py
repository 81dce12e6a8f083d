"""The heavy half: load the tagger, prepare the pictures, run what is missing, write every result file."""

import os
import resource
import time
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

import faketagger
from faketagger import zoo
from faketagger.bench.messages import MessageSource
from faketagger.bench.pictures import Picture, choose
from faketagger.bench.prepare import Preparation
from faketagger.bench.progress import BenchProgress
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.records import as_frame
from faketagger.bench.report import ReportInput, render_report
from faketagger.bench.runner import CHUNK, NotRun, Runner, shown
from faketagger.bench.scenario import Job
from faketagger.bench.sources import Source, check_attacks
from faketagger.bench.store import Store
from faketagger.bench.strips import cut_strips
from faketagger.bench.subject import Subject
from faketagger.bench.summary import Measured, Missing, summarise
from faketagger.bench.wandb_log import Logged, log_run
from faketagger.errors import BenchError
from faketagger.imaging import write_atomically


def measure(
    config: BenchConfig, jobs: list[Job], sources: list[Source], store: Store, console: Console, command: str
) -> dict[str, Any]:
    """Do what is missing in an output folder and write all result files.

    Args:
        config: The benchmark.
        jobs: Its jobs.
        sources: All photographs that may be chosen.
        store: Opened output folder.
        console: Where progress goes.
        command: What the user typed.

    Returns:
        The summary.

    Raises:
        ConfigError: Unknown attack.
        BenchError: No usable face.
    """
    began = time.perf_counter()
    check_attacks(jobs)
    chosen = choose(sources, config.faces.count, config.seed)
    subject = Subject(faketagger.load(config.model))
    label = f"{config.protocol.name}/{config.protocol.version}/{config.seed}"
    messages = MessageSource(config.key, label, subject.message_bits, subject.payload_bits, subject.crc_bits)
    with BenchProgress(console) as progress:
        preparation = Preparation(store.pictures, subject, messages, config.faces.size)
        for start in range(0, len(chosen), CHUNK):
            progress.show("find faces, tag", start, len(chosen))
            preparation.run(start, chosen[start : start + CHUNK])
        progress.show("find faces, tag", len(chosen), len(chosen))
        pictures, skipped = preparation.result()
        if not pictures:
            raise BenchError(
                f"No usable face in {len(chosen)} pictures; the first: {skipped[0]['reason']}",
                "Give photographs that show a face, at least 64 pixels wide.",
            )
        ready, blocked = sort_out(jobs)
        runner = Runner(store, subject, messages, pictures, config.seed, config.strips, progress)
        not_run = runner.run(ready, blocked)
    missing = {lost.job.id: explain(lost, command) for lost in not_run}
    store.save_state(not_run=sorted(missing))
    timings: dict[str, Any] = {"jobs": store.finish_records([job for job in jobs if job.id not in missing])}
    records = as_frame(store.records())
    digests = store.state["inputs"]
    header = {
        "protocol": config.protocol.plain(),
        "model": {
            "name": subject.name,
            "digest": digests["model"],
            "message_bits": subject.message_bits,
            "payload_bits": subject.payload_bits,
        },
        "faces": describe_faces(config, pictures, skipped, digests["faces"]),
    }
    measured = Measured(header, records, jobs, missing, tuple(config.fpr), config.seed, config.resamples)
    summary = summarise(measured)
    store.save_json("summary.json", summary)
    timings |= {
        "prepare_seconds": preparation.seconds,
        "attack_seconds": sum(spent["attack"] for spent in timings["jobs"].values()),
        "cpu_count": os.cpu_count(),
        "sandboxes": runner.sandboxes,
        "peak_memory_mb": peak_memory_mb(),
        "wall_seconds": time.perf_counter() - began,
    }
    faces = shown(pictures, config.strips)
    log_run(Logged(store, summary, records, faces, jobs, config.public(), timings))
    timings["wall_seconds"] = time.perf_counter() - began
    strips = cut_strips(store, faces, jobs, records)
    text = yaml.safe_dump(config.public(), sort_keys=False, allow_unicode=True)
    page = render_report(ReportInput(summary, records, timings, strips, command, text, digests))
    write_atomically(page.encode(), store.root / "report.html")
    store.save_json("timings.json", timings)
    return summary


def sort_out(jobs: list[Job]) -> tuple[list[Job], list[NotRun]]:
    """Tell the jobs that can run from those whose tool is not there.

    Args:
        jobs: All jobs.
    """
    ready: list[Job] = []
    blocked: list[NotRun] = []
    for job in jobs:
        diagnosis = zoo.doctor(job.attack) if job.box == "black" else None
        if diagnosis is None or diagnosis.state == "ready":
            ready.append(job)
            continue
        manifest = zoo.get_adapter(job.attack).manifest
        lacking = "; ".join(diagnosis.missing)
        reason = f"the tool is {diagnosis.state.replace('_', ' ')}, it lacks {lacking}"
        blocked.append(NotRun(job, reason, diagnosis.next_command, manifest.family, manifest.version))
    return ready, blocked


def explain(lost: NotRun, command: str) -> Missing:
    """What the table says about a job without results.

    Args:
        lost: The job and what happened.
        command: What the user typed, to be typed again where nothing better is known.
    """
    return Missing(lost.reason, lost.hint or command, lost.family, lost.version)


def describe_faces(
    config: BenchConfig, pictures: list[Picture], skipped: list[dict[str, str]], digest: str
) -> dict[str, Any]:
    """The ``faces`` part of the summary: no absolute path, so that it is the same wherever the folder lies.

    Args:
        config: The benchmark.
        pictures: Those that took part.
        skipped: Those that could not, with reasons.
        digest: Of the contents.
    """
    return {
        "source": Path(config.faces.source).name,
        "digest": digest,
        "size": config.faces.size,
        "n_images": len(pictures),
        "n_clusters": len({picture.identity for picture in pictures}),
        "skipped": skipped,
    }


def peak_memory_mb() -> float:
    """Largest resident size so far of this process, or of any tool it has run, in MB."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(one).ru_maxrss for one in who) / 1024
