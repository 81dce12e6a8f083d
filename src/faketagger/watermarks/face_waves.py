"""Slow waves within an aligned face: orthonormal, of one narrow band, and nothing outside what every face fills."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from faketagger.watermarks.lattice import drawn

SIDE = 128
"""Pixels of a side of the aligned crop."""
MIDDLE = 16.5
"""Half cycles a side; what autoencoders, H.264 and a framing that is a little off leave most of."""
_RADII, _ROUNDNESS, _HEIGHT = (0.24, 0.35), 3.0, 0.465
"""Half axes of a superellipse, across and down, its exponent, and where its middle lies, in sides."""
_EDGE = 0.2
"""Share of the radius over which the waves fade out."""
_SPACING = 1.15
"""Distance of frequencies, in cycles per axis: as dense as waves that short can be and still be told apart."""
_REACH = 24


@lru_cache(maxsize=4)
def face_waves(count: int) -> Tensor:
    """Waves around one frequency in every direction.

    No eigenvectors are chosen, only the one symmetric orthonormalisation (P.-O. Löwdin, J. Chem. Phys. 1950), so that
    every machine makes the same waves.

    Args:
        count: How many, at most some 90.

    Returns:
        (count, SIDE * SIDE) orthonormal rows, in an order that is always the same.
    """
    line = (torch.arange(SIDE, dtype=torch.float64) + 0.5) / SIDE
    across, down = line[None, :] - 0.5, line[:, None] - _HEIGHT
    radius = ((across / _RADII[0]).abs() ** _ROUNDNESS + (down / _RADII[1]).abs() ** _ROUNDNESS) ** (1 / _ROUNDNESS)
    window = (math.pi / 2 * ((1 - radius) / _EDGE).clamp(0, 1)).sin().square()
    phases = [2 * math.pi * (right * across + below * down) for right, below in _frequencies(-(-count // 2))]
    waves = torch.stack([(window * wave(phase)).flatten() for phase in phases for wave in (torch.cos, torch.sin)])
    values, vectors = torch.linalg.eigh(waves @ waves.T)
    orthonormal = vectors * values.rsqrt() @ vectors.T @ waves
    order = sorted(range(count), key=lambda place: drawn("face lattice", "order", place))
    return orthonormal[order].float()


def _frequencies(count: int) -> list[tuple[float, float]]:
    """Those nearest to the middle of the band, in cycles a side to the right and down, of each and its opposite one."""
    grid = [
        (_SPACING * across / (2 * _RADII[0]), _SPACING * down / (2 * _RADII[1]))
        for across in range(-_REACH, _REACH + 1)
        for down in range(_REACH + 1)
        if down > 0 or across > 0
    ]
    return sorted(grid, key=lambda one: (round(abs(2 * math.hypot(*one) - MIDDLE), 9), one))[:count]
