"""A benchmark that workers have filled chunk by chunk is the benchmark of one machine."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from faketagger.bench.protocol import BenchConfig
from faketagger.cli.bench import _folder
from faketagger.config import check
from faketagger.data.demo import demo_faces
from faketagger.scale import bench_worker, benching
from faketagger.zoo import install
from tests.helpers.rogue_adapters import BEHAVIOURS, make_adapter
from tests.helpers.toy_tagger import ToyFacePool, toy_faces
from tests.integration.bench.conftest import SCENARIOS, Bench

BLACK = {"attack": "rogue", "box": "black", "view": "frame"}


@pytest.fixture
def scheduled(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, float]]:
    """Runs Ray's tasks in this process at once; the resources that each one asked for."""
    asked: list[dict[str, float]] = []

    def remote(work: Callable[..., None]) -> Any:
        def options(max_retries: int, **resources: float) -> Any:
            asked.append(resources)
            return SimpleNamespace(remote=work)

        return SimpleNamespace(options=options)

    ray = SimpleNamespace(
        remote=remote, get=lambda ready: None, wait=lambda tasks, num_returns: (tasks[:1], tasks[1:]),
        cluster_resources=lambda: {"CPU": 3.0},
    )  # fmt: skip
    monkeypatch.setattr(benching, "ray_session", lambda workers, address: nullcontext(ray))
    monkeypatch.setattr(benching, "own_errors", lambda ray: nullcontext())
    for part in (benching, bench_worker):
        monkeypatch.setattr(part, "FacePool", lambda count: ToyFacePool())
        monkeypatch.setattr(part, "STRETCH", 1)
    benching._loaded.cache_clear()
    return asked


def test_chunks_done_by_workers_are_the_same_records(
    bench: Bench, scheduled: list[dict[str, float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKETAGGER_ADAPTERS", str(tmp_path / "adapters"))
    install(make_adapter(tmp_path / "adapters" / "rogue", BEHAVIOURS["well_behaved"]))
    scenarios = [*SCENARIOS, BLACK]
    alone = bench("alone", scenarios=scenarios)
    values = {
        "protocol": {"name": "toy", "version": 1}, "model": str(tmp_path / "toy"), "resamples": 200, "strips": 2,
        "faces": {"source": str(tmp_path / "faces"), "size": 96}, "scenarios": scenarios,
    }  # fmt: skip
    config = check(values, BenchConfig, "toy.yaml")
    steps: list[tuple[str, int, int]] = []
    benching.fill(config, tmp_path / "many", 2, None, lambda *step: steps.append(step))
    assert steps[-1] == ("attack and read", 4, 4)
    tools = [one for one in scheduled if "memory" in one]
    limits = benching.get_adapter("rogue").manifest.limits
    assert tools == [{"num_cpus": float(limits.threads), "memory": float(limits.memory_mb * 2**20)}] * 2
    assert len(scheduled) == 2 + 2 + 4
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "many" / "parts").rglob("*.parquet")}
    filled = bench("many", scenarios=scenarios)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "many" / "parts").rglob("*.parquet")} == parts
    assert filled == alone
    tables = [pq.read_table(tmp_path / name / "records.parquet") for name in ("alone", "many")]
    assert tables[0].equals(tables[1])
    assert len(parts) == 2 * 2 * 6
    scheduled.clear()
    benching.fill(config, tmp_path / "many", 2, None, lambda *step: None)
    assert not scheduled


@pytest.mark.slow
def test_ray_itself_leaves_what_one_process_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    for name, value in (("FAKETAGGER_ADAPTERS", tmp_path / "adapters"), ("OMP_NUM_THREADS", 1)):
        monkeypatch.setenv(name, str(value))
    adapter = make_adapter(tmp_path / "adapters" / "rogue", BEHAVIOURS["well_behaved"])
    (tmp_path / "faces").mkdir()
    portrait = Image.fromarray(demo_faces(0)[-1][2]).resize((192, 192))
    for name, picture in (("a", portrait), ("b", ImageOps.mirror(portrait))):
        picture.save(tmp_path / "faces" / f"{name}.png")
    values = {"protocol": {"name": "small", "version": 1}, "model": "face-128", "strips": 1,
              "faces": {"source": str(tmp_path / "faces"), "size": 160},
              "scenarios": [{"attack": "jpeg", "severity": 50.0}, BLACK]}  # fmt: skip
    config = check(values, BenchConfig, "small.yaml")
    for name in ("ray", "alone"):
        monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / f"cache-{name}"))
        install(adapter)
        if name == "ray":
            benching.fill(config, tmp_path / name, 2, None, lambda *step: None)
            continue
        worker = benching.Loaded(benching.BenchOrder.of(config, tmp_path / name))
        worker.store.open({})
        (black,) = [job.id for job in worker.jobs if job.box == "black"]
        for work, job in ((worker.cut, ""), (worker.tag, ""), (worker.attack, ""), (worker.attack, black)):
            work(0, job)
    parts = [sorted((tmp_path / name).glob("parts/**/*.parquet")) for name in ("ray", "alone")]
    assert len(parts[0]) == len(parts[1]) > 4
    for one, other in zip(*parts, strict=True):
        assert one.relative_to(tmp_path / "ray") == other.relative_to(tmp_path / "alone")
        assert pq.read_table(one).equals(pq.read_table(other)), one


def test_a_manifest_brings_the_drawn_faces_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "cache"))
    faces = toy_faces(tmp_path / "faces")
    config = check(
        {"protocol": {"name": "toy", "version": 1}, "model": "toy", "faces": {"count": 5}, "scenarios": SCENARIOS},
        BenchConfig, "toy.yaml",
    )  # fmt: skip
    folder = _folder(str(faces / "manifest.csv"), config)
    assert folder is not None
    rows = (folder / "manifest.csv").read_text().splitlines()
    assert (rows[0], len(rows)) == ("file,identity", 6)
    assert len({row.split(",")[1] for row in rows[1:]}) == 5
    for row in rows[1:]:
        number = int(row.split(".")[0])
        assert (folder / row.split(",")[0]).read_bytes() == sorted(faces.glob("*.png"))[number].read_bytes()
    assert _folder(str(faces / "manifest.csv"), config) == folder
    assert _folder(str(faces), config) == faces
