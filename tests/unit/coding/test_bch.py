"""BCH codes against the tables of Lin and Costello, against enumeration, and their algebraic decoder."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faketagger.coding.bch import BlockCode, choose_code


@pytest.mark.parametrize(
    ("m", "k", "t", "octal"),
    [
        (4, 7, 2, "721"),
        (4, 5, 3, "2467"),
        (5, 21, 2, "3551"),
        (5, 11, 5, "5423325"),
        (6, 45, 3, "1701317"),
        (6, 36, 5, "1033500423"),
    ],
)
def test_generator_polynomials_are_the_published_ones(m: int, k: int, t: int, octal: str) -> None:
    code = BlockCode(m, t, extended=False, k=k)
    assert code.n == 2**m - 1
    assert code.generator_polynomial == int(octal, 8)


@pytest.mark.parametrize(
    ("m", "t", "k"), [(7, 10, 64), (8, 18, 131), (8, 45, 37), (9, 27, 286), (9, 30, 259), (10, 52, 553)]
)
def test_dimensions_are_the_published_ones(m: int, t: int, k: int) -> None:
    assert BlockCode(m, t, extended=False, k=k).n == 2**m - 1


@pytest.mark.parametrize(
    ("k", "length"), [(5, 16), (7, 16), (7, 15), (11, 16), (8, 24), (9, 32), (8, 11), (8, 9), (8, 8), (1, 4)]
)
def test_no_two_codewords_are_closer_than_the_designed_distance(k: int, length: int) -> None:
    code = choose_code(k, length)
    words = code.encode(np.array(list(product((0, 1), repeat=k)), np.uint8))
    assert words[1:].sum(axis=1).min() >= code.distance
    assert np.array_equal(words[:, :k], list(product((0, 1), repeat=k)))


def test_the_shipped_message_is_the_extended_64_36_code() -> None:
    code = choose_code(36, 64)
    assert (code.name, code.distance, code.t) == ("eBCH(64,36)", 12, 5)


@given(st.integers(1, 80), st.integers(0, 200))
def test_a_code_always_fits(k: int, spare: int) -> None:
    code = choose_code(k, k + spare)
    assert code.k == k
    assert k <= code.n <= k + spare
    assert code.generator_matrix.shape == (k, code.n)


CODES = st.sampled_from([(36, 64), (16, 31), (20, 60), (36, 128), (9, 15), (40, 100), (12, 17), (144, 256)])


@given(CODES, st.data())
def test_up_to_t_errors_are_corrected_algebraically(shape: tuple[int, int], data: st.DataObject) -> None:
    code = choose_code(*shape)
    assert code.t > 0
    message = np.array(data.draw(st.lists(st.integers(0, 1), min_size=code.k, max_size=code.k)), np.uint8)
    sent = code.encode(message)
    received = sent.copy()
    wrong = data.draw(st.lists(st.integers(0, code.n - 1), unique=True, max_size=code.t))
    received[wrong] ^= 1
    order = np.arange(code.n)
    assert np.array_equal(code.correct(received, order, np.array([0]))[0], sent)


@given(CODES, st.data())
def test_errors_beside_flipped_suspects_are_corrected(shape: tuple[int, int], data: st.DataObject) -> None:
    code = choose_code(*shape)
    sent = code.encode(np.zeros(code.k, np.uint8))
    order = np.array(data.draw(st.permutations(range(code.n))))
    suspects = data.draw(st.integers(0, code.n))
    received = sent.copy()
    received[order[:suspects]] ^= 1
    received[data.draw(st.lists(st.integers(0, code.n - 1), unique=True, max_size=code.t))] ^= 1
    assert np.array_equal(code.correct(received, order, np.array([0, suspects]))[1], sent)
