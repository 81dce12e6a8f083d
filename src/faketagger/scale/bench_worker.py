"""What a worker of ``faketagger bench`` has of a benchmark, and the tasks that it carries out chunk by chunk."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rich.console import Console

from faketagger.bench.assignments import Assignment, find_tools, order_tagged, order_untagged
from faketagger.bench.finding import FacePool
from faketagger.bench.messages import MessageSource
from faketagger.bench.outside import OutsideWorker
from faketagger.bench.pictures import Cut, Picture, choose
from faketagger.bench.prepare import CHUNK, Preparation
from faketagger.bench.progress import BenchProgress
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.runner import Runner, shown
from faketagger.bench.scenario import plan
from faketagger.bench.sources import find_sources
from faketagger.bench.store import Store
from faketagger.bench.subject import Subject
from faketagger.bench.tagging import Tagging
from faketagger.config import check
from faketagger.watermarks import load_watermark

STRETCH = 4
"""Chunks of a task."""


@dataclass(frozen=True)
class BenchOrder:
    """A benchmark that is to be worked through.

    Attributes:
        config: It, as plain values in JSON.
        out: Output folder, seen by all workers.
    """

    config: str
    out: Path

    @classmethod
    def of(cls, config: BenchConfig, out: Path) -> "BenchOrder":
        """The order for a checked configuration."""
        return cls(config.model_dump_json(), out.resolve())

    def read(self) -> BenchConfig:
        """The configuration."""
        return check(json.loads(self.config), BenchConfig, "the benchmark")


class Loaded:
    """A benchmark in a worker: everything that is the same for all its chunks.

    Args:
        order: Which.
    """

    def __init__(self, order: BenchOrder) -> None:
        import torch

        torch.set_num_threads(1)
        self.config = order.read()
        self.jobs = plan(self.config)
        self.store = Store(order.out)
        self.faces = FacePool(1)
        self.sources = choose(find_sources(self.config.faces), self.config.faces.count, self.config.seed)
        self.preparation = Preparation(self.store.pictures, self.config.faces.size, self.faces, silent)

    @cached_property
    def cuts(self) -> list[Cut]:
        """Usable pictures; all of them are cut by then."""
        return self.preparation.cut(self.sources)

    @cached_property
    def subject(self) -> Subject:
        """Watermark under test."""
        return Subject(load_watermark(self.config.model))

    @cached_property
    def messages(self) -> MessageSource:
        """As the benchmark on one machine draws them."""
        protocol, one = self.config.protocol, self.subject
        label = f"{protocol.name}/{protocol.version}/{self.config.seed}"
        return MessageSource(self.config.key, label, one.message_bits, one.payload_bits, one.crc_bits)

    @cached_property
    def tagging(self) -> Tagging:
        """Tags chunks."""
        return Tagging(
            self.store.pictures, self.subject, lambda name: self.messages.message("tagged", name), self.faces, silent
        )

    @cached_property
    def pictures(self) -> list[Picture]:
        """The tagged set; all of it is tagged by then."""
        return self.tagging.tag(self.cuts)

    def cut(self, first: int, job: str) -> None:
        """Find the faces of some chunks and cut them."""
        for start in _starts(first, len(self.sources)):
            self.preparation.cut_chunk(start, self.sources)

    def tag(self, first: int, job: str) -> None:
        """Tag some chunks."""
        for start in _starts(first, len(self.cuts)):
            self.tagging.tag_chunk(start, self.cuts)

    def attack(self, first: int, job: str) -> None:
        """Attack some chunks, with the simulators or with one tool, and read what is left."""
        part = self.pictures[first * CHUNK : (first + STRETCH) * CHUNK]
        store = self.store.of_chunk(first)
        store.work.mkdir(parents=True, exist_ok=True)
        names = {picture.name for picture in shown(self.pictures, self.config.strips)}
        console = Console(quiet=True)
        mine = [one for one in self.jobs if one.id == job]
        tools, _ = find_tools(mine, self.config.seed)
        assignments = [Assignment(tool, [None]) for tool in tools]
        with BenchProgress(console) as progress, OutsideWorker(store, progress.show) as worker:
            order_untagged(assignments, worker, self.cuts[first * CHUNK : (first + STRETCH) * CHUNK])
            order_tagged(
                assignments, worker, part, self.subject, self.messages, self.faces, store.facesets, progress.show
            )
            runner = Runner(
                store, self.subject, self.messages, part, assignments, self.config, self.faces, progress, names
            )
            runner.run_inside([] if job else [one for one in self.jobs if one.box != "black"], worker)
            runner.wait_for(worker)


def _starts(first: int, pictures: int) -> range:
    """Numbers of the first pictures of the chunks of a stretch."""
    return range(first * CHUNK, min(pictures, (first + STRETCH) * CHUNK), CHUNK)


def silent(done: int, total: int) -> None:
    """Progress that nobody looks at."""
