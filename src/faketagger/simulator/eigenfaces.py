"""Eigenfaces and the axis between two groups of people, found in closed form."""

import torch
from torch import Tensor

_OVERSAMPLING, _POWER_STEPS = 20, 2
_RIDGE = 1e-3


def principal_axes(vectors: Tensor, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mean and principal axes by a randomised singular value decomposition.

    Args:
        vectors: (N, D), one example a row.
        count: Axes wanted; those beyond the rank of the data are zero.
        rng: Source of the random projection.

    Returns:
        Mean (D,) and orthonormal axes (count, D), widest first.

    Source: N. Halko et al., "Finding structure with randomness", SIAM Review 2011; M. Turk and A. Pentland,
    "Eigenfaces for recognition", 1991.
    """
    mean = vectors.mean(0)
    centred = vectors - mean
    rank = min(count, len(vectors) - 1, vectors.shape[1])
    wide = min(rank + _OVERSAMPLING, *vectors.shape)
    guess = torch.randn(vectors.shape[1], wide, generator=rng).to(vectors)
    for _ in range(_POWER_STEPS):
        guess = torch.linalg.qr(centred.T @ (centred @ guess))[0]
    right = torch.linalg.svd(centred @ guess, full_matrices=False)[2]
    axes = torch.zeros(count, vectors.shape[1]).to(vectors)
    axes[:rank] = (right @ guess.T)[:rank]
    return mean, axes


def discriminant(codes: Tensor, groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How two groups differ: Fisher's linear discriminant, scaled so that the groups' means score -1 and 1.

    Args:
        codes: (N, K).
        groups: (N,) 0 or 1.

    Returns:
        Centre (K,) between the means, half difference (K,) of the means, and the probe (K,) that scores a code as
        ``(code - centre) @ probe``. The last two are zero if a group is empty.
    """
    halves = [codes[groups == group] for group in (0, 1)]
    nothing = torch.zeros_like(codes[0])
    if not all(len(half) for half in halves):
        return codes.mean(0), nothing, nothing
    means = [half.mean(0) for half in halves]
    spread = sum(((half - mean).T @ (half - mean) for half, mean in zip(halves, means, strict=True)), 0 * nothing)
    spread = spread / len(codes)
    axis = (means[1] - means[0]) / 2
    ridge = (_RIDGE * spread.diagonal().mean() + 1e-8) * torch.eye(len(axis)).to(codes)
    probe = torch.linalg.solve(spread + ridge, axis)
    return (means[0] + means[1]) / 2, axis, probe / (probe @ axis)
