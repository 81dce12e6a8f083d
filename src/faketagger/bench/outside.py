"""Black-box tools run one after another in a thread, while this process works on the white boxes."""

import queue
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from faketagger import zoo
from faketagger.bench.attacks import BlackBox
from faketagger.bench.prepare import CHUNK
from faketagger.bench.scenario import Job, Kind
from faketagger.bench.store import Store
from faketagger.errors import FakeTaggerError


@dataclass(frozen=True)
class Order:
    """One tool on one set of pictures.

    Attributes:
        job: The attack.
        kind: Tagged or null.
        attack: Ready to run.
        inputs: PNGs in the order of the pictures.
        out_dir: Folder for the tool's outputs.
    """

    job: Job
    kind: Kind
    attack: BlackBox
    inputs: list[Path]
    out_dir: Path


@dataclass(frozen=True)
class Delivery:
    """What came back: the run, or the reason why there is none."""

    order: Order
    run: zoo.AttackRun | None = None
    failure: Exception | None = None


class Stopped(Exception):
    """Raised inside the tool's progress callback to end it."""


class OutsideWorker:
    """Runs tools in the background, one after another; leaving its context ends the one that is running.

    Args:
        store: Knows what is done, and where the tools may write.
        show: Called from the worker's thread with (label, done, total).
    """

    def __init__(self, store: Store, show: Callable[[str, int, int], None]) -> None:
        self._store, self._show = store, show
        self._orders: queue.Queue[Order | None] = queue.Queue()
        self._deliveries: queue.Queue[Delivery] = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="black-box", daemon=True)
        self._outstanding = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._orders.put(None)
        self._thread.join(timeout=15)

    def order(self, attack: BlackBox, kind: Kind, inputs: list[Path]) -> None:
        """Line up a tool on a set of pictures, unless all of its chunks are there.

        Args:
            attack: The tool.
            kind: Tagged or null.
            inputs: PNGs in the order of the pictures.
        """
        job = attack.job
        chunks = -(-len(inputs) // CHUNK)
        if any(missing == kind for missing, _ in self._store.missing(job, chunks)):
            self._outstanding += 1
            self._orders.put(Order(job, kind, attack, inputs, self._store.work / job.id / kind))

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

    def _work(self) -> None:
        broken: dict[str, Exception] = {}
        while (order := self._orders.get()) is not None and not self._stop.is_set():
            try:
                if order.job.id in broken:
                    raise broken[order.job.id]
                shutil.rmtree(order.out_dir, ignore_errors=True)
                order.out_dir.mkdir(parents=True)
                run = order.attack.run(order.inputs, order.out_dir, self._report(order))
                self._deliveries.put(Delivery(order, run))
            except Stopped:
                return
            except Exception as error:  # whatever a tool does, the other scenarios go on
                broken[order.job.id] = error
                self._deliveries.put(Delivery(order, failure=error))

    def _report(self, order: Order) -> Callable[[int, int], None]:
        what = f"{order.job.label}, {'tagged' if order.kind == 'tagged' else 'untagged'}"

        def report(done: int, total: int) -> None:
            if self._stop.is_set():
                raise Stopped
            self._show(what, done, total)

        return report


def reason_of(error: Exception) -> tuple[str, str | None]:
    """One sentence and one hint for a scenario that could not run.

    Args:
        error: What was raised.
    """
    if isinstance(error, FakeTaggerError):
        return error.message, error.hint
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", None
