"""Arithmetic in GF(2^m) by logarithm tables, and polynomials over GF(2) as Python integers (bit i = x^i)."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

PRIMITIVE_POLYNOMIALS = {
    3: 0xB, 4: 0x13, 5: 0x25, 6: 0x43, 7: 0x89, 8: 0x11D, 9: 0x211, 10: 0x409, 11: 0x805, 12: 0x1053,
}  # fmt: skip


class Field:
    """GF(2^m), 3 <= m <= 12, elements written as integers below 2^m.

    Attributes:
        order: Size of the multiplicative group, ``2**m - 1``.
        exp: Powers of the primitive element, int64; zero from index ``2 * order`` on, so that
            ``exp[log a + log b]`` is the product even where a factor is zero.
        log: Logarithms, int64 (2^m,); ``log[0] = 2 * order``.
    """

    def __init__(self, m: int) -> None:
        self.order = (1 << m) - 1
        powers = np.zeros(self.order, np.int64)
        element = 1
        for i in range(self.order):
            powers[i] = element
            element <<= 1
            if element >> m:
                element ^= PRIMITIVE_POLYNOMIALS[m]
        self.exp = np.concatenate([powers, powers, np.zeros(2 * self.order + 1, np.int64)])
        self.log = np.full(1 << m, 2 * self.order, np.int64)
        self.log[powers] = np.arange(self.order)

    def multiply(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        """Product of elements, any shapes that broadcast."""
        product: NDArray[np.int64] = self.exp[self.log[a] + self.log[b]]
        return product

    def invert(self, a: NDArray[np.int64]) -> NDArray[np.int64]:
        """Inverse of non-zero elements."""
        inverse: NDArray[np.int64] = self.exp[self.order - self.log[a]]
        return inverse

    def minimal_polynomial(self, coset: tuple[int, ...]) -> int:
        """Product of (x - a^i) over a cyclotomic coset, which has coefficients in GF(2)."""
        coefficients = np.array([1], np.int64)
        for i in coset:
            shifted = np.append(0, coefficients)
            shifted[:-1] ^= self.multiply(coefficients, self.exp[i])
            coefficients = shifted
        return sum(1 << degree for degree, c in enumerate(coefficients) if c)


@cache
def field(m: int) -> Field:
    """The one instance of GF(2^m)."""
    return Field(m)


def cyclotomic_coset(exponent: int, order: int) -> tuple[int, ...]:
    """Exponents ``exponent * 2^j mod order``: the conjugates of a power of the primitive element."""
    coset = [exponent]
    while (following := 2 * coset[-1] % order) != exponent:
        coset.append(following)
    return tuple(coset)


def multiply_polynomials(a: int, b: int) -> int:
    """Product over GF(2)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        b >>= 1
    return product
