"""A benchmark that runs in seconds: toy tagger, toy faces, real attacks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import faketagger
from faketagger.bench import results
from faketagger.bench.benchmark import run_benchmark
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.wandb_log import RunWriter
from faketagger.config import check
from tests.helpers.toy_tagger import ToyFacePool, ToyTagger, toy_faces

SCENARIOS: list[dict[str, Any]] = [
    {"attack": "jpeg", "severity": [90.0, 30.0]},
    {"attack": "noise", "view": "frame"},
]
Bench = Callable[..., dict[str, Any]]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ToyTagger:
    """Puts the toy tagger and the toy face finder in place of the real ones."""
    tagger = ToyTagger()
    monkeypatch.setattr("faketagger.bench.benchmark.FacePool", ToyFacePool)
    monkeypatch.setattr(faketagger, "load", lambda name: tagger, raising=False)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "config.yaml").write_text("toy: 1\n")
    return tagger


@pytest.fixture
def whole_bench(toy: ToyTagger, tmp_path: Path) -> Bench:
    """Runs a benchmark on toy faces and returns its summary; keywords change the benchmark file."""
    faces = toy_faces(tmp_path / "faces")

    def run(out: str = "out", **changes: Any) -> dict[str, Any]:
        values = {
            "protocol": {"name": "toy", "version": 1},
            "model": str(tmp_path / "toy"),
            "faces": {"source": str(faces), "size": 96},
            "resamples": 200,
            "strips": 2,
            "scenarios": SCENARIOS,
            **changes,
        }
        config = check(values, BenchConfig, "toy.yaml")
        return run_benchmark(config, tmp_path / out, Console(quiet=True), "faketagger bench toy.yaml")[1]

    return run


@pytest.fixture
def bench(whole_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The same without the page and the W&B run, for tests of the numbers."""
    monkeypatch.setattr(RunWriter, "open", lambda self: None)
    monkeypatch.setattr(RunWriter, "write", lambda self, logged: None)
    monkeypatch.setattr(results, "write_page", lambda folders: (folders[0] / "report.html").write_text("left out"))
    return whole_bench
