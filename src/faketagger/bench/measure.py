"""The heavy half: prepare the pictures, load the watermark, run what is missing, hand over to the results."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from faketagger.bench.assignments import assign, find_tools, order_tagged, order_untagged
from faketagger.bench.facesets import FacesetMaker
from faketagger.bench.finding import FacePool
from faketagger.bench.matching import hold_psnr
from faketagger.bench.messages import MessageSource
from faketagger.bench.outside import OutsideWorker
from faketagger.bench.pictures import choose
from faketagger.bench.prepare import Preparation
from faketagger.bench.progress import BenchProgress
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.results import Done, write_results
from faketagger.bench.runner import Runner
from faketagger.bench.scenario import Job
from faketagger.bench.sources import Source
from faketagger.bench.store import Store
from faketagger.bench.subject import Subject
from faketagger.bench.tagging import Tagging
from faketagger.bench.wandb_log import RunWriter
from faketagger.watermarks import CheckedWatermark, load_watermark


def measure(
    config: BenchConfig,
    jobs: list[Job],
    sources: list[Source],
    store: Store,
    console: Console,
    command: str,
    began: float,
    faces: FacePool,
    watermark: CheckedWatermark | None = None,
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
        watermark: Takes the place of ``config.model``.

    Returns:
        The summary.

    Raises:
        BenchError: No usable face.
        WatermarkError: The watermark cannot be made or broke its protocol.
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

            def bar(words: str) -> Callable[[int, int], None]:
                return lambda done, total: progress.show(words, done, total)

            preparation = Preparation(store.pictures, config.faces.size, faces, bar("find faces and cut"))
            cuts = preparation.cut(choose(sources, config.faces.count, config.seed))
            maker = FacesetMaker(config, sources, cuts, store.facesets, faces, bar("find faces of facesets"))
            assignments, unfit = assign(tools, maker)
            order_untagged(assignments, worker, cuts)
            subject = Subject(watermark or load_watermark(config.model))
            messages = MessageSource(
                config.key,
                f"{config.protocol.name}/{config.protocol.version}/{config.seed}",
                subject.message_bits,
                subject.payload_bits,
                subject.crc_bits,
            )
            began_tagging = time.perf_counter()
            matched = hold_psnr(config.match_psnr, subject, messages, cuts, store)
            tagging = Tagging(
                store.pictures, subject, lambda name: messages.message("tagged", name), faces, bar("tag")
            )
            pictures = tagging.tag(cuts)
            preparation.seconds += time.perf_counter() - began_tagging
            donors = store.facesets / "donors"
            order_tagged(assignments, worker, pictures, subject, messages, faces, donors, progress.show)
            runner = Runner(store, subject, messages, pictures, assignments, config, faces, progress)
            runner.run_inside(inside, worker)
            opened = aside.submit(run.open)
            runner.wait_for(worker)
            not_run = blocked + unfit + runner.not_run
        opened.result()
        done = Done(began, jobs, not_run, subject, pictures, preparation, tagging, runner.sandboxes, matched)
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
