"""The soft p-value: exact, equal to the fair coin's tail where all bits weigh the same, and worth having."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from faketagger.coding import Codec, Payload, match_p_value
from faketagger.coding.evidence import Evidence
from faketagger.coding.pvalues import blind_p_value


@given(st.integers(0, 2**32 - 1), st.integers(1, 11))
def test_it_is_the_share_of_all_messages_that_lose_as_little(seed: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    evidence = Evidence(rng.normal(size=bits) * (rng.random(bits) > 0.2))
    messages = np.array(list(product((0, 1), repeat=bits)), np.uint8)
    lost = evidence.lost(messages)
    assert lost.max() == evidence.weights.sum()
    for one in np.unique(lost[lost <= evidence.weights.sum() // 2]):
        assert evidence.p_value(int(one)) == pytest.approx((lost <= one).mean(), rel=1e-9)


@pytest.mark.parametrize("bits", [1, 7, 64, 300, 1500])
def test_bits_of_one_weight_are_the_fair_coin(bits: int) -> None:
    message = np.random.default_rng(bits).integers(0, 2, bits).astype(np.uint8)
    evidence = Evidence(2.5 * (2.0 * message - 1))
    wrong = min(3, bits // 2)
    message[:wrong] ^= 1
    assert evidence.p_value(int(evidence.lost(message))) == pytest.approx(match_p_value(bits - wrong, bits), rel=1e-9)


def test_more_candidates_than_a_float_can_count() -> None:
    evidence = Evidence(np.ones(4096))
    assert evidence.p_value(0, 2**4000) == pytest.approx(blind_p_value(4096, 4096, 2**4000), rel=1e-6)


def test_a_wrong_bit_costs_what_the_decoder_thought_of_it() -> None:
    message = np.ones(64, np.uint8)
    unsure, sure = np.ones(64), np.ones(64)
    unsure[:3], sure[:3] = -0.1, -1.5
    few, many = (Evidence(soft) for soft in (unsure, sure))
    coin = match_p_value(61, 64)
    assert few.p_value(int(few.lost(message))) < coin / 100
    assert many.p_value(int(many.lost(message))) > coin


@given(st.integers(0, 2**32 - 1), st.floats(1e-12, 1e12))
def test_scale_does_not_matter(seed: int, scale: float) -> None:
    soft = np.random.default_rng(seed).normal(size=64)
    assert np.abs(Evidence(soft).weights - Evidence(scale * soft).weights).max() <= 1


def test_the_level_is_kept_over_random_messages_for_any_one_read() -> None:
    soft = np.random.default_rng(7).normal(size=20) ** 3
    evidence = Evidence(soft)
    messages = np.random.default_rng(8).integers(0, 2, (20_000, 20)).astype(np.uint8)
    p_values = np.array([evidence.p_value(lost) for lost in evidence.lost(messages).tolist()])
    for level in (0.01, 0.05, 0.2):
        assert binomtest(int((p_values <= level).sum()), 20_000, level, alternative="greater").pvalue > 1e-4


def test_codewords_beyond_the_nearest_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Codec(64, 32, 12, key=b"test key")
    noise = 0.66 * np.random.default_rng(9).normal(size=(150, 64))
    reads = {}
    for most in (64, 1):
        monkeypatch.setattr("faketagger.coding.codec._LISTED", most)
        reads[most] = [codec.decode(2.0 * codec.encode(value) - 1 + row) for value, row in enumerate(noise)]
    right = {
        most: [read.payload == Payload(value, 32) for value, read in enumerate(found)] for most, found in reads.items()
    }
    assert sum(right[64]) > sum(right[1]) + 5
    assert all(good or read.p_value > 1e-6 for good, read in zip(right[64], reads[64], strict=True))
    hard = [blind_p_value(read.matched, 64, 2**32) <= 1e-6 for read in reads[64]]
    assert sum(read.p_value <= 1e-6 for read in reads[64]) > sum(hard) + 20
