"""Evidence from pictures that all carry one message: what a tool has learnt from a tagged faceset.

In the donor role the message is drawn once for each preparation of the tool, and every output is held against it.
If the tool learnt nothing of the message, the reads (however alike, and however biased the decoder) do not depend on
it, and the message is uniform given all of them. From that follows what may be claimed:

- The p-value of a single picture is valid. The p-values of several pictures of one donor are not independent: a
  lucky message is lucky with all of them. Their number above a threshold is a description, not a test, and adding
  up their matched bits as if the bits were independent calls far too much tagged.
- All pictures of a donor may be pooled into *one* word, by any rule that does not look at the message: here the soft
  bits are averaged, each picture with the same weight. This word agrees with the message in Binomial(L, 1/2) bits,
  exactly. So one donor gives one test of L bits.
- Messages of different donors are independent, even where the models or the pictures are the same. So the agreeing
  bits of K pooled words add up to Binomial(K L, 1/2), exactly.
- An interval of the bit accuracy resamples donors, because donors are what would be drawn anew. One donor gives none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from faketagger.coding import match_p_value


@dataclass(frozen=True)
class Pooled:
    """The pooled evidence of all donors.

    Attributes:
        donors: Messages.
        bits: Bits compared, all donors together.
        matched: Bits of the pooled words that agree.
        p_value: Exact chance that messages drawn at random agree as well.
    """

    donors: int
    bits: int
    matched: int
    p_value: float


def agreement(logits: ArrayLike, message: ArrayLike) -> NDArray[np.float32]:
    """Soft bits turned towards the message, scaled to a root mean square of 1.

    Args:
        logits: (L,) soft bits, positive for 1.
        message: (L,) of 0 and 1.

    Returns:
        (L,) positive where the read agrees.
    """
    soft = np.asarray(logits, dtype=np.float64)
    size = float(np.sqrt(np.mean(soft**2)))
    turned = soft * (2.0 * np.asarray(message, dtype=np.float64) - 1.0)
    return (turned / size if size > 0 else turned).astype(np.float32)


def pool(agreements: Sequence[ArrayLike], donors: Sequence[str], bits: int) -> Pooled:
    """Pool pictures to one word a donor, and donors to one test.

    Args:
        agreements: (L,) of every picture that could be read, of :func:`agreement`.
        donors: Whose message each was held against.
        bits: Length L of a message.

    Returns:
        The evidence; p = 1 where nothing could be read. A bit on which the pictures cancel out counts as wrong.
    """
    groups: dict[str, list[NDArray[np.float64]]] = {}
    for one, donor in zip(agreements, donors, strict=True):
        groups.setdefault(donor, []).append(np.asarray(one, dtype=np.float64))
    if not groups:
        return Pooled(0, 0, 0, 1.0)
    matched = sum(int(np.count_nonzero(np.sum(group, axis=0) > 0)) for group in groups.values())
    total = bits * len(groups)
    return Pooled(len(groups), total, matched, match_p_value(matched, total))


def pool_records(records: pd.DataFrame) -> Pooled:
    """Pool the records of one scenario of the donor role.

    Args:
        records: Tagged or null ones.
    """
    read = records[records["agreement"].notna()]
    bits = int(records["bits"].iloc[0]) if len(records) else 0
    return pool(list(read["agreement"]), [str(donor) for donor in read["cluster"]], bits)
