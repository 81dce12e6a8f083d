"""How much open sky every vertex sees: one depth picture from each of many directions."""

import numpy as np
from numpy.typing import NDArray

from faketagger.data.rendered.raster import Floats, Ints, rasterise


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """Area-weighted unit normals.

    Args:
        vertices: (V, 3).
        triangles: (T, 3) vertex numbers, counter-clockwise seen from outside.

    Returns:
        (V, 3).
    """
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def ambient_occlusion(vertices: Floats, triangles: Ints, directions: int = 160, side: int = 384) -> Floats:
    """Cosine-weighted share of the directions in which nothing is in the way.

    Args:
        vertices: (V, 3), y up.
        triangles: (T, 3) vertex numbers of everything that blocks the view.
        directions: How many directions, spread evenly.
        side: Side of the depth pictures in pixels.

    Returns:
        (V,) from 0 (buried) to 1 (open).
    """
    normals = vertex_normals(vertices, triangles)
    seen = np.zeros(len(vertices))
    total = np.full(len(vertices), 1e-6)
    for direction in _sphere(directions):
        weight = np.maximum(normals @ direction, 0)
        total += weight
        seen += weight * _visible(vertices, triangles, direction, side)
    return (seen / total).astype(np.float32)


def look_along(points: Floats, direction: Floats, size: int) -> Floats:
    """Parallel projection of points on a square picture that holds them all.

    Args:
        points: (V, 3).
        direction: (3,) unit vector from the scene to the viewer.
        size: Side of the picture in pixels.

    Returns:
        (V, 3) pixel x, pixel y and a positive distance, in units of the points.
    """
    side = np.cross([0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0.0, 0.0], direction)
    side /= np.linalg.norm(side)
    frame = np.stack([side, np.cross(direction, side), -np.asarray(direction)])
    view = points @ frame.T.astype(np.float32)
    low, high = view.min(0), view.max(0)
    scale = (size - 2) / max(high[0] - low[0], high[1] - low[1])
    flat = (view[:, :2] - low[:2]) * scale + 1
    return np.column_stack([flat, view[:, 2] - low[2] + 1]).astype(np.float32)


def _visible(vertices: Floats, triangles: Ints, direction: Floats, side: int) -> NDArray[np.bool_]:
    screen = look_along(vertices, direction, side)
    nearest = np.full(side * side, np.inf, dtype=np.float32)
    surface = rasterise(screen, triangles, side)
    nearest[surface.pixel] = surface.depth
    x, y = np.clip(np.rint(screen[:, :2]).astype(int), 0, side - 1).T
    return screen[:, 2] < nearest[y * side + x] + 0.06


def _sphere(count: int) -> Floats:
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    height = 1 - (2 * np.arange(count) + 1) / count
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], -1).astype(np.float32)
