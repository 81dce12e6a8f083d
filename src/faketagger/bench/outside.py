"""Black-box tools run side by side in threads, while this process works on the white boxes.

Each tool has a lane of its own: its orders run one after another, because they share what the tool has learnt. Lanes
run at the same time as far as the cores go that their manifests ask for.
"""

import json
import queue
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from faketagger import zoo
from faketagger.bench.cores import Cores, usable_cores
from faketagger.bench.prepare import CHUNK
from faketagger.bench.scenario import Job, Kind
from faketagger.bench.store import Store
from faketagger.bench.tools import BlackBox, Lesson
from faketagger.errors import FakeTaggerError

_PATIENCE_S = 15.0


@dataclass(frozen=True)
class Order:
    """One tool on one set of pictures.

    Attributes:
        attack: Ready to run.
        kind: Tagged or null.
        donor: Number of the donor, 0 in the carrier role.
        inputs: PNGs in the order of the pictures.
        lesson: What the tool is prepared with; None for a tool that does not learn.
        out_dir: Folder for the tool's outputs.
    """

    attack: BlackBox
    kind: Kind
    donor: int
    inputs: list[Path]
    lesson: Lesson | None
    out_dir: Path

    @property
    def job(self) -> Job:
        """The attack."""
        return self.attack.job

    @property
    def words(self) -> str:
        """What a progress bar calls it."""
        turn = f" {self.donor + 1}/{self.job.donors}" if self.job.donors > 1 else ""
        return f"{self.job.label}, {'tagged' if self.kind == 'tagged' else 'untagged'}{turn}"


@dataclass(frozen=True)
class Delivery:
    """What came back: the run, or the reason why there is none.

    Attributes:
        order: What was wanted.
        run: What the tool did.
        failure: Why there is no run.
        prepare_s: Wall seconds of preparing, 0 if made earlier.
        prepare_cpu_s: CPU seconds of it.
    """

    order: Order
    run: zoo.AttackRun | None = None
    failure: Exception | None = None
    prepare_s: float = 0.0
    prepare_cpu_s: float = 0.0


class Stopped(Exception):
    """Raised inside the tool's progress callback to end it."""


class OutsideWorker:
    """Runs tools in the background; leaving its context ends those that are running.

    Args:
        store: Knows what is done, and where the tools may write.
        show: Called from the worker's threads with (label, done, total).
        cores: Cores to share out; None for the machine's.
    """

    def __init__(self, store: Store, show: Callable[[str, int, int], None], cores: int | None = None) -> None:
        self._store, self._show = store, show
        self._cores = Cores(cores or usable_cores())
        self._lanes: dict[str, queue.SimpleQueue[Order | None]] = {}
        self._threads: list[threading.Thread] = []
        self._deliveries: queue.Queue[Delivery] = queue.Queue()
        self._stop = threading.Event()
        self._outstanding = 0
        self._patience_s = _PATIENCE_S

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._cores.close()
        for lane in self._lanes.values():
            lane.put(None)
        for thread in self._threads:
            thread.join(timeout=self._patience_s)

    def order(self, attack: BlackBox, kind: Kind, donor: int, inputs: list[Path], lesson: Lesson | None) -> None:
        """Line up a tool on a set of pictures, unless all of its chunks are there.

        Args:
            attack: The tool.
            kind: Tagged or null.
            donor: Number of the donor, 0 in the carrier role.
            inputs: PNGs in the order of the pictures.
            lesson: What the tool is prepared with.
        """
        chunks = -(-len(inputs) // CHUNK)
        if not self._store.chunks.missing_of(attack.job, kind, range(donor * chunks, (donor + 1) * chunks)):
            return
        self._outstanding += 1
        self._patience_s = max(self._patience_s, _PATIENCE_S + attack.manifest.limits.grace_s)
        folder = self._store.work / attack.job.id / f"{kind}-{donor}"
        self._lane(attack).put(Order(attack, kind, donor, inputs, lesson, folder))

    def ready(self, wait: bool) -> Delivery | None:
        """The next delivery.

        Args:
            wait: Wait for it; otherwise None where nothing is ready yet.

        Returns:
            None also where everything has been delivered.
        """
        while self._outstanding:
            try:
                delivery = self._deliveries.get(block=wait, timeout=0.5)
            except queue.Empty:
                if not wait:
                    return None
                continue
            self._outstanding -= 1
            return delivery
        return None

    def _lane(self, attack: BlackBox) -> "queue.SimpleQueue[Order | None]":
        name = attack.adapter.name
        if name not in self._lanes:
            self._lanes[name] = queue.SimpleQueue()
            thread = threading.Thread(target=self._work, args=(self._lanes[name],), name=f"tool-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return self._lanes[name]

    def _work(self, lane: "queue.SimpleQueue[Order | None]") -> None:
        broken: dict[str, Exception] = {}
        while (order := lane.get()) is not None and not self._stop.is_set():
            try:
                if order.job.id in broken:
                    raise broken[order.job.id]
                with self._cores.take(order.attack.manifest.limits.threads) as given:
                    if not given:
                        return
                    self._deliveries.put(self._carry_out(order))
            except Stopped:
                return
            except Exception as error:  # whatever a tool does, the other scenarios go on
                broken[order.job.id] = error
                self._deliveries.put(Delivery(order, failure=error))

    def _carry_out(self, order: Order) -> Delivery:
        shutil.rmtree(order.out_dir, ignore_errors=True)
        order.out_dir.mkdir(parents=True)
        prepared = None
        if order.lesson is not None:
            log = order.out_dir.parent / f"{order.out_dir.name}-prepare.log"
            made = order.attack.prepare(order.lesson, log, self._report(order, f"prepare {order.words}"))
            prepared = made.folder
            if made.run is not None:
                _seconds_file(order).write_text(json.dumps([made.seconds, made.run.cpu_seconds]))
        run = order.attack.run(order.inputs, order.out_dir, prepared, self._report(order, order.words))
        spent = _seconds_file(order)
        return Delivery(order, run, None, *(json.loads(spent.read_text()) if spent.is_file() else ()))

    def _report(self, order: Order, what: str) -> Callable[[int, int], None]:
        def report(done: int, total: int) -> None:
            if self._stop.is_set():
                raise Stopped
            self._show(what, done, total)

        return report


def _seconds_file(order: Order) -> Path:
    """Outlives an interruption between preparing and attacking."""
    return order.out_dir.parent / f"{order.out_dir.name}-prepare.json"


def reason_of(error: Exception) -> tuple[str, str | None]:
    """One sentence and one hint for a scenario that could not run.

    Args:
        error: What was raised.
    """
    if isinstance(error, FakeTaggerError):
        return error.message, error.hint
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", None
