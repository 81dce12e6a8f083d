"""How many bits a picture can carry through an attack, whatever code is put on top."""

import numpy as np


def capacity_bits(accuracy: float, bits: int) -> float:
    """Lower bound of the mutual information between message and read, in bits a picture: ``L (1 - h2(1 - accuracy))``.

    Message bits are independent and uniform, so ``I(M; R) >= sum of I(M_i; R_i)``, and a read that is wrong about bit i
    with probability ``e_i`` knows at least ``1 - h2(e_i)`` of it (Fano). Bits differ in quality; as ``h2`` is concave,
    the mean error over all bits and pictures bounds their sum from below, so no bit is estimated by itself. (That would
    be biased upwards by ``1 / (2 n ln 2)`` for each: 4.6 bits out of nothing for 128 bits read from 20 pictures.)
    Pictures that were lost count as chance, which is below what a reader that knows of the loss has.

    It grows with the accuracy above one half, so the limits of an interval of the accuracy give limits of the capacity.
    An accuracy below one half counts as nothing: nobody knows beforehand that the bits have to be turned over.

    Args:
        accuracy: Share of bits that agree, lost pictures as one half.
        bits: Length L of a message.

    Returns:
        In [0, L]; NaN for NaN.

    Source: C. Shannon, "A mathematical theory of communication", 1948, section 12; T. Cover and J. Thomas, Elements of
        Information Theory, 2nd ed., 2006, theorem 2.10.1 (Fano) and lemma 7.9.2 turned round for independent inputs;
        G. Miller, "Note on the bias of information estimates", 1955.
    """
    if np.isnan(accuracy):
        return float("nan")
    error = 1.0 - max(float(accuracy), 0.5)
    if error == 0:
        return float(bits)
    return float(bits * (1 + error * np.log2(error) + (1 - error) * np.log2(1 - error)))
