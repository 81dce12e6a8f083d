"""Untagged pictures: limits that cover, uniform when messages are fresh, noticed when they are not."""

import numpy as np
import pytest

from faketagger.bench.nulls import basis, nulls_needed, rate_limit, uniformity_p_value

BITS = 64


def test_one_in_a_million_needs_three_million() -> None:
    assert [nulls_needed(fpr) for fpr in (0.01, 0.001, 1e-6)] == [300, 3000, 3_000_000]
    assert basis(0.01, 300) == "empirical"
    assert basis(0.01, 299) == "theoretical"
    assert rate_limit(0, nulls_needed(0.001)) == pytest.approx(0.001, rel=0.01)


def test_the_limit_of_a_rate_covers_as_promised() -> None:
    rng = np.random.default_rng(0)
    for rate, n in ((0.01, 640), (0.05, 100)):
        limits = [rate_limit(int(hits), n) for hits in rng.binomial(n, rate, 2000)]
        assert np.mean(np.array(limits) >= rate) >= 0.94
    assert rate_limit(5, 5) == 1.0
    assert np.isnan(rate_limit(0, 0))


def test_fresh_messages_are_rejected_as_often_as_promised_whatever_the_decoder_says() -> None:
    rng = np.random.default_rng(1)
    trials, n = 600, 40
    stuck = rng.random((1, 1, BITS)) < 0.9
    matched = (rng.integers(0, 2, (trials, n, BITS), dtype=np.int8) == stuck).sum(2)
    p_values = np.array([uniformity_p_value(one, BITS, seed) for seed, one in enumerate(matched)])
    for nominal in (0.5, 0.1, 0.05):
        assert abs(np.mean(p_values <= nominal) - nominal) <= 3 * np.sqrt(nominal * (1 - nominal) / trials)


def test_one_message_for_all_and_a_leak_are_noticed() -> None:
    rng = np.random.default_rng(2)
    message = rng.integers(0, 2, BITS)
    lean = np.where(rng.random(BITS) < 0.6, message, 1 - message)
    alike = np.where(rng.random((300, BITS)) < 0.3, rng.integers(0, 2, (300, BITS)), lean)
    assert uniformity_p_value((alike == message).sum(1), BITS, seed=0) < 1e-6
    assert uniformity_p_value(rng.binomial(BITS, 0.53, 600), BITS, seed=0) < 1e-3


def test_nothing_read_tells_nothing() -> None:
    assert np.isnan(uniformity_p_value([], BITS, seed=0))
