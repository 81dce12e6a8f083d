"""Capacity: a bound from below of what reads know of their messages, with limits that cover."""

import numpy as np
import pytest

from faketagger.bench.capacity import capacity_bits
from faketagger.bench.statistics import clustered_interval

BITS = 64


def information(errors: np.ndarray) -> float:
    """Bits that a read knows of its message where bit i is wrong with probability ``errors[i]``: binary channels."""
    inner = errors[(errors > 0) & (errors < 1)]
    return float(len(errors) + np.sum(inner * np.log2(inner) + (1 - inner) * np.log2(1 - inner)))


def test_equal_bits_are_a_binary_symmetric_channel() -> None:
    assert capacity_bits(1.0, BITS) == BITS
    assert capacity_bits(0.5, BITS) == 0
    assert capacity_bits(0.89, BITS) == pytest.approx(information(np.full(BITS, 0.11)))
    assert np.isnan(capacity_bits(float("nan"), BITS))


def test_bits_that_agree_less_than_half_carry_nothing() -> None:
    assert capacity_bits(0.3, BITS) == 0


def test_it_stays_below_the_truth_where_bits_differ() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        errors = rng.random(BITS) * 0.5
        assert capacity_bits(1 - errors.mean(), BITS) <= information(errors) + 1e-9


def test_lost_pictures_count_for_less_than_a_reader_that_knows_of_the_loss_has() -> None:
    lost, accuracy = 0.3, 0.95
    known = (1 - lost) * capacity_bits(accuracy, BITS)
    assert capacity_bits(lost / 2 + (1 - lost) * accuracy, BITS) < known


def test_limits_cover_the_capacity_of_the_mean_channel() -> None:
    rng = np.random.default_rng(1)
    trials, people, each, accuracy = 300, 30, 2, 0.85
    hits = 0
    for trial in range(trials):
        skill = np.repeat(rng.beta(12 * accuracy, 12 * (1 - accuracy), people), each)
        person = np.repeat(np.arange(people), each)
        matched = rng.binomial(BITS, skill)
        interval = clustered_interval(matched, np.full(len(matched), BITS), person, trial % 4, resamples=400)
        low, high = capacity_bits(interval.low, BITS), capacity_bits(interval.high, BITS)
        hits += low <= capacity_bits(accuracy, BITS) <= high
    assert 0.91 <= hits / trials <= 0.99


def test_estimating_every_bit_by_itself_would_find_bits_in_noise() -> None:
    rng = np.random.default_rng(2)
    wrong = rng.integers(0, 2, (20, 128))
    each = information(wrong.mean(0))
    assert each == pytest.approx(128 / (2 * 20 * np.log(2)), rel=0.3)
    assert capacity_bits(1 - wrong.mean(), 128) < 0.3
