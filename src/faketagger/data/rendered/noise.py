"""Smooth noise in space: the same point always gets the same value."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faketagger.data.rendered.raster import Floats

Integers = NDArray[np.signedinteger[Any]] | np.int32
_PRIMES = (np.int32(73856093), np.int32(19349663), np.int32(83492791))


def noise(points: Floats, seed: int) -> Floats:
    """Trilinear value noise with one random value per unit cube corner.

    Args:
        points: (P, 3) or (P, 2).
        seed: Picks the field.

    Returns:
        (P,) in [-1, 1].
    """
    table = _table(seed)
    columns = [np.ascontiguousarray(column, dtype=np.float32) for column in points.T]
    floors = [np.floor(column) for column in columns]
    parts = [column - floor for column, floor in zip(columns, floors, strict=True)]
    parts = [part * part * (3 - 2 * part) for part in parts]
    hashes: list[tuple[Integers, Integers]] = [
        (floor.astype(np.int32) * prime, (floor.astype(np.int32) + 1) * prime)
        for floor, prime in zip(floors, _PRIMES, strict=False)
    ]
    return _blend(hashes, parts, np.int32(0), table)


def grain(points: Floats, seed: int) -> Floats:
    """Unsmoothed noise: one random value per unit cube.

    Args:
        points: (P, 3) or (P, 2).
        seed: Picks the field.

    Returns:
        (P,) in [-1, 1].
    """
    mixed: Integers = np.int32(0)
    for column, prime in zip(points.T, _PRIMES, strict=False):
        mixed = mixed ^ (np.floor(column).astype(np.int32) * prime)
    return _table(seed)[(mixed ^ (mixed >> 13)) & 4095]


@lru_cache(maxsize=256)
def _table(seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(-1, 1, 4096).astype(np.float32)


def _blend(
    hashes: list[tuple[Integers, Integers]], parts: list[Floats], mixed: Integers, table: Floats
) -> Floats:
    if not parts:
        return table[(mixed ^ (mixed >> 13)) & 4095]
    low = _blend(hashes[1:], parts[1:], mixed ^ hashes[0][0], table)
    high = _blend(hashes[1:], parts[1:], mixed ^ hashes[0][1], table)
    return low + parts[0] * (high - low)


def cloud(points: Floats, seed: int, octaves: int = 3) -> Floats:
    """Sum of noises at doubling frequency and halving strength.

    Args:
        points: (P, 3) or (P, 2), in units of the coarsest cell.
        seed: Picks the field.
        octaves: How many noises.

    Returns:
        (P,) roughly in [-1, 1].
    """
    total = np.zeros(len(points), dtype=np.float32)
    for octave in range(octaves):
        total += noise(points * 2.0**octave + 17 * octave, seed + octave) / 2**octave
    return total / (2 - 2.0 ** (1 - octaves))


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """0 below ``low``, 1 above ``high``, smooth between; a falling step where low > high."""
    part = np.clip((value - low) / (high - low), 0, 1)
    return (part * part * (3 - 2 * part)).astype(np.float32)


def bump(value: Floats, centre: float, width: float) -> Floats:
    """Gaussian of height 1."""
    return np.exp(-(((value - centre) / width) ** 2)).astype(np.float32)
