"""Black-box tools run one after another in a thread, while this process works on the white boxes."""

import queue
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faketagger import zoo
from faketagger.bench.attacks import BlackBox
from faketagger.bench.scenario import Job, Kind
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
    """Runs orders in the background.

    Args:
        orders: What to run, in this order.
        progress: Called from the worker's thread with (label, done, total).
    """

    def __init__(self, orders: list[Order], progress: Callable[[str, int, int], None]) -> None:
        self._orders, self._progress = orders, progress
        self._deliveries: queue.Queue[Delivery] = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="black-box", daemon=True)
        self.outstanding = len(orders)

    def start(self) -> None:
        """Begin, if there is anything to do."""
        if self._orders:
            self._thread.start()

    def ready(self, wait: bool) -> Delivery | None:
        """The next delivery.

        Args:
            wait: Wait for it; otherwise None where nothing is ready yet.
        """
        if not self.outstanding:
            return None
        while True:
            try:
                delivery = self._deliveries.get(timeout=0.5 if wait else 0.001)
            except queue.Empty:
                if not wait:
                    return None
                continue
            self.outstanding -= 1
            return delivery

    def stop(self) -> None:
        """End the running tool and give it time to be cleaned up."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)

    def _work(self) -> None:
        broken: dict[str, Exception] = {}
        for order in self._orders:
            if self._stop.is_set():
                return
            if order.job.id in broken:
                self._deliveries.put(Delivery(order, failure=broken[order.job.id]))
                continue
            try:
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
        what = f"{order.job.label} ({'tagged' if order.kind == 'tagged' else 'untagged'})"

        def report(done: int, total: int) -> None:
            if self._stop.is_set():
                raise Stopped
            self._progress(what, done, total)

        return report


def reason_of(error: Exception) -> tuple[str, str | None]:
    """One sentence and one hint for a scenario that could not run.

    Args:
        error: What was raised.
    """
    if isinstance(error, FakeTaggerError):
        return error.message, error.hint
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", None
