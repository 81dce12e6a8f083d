"""A plan gives back the cost it was made from, with an interval that holds it."""

import json
from pathlib import Path

import numpy as np
import pytest

from faketagger.cli.main import run
from faketagger.errors import ConfigError
from faketagger.scale.cost import CostTable, Observation, load_table, table_path
from faketagger.scale.plan import CostModel, parse_count, plan

TRUE = {"fixed": 0.02, "per_megapixel": 0.3, "per_face": 0.05}


def _table(noise: float, seed: int, rounds: int = 4) -> CostTable:
    rng = np.random.default_rng(seed)
    seen = []
    for side in (256, 512, 1024):
        for faces in (1, 2, 4):
            for _ in range(rounds):
                cost = TRUE["fixed"] + TRUE["per_megapixel"] * side**2 / 1e6 + TRUE["per_face"] * faces
                cost *= 1 + noise * rng.standard_normal()
                seen.append(Observation(side, faces, 3 * cost, cost))
    return CostTable("toy", "cpu", "a machine", 2, 0.1, tuple(seen))


def test_the_fit_finds_the_cost_and_planning_is_arithmetic() -> None:
    model = CostModel(_table(0.0, 0))
    assert model.coefficients == pytest.approx(TRUE)
    planned = plan(model, 3600, 2, 1000, 2, 0.9)
    assert planned.rate.value == pytest.approx(1 / 0.42)
    assert planned.worker_hours.value == pytest.approx(0.42 / 0.9)
    assert planned.hours.value == pytest.approx(0.42 / 0.9 / 2)
    assert planned.per_hour.value == pytest.approx(3600 / 0.42 * 0.9)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth = TRUE["fixed"] + TRUE["per_megapixel"] * 0.25 + TRUE["per_face"]
    found = [CostModel(_table(0.1, seed)).seconds(500, 1) for seed in range(200)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.88 <= held <= 0.99
    assert np.mean([one.high - one.low for one in found]) < 0.2 * truth


def test_a_measurement_without_variety_is_refused() -> None:
    same = CostTable("toy", "cpu", "a machine", 2, 0.1, (Observation(256, 1, 1, 1),) * 9)
    with pytest.raises(ConfigError, match="neither size nor faces"):
        CostModel(same)


@pytest.mark.parametrize(("text", "count"), [("50M", 50_000_000), ("30k", 30_000), ("1.5B", 1_500_000_000), ("7", 7)])
def test_numbers_as_people_write_them(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "many", "-3", "0", "1.5", "3 T"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ConfigError, match="no number of pictures"):
        parse_count(text)


def test_the_command_plans_from_what_is_kept_and_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path))
    _table(0.05, 1).save(table_path("face-128", "cpu"))
    words = ["plan", "--images", "50M", "--workers", "64", "--size", "800", "--plot", str(tmp_path / "cost.png")]
    assert run(words) == 0
    told = capsys.readouterr().out
    assert "GPU: not measured" in told
    assert "hours on 64 workers" in told
    assert (tmp_path / "cost.png").stat().st_size > 20_000
    assert run([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["cuda"] == "not measured"
    assert answer["hours"]["low"] < answer["hours"]["value"] < answer["hours"]["high"]
    assert answer["worker_hours"]["value"] == pytest.approx(64 * answer["hours"]["value"])


def test_mistakes_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    for words, sentence in (
        (["--table", str(broken)], "is no measurement"),
        (["--device", "tpu"], "no device 'tpu'"),
        (["--images", "lots"], "no number of pictures"),
    ):
        assert run(["plan", *words]) == 2
        assert sentence in capsys.readouterr().err
    with pytest.raises(Exception, match="no measurement"):
        load_table(tmp_path / "gone.json")
