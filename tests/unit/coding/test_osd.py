"""The soft decoder: near maximum likelihood, and the same for every codeword."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from faketagger.coding.bch import BlockCode, choose_code
from faketagger.coding.osd import nearest_codewords


def test_it_hardly_ever_misses_the_maximum_likelihood_codeword() -> None:
    code = choose_code(10, 24)
    words = code.encode(np.array(list(product((0, 1), repeat=10)), np.uint8))
    rng = np.random.default_rng(3)
    misses = 0
    for _ in range(500):
        llr = rng.normal(size=code.n)
        score = (2.0 * words - 1.0) @ llr
        found = (2.0 * nearest_codewords(code, llr)[0] - 1.0) @ llr
        assert found <= score.max() + 1e-9
        misses += found < score.max() - 1e-9
    assert misses <= 5


def test_codes_of_low_rate_are_left_out_because_it_misses_their_words_under_heavy_noise() -> None:
    rng = np.random.default_rng(4)
    found = {}
    for code in (choose_code(36, 256), BlockCode(8, 45, extended=True, k=36)):
        copies = 256 // code.n
        noise = 1.7 / np.sqrt(copies) * rng.normal(size=(80, code.n))
        found[code.name] = sum(not nearest_codewords(code, row - 1)[0].any() for row in noise)
    assert found["eBCH(128,36)"] > 60
    assert found["eBCH(255,36)"] < 50


@given(st.sampled_from([(36, 64), (16, 24), (9, 15)]), st.integers(0, 2**32 - 1))
def test_it_treats_all_codewords_alike(shape: tuple[int, int], seed: int) -> None:
    code = choose_code(*shape)
    rng = np.random.default_rng(seed)
    llr = rng.normal(size=code.n)
    shift = code.encode(rng.integers(0, 2, code.k).astype(np.uint8))
    moved = nearest_codewords(code, np.where(shift, -llr, llr))[0]
    assert np.array_equal(moved ^ shift, nearest_codewords(code, llr)[0])
