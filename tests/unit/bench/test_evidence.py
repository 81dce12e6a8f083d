"""Claims that hold: tests keep their level on clustered reads and many attacks, and find what is there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faketagger.bench.evidence import holm, sign_flip_p_value, survival_p_value
from faketagger.coding import corrected_p_value, match_p_value

BITS = 64
P_VALUES = np.array([match_p_value(k, BITS) for k in range(BITS + 1)])


def within(rate: float, nominal: float, trials: int) -> bool:
    """Not more than three Monte-Carlo standard errors from the nominal rate."""
    return abs(rate - nominal) <= 3 * np.sqrt(nominal * (1 - nominal) / trials)


@given(st.integers(0, 200).flatmap(lambda bits: st.tuples(st.integers(0, bits), st.just(bits))))
def test_survival_is_the_exact_binomial_tail(case: tuple[int, int]) -> None:
    assert survival_p_value(*case) == pytest.approx(match_p_value(*case), rel=1e-10)


def test_survival_copes_with_a_million_pictures() -> None:
    assert survival_p_value(64_000_000, 128_000_000) == pytest.approx(0.5, abs=1e-3)
    assert survival_p_value(100_000_000, 128_000_000) == 0.0


def test_survival_keeps_its_level_however_alike_the_reads_of_a_person_are() -> None:
    rng = np.random.default_rng(0)
    trials, people, each = 3000, 10, 8
    biased = (rng.random((trials, people, 1, BITS)) < 0.8).repeat(each, axis=2)  # one word a person, mostly ones
    messages = rng.integers(0, 2, biased.shape)
    matched = (biased == messages).sum((1, 2, 3))
    p_values = np.array([survival_p_value(int(one), people * each * BITS) for one in matched])
    assert within(float(np.mean(p_values <= 0.05)), 0.05, trials)
    assert survival_p_value(int(0.53 * people * each * BITS), people * each * BITS) < 1e-4


def test_holm_gives_the_textbook_values_in_any_order() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


def test_holm_keeps_the_family_wise_error_over_dependent_attacks_and_single_tests_do_not() -> None:
    rng = np.random.default_rng(1)
    trials, dead, alive, pictures = 1500, 18, 4, 20
    false_holm = false_single = found = 0
    for _ in range(trials):
        shared = rng.integers(0, 2, (pictures, BITS))  # every dead attack gives nearly the same read
        message = rng.integers(0, 2, (pictures, BITS))
        flips = rng.random((dead, pictures, BITS)) < 0.3
        lost = ((shared ^ flips) == message).sum((1, 2))
        kept = rng.binomial(pictures * BITS, 0.6, alive)
        raw = [survival_p_value(int(one), pictures * BITS) for one in (*lost, *kept)]
        adjusted = np.array(holm(raw))
        false_holm += bool((adjusted[:dead] <= 0.05).any())
        false_single += bool((np.array(raw)[:dead] <= 0.05).any())
        found += int((adjusted[dead:] <= 0.05).sum())
    assert false_holm / trials <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)
    assert false_single / trials > 0.15
    assert found == alive * trials


def test_the_best_of_many_candidates_is_no_more_often_significant_than_promised() -> None:
    rng = np.random.default_rng(2)
    trials, candidates = 2000, 200
    read = rng.random(BITS) < 0.7
    best = np.array([(rng.integers(0, 2, (candidates, BITS)) == read).sum(1).max() for _ in range(trials)])
    single, corrected = P_VALUES[best], np.array([corrected_p_value(p, candidates) for p in P_VALUES[best]])
    assert np.mean(single <= 0.05) > 0.95
    for nominal in (0.2, 0.05):
        attained = max(p for p in (corrected_p_value(p, candidates) for p in P_VALUES) if p <= nominal)
        assert within(float(np.mean(corrected <= nominal)), attained, trials)


@pytest.mark.parametrize("people", [8, 25])
def test_sign_flips_keep_their_level_on_clusters_and_find_a_gap(people: int) -> None:
    rng = np.random.default_rng(3)
    trials, each = 600, 4
    person = np.repeat(np.arange(people), each)
    hits = 0
    for trial in range(trials):
        lean = rng.normal(0, 6, people)  # a person is better for one of the two, nobody knows which
        difference = np.rint(np.repeat(lean, each) + rng.normal(0, 3, len(person))).astype(int)
        hits += sign_flip_p_value(difference, person, seed=trial % 3, flips=400) <= 0.05
    assert within(hits / trials, 0.05, trials)
    assert sign_flip_p_value(difference + 20, person, seed=0) < 0.01


def test_sign_flips_count_all_patterns_of_few_people() -> None:
    assert sign_flip_p_value([3, 2, 4], ["a", "b", "c"], seed=0) == 2 / 8
    assert sign_flip_p_value([0, 0], ["a", "b"], seed=0) == 1.0
    assert sign_flip_p_value([], [], seed=0) == 1.0
