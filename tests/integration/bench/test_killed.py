"""A benchmark that is killed, not stopped: SIGKILL at twenty random moments, and the table comes out the same."""

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faketagger.places import repository_root
from faketagger.zoo import install
from tests.helpers.bench_server import CONFIG
from tests.helpers.rogue_adapters import BEHAVIOURS, make_adapter
from tests.helpers.toy_tagger import toy_faces

MOMENTS = 20


class BenchServer:
    """Starts benchmarks in processes of their own, kills them, says how they ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = [sys.executable, "-m", "tests.helpers.bench_server", str(folder)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=repository_root(), env=environment
        )
        assert self._answer() == ["ready"]

    def run(self, out: str, kill_after: float | None = None) -> tuple[int, float]:
        """Run a benchmark to its end, or kill it.

        Args:
            out: Output folder.
            kill_after: Seconds.

        Returns:
            Exit code and seconds.
        """
        assert self._process.stdin is not None
        began = time.perf_counter()
        self._process.stdin.write(out + "\n")
        self._process.stdin.flush()
        pid = int(self._answer()[1])
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):  # it was done before
                os.kill(pid, signal.SIGKILL)
        return int(self._answer()[1]), time.perf_counter() - began

    def summary(self, out: str) -> bytes:
        return (self._folder / out / "summary.json").read_bytes()

    def close(self) -> None:
        self._process.communicate()

    def _answer(self) -> list[str]:
        assert self._process.stdout is not None
        return self._process.stdout.readline().split()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BenchServer]:
    """A simulator attack and an external tool on six toy faces."""
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKETAGGER_ADAPTERS", str(tmp_path / "adapters"))
    install(make_adapter(tmp_path / "adapters" / "rogue", BEHAVIOURS["well_behaved"]))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "config.yaml").write_text("toy: 1\n")
    values = {
        "protocol": {"name": "toy", "version": 1},
        "model": str(tmp_path / "toy"),
        "faces": {"source": str(toy_faces(tmp_path / "faces", people=6, each=1)), "size": 96},
        "resamples": 200,
        "strips": 1,
        "scenarios": [
            {"attack": "noise", "view": "frame", "pair": "twins"},
            {"attack": "rogue", "box": "black", "view": "frame", "pair": "twins"},
        ],
    }
    (tmp_path / CONFIG).write_text(json.dumps(values))
    server = BenchServer(tmp_path)
    yield server
    server.close()


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_resumes_to_the_same_bytes(server: BenchServer, tmp_path: Path) -> None:
    assert server.run("straight")[0] == 0
    assert server.run("again")[0] == 0
    assert server.summary("straight") == server.summary("again")
    code, seconds = server.run("warm")  # everything is imported now
    assert code == 0
    rng = random.Random(20)
    finished = set()
    for moment in range(MOMENTS):
        code, tries = 0, itertools.count()
        while code == 0:  # done before it could be killed: the machine is faster than it was
            out = f"killed{moment}-{next(tries)}"
            code, _ = server.run(out, seconds * (moment + rng.random()) / MOMENTS)
            seconds *= 0.95 if code == 0 else 1
        assert code == -signal.SIGKILL
        finished.add(len(list((tmp_path / out / "parts").glob("*/*.parquet"))))
        code, _ = server.run(out)
        assert code == 0
        assert server.summary(out) == server.summary("straight"), out
    assert len(finished) > 5
