"""Binary BCH codes, shortened and extended to carry exactly k bits: choice, generator, algebraic decoder.

Source: Bose and Ray-Chaudhuri 1960; tables and notation as in Lin and Costello, Error Control Coding,
chapter 6.
"""

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from faketagger.coding.galois import PRIMITIVE_POLYNOMIALS, cyclotomic_coset, field, multiply_polynomials

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class BlockCode:
    """A narrow-sense primitive BCH code of length 2^m - 1, shortened to ``k`` message bits.

    A codeword is ``[k message bits, r parity bits, overall parity if extended]``; its first bit belongs to
    the highest power of x. With ``t = 0`` it is the uncoded word, extended by a single parity check.

    Attributes:
        m: Degree of the field, length of the parent code is ``2**m - 1``.
        t: Errors that the BCH code corrects.
        extended: Whether an overall parity bit follows.
        k: Message bits.
    """

    m: int
    t: int
    extended: bool
    k: int

    @property
    def n(self) -> int:
        """Length of a codeword in bits."""
        return self.k + self.parity_bits + self.extended

    @property
    def distance(self) -> int:
        """Designed distance: any two codewords differ in at least that many bits."""
        return 2 * self.t + 1 + self.extended

    @property
    def parity_bits(self) -> int:
        """Degree of the generator polynomial."""
        return _parity_bits(self.m)[self.t]

    @property
    def name(self) -> str:
        """Short name, e.g. ``eBCH(64,36)``."""
        return f"{'e' if self.extended else ''}BCH({self.n},{self.k})"

    @cached_property
    def generator_polynomial(self) -> int:
        """Least common multiple of the minimal polynomials of a, a^3, ..., a^(2t-1), as an integer."""
        order = (1 << self.m) - 1
        cosets = {min(c): c for c in (cyclotomic_coset(i, order) for i in range(1, 2 * self.t, 2))}
        polynomial = 1
        for coset in cosets.values():
            polynomial = multiply_polynomials(polynomial, field(self.m).minimal_polynomial(coset))
        return polynomial

    @cached_property
    def generator_matrix(self) -> Bits:
        """Systematic generator matrix, uint8 (k, n) in {0, 1}."""
        r, matrix = self.parity_bits, np.zeros((self.k, self.n), np.uint8)
        remainder = 1
        for _ in range(r):
            remainder = self._times_x(remainder)
        for row in reversed(range(self.k)):
            matrix[row, row] = 1
            matrix[row, self.k : self.k + r] = [remainder >> i & 1 for i in reversed(range(r))]
            remainder = self._times_x(remainder)
        if self.extended:
            matrix[:, -1] = matrix[:, :-1].sum(axis=1) & 1
        return matrix

    def _times_x(self, remainder: int) -> int:
        remainder <<= 1
        return remainder ^ self.generator_polynomial if remainder >> self.parity_bits else remainder

    def encode(self, message: Bits) -> Bits:
        """Encode.

        Args:
            message: uint8 (..., k) in {0, 1}.

        Returns:
            uint8 (..., n) in {0, 1}.
        """
        product = message @ self.generator_matrix  # uint8 wraps at 256, which keeps parity
        return np.bitwise_and(product, 1, dtype=np.uint8)

    @cached_property
    def _syndrome_table(self) -> NDArray[np.int64]:
        f, length = field(self.m), self.n - self.extended
        exponents = np.arange(length)[::-1]
        table = np.zeros((2 * self.t, self.n), np.int64)
        table[:, :length] = f.exp[np.outer(np.arange(1, 2 * self.t + 1), exponents) % f.order]
        return table

    def correct(self, word: Bits, suspects: NDArray[np.intp], counts: NDArray[np.intp]) -> Bits:
        """Algebraic decoding of a word and of versions of it with its first suspect bits flipped.

        Every version within ``t`` errors of a codeword (the overall parity left out) is corrected to it; from
        others no more is promised than that some codeword comes back.

        Args:
            word: uint8 (n,) in {0, 1}.
            suspects: Positions in the order of suspicion, (at least max(counts),).
            counts: How many suspects to flip, one entry a version, (V,).

        Returns:
            Codewords, uint8 (V, n).
        """
        table = self._syndrome_table
        base = np.bitwise_xor.reduce(table[:, word == 1], axis=1)
        steps = np.zeros((len(base), counts.max() + 1), np.int64)
        steps[:, 1:] = table[:, suspects[: counts.max()]]
        syndromes = (base[:, None] ^ np.bitwise_xor.accumulate(steps, axis=1)[:, counts]).T
        versions = np.repeat(word[None], len(counts), axis=0)
        for version, count in zip(versions, counts, strict=True):
            version[suspects[:count]] ^= 1
        versions ^= self._find_errors(self._locators(syndromes))
        return self.encode(versions[:, : self.k])

    def _locators(self, syndromes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Error locators (V, t + 1) from syndromes (V, 2t): Berlekamp's algorithm for binary codes."""
        f, count = field(self.m), len(syndromes)
        locator = np.zeros((count, self.t + 1), np.int64)
        locator[:, 0] = 1
        helper = np.roll(locator, 1, axis=1)
        pivot = np.ones(count, np.int64)
        length = np.zeros(count, np.int64)
        for step in range(self.t):
            newest = syndromes[:, 2 * step :: -1][:, : self.t + 1]
            terms = f.multiply(locator[:, : newest.shape[1]], newest)
            discrepancy = np.bitwise_xor.reduce(terms, axis=1)
            scale = f.multiply(discrepancy, f.invert(pivot))
            updated = locator ^ f.multiply(scale[:, None], helper)
            grows = (discrepancy != 0) & (length <= step)
            helper = np.where(grows[:, None], locator, helper)
            helper = np.hstack([np.zeros((count, 2), np.int64), helper])[:, : self.t + 1]
            pivot = np.where(grows, discrepancy, pivot)
            length = np.where(grows, 2 * step + 1 - length, length)
            locator = updated
        return locator

    def _find_errors(self, locators: NDArray[np.int64]) -> Bits:
        """Roots of the locators among the positions (Chien search): uint8 (V, n), 1 at an error."""
        f, length = field(self.m), self.n - self.extended
        inverse_exponents = (-np.arange(length)[::-1]) % f.order
        value = np.zeros((len(locators), length), np.int64)
        for degree in range(self.t + 1):
            value ^= f.exp[f.log[locators[:, degree]][:, None] + degree * inverse_exponents % f.order]
        errors = np.zeros((len(locators), self.n), np.uint8)
        errors[:, :length] = value == 0
        return errors


@cache
def _parity_bits(m: int) -> tuple[int, ...]:
    """Degree of the generator polynomial for t = 0, 1, ... as long as a message bit is left."""
    order = (1 << m) - 1
    covered: set[int] = set()
    degrees = [0]
    for exponent in range(1, order, 2):
        covered.update(cyclotomic_coset(exponent, order))
        if len(covered) >= order:
            break
        degrees.append(len(covered))
    return tuple(degrees)


@lru_cache(maxsize=64)
def choose_code(k: int, length: int) -> BlockCode:
    """The code for ``k`` message bits whose cyclic repetition to ``length`` bits has the largest distance.

    Among all BCH codes (t >= 0, extended or not, shortened) of length ``n <= length`` the one with the
    largest guaranteed distance ``length // n * d`` is taken, the shortest of equals. Codes of a rate below
    1/4 are left out: their distance is larger still, but ordered statistics of order 2 no longer find the
    best codeword under heavy noise, where repeating a shorter code does (a test says by how much).

    Args:
        k: Message bits, ``1 <= k <= length``.
        length: Bits available, at most 4096.

    Returns:
        The code.
    """
    longest = min(length, 4 * k)
    codes = (
        BlockCode(m, t, extended, k)
        for m in PRIMITIVE_POLYNOMIALS
        if 1 << (m - 1) <= max(longest, 4)
        for t, parity in enumerate(_parity_bits(m))
        for extended in (False, True)
        if k + parity < 1 << m and k + parity + extended <= longest
    )
    return max(codes, key=lambda code: (length // code.n * code.distance, -code.n))
