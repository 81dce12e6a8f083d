"""Collections through Ray: each content once, whatever dies; errors are records; the same call goes on."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from faketagger.cli.main import run
from faketagger.data.demo import demo_faces
from faketagger.places import repository_root
from faketagger.ray_cluster import ray_session
from faketagger.scale.engine import run_batches, unfinished
from faketagger.scale.frozen import freeze
from faketagger.scale.listing import listed
from faketagger.scale.tagging import TagOrder
from faketagger.tagger.checkpoint import load
from tests.helpers.batch_tasks import Mortal, Trivial

pytest.importorskip("ray")


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """One Ray for the whole file."""
    with ray_session(2, None) as found:
        yield found


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three portraits, one of them twice, a picture without a face, a file that is no picture."""
    folder = tmp_path_factory.mktemp("photos")
    for number, (_, _, pixels) in enumerate(demo_faces(3, folder.parent / "cache")[:3]):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "deep").mkdir()
    (folder / "deep" / "again.png").write_bytes((folder / "0.png").read_bytes())
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(folder / "wall.png")
    (folder / "broken.jpg").write_bytes(b"not a picture")
    return folder


def _order(out: Path) -> TagOrder:
    return TagOrder(out, "face-128", "a test's key", "0x00c0de", None)


def _records(out: Path) -> list[dict[str, Any]]:
    files = sorted((out / "results").glob("*/*.parquet"))
    return [row for path in files for row in pq.read_table(path).to_pylist()]


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    ray: Any, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    listing = freeze([listed(sorted(map(str, photos.rglob("*.*g"))))],
                    out / ".work" / "listing", 3)  # fmt: skip
    order = Mortal(_order(out), tmp_path / "died", at=1)
    done = list(run_batches(ray, listing, order, out / "results", 1))
    assert (tmp_path / "died").exists()
    assert sum(sum(batch.counts.values()) for batch in done) == 6
    records = _records(out)
    assert sorted(record["row"] for record in records) == list(range(6))
    statuses = {Path(record["uri"]).name: record["status"] for record in records}
    assert sorted(statuses.values()) == ["duplicate", "failed", "failed", "tagged", "tagged", "tagged"]
    tagged = [record for record in records if record["status"] == "tagged"]
    assert {out / record["output"] for record in tagged} == set(out.rglob("*.png"))
    assert all(record["output"].startswith(f"{record['key'][:2]}/{record['key'][2:4]}/") for record in tagged)
    errors = {Path(record["uri"]).name: record["error"] for record in records if record["status"] == "failed"}
    assert "no face" in errors["wall.png"]
    assert "no picture" in errors["broken.jpg"]
    calls = [line.split() for line in (tmp_path / "calls.txt").read_text().splitlines()]
    assert len({pid for _, pid, _ in calls}) == 2
    assert sorted(row for row, _, _ in calls) == ["0", "0", "1", "1", "2", "3", "4", "5"]
    assert not len(unfinished(listing, out / "results"))


def test_the_command_resumes_and_refuses_what_does_not_belong(
    ray: Any, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "some.csv"
    with manifest.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["path", "payload"], [photos / "0.png", "int:7"], [photos / "1.png", ""], ["gone.png", ""]])
    out = tmp_path / "out"
    words = ["tag", str(manifest), "--out", str(out), "--key", "k", "--payload", "int:5", "--batch", "1"]
    assert run([*words, "--workers", "1"]) == 2
    told = capsys.readouterr()
    assert "1 failed, 2 tagged of 3" in told.out
    assert "1 of 3 pictures were not tagged" in told.err
    payloads = {}
    for record in _records(out):
        if record["status"] == "tagged":
            payloads[Path(record["uri"]).name] = load("face-128", "k").read(out / record["output"]).plain()["payload"]
    assert len(set(payloads.values())) == 2
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.p*") if path.is_file()}
    lost = next((out / "results").glob("*/batch-00000000.parquet"))
    lost.unlink()
    assert run(words) == 2
    assert "1 failed, 2 tagged of 3; 1 of them now" in capsys.readouterr().out
    after = {path: path.stat().st_mtime_ns for path in before}
    assert {path for path in before if before[path] != after[path]} == {lost}
    assert json.loads((out / "summary.json").read_text())["counts"] == {"tagged": 2, "failed": 1}
    assert run([*words[:-4], "--payload", "int:6"]) == 2
    assert "another payload" in capsys.readouterr().err
    assert run([*words, "--again"]) == 2
    assert "another choice of --again" in capsys.readouterr().err
    words[words.index("k")] = "another"
    assert run(words) == 2
    assert "another key" in capsys.readouterr().err


def test_batches_of_a_long_listing_are_all_done_once(ray: Any, tmp_path: Path) -> None:
    tables = (listed([f"mem/{n}-{i}.jpg" for i in range(700)]) for n in range(3))
    listing = freeze(tables, tmp_path / "listing", 50, groups=8)
    assert (listing.rows, listing.batches) == (2100, 42)
    results = tmp_path / "results"
    first = [batch.number for batch, _ in zip(run_batches(ray, listing, Trivial(), results, 1), range(5), strict=False)]
    rest = [batch.number for batch in run_batches(ray, listing, Trivial(), results, 1)]
    assert len(first) == 5
    assert not set(first) & set(rest)
    rows = [row["row"] for row in _records(tmp_path)]
    assert sorted(rows) == list(range(2100))


@pytest.mark.slow
def test_a_million_rows_need_less_than_a_gigabyte() -> None:
    script = repository_root() / "benchmarks" / "million_rows.py"
    done = subprocess.run([sys.executable, script, "--batch", "2000"], capture_output=True, check=True, timeout=900)
    told = json.loads(done.stdout)
    assert (told["rows"], told["done"], told["batches"], told["batches_left"]) == (1_000_000, 1_000_000, 500, 0)
    assert told["driver_peak_mb"] < 1024
