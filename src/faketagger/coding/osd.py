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


def nearest_codewords(code: BlockCode, llr: Floats, most: int = 1) -> Bits:
    """Find the codewords that agree best with soft bits.

    Args:
        code: The code.
        llr: Soft bits (n,), positive for a 1, zero for an erasure.
        most: How many to find, at least 1.

    Returns:
        Candidate codewords, some perhaps twice, uint8 (m, n) with ``1 <= m <= most``, those with the largest
        ``sum(llr * (2 * codeword - 1))`` first.
    """
    hard = (llr > 0).astype(np.uint8)
    candidates = _order_two(code, llr, hard, most)
    if code.t > 0:
        suspects = np.argsort(np.abs(llr), kind="stable")
        counts = np.append(0, np.arange(code.distance - 1, 0, -2))
        candidates = np.vstack([candidates, code.correct(hard, suspects, counts)])
    agreement = (2.0 * candidates - 1.0) @ llr
    nearest: Bits = candidates[np.argsort(-agreement, kind="stable")[:most]]
    return nearest


def _order_two(code: BlockCode, llr: Floats, hard: Bits, most: int) -> Bits:
    order = np.argsort(-np.abs(llr), kind="stable")
    matrix, basis = _systematic(code.generator_matrix[:, order])
    llr, hard = llr[order], hard[order]
    first = (hard[basis] @ matrix) & 1
    signs = 1.0 - 2.0 * matrix
    evidence = llr * (2.0 * first - 1.0)
    pairs = (signs * evidence) @ signs.T
    np.fill_diagonal(pairs, signs @ evidence)
    one, other = np.triu_indices(len(matrix))
    agreement = pairs[one, other]
    best = np.argsort(-agreement, kind="stable")[:most]
    one, other = one[best], other[best]
    flips = matrix[one] ^ np.where((one != other)[:, None], matrix[other], 0)
    found = np.vstack([first[None], first ^ flips])
    codewords = np.empty_like(found)
    codewords[:, order] = found
    return codewords


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
