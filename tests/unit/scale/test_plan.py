"""A plan gives back the cost it was made from, with an interval that holds it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faketagger.cli.main import run
from faketagger.errors import ConfigError
from faketagger.scale.cost import CostTable, Observation, Scaling, load_table, table_path
from faketagger.scale.plan import CERTAIN, CostModel, Estimate, parse_count, plan

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
    planned = plan(model, 3600, 2, 1000, 2, Estimate(0.9, 0.9, 0.9))
    assert planned.rate.value == pytest.approx(1 / 0.42)
    assert planned.worker_hours.value == pytest.approx(0.42 / 0.9)
    assert planned.hours.value == pytest.approx(0.42 / 0.9 / 2)
    assert planned.per_hour.value == pytest.approx(3600 / 0.42 * 0.9)
    assert plan(model, 3600, 1, 1000, 2, Estimate(0.9, 0.9, 0.9)) == plan(model, 3600, 1, 1000, 2, CERTAIN)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth = TRUE["fixed"] + TRUE["per_megapixel"] * 0.25 + TRUE["per_face"]
    found = [CostModel(_table(0.1, seed)).seconds(500, 1) for seed in range(200)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.88 <= held <= 0.99
    assert np.mean([one.high - one.low for one in found]) < 0.2 * truth


SCALING = Scaling(2, (10.0, 12.0, 11.0), (17.0, 18.0, 18.7), (11.0, 12.0, 11.5), (19.8, 20.4, 20.0))


def test_the_measured_efficiency_comes_with_its_error_into_the_plan() -> None:
    table = replace(_table(0.05, 3), scaling=SCALING)
    share = CostModel(table).efficiency()
    assert share is not None
    assert share.value == pytest.approx(np.mean([0.85, 0.75, 0.85]))
    assert share.value - share.low == pytest.approx(4.3027 * np.std([0.85, 0.75, 0.85], ddof=1) / np.sqrt(3), rel=1e-4)
    assert SCALING.allowed[0] == pytest.approx(0.9)
    alone, two = (plan(CostModel(table), 10_000, workers, 500, 1, share) for workers in (1, 2))
    assert two.hours.value == pytest.approx(alone.hours.value / (2 * share.value))
    assert two.hours.high / two.hours.value > alone.hours.high / alone.hours.value
    assert two.hours.high / two.hours.value > share.value / share.low
    assert CostModel(_table(0.05, 3)).efficiency() is None


def test_the_error_of_a_quotient_is_what_independent_draws_show() -> None:
    rng = np.random.default_rng(0)
    top, below = 10 + 0.5 * rng.standard_normal(100_000), 2 + 0.12 * rng.standard_normal(100_000)
    found = Estimate(10, 10 - 0.98, 10 + 0.98).over(Estimate(2, 2 - 0.2352, 2 + 0.2352))
    assert (found.low, found.high) == pytest.approx(np.percentile(top / below, [2.5, 97.5]), rel=0.02)


def test_measuring_the_cost_again_keeps_the_scaling_of_the_same_machine(tmp_path: Path) -> None:
    path = tmp_path / "cost.json"
    replace(_table(0.05, 1), scaling=SCALING).save(path)
    assert load_table(path).scaling == SCALING
    again = _table(0.05, 2)
    assert again.kept_beside(path).scaling == SCALING
    assert replace(again, machine="another").kept_beside(path).scaling is None
    assert again.kept_beside(tmp_path / "gone.json") == again


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
    assert "efficiency 1: several workers were not measured" in told
    assert (tmp_path / "cost.png").stat().st_size > 20_000
    assert run([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["cuda"] == "not measured"
    assert answer["hours"]["low"] < answer["hours"]["value"] < answer["hours"]["high"]
    assert answer["worker_hours"]["value"] == pytest.approx(64 * answer["hours"]["value"])
    replace(_table(0.05, 1), scaling=SCALING).save(table_path("face-128", "cpu"))
    for words_more, sentence in (
        ([], "efficiency 0.817: 95 % 0.673 to 0.96, measured with 2 workers on one machine; more workers than that"),
        (["--efficiency", "0.9"], "efficiency 0.9: as given"),
    ):
        assert run([*words, *words_more]) == 0
        assert sentence in capsys.readouterr().out


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
