"""A z-buffer: which triangle every pixel sees, and where on it. All pixels at once, numpy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Fragments:
    """The visible surface, one entry per covered pixel.

    Attributes:
        pixel: (P,) flat pixel numbers.
        triangle: (P,) triangle seen there.
        weights: (P, 3) perspective-correct barycentric weights of its corners.
        depth: (P,) distance from the camera.
    """

    pixel: Ints
    triangle: Ints
    weights: Floats
    depth: Floats

    def interpolate(self, triangles: Ints, values: Floats) -> Floats:
        """Values at the covered pixels.

        Args:
            triangles: (T, 3) vertex numbers.
            values: (V, C) or (V,) one value per vertex.

        Returns:
            (P, C) or (P,).
        """
        corners = values[triangles[self.triangle]]
        weights = self.weights if values.ndim == 1 else self.weights[..., None]
        return (corners * weights).sum(1, dtype=np.float32)


def rasterise(screen: Floats, triangles: Ints, size: int) -> Fragments:
    """Find the nearest triangle of every pixel.

    Args:
        screen: (V, 3) x and y in pixels, and the distance from the camera (> 0).
        triangles: (T, 3) vertex numbers; both sides are visible.
        size: Side of the square picture.

    Returns:
        The visible surface.
    """
    corners = screen[triangles].astype(np.float64)
    flat = corners[..., :2]
    low = np.clip(np.ceil(flat.min(1)), 0, size).astype(np.int64)
    extent = np.maximum(np.clip(np.floor(flat.max(1)) + 1, 0, size).astype(np.int64) - low, 0)
    area = _cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])
    counts = np.where(np.abs(area) < 1e-9, 0, extent[:, 0] * extent[:, 1])
    owner = np.repeat(np.arange(len(triangles)), counts)
    place = (np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)).astype(np.int32)
    width = extent[owner, 0].astype(np.int32)
    down = place // width
    right = place - down * width

    slope_x, slope_y, start = _edges(flat - low[:, None], np.where(area == 0, 1, area))
    x, y = right.astype(np.float32)[:, None], down.astype(np.float32)[:, None]
    weights = slope_x[owner] * x + slope_y[owner] * y + start[owner]
    inside = weights.min(1) >= -1e-4
    owner, weights = owner[inside], weights[inside]
    pixel = (low[owner, 1] + down[inside]) * size + low[owner, 0] + right[inside]

    inverse = weights / corners[owner, :, 2].astype(np.float32)
    depth = 1 / inverse.sum(1)
    front = _nearest(pixel, depth, size * size)
    return Fragments(pixel[front], owner[front], inverse[front] * depth[front, None], depth[front])


def _edges(flat: NDArray[np.float64], area: NDArray[np.float64]) -> tuple[Floats, Floats, Floats]:
    following, opposite = np.roll(flat, -1, 1), np.roll(flat, -2, 1)
    step = opposite - following
    slope_x, slope_y = -step[..., 1], step[..., 0]
    start = step[..., 1] * following[..., 0] - step[..., 0] * following[..., 1]
    x, y, c = (part / area[:, None] for part in (slope_x, slope_y, start))
    return x.astype(np.float32), y.astype(np.float32), c.astype(np.float32)


def _nearest(pixel: Ints, depth: Floats, pixels: int) -> Ints:
    best = np.full(pixels, np.inf, dtype=np.float32)
    np.minimum.at(best, pixel, depth)
    winners = np.flatnonzero(depth == best[pixel])
    owner = np.full(pixels, -1, dtype=np.int64)
    owner[pixel[winners]] = winners
    return owner[owner >= 0]


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
