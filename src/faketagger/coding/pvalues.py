"""How surprising a read is: exact integer tail of the fair coin, and its correction for many candidates.

The p-value is the probability, over the random *message* (or the key that scrambled it), that an unrelated
message would agree with the read bits at least as well. It asks nothing of the read bits themselves: a
decoder that answers the same biased bits to every picture still gives a valid p-value, as long as the
message compared with it is fresh and random. One fixed message for many pictures breaks it.
"""

import math
from functools import lru_cache


@lru_cache(maxsize=8192)
def _tail(matched: int, total: int) -> int:
    """Number of ``total``-bit words that agree with a given word in at least ``matched`` bits."""
    term, count = 1, 0
    for wrong in range(total - matched + 1):
        count += term
        term = term * (total - wrong) // (wrong + 1)
    return count


def match_p_value(matched: int, total: int) -> float:
    """Exact P(X >= matched) for X ~ Binomial(total, 1/2), counted in integers and rounded once.

    Args:
        matched: Bits that agree, ``0 <= matched <= total``.
        total: Bits compared.

    Returns:
        The p-value in (0, 1]; 0.0 only where the true value is below the smallest float64 (about 5e-324,
        which takes ``total`` > 1074).

    Raises:
        ValueError: ``matched`` is not in ``0 .. total``.
    """
    if not 0 <= matched <= total:
        raise ValueError(f"matched = {matched} is not between 0 and total = {total}")
    return _tail(int(matched), int(total)) / (1 << int(total))


def corrected_p_value(p: float, n_candidates: int) -> float:
    """P-value of the best of N candidates: ``1 - (1 - p)**N``, without cancellation (Šidák).

    Exact for independent candidates. Whatever their dependence the chance is at most ``N * p``, which is
    larger by a factor of ``1 + N * p / 2`` where this is small.

    Args:
        p: P-value of one candidate, in [0, 1].
        n_candidates: How many candidates could have been found, at least 1.

    Returns:
        The corrected p-value in [0, 1].

    Raises:
        ValueError: ``p`` is outside [0, 1] or ``n_candidates`` below 1.
    """
    if not 0 <= p <= 1 or n_candidates < 1:
        raise ValueError(f"p = {p} must lie in [0, 1] and n_candidates = {n_candidates} be at least 1")
    if p in (0, 1) or n_candidates == 1:
        return float(p)
    log_expected = math.log(n_candidates) + math.log(-math.log1p(-p))
    return -math.expm1(-math.exp(min(log_expected, 700.0)))


def corrected_log_p_value(log_p: float, n_candidates: int) -> float:
    """As :func:`corrected_p_value`, from the natural logarithm of a p-value that may be too small for a float."""
    if log_p >= 0:
        return 1.0
    hazard = log_p if log_p < -30 else math.log(-math.log1p(-math.exp(log_p)))
    return -math.expm1(-math.exp(min(hazard + math.log(n_candidates), 700.0)))


def blind_p_value(matched: int, total: int, n_candidates: int) -> float:
    """``corrected_p_value(match_p_value(...), n_candidates)``, even where the inner value underflows."""
    p = match_p_value(matched, total)
    if p > 1e-300:
        return corrected_p_value(p, n_candidates)
    return corrected_log_p_value(math.log(_tail(matched, total)) - total * math.log(2), n_candidates)


def bits_needed(total: int, fpr: float, n_candidates: int = 1) -> int:
    """Fewest matching bits whose corrected p-value is at most ``fpr``.

    Args:
        total: Bits compared.
        fpr: False positive rate to keep, in (0, 1].
        n_candidates: Registered tags a read is compared with.

    Returns:
        ``0 .. total``, or ``total + 1`` when even a perfect match is not surprising enough.

    Raises:
        ValueError: ``fpr`` is not in (0, 1].
    """
    if not 0 < fpr <= 1:
        raise ValueError(f"fpr = {fpr} is not in (0, 1]")
    low, high = 0, total + 1
    while low < high:
        middle = (low + high) // 2
        if blind_p_value(middle, total, n_candidates) <= fpr:
            high = middle
        else:
            low = middle + 1
    return low
