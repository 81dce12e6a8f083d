"""The space, the draws that repeat themselves, early stopping, the front."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faketagger.config import check
from faketagger.errors import ConfigError
from faketagger.sweep.schema import Parameter, SweepConfig
from faketagger.sweep.search import Search, pareto_front, ranked
from faketagger.sweep.space import dimensions, flat, nested
from faketagger.sweep.trials import Trial, settled_before

BOUNDED = {
    "uniform": (-2.0, 3.0),
    "log_uniform_values": (0.001, 10.0),
    "inv_log_uniform_values": (0.001, 10.0),
    "log_uniform": (-3.0, 1.0),
    "inv_log_uniform": (-1.0, 3.0),
    "q_uniform": (0.0, 10.0),
    "q_log_uniform": (0.0, 3.0),
    "q_log_uniform_values": (1.0, 20.0),
}
UNBOUNDED = ("normal", "log_normal", "beta", "q_normal", "q_log_normal", "q_beta")


def _sweep(**changes: Any) -> SweepConfig:
    values: dict[str, Any] = {
        "name": "a",
        "method": "bayes",
        "run_cap": 30,
        "metric": {"name": "loss"},
        "parameters": {"x": {"min": -2.0, "max": 3.0}, "y": {"values": [0, [1], "2"]}, "z": {"min": 1, "max": 4}},
        "command": ["x"],
    }
    values |= changes
    return check({key: value for key, value in values.items() if value is not None}, SweepConfig, "test")


def _run(search: Search, count: int, parallel: int, order: list[int] | None = None) -> list[Trial]:
    """A sweep in memory; ``order`` is that in which trials of a window end."""
    trials: list[Trial] = []
    for number in range(count):
        seen = settled_before(trials, number, parallel)
        coordinates, parameters = search.propose(number, seen)
        loss = (parameters["x"] - 1) ** 2 + parameters["z"]
        trials.append(Trial(f"{number}", number, parameters, coordinates, "finished", {"loss": loss}, [loss]))
    return trials


def test_every_distribution_draws_what_it_says() -> None:
    parameters = {name: {"distribution": name, "min": low, "max": high} for name, (low, high) in BOUNDED.items()}
    parameters |= {name: {"distribution": name} for name in UNBOUNDED}
    parameters |= {"weighted": {"values": ["rare", "often"], "probabilities": [0.1, 0.9]}}
    search = Search(_sweep(method="random", parameters=parameters), 0)
    draws = [search.propose(number, [])[1] for number in range(100)]
    for name, (low, high) in BOUNDED.items():
        found = [draw[name] for draw in draws]
        if name in ("log_uniform", "q_log_uniform"):
            low, high = math.exp(low), math.exp(high)
        if name == "inv_log_uniform":
            low, high = math.exp(-high), math.exp(-low)
        assert low - 0.5 <= min(found) < (low + high) / 2 < max(found) <= high + 0.5, name
        if name.startswith("q_"):
            assert all(value == round(value) for value in found), name
    normal = [draw["normal"] for draw in draws]
    assert abs(sum(normal) / 100) < 0.35
    assert 0.7 < (sum(value**2 for value in normal) / 100) ** 0.5 < 1.3
    assert all(0 <= draw["beta"] <= 1 and draw["log_normal"] > 0 for draw in draws)
    assert 75 < sum(draw["weighted"] == "often" for draw in draws) < 100


def test_the_space_is_the_one_that_wandb_translates_itself() -> None:
    theirs = pytest.importorskip("wandb.sdk.sweeps.scheduler.optuna").sweep_parameter_to_distribution
    for given_ in (
        {"min": 1, "max": 5},
        {"min": 1.0, "max": 5.0},
        {"distribution": "log_uniform_values", "min": 0.01, "max": 1.0},
    ):
        parameter = check(given_, Parameter, "test")
        assert dimensions({"a": parameter})[0].distribution == theirs(given_)


def test_nested_parameters_have_dotted_names_and_come_back_nested() -> None:
    config = _sweep(parameters={"a": {"parameters": {"b": {"value": 1}, "c.d": {"value": 2}}}, "e": {"value": None}})
    values = {d.name: d.decode(None) for d in dimensions(config.parameters)}
    assert values == {"a.b": 1, "a.c.d": 2, "e": None}
    assert nested(values, config.parameters) == {"a": {"b": 1, "c.d": 2}, "e": None}
    assert flat({"a": {"b": 1, "c": {"d": 2}}, "e": None}).items() >= {"a.b": 1, "a.c.d": 2, "e": None}.items()
    with pytest.raises(ConfigError, match=r"'a\.b' is there twice"):
        dimensions(_sweep(parameters={"a": {"parameters": {"b": {"value": 1}}}, "a.b": {"value": 2}}).parameters)


def test_a_grid_holds_every_point_once() -> None:
    parameters = {"x": {"values": ["a", {"b": 1}]}, "y": {"min": 1, "max": 3}, "z": {"value": 0}}
    search = Search(_sweep(method="grid", run_cap=None, parameters=parameters), 0)
    points = [search.propose(number, [])[1] for number in range(search.total)]
    assert search.total == 6
    assert [(p["x"], p["y"]) for p in points] == [(x, y) for x in ("a", {"b": 1}) for y in (1, 2, 3)]
    assert Search(_sweep(method="grid", run_cap=4, parameters=parameters), 0).total == 4
    with pytest.raises(ConfigError, match="A grid cannot be laid over 'x'"):
        Search(_sweep(method="grid"), 0)


@settings(max_examples=5)
@given(seed=st.integers(0, 99), parallel=st.integers(1, 4))
def test_draws_are_a_pure_function_of_seed_and_earlier_results(seed: int, parallel: int) -> None:
    straight = _run(Search(_sweep(), seed), 14, parallel)
    for number in (0, 11, 13):  # past the ten random ones, in any order, by a search that knows nothing else
        shuffled = list(reversed(straight[:number]))
        seen = settled_before(shuffled, number, parallel)
        again = Search(_sweep(), seed).propose(number, sorted(seen, key=lambda t: t.number))
        assert again == (straight[number].coordinates, straight[number].parameters)


def test_bayes_learns_and_seeds_differ() -> None:
    learnt, other = (_run(Search(_sweep(), seed), 30, 2) for seed in (0, 1))
    assert [t.parameters for t in learnt] != [t.parameters for t in other]
    for trials in (learnt, other):
        early = sum(trial.values[0] for trial in trials[:10]) / 10
        assert sum(trial.values[0] for trial in trials[20:]) / 10 < 0.7 * early


def test_of_a_rung_only_the_best_go_on() -> None:
    rule = {"type": "hyperband", "min_iter": 1, "eta": 2}
    search = Search(_sweep(metric={"name": "val/a", "goal": "maximize"}, early_terminate=rule), 0)
    seen: list[Trial] = []
    fates = []
    for number, level in enumerate((0.5, 0.6, 0.4, 0.9, 0.3)):
        coordinates, parameters = search.propose(number, seen)
        trial, reports = Trial(f"{number}", number, parameters, coordinates), []
        goes_on, rungs = True, []
        while goes_on and len(reports) < 4:
            reports.append(level + 0.01 * len(reports))
            goes_on, rungs = search.may_go_on(trial, seen, reports)
        fates.append((goes_on, len(reports), len(rungs)))
        state = "finished" if goes_on else "stopped"
        seen.append(replace(trial, state=state, values=reports[-1:], iterations=reports, rungs=rungs))
    assert fates == [(True, 4, 3), (True, 4, 3), (False, 1, 1), (True, 4, 3), (False, 1, 1)]


def test_the_front_and_the_order() -> None:
    both = [{"name": "a", "goal": "maximize"}, {"name": "b", "goal": "minimize"}]
    config = _sweep(metric=None, metrics=both)
    points = [(1.0, 1.0), (2.0, 2.0), (1.5, 3.0), (3.0, 3.0)]
    trials = [Trial(f"{n}", n, {}, state="finished", values=list(point)) for n, point in enumerate(points)]
    trials.append(Trial("4", 4, {}, state="failed"))
    assert pareto_front(trials, config) == [0, 1, 3]
    assert [trial.number for trial in ranked(trials, config)] == [3, 1, 0, 2]
    assert pareto_front(trials, _sweep()) == []


def test_a_target_ends_the_search() -> None:
    search = Search(_sweep(metric={"name": "loss", "target": 1.2}), 0)
    trial = Trial("0", 0, {}, state="finished", values=[1.3])
    assert not search.reached([trial])
    assert search.reached([trial, replace(trial, values=[1.1])])
