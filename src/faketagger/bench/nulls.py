"""What untagged pictures say about false positives: how many are enough, how high the rate may be, are they uniform?"""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

Basis = Literal["empirical", "theoretical"]


def nulls_needed(fpr: float) -> int:
    """Untagged pictures without a hit that are needed before a rate can be called measured.

    None of ``3 / fpr`` leaves the upper 95 % limit of the rate at ``fpr``: one in a million takes three million.

    Args:
        fpr: False positive rate, in (0, 1).

    Source: J. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249, 1983.
    """
    return math.ceil(round(3 / fpr, 6))


def basis(fpr: float, nulls: int) -> Basis:
    """How a claimed rate is backed: by enough nulls, or by theory (uniform messages) alone.

    Args:
        fpr: False positive rate.
        nulls: Independent untagged reads.
    """
    return "empirical" if nulls >= nulls_needed(fpr) else "theoretical"


def rate_limit(hits: int, nulls: int, level: float = 0.95) -> float:
    """Upper confidence limit of a false positive rate, one-sided and exact.

    Args:
        hits: Nulls called tagged.
        nulls: Independent untagged reads.
        level: Nominal coverage.

    Returns:
        The limit in (0, 1]; NaN for no nulls.

    Source: C. Clopper and E. Pearson, Biometrika 26, 1934.
    """
    if nulls == 0:
        return math.nan
    return 1.0 if hits == nulls else float(special.betaincinv(hits + 1, nulls - hits, level))


def uniformity_p_value(matched: ArrayLike, bits: int, seed: int) -> float:
    """Test that null p-values are what they claim to be: uniform.

    The exact match p-value of a null can take ``bits + 1`` values only. Moving each by a uniform share of its own
    probability makes it exactly uniform, and Kolmogorov-Smirnov exact on it.

    The assumption is that every read was held against an independent uniform message: fresh messages give it, and it is
    what is tested. Nothing is assumed about decoder or pictures. It does not hold where pictures share a message (the
    donor role), and a uniform sample of a hundred says little about its tail of one in a million.

    Args:
        matched: (n,) agreeing bits of nulls that could be read.
        bits: Bits of each message.
        seed: Fixes the shares.

    Returns:
        Two-sided p-value; NaN for no reads.

    Source: W. Stevens, "Fiducial limits of the parameter of a discontinuous distribution", Biometrika 37, 1950
        (randomised tail); R. Simard and P. L'Ecuyer, J. Stat. Softw. 39(11), 2011 (exact distribution of D).
    """
    from scipy.stats import kstwo

    counts = np.asarray(matched, dtype=np.int64)
    if not counts.size:
        return math.nan
    above = special.bdtrc(np.arange(-1, bits + 1), bits, 0.5)
    above[0] = 1.0
    share = np.random.default_rng([seed, counts.size]).random(counts.size)
    values = np.sort(above[counts + 1] + share * (above[counts] - above[counts + 1]))
    steps = np.arange(counts.size + 1) / counts.size
    distance = max(float(np.max(steps[1:] - values)), float(np.max(values - steps[:-1])))
    return float(kstwo.sf(distance, counts.size))
