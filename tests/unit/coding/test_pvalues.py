"""P-values: against brute force, exact fractions and the published thresholds; valid for a biased decoder."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from faketagger.coding import bits_needed, corrected_p_value, match_p_value, random_message
from faketagger.coding.pvalues import blind_p_value


@pytest.mark.parametrize("total", range(13))
def test_match_p_value_is_what_enumerating_every_word_gives(total: int) -> None:
    agreeing = np.array([word.bit_count() for word in range(2**total)])
    for matched in range(total + 1):
        assert match_p_value(matched, total) == (agreeing >= matched).mean()


@given(st.integers(0, 4096).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_match_p_value_agrees_with_an_independent_tail(case: tuple[int, int]) -> None:
    matched, total = case
    assert match_p_value(matched, total) == pytest.approx(binom.sf(matched - 1, total, 0.5), rel=1e-8, abs=1e-290)


def test_match_p_value_is_exact_deep_in_the_tail() -> None:
    exact = Fraction(sum(comb(1000, i) for i in range(990, 1001)), 2**1000)
    assert match_p_value(990, 1000) == float(exact)
    assert match_p_value(1074, 1074) == 5e-324
    assert match_p_value(4096, 4096) == 0.0


@pytest.mark.parametrize(("matched", "total"), [(-1, 8), (9, 8)])
def test_match_p_value_refuses_impossible_counts(matched: int, total: int) -> None:
    with pytest.raises(ValueError, match="between 0 and total"):
        match_p_value(matched, total)


@given(st.fractions(0, 1), st.integers(1, 50))
def test_corrected_p_value_agrees_with_exact_fractions(p: Fraction, n: int) -> None:
    exact = 1 - (1 - Fraction(float(p))) ** n
    assert corrected_p_value(float(p), n) == pytest.approx(float(exact), rel=1e-12)


def test_corrected_p_value_neither_cancels_nor_overflows() -> None:
    assert corrected_p_value(1e-30, 10**9) == pytest.approx(1e-21, rel=1e-12)
    assert corrected_p_value(1e-300, 2**2000) == 1.0
    assert corrected_p_value(0.0, 2**24) == 0.0
    assert corrected_p_value(1.0, 2**24) == 1.0


@pytest.mark.parametrize(("p", "n"), [(-0.1, 1), (1.1, 1), (float("nan"), 1), (0.5, 0)])
def test_corrected_p_value_refuses_what_is_no_probability(p: float, n: int) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        corrected_p_value(p, n)


def test_the_correction_survives_an_underflow_of_the_single_p_value() -> None:
    assert match_p_value(4096, 4096) == 0.0
    assert blind_p_value(4096, 4096, 2**4000) == pytest.approx(2.0**-96, rel=1e-9)
    assert blind_p_value(60, 64, 2**24) == corrected_p_value(match_p_value(60, 64), 2**24)


@pytest.mark.parametrize(
    ("total", "needed"), [(30, 28), (32, 30), (48, 41), (64, 51), (100, 74), (128, 92), (256, 167)]
)
def test_bits_needed_for_one_in_a_million(total: int, needed: int) -> None:
    assert bits_needed(total, 1e-6) == needed


@given(st.integers(1, 300), st.floats(1e-12, 1), st.integers(1, 10**9))
def test_bits_needed_is_the_smallest_that_suffices(total: int, fpr: float, n: int) -> None:
    needed = bits_needed(total, fpr, n)
    if needed <= total:
        assert corrected_p_value(match_p_value(needed, total), n) <= fpr
    if needed > 0:
        assert corrected_p_value(match_p_value(needed - 1, total), n) > fpr


def test_bits_needed_says_when_no_match_suffices() -> None:
    assert bits_needed(10, 1e-6) == 11


def test_a_constant_decoder_is_no_more_often_significant_than_stated() -> None:
    read = np.zeros(48, np.uint8)
    matches = [int((random_message(b"secret", f"image {i}", 48) == read).sum()) for i in range(20_000)]
    p_values = np.array([match_p_value(matched, 48) for matched in matches])
    for level in (0.1, 0.01, 0.001):
        attained = match_p_value(bits_needed(48, level), 48)
        assert binomtest(int((p_values <= level).sum()), len(p_values), attained).pvalue > 1e-4
