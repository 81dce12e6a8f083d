"""How surprising a soft read is: the exact tail over random messages, each bit counted by how sure it is.

A decoded message loses the weight of every bit that it contradicts. Whatever the bits of the read are, the chance that
an unrelated message loses as little depends on their weights alone and is counted exactly: with equal weights it is the
tail of the fair coin (:mod:`.pvalues`), and a wrong bit of which the decoder was unsure costs little. As there, the
probability is over the random message or key.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faketagger.coding.pvalues import corrected_log_p_value
from faketagger.errors import PayloadError

CAP = 2.0
"""A bit weighs at most this many times the median: beyond it a decoder is sure of itself rather than right."""

_TABLE = 2**14
"""Largest sum of weights, which bounds the work on long messages."""


class Evidence:
    """Soft bits as weights, and what it takes to contradict them.

    Args:
        soft: Soft bits (L,), finite; positive for a 1, zero for an erasure, which weighs nothing.

    Attributes:
        weights: Whole numbers (L,) from 0 to 31, fewer steps above 528 bits.
    """

    def __init__(self, soft: NDArray[np.float64]) -> None:
        strength = np.abs(soft)
        present = strength[strength > 0]
        self._ones = soft > 0
        self.weights = np.zeros(len(soft), np.int64)
        if len(present):
            steps = min(31, max(4, _TABLE // len(soft)))
            most = min(CAP * float(np.median(present)), float(present.max()))
            self.weights = np.rint(np.minimum(strength / most, 1) * steps).astype(np.int64)
        self._log_tail = _log_tail(self.weights[self.weights > 0])

    def lost(self, messages: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Summed weight (...) of the bits that messages (..., L) in {0, 1} contradict."""
        lost: NDArray[np.int64] = (self._ones != messages.astype(bool)) @ self.weights
        return lost

    def p_value(self, lost: int, n_candidates: int = 1) -> float:
        """Chance that the best of N unrelated messages loses at most ``lost``: at most N times that of one.

        Args:
            lost: Summed weight, as from :meth:`lost`.
            n_candidates: How many messages could have been found, at least 1.

        Returns:
            The p-value in (0, 1], Šidák-corrected.
        """
        if lost >= len(self._log_tail):
            return 1.0
        return corrected_log_p_value(float(self._log_tail[lost]), n_candidates)


def _log_tail(weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """Natural logarithm of the chance that random bits lose at most 0, 1, … up to half of all weight."""
    counts = np.full(int(weights.sum()) // 2 + 1, -np.inf)
    counts[0] = 0
    for weight in weights:
        kept = counts[: max(len(counts) - weight, 0)].copy()
        counts[weight:] = np.logaddexp(counts[weight:], kept)
    tail: NDArray[np.float64] = np.minimum(np.logaddexp.accumulate(counts) - len(weights) * math.log(2), 0.0)
    return tail


def checked_logits(logits: ArrayLike, message_bits: int) -> NDArray[np.float64]:
    """Soft bits (L,) as finite float64.

    Raises:
        PayloadError: They have another shape, are not numbers or contain NaN.
    """
    try:
        array = np.asarray(logits)
    except ValueError as error:
        raise PayloadError("The logits of a message must be real numbers.") from error
    if array.dtype.kind not in "fiu":
        raise PayloadError("The logits of a message must be real numbers.")
    soft = array.astype(np.float64)
    if soft.shape != (message_bits,):
        raise PayloadError(f"A message has {message_bits} logits, not shape {soft.shape}.")
    if np.isnan(soft).any():
        raise PayloadError("The logits of a message contain NaN.", "The tagger or its input is broken.")
    return np.clip(soft, -1e100, 1e100)
