"""Tools side by side: as many as the cores allow, one tool's own work in order, one failure alone."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from faketagger.bench.outside import Delivery, OutsideWorker, Stopped
from faketagger.bench.scenario import Job
from faketagger.bench.store import Store

PICTURES = [Path(f"{i}.png") for i in range(3)]


class StubTool:
    """Stands in for a tool; ``work`` is called for every run."""

    def __init__(self, name: str, work: Any, threads: int = 1) -> None:
        self.adapter = SimpleNamespace(name=name)
        self.manifest = SimpleNamespace(limits=SimpleNamespace(threads=threads, grace_s=0))
        self.job = Job(name, name, name, "black", "carrier", ("frame",))
        self._work = work

    def run(self, inputs: list[Path], out_dir: Path, prepared: Path | None, progress: Any) -> str:
        return self._work(progress)  # type: ignore[no-any-return]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "out")
    store.open({})
    return store


def deliveries(worker: OutsideWorker) -> list[Delivery]:
    found = []
    while one := worker.ready(wait=True):
        found.append(one)
    return found


def test_independent_tools_run_at_the_same_time(store: Store) -> None:
    meeting = threading.Barrier(2, timeout=10)
    tools = [StubTool(name, lambda progress: meeting.wait() >= 0) for name in ("one", "two")]
    with OutsideWorker(store, lambda *_: None, cores=2) as worker:
        for tool in tools:
            worker.order(tool, "null", 0, PICTURES, None)  # type: ignore[arg-type]
        assert [one.failure for one in deliveries(worker)] == [None, None]


@pytest.mark.parametrize(("names", "threads", "cores"), [(("a", "a"), 1, 4), (("a", "b"), 2, 2), (("a", "b"), 1, 1)])
def test_one_at_a_time_where_it_must_be(store: Store, names: tuple[str, str], threads: int, cores: int) -> None:
    busy = threading.Lock()

    def alone(progress: Any) -> bool:
        assert busy.acquire(blocking=False)
        time.sleep(0.05)
        busy.release()
        return True

    with OutsideWorker(store, lambda *_: None, cores=cores) as worker:
        for name, kind in zip(names, ("null", "tagged"), strict=True):
            worker.order(StubTool(name, alone, threads), kind, 0, PICTURES, None)  # type: ignore[arg-type]
        assert [one.failure for one in deliveries(worker)] == [None, None]


def test_a_failure_ends_its_own_scenario_only(store: Store) -> None:
    def fail(progress: Any) -> None:
        raise OSError("the disk is gone")

    with OutsideWorker(store, lambda *_: None, cores=1) as worker:
        for tool in (StubTool("bad", fail), StubTool("good", lambda progress: "fine")):
            for kind in ("null", "tagged"):
                worker.order(tool, kind, 0, PICTURES, None)  # type: ignore[arg-type]
        found = {(one.order.job.id, one.order.kind): one for one in deliveries(worker)}
    assert all(isinstance(found["bad", kind].failure, OSError) for kind in ("null", "tagged"))
    assert all(found["good", kind].run == "fine" for kind in ("null", "tagged"))


def test_leaving_stops_what_runs_and_what_waits(store: Store) -> None:
    ended: list[str] = []

    def endless(progress: Any) -> None:
        try:
            while True:
                progress(0, 1)
                time.sleep(0.01)
        except Stopped:
            ended.append("stopped")
            raise

    start = time.monotonic()
    with OutsideWorker(store, lambda *_: None, cores=1) as worker:
        for name in ("a", "b"):
            worker.order(StubTool(name, endless), "null", 0, PICTURES, None)  # type: ignore[arg-type]
        time.sleep(0.1)
    assert ended == ["stopped"]
    assert time.monotonic() - start < 5
    assert not any(thread.is_alive() for thread in worker._threads)
