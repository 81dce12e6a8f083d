"""Rivals in the benchmark: by name, as objects, several in one call, held at one PSNR; what breaks is named."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from rich.console import Console

import faketagger
from faketagger.bench.compare import folder_name, run_all
from faketagger.bench.protocol import BenchConfig
from faketagger.cli.main import run
from faketagger.config import check
from faketagger.errors import BenchError, ConfigError, WatermarkError
from tests.helpers.plug_ins import MODULE, make_package
from tests.helpers.toy_tagger import ToyTagger

Bench = Callable[..., dict[str, Any]]
BROKEN = {
    "raising": "The watermark raising could not read: RuntimeError: the decoder fell over.",
    "wrong_shape": "The watermark wrong_shape returned pictures of shape (2, 95, 96, 3) for (2, 96, 96, 3).",
    "not_a_number": "The watermark not_a_number returned NaN or infinite pixels.",
    "unchanged": "The watermark unchanged left 2 of 2 pictures unchanged, so nothing was embedded.",
    "unmade": "The watermark unmade cannot be made: FileNotFoundError: weights.pt.",
    "nobody": "There is no tagger and no watermark called 'nobody'.",
}
SCENARIOS = [{"attack": "jpeg", "severity": 90.0}]


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(make_package(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "marks_of_others", raising=False)


def row(summary: dict[str, Any], scenario: str) -> dict[str, Any]:
    return next(row for row in summary["scenarios"] if row["scenario"] == scenario)


def test_a_rival_is_measured_like_a_tagger(bench: Bench, others: None, tmp_path: Path) -> None:
    summary = bench(model="good", scenarios=SCENARIOS)
    model = summary["model"]
    assert (model["name"], model["kind"], model["coded"]) == ("good", "entry point", False)
    assert (model["message_bits"], model["payload_bits"], model["psnr_match"]) == (8, 8, None)
    clean = row(summary, "no_attack/frame")
    assert (clean["bit_accuracy"], clean["exact_match"]) == (1.0, 1.0)
    assert 0.3 < row(summary, "chance/frame")["bit_accuracy"] < 0.7
    records = pd.read_parquet(tmp_path / "out" / "records.parquet")
    assert (records["exact"] == (records["matched"] == 8)).all()
    with pytest.raises(BenchError, match="another model"):
        bench(model="good@push=7.0", scenarios=SCENARIOS)


def test_each_is_held_at_the_same_psnr(bench: Bench, others: None, tmp_path: Path) -> None:
    few = {"source": str(tmp_path / "faces"), "size": 96, "count": 3}
    for model in ("good", "spread"):
        summary = bench(model, model=model, faces=few, scenarios=SCENARIOS, match_psnr=36.0)
        found = summary["model"]["psnr_match"]
        assert found["reached_db"] == pytest.approx(36.0, abs=0.1)
        assert found["knob"] == ("own" if model == "spread" else "residual")
        assert row(summary, "no_attack/frame")["psnr_db"] == pytest.approx(36.0, abs=0.3)


def test_those_that_break_are_named_and_the_others_go_on(bench: Bench, others: None, tmp_path: Path) -> None:
    values = {
        "protocol": {"name": "toy", "version": 1},
        "model": "raising",
        "rivals": [*list(BROKEN)[1:], "good", "spread"],
        "faces": {"source": str(tmp_path / "faces"), "size": 96, "count": 2},
        "resamples": 200,
        "scenarios": SCENARIOS,
    }
    config = check(values, BenchConfig, "toy.yaml")
    outcomes = run_all(config, tmp_path / "side", Console(quiet=True), lambda name: f"bench --model {name}")
    assert {one.model: one.reason for one in outcomes if one.summary is None} == BROKEN
    plain = json.loads((tmp_path / "side" / "comparison.json").read_text())
    assert set(plain["scenarios"]["jpeg-90/frame"]) == {"good", "spread"}
    assert [one["model"] for one in plain["watermarks"] if "reason" in one] == list(BROKEN)
    text = (tmp_path / "side" / "comparison.md").read_text()
    assert "|  | good | spread |" in text
    assert all(reason in text for reason in BROKEN.values())
    assert (tmp_path / "side" / "spread" / "summary.json").is_file()


def test_two_of_one_name_get_folders_of_their_own() -> None:
    assert folder_name("a/mine", []) == "mine"
    assert folder_name("b/mine", ["a/mine", "spread"]) == "mine-2"
    assert folder_name("spread@message_bits=64", ["spread"]) == "spread_message_bits=64"


def test_the_command_line_takes_several_and_fails_in_the_end(
    bench: Bench, others: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {
        "protocol": {"name": "toy", "version": 1},
        "model": "face-128",
        "faces": {"source": str(tmp_path / "faces"), "size": 96, "count": 2},
        "resamples": 200,
        "scenarios": SCENARIOS,
    }
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump(values))
    words = ["bench", str(tmp_path / "toy.yaml"), "--out", str(tmp_path / "cli")]
    assert run([*words, "--model", "raising", "--model", "good"]) == 1
    said = capsys.readouterr().out
    assert BROKEN["raising"] in said
    assert (tmp_path / "cli" / "good" / "report.html").is_file()
    assert run([*words[:2], "--out", str(tmp_path / "alone"), "--model", "raising"]) == 2
    assert BROKEN["raising"].rstrip(".") in capsys.readouterr().err
    assert run([*words, "--match-psnr", "7"]) == 2
    assert run(["bench"]) == 2
    assert run(["bench", "--watermarks"]) == 0
    assert "good" in capsys.readouterr().out


def test_the_python_api_takes_objects_taggers_and_names(bench: Bench, toy: ToyTagger, tmp_path: Path) -> None:
    marks: dict[str, Any] = {}
    exec(MODULE, marks)
    result = faketagger.benchmark(marks["Good"](), tmp_path / "faces", ["jpeg", {"attack": "noise"}], size=96)
    table = result.table()
    assert table.loc["no_attack/frame", "bit_accuracy"] == 1.0
    assert {"jpeg/frame", "noise/face"} <= set(table.index)
    assert str(result).startswith("good: 4 scenarios on 12 pictures of 6 people")
    figure, axes = result.plot()
    assert len(axes.get_yticklabels()) == 6
    figure.savefig(tmp_path / "plot.png")
    assert len(pd.read_parquet(result.to_parquet(tmp_path / "new" / "records.parquet"))) == len(result.records())
    assert result.report(tmp_path / "new" / "report.html").is_file()
    folder = result.folder
    del result
    assert not folder.exists()
    kept = faketagger.benchmark(toy, tmp_path / "faces", ["jpeg"], size=96, out=tmp_path / "kept")
    assert kept.summary["model"]["kind"] == "tagger"
    assert kept.table().loc["no_attack/face", "exact_match"] == 1.0
    pictures = [np.asarray(np.random.default_rng(i).integers(60, 200, (4, 4, 3)), np.uint8) for i in range(2)]
    arrays = np.stack([one.repeat(24, 0).repeat(24, 1) for one in pictures])
    assert faketagger.benchmark("spread", arrays, ["jpeg"], size=96).summary["faces"]["n_clusters"] == 2


def test_the_python_api_says_what_is_wrong(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(WatermarkError, match="called 'sprad'"):
        faketagger.benchmark("sprad", tmp_path / "faces")
    with pytest.raises(WatermarkError, match="The watermark object has no name"):
        faketagger.benchmark(object(), tmp_path / "faces")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no simulator attack called 'jpg'"):
        faketagger.benchmark("spread", tmp_path / "faces", ["jpg"])
    with pytest.raises(BenchError, match="Picture 0 of faces is float64"):
        faketagger.benchmark("spread", np.zeros((1, 8, 8, 3)))
