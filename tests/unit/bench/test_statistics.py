"""Intervals cover what they promise, p-values are valid, flags need evidence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faketagger.bench.statistics import (
    calibration,
    clustered_interval,
    exceeds_nominal,
    p_value_quantiles,
    rate_at,
)
from faketagger.coding import match_p_value, random_message

BITS = 64


def draw_reads(
    rng: np.random.Generator, people: int, pictures: int, concentration: float, accuracy: float
) -> tuple[np.ndarray, np.ndarray]:
    """Matched bits of pictures whose bit accuracy varies from person to person (beta), with that mean."""
    of_person = rng.beta(concentration * accuracy, concentration * (1 - accuracy), people)
    matched = rng.binomial(BITS, np.repeat(of_person, pictures))
    return matched, np.repeat(np.arange(people), pictures)


def coverage(people: int, pictures: int, clusters_of: str, trials: int = 400, accuracy: float = 0.9) -> float:
    rng = np.random.default_rng(7)
    hits = 0
    for trial in range(trials):
        matched, person = draw_reads(rng, people, pictures, 12.0, accuracy)
        names = person if clusters_of == "person" else np.arange(len(person))
        interval = clustered_interval(matched, np.full(len(matched), BITS), names, seed=trial % 4, resamples=400)
        hits += interval.low <= accuracy <= interval.high
    return hits / trials


@pytest.mark.parametrize(("people", "pictures"), [(50, 20), (20, 4), (30, 1)])
def test_clustered_interval_covers_as_promised(people: int, pictures: int) -> None:
    assert 0.91 <= coverage(people, pictures, "person") <= 0.99


def test_resampling_pictures_instead_of_people_would_not_cover() -> None:
    assert coverage(50, 20, "picture", trials=150) < 0.75


def test_paired_gap_covers_and_is_narrower_than_unpaired() -> None:
    rng = np.random.default_rng(3)
    hits, widths = 0, []
    for trial in range(300):
        skill = np.repeat(rng.beta(8, 2, 30), 2)
        white, black = rng.binomial(BITS, skill), rng.binomial(BITS, skill * 0.95)
        person = np.repeat(np.arange(30), 2)
        gap = clustered_interval(white - black, np.full(60, BITS), person, seed=trial % 4, resamples=400)
        hits += gap.low <= 0.05 * 0.8 <= gap.high
        one = clustered_interval(white, np.full(60, BITS), person, seed=trial % 4, resamples=400)
        widths.append((gap.high - gap.low) / (one.high - one.low))
    assert 0.91 <= hits / 300 <= 0.99
    assert np.median(widths) < 0.6


def test_a_perfect_result_still_has_a_lower_limit() -> None:
    interval = clustered_interval([64] * 24, [64] * 24, np.arange(24), seed=0)
    assert interval.high == 1.0
    assert interval.low == pytest.approx(0.025 ** (1 / (24 * 64)))


def test_one_cluster_has_no_interval() -> None:
    interval = clustered_interval([60, 50], [64, 64], [0, 0], seed=0)
    assert (interval.n, interval.n_clusters) == (2, 1)
    assert interval.estimate == 110 / 128
    assert np.isnan(interval.low)
    assert np.isnan(interval.high)


def test_nothing_gives_nan() -> None:
    interval = clustered_interval([], [], [], seed=0)
    assert np.isnan(interval.estimate)
    assert (interval.n, interval.n_clusters) == (0, 0)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_order_of_pictures_does_not_matter(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    matched, person = rng.integers(20, BITS, n), np.concatenate([[0, 1], rng.integers(0, 8, n - 2)])
    order = rng.permutation(n)
    bits = np.full(n, BITS)
    straight = clustered_interval(matched, bits, person, seed=1, resamples=200)
    assert straight == clustered_interval(matched[order], bits, person[order], seed=1, resamples=200)
    assert straight.low <= straight.estimate <= straight.high


def test_fresh_messages_make_p_values_valid_whatever_the_decoder_says() -> None:
    stuck = np.tile([1, 1, 1, 0], BITS // 4)  # a decoder that always answers the same biased word
    p_values = []
    for picture in range(20_000):
        message = random_message("secret", f"null/{picture}", BITS)
        p_values.append(match_p_value(int((message == stuck).sum()), BITS))
    for nominal in (0.05, 0.01, 0.001):
        rate = rate_at(p_values, nominal)
        assert rate <= nominal + 3 * np.sqrt(nominal / len(p_values))
    assert not exceeds_nominal(round(rate_at(p_values, 0.01) * 20_000), 20_000, 0.01)
    assert np.all(calibration(p_values, [0.05, 0.2]) <= [0.055, 0.21])


def test_one_message_for_all_would_be_noticed() -> None:
    rng = np.random.default_rng(0)
    message = random_message("secret", "one for all", BITS)
    lean = np.where(rng.random(BITS) < 0.7, message, 1 - message)  # a decoder that leans towards the message
    reads = np.where(rng.random((4000, BITS)) < 0.3, rng.integers(0, 2, (4000, BITS)), lean)
    p_values = [match_p_value(int((read == message).sum()), BITS) for read in reads]
    hits = round(rate_at(p_values, 0.01) * len(p_values))
    assert exceeds_nominal(hits, len(p_values), 0.01)


def test_a_few_nulls_by_chance_raise_no_alarm() -> None:
    assert not exceeds_nominal(0, 0, 0.01)
    assert not exceeds_nominal(1, 32, 0.01)
    assert exceeds_nominal(4, 32, 0.01)


def test_quantiles_are_observed_values() -> None:
    values = [1e-20, 1e-9, 0.01, 0.2, 0.9]
    quantiles = p_value_quantiles(values)
    assert set(quantiles.values()) <= set(values)
    assert quantiles["0.5"] == 0.01
    assert p_value_quantiles([]) == {}
