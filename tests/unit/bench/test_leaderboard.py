"""The leaderboard: only whole results of a published protocol, boards by face set, pages that show the entries."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faketagger.bench.benchmark import run_benchmark
from faketagger.bench.entries import add_entry, load_entries
from faketagger.bench.leaderboard import make_boards
from faketagger.bench.leaderboard_page import attack_rows, cells, markdown, page
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.published import protocol_digest, published
from faketagger.bench.scenario import plan
from faketagger.bench.summary import Measured, summarise
from faketagger.cli.main import run
from faketagger.config import load_config
from faketagger.errors import BenchError, ConfigError
from faketagger.places import repository_root
from faketagger.simulator.registry import attack_class
from faketagger.zoo import get_adapter
from tests.unit.bench.test_summary import make_records

ROOT = repository_root()
FILE = ROOT / "experiments" / "bench" / "faketagger-v1.yaml"
V1 = "faketagger-v1"


def config() -> BenchConfig:
    return load_config(FILE, BenchConfig)


def summary_of(name: str, accuracy: float, faces: str = "demo") -> dict[str, Any]:
    chosen = config()
    jobs = plan(chosen)
    records = make_records(jobs, {job.id: accuracy for job in jobs if job.box != "control"}, people=20, each=1)
    control = records["scenario"].str.match("no_attack|align_only")
    records["family"] = pd.Series(np.where(control, "control", "degradation"), dtype="category")
    header = {
        "protocol": {**chosen.protocol.plain(), "digest": protocol_digest(chosen)},
        "model": {"name": name, "digest": "0" * 64, "message_bits": 64, "coded": name != "uncoded"},
        "faces": {"source": faces, "digest": faces, "n_images": 20, "n_clusters": 20, "size": 256},
    }
    return summarise(Measured(header, records, jobs, fpr=tuple(chosen.fpr)))


@pytest.fixture(scope="module")
def good() -> dict[str, Any]:
    return summary_of("good", 0.95)


@pytest.fixture
def add(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Makes an entry of a summary."""

    def make(summary: dict[str, Any]) -> Path:
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        (folder / "summary.json").write_text(json.dumps(summary))
        return add_entry(folder, tmp_path / "results")

    return make


def test_an_entry_has_the_promised_keys_and_the_rows_of_the_summary(
    add: Callable[[dict[str, Any]], Path], good: dict[str, Any]
) -> None:
    path = add(good)
    entry = json.loads(path.read_text())
    assert path.name == "good--demo.json"
    matched = {**good, "model": {**good["model"], "psnr_match": {"target_db": 40.0}}}
    assert add(matched).name == "good-40dB--demo.json"
    assert entry["watermark"] == good["model"]
    assert entry["protocol"]["version"] == 1
    assert [row["scenario"] for row in entry["scenarios"]] == [row["scenario"] for row in good["scenarios"]]
    assert entry["faces"]["n_clusters"] == 20


def test_boards_rank_the_better_first_and_keep_faces_apart(
    add: Callable[[dict[str, Any]], Path], good: dict[str, Any], tmp_path: Path
) -> None:
    for summary in (good, summary_of("uncoded", 0.6), summary_of("good", 0.9, "celebs")):
        add(summary)
    boards = make_boards(load_entries(tmp_path / "results"))
    assert [board.faces["source"] for board in boards] == ["celebs", "demo"]
    best, worst = boards[1].standings
    assert (best.entry.watermark["name"], worst.entry.watermark["name"]) == ("good", "uncoded")
    assert best.found > worst.found
    assert best.capacity > worst.capacity
    assert best.holds == best.claims == 36
    assert (worst.payload, best.black) == (None, pytest.approx(0.95, abs=0.02))
    text, html = markdown(boards), page(boards)
    for board in boards:
        for one in board.standings:
            assert "| " + " | ".join(cells(one)) + " |" in text
            assert all(cell in html for cell in cells(one))
        assert len(attack_rows(board, "frame")) == 18
    assert "http" not in html
    assert "prefers-color-scheme:dark" in html
    assert 'name="viewport"' in html


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s["protocol"].update(version=2), "made with faketagger-v2; the leaderboard takes faketagger-v1"),
        (lambda s: s["protocol"].update(digest="0" * 64), "differs from faketagger-v1 as it was published"),
        (lambda s: s["scenarios"][-1].update(version=2), "made with contrast v2, faketagger-v1 has v1"),
        (lambda s: s["scenarios"][-1].update(status="not run"), "contrast -30 % was not run"),
        (lambda s: s.update(scenarios=s["scenarios"][:-2]), "it lacks contrast"),
        (lambda s: s.pop("faces"), "is no entry"),
        (lambda s: s.pop("model"), "no summary of a benchmark"),
    ],
)
def test_what_does_not_belong_is_refused_in_one_sentence(
    add: Callable[[dict[str, Any]], Path],
    good: dict[str, Any],
    tmp_path: Path,
    change: Callable[[dict[str, Any]], Any],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed = json.loads(json.dumps(good))
    change(changed)
    with pytest.raises(BenchError, match=sentence):
        add(changed)
    assert not list((tmp_path / "results").glob("*.json"))
    assert run(["leaderboard", "add", str(tmp_path / "run")]) == 2
    assert sentence in capsys.readouterr().err


def test_an_entry_that_was_edited_by_hand_is_refused_when_the_board_is_built(
    add: Callable[[dict[str, Any]], Path], good: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = add(good)
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    assert run(["leaderboard", "build", "--results", str(tmp_path / "results")]) == 2
    assert "made with faketagger-v2" in capsys.readouterr().err


def test_the_published_file_is_as_it_was_published_with_the_attacks_of_today() -> None:
    chosen, known = config(), published()[V1]
    assert protocol_digest(chosen) == known.digest
    jobs = {job.attack: job for job in plan(chosen) if job.box != "control"}
    for name, job in jobs.items():
        black = job.box == "black"
        version = get_adapter(name).manifest.version if black else attack_class(name).version
        assert version == known.attacks[name], name


def test_a_changed_file_that_kept_its_version_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "mine.yaml"
    changed.write_text(FILE.read_text().replace("count: 20", "count: 19"))
    with pytest.raises(ConfigError, match="differs from that protocol as it was published"):
        run_benchmark(load_config(changed, BenchConfig), tmp_path / "out", None, "")  # type: ignore[arg-type]
    chosen = load_config(changed, BenchConfig).with_choices(["dwtDct"], tmp_path, match_psnr=40)
    assert protocol_digest(chosen) != protocol_digest(config())
    assert protocol_digest(config().with_choices(["dwtDct"], tmp_path, match_psnr=40)) == protocol_digest(config())


def test_the_pages_in_the_repository_are_those_of_its_entries() -> None:
    boards = make_boards(load_entries(ROOT / "results"))
    assert (ROOT / "docs" / "leaderboard.md").read_text() == markdown(boards)
    assert (ROOT / "results" / "leaderboard.html").read_text() == page(boards)
