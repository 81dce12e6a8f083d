"""Soft-decision decoding of a block code: ordered statistics of order 2 beside generalised minimum distance.

Ordered statistics decoding (Fossorier and Lin, IEEE Trans. IT 41(5), 1995) re-encodes the k most reliable
independent bits with at most two of them flipped: close to maximum likelihood on noisy reads. Generalised
minimum distance decoding (Forney, IEEE Trans. IT 12(2), 1966) adds algebraic decodings with the least
reliable bits flipped, which brings the guarantee: hard flips within half the distance are always corrected,
those of repeated bits within half the distance of the whole (the copies of a bit are Forney's inner code).
"""

import numpy as np
from numpy.typing import NDArray

from faketagger.coding.bch import Bits, BlockCode

Floats = NDArray[np.float64]


def decode_soft(code: BlockCode, llr: Floats) -> Bits:
    """Find the codeword that agrees best with soft bits.

    Args:
        code: The code.
        llr: Soft bits (n,), positive for a 1, zero for an erasure.

    Returns:
        The candidate codeword with the largest ``sum(llr * (2 * codeword - 1))``, uint8 (n,).
    """
    hard = (llr > 0).astype(np.uint8)
    candidates = _order_two(code, llr, hard)[None]
    if code.t > 0:
        suspects = np.argsort(np.abs(llr), kind="stable")
        counts = np.append(0, np.arange(code.distance - 1, 0, -2))
        candidates = np.vstack([candidates, code.correct(hard, suspects, counts)])
    best: Bits = candidates[np.argmax((2.0 * candidates - 1.0) @ llr)]
    return best


def _order_two(code: BlockCode, llr: Floats, hard: Bits) -> Bits:
    order = np.argsort(-np.abs(llr), kind="stable")
    matrix, basis = _systematic(code.generator_matrix[:, order])
    llr, hard = llr[order], hard[order]
    first = (hard[basis] @ matrix) & 1
    signs = 1.0 - 2.0 * matrix
    evidence = llr * (2.0 * first - 1.0)
    pairs = (signs * evidence) @ signs.T
    np.fill_diagonal(pairs, signs @ evidence)
    if pairs.max() > evidence.sum():
        one, other = np.unravel_index(np.argmax(pairs), pairs.shape)
        first = first ^ matrix[one] ^ (matrix[other] if other != one else 0)
    codeword = np.empty_like(first)
    codeword[order] = first
    return codeword


def _systematic(matrix: Bits) -> tuple[Bits, NDArray[np.intp]]:
    """Row-reduce a (k, n) matrix of full rank over GF(2); also its k leftmost independent columns."""
    n = matrix.shape[1]
    width = -(-n // 8) * 8
    rows: list[int] = []
    pivots: list[int] = []
    for packed in np.packbits(matrix, axis=1):
        row = int.from_bytes(packed.tobytes(), "big")
        for pivot, other in zip(pivots, rows, strict=True):
            if row & pivot:
                row ^= other
        pivot = 1 << (row.bit_length() - 1)
        rows = [other ^ row if other & pivot else other for other in rows]
        rows.append(row)
        pivots.append(pivot)
    order = sorted(range(len(rows)), key=lambda i: -pivots[i])
    packed_rows = b"".join(rows[i].to_bytes(width // 8, "big") for i in order)
    reduced = np.frombuffer(packed_rows, np.uint8).reshape(len(rows), -1)
    basis = np.array([width - pivots[i].bit_length() for i in order], np.intp)
    return np.unpackbits(reduced, axis=1, count=n), basis
