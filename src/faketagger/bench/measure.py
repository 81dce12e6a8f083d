"""The heavy half: prepare the pictures, load the tagger, run what is missing, hand over to the results."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

import faketagger
from faketagger import zoo
from faketagger.bench.attacks import BlackBox
from faketagger.bench.finding import FacePool
from faketagger.bench.messages import MessageSource
from faketagger.bench.outside import OutsideWorker, reason_of
from faketagger.bench.pictures import choose
from faketagger.bench.prepare import Preparation
from faketagger.bench.progress import BenchProgress
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.results import Done, write_results
from faketagger.bench.runner import NotRun, Runner
from faketagger.bench.scenario import Job
from faketagger.bench.sources import Source
from faketagger.bench.store import Store
from faketagger.bench.subject import Subject
from faketagger.bench.wandb_log import RunWriter


def measure(
    config: BenchConfig,
    jobs: list[Job],
    sources: list[Source],
    store: Store,
    console: Console,
    command: str,
    began: float,
    faces: FacePool,
) -> dict[str, Any]:
    """Do what is missing in an output folder and write all result files.

    Args:
        config: The benchmark.
        jobs: Its jobs.
        sources: All photographs that may be chosen.
        store: Opened output folder.
        console: Where progress goes.
        command: What the user typed.
        began: ``time.perf_counter()`` at the start of it all.
        faces: Finds faces.

    Returns:
        The summary.

    Raises:
        BenchError: No usable face.
    """
    tools, blocked = find_tools(jobs, config.seed)
    inside = [job for job in jobs if job.box != "black"]
    name = f"{config.protocol.name}-v{config.protocol.version}"
    with (
        RunWriter(store.root, name, Path(config.model).name, config.public()) as run,
        ThreadPoolExecutor(1) as aside,
        one_thread(),
    ):
        with BenchProgress(console) as progress, OutsideWorker(store, progress.show) as worker:

            def prepared(done: int, total: int) -> None:
                progress.show("find faces, cut, tag", done, total)

            preparation = Preparation(store.pictures, config.faces.size, faces, prepared)
            originals = preparation.cut(choose(sources, config.faces.count, config.seed))
            for tool in tools:
                worker.order(tool, "null", originals)
            subject = Subject(faketagger.load(config.model))
            messages = MessageSource(
                config.key,
                f"{config.protocol.name}/{config.protocol.version}/{config.seed}",
                subject.message_bits,
                subject.payload_bits,
                subject.crc_bits,
            )
            pictures = preparation.tag(subject, messages)
            for tool in tools:
                worker.order(tool, "tagged", [picture.tagged for picture in pictures])
            runner = Runner(store, subject, messages, pictures, config, faces, progress)
            runner.run_inside(inside, worker)
            opened = aside.submit(run.open)
            runner.wait_for(worker)
            not_run = blocked + runner.not_run
        opened.result()
        done = Done(began, jobs, not_run, subject, pictures, preparation, runner.sandboxes)
        return write_results(config, store, done, command, aside, run)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: sums do not depend on the machine, and the tools outside have the other cores.

    Single pictures are too small to share out anyway; two threads beside a busy tool wait for each other.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def find_tools(jobs: list[Job], seed: int) -> tuple[list[BlackBox], list[NotRun]]:
    """Tell the tools that can run from those that cannot, with the command that helps.

    Args:
        jobs: All jobs.
        seed: Of the benchmark.
    """
    tools: list[BlackBox] = []
    blocked: list[NotRun] = []
    for job in (job for job in jobs if job.box == "black"):
        diagnosis = zoo.doctor(job.attack)
        manifest = zoo.get_adapter(job.attack).manifest
        reason = f"the tool is {diagnosis.state.replace('_', ' ')}, it lacks {'; '.join(diagnosis.missing)}"
        hint: str | None = diagnosis.next_command
        if diagnosis.state == "ready":
            try:
                tools.append(BlackBox(job, seed))
                continue
            except Exception as error:  # one wrong scenario must not take the others with it
                reason, hint = reason_of(error)
        blocked.append(NotRun(job, reason, hint, manifest.family, manifest.version))
    return tools, blocked
