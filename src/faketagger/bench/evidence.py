"""Does anything of the tag get through, and does that still hold after looking at many attacks? NumPy and SciPy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special


def survival_p_value(matched: int, bits: int) -> float:
    """Exact chance that reads which know nothing of their messages agree with them as well as these do.

    The claim that is tested: *something of the message gets through this attack*. If nothing does, what comes out of
    the attack (lost faces and failures included) does not depend on the messages. Every picture has a uniform message
    of its own, so the agreeing bits of all read pictures together are Binomial(bits, 1/2): exactly, however alike the
    pictures of one person are and however biased the decoder is. Pictures that could not be read are left out; they say
    nothing about their message.

    Args:
        matched: Agreeing bits of all read pictures, each held against its own message.
        bits: Bits compared.

    Returns:
        ``P(X >= matched)``; 0.0 below the smallest float64, 1.0 for no bits.

    Source: the binomial tail as an incomplete beta function, M. Abramowitz and I. Stegun, Handbook of Mathematical
        Functions, 1964, eq. 26.5.24; a fixed random message instead of fair bits, DESIGN and FAQ of this project.
    """
    return float(special.betainc(matched, bits - matched + 1, 0.5)) if matched > 0 else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values that may be read together: the chance of any false claim stays below the level, dependent or not.

    Args:
        p_values: Of all claims of one table.

    Returns:
        Adjusted p-values in the same order; claiming those at or below alpha makes any false claim with probability at
        most alpha.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    adjusted = np.minimum(1.0, np.maximum.accumulate((len(raw) - np.arange(len(raw))) * raw[order]))
    back = np.empty_like(adjusted)
    back[order] = adjusted
    return [float(value) for value in back]


def sign_flip_p_value(differences: ArrayLike, clusters: ArrayLike, seed: int, flips: int = 2000) -> float:
    """Two-sided test of paired differences against zero: whole clusters change their sign.

    Under the hypothesis that white and black could be exchanged within each person, all sign patterns of the persons'
    sums are equally likely. Up to ``flips`` patterns all are counted, which is exact; beyond, so many are drawn and the
    observed one is counted among them, which is valid.

    Args:
        differences: (n,) integer, matched bits of white minus black.
        clusters: (n,) identity of each picture.
        seed: Fixes the draw.
        flips: Patterns.

    Returns:
        The p-value in (0, 1]; 1.0 for no pictures.

    Source: R. Fisher, The Design of Experiments, 1935, section 21; B. Phipson and G. Smyth, "Permutation p-values
        should never be zero", Stat. Appl. Genet. Mol. Biol. 9, 2010; I. Canay, J. Romano, A. Shaikh, "Randomization
        tests under an approximate symmetry assumption", Econometrica 85, 2017 (clusters).
    """
    values = np.asarray(differences, dtype=np.int64)
    if not values.size:
        return 1.0
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    np.add.at(sums, codes, values)
    found = abs(int(sums.sum()))
    if 2 ** len(sums) <= flips:
        patterns = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float(np.mean(np.abs((2 * patterns - 1) @ sums) >= found))
    signs = np.random.default_rng([seed, len(sums)]).integers(0, 2, (flips, len(sums)), dtype=np.int8)
    beyond = int(np.count_nonzero(np.abs(_flipped(signs, sums)) >= found))
    return (beyond + 1) / (flips + 1)


def _flipped(signs: NDArray[np.int8], sums: NDArray[np.int64]) -> NDArray[np.int64]:
    return 2 * (signs @ sums) - sums.sum()
