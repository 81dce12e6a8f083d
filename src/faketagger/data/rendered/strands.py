"""Strands rooted in the skin: how they are sown, and the short ones, brows, lashes and beards."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from faketagger.data.rendered.head import Head
from faketagger.data.rendered.noise import bump, smoothstep
from faketagger.data.rendered.occlusion import vertex_normals
from faketagger.data.rendered.person import Person
from faketagger.data.rendered.raster import Floats
from faketagger.data.rendered.skin import EYE, beard_mask


@dataclass(frozen=True)
class Strands:
    """Many thin lines.

    Attributes:
        points: (N, M, 3) in the person's own, unposed coordinates.
        colour: (N, 3) linear RGB.
        shade: (N, M) 0 deep inside the hair to 1 outside.
        opacity: 0 to 1.
    """

    points: Floats
    colour: Floats
    shade: Floats
    opacity: float


def grow_brows(head: Head, shaped: Floats, person: Person) -> Strands:
    """Eyebrows.

    Args:
        head: The asset.
        shaped: (V, 3) the person's vertices.
        person: Whose brows.
    """

    def density(base: Floats) -> Floats:
        x, y = np.abs(base[:, 0]), base[:, 1]
        middle = 7.445 + 0.052 * smoothstep(0.10, 0.36, x) - 0.050 * smoothstep(0.38, 0.56, x)
        width = person.brow * (0.030 - 0.016 * smoothstep(0.30, 0.56, x))
        return (
            bump((y - middle) / width, 0, 1.0) * smoothstep(0.085, 0.14, x) * smoothstep(0.57, 0.50, x)
        ) * smoothstep(0.9, 1.0, base[:, 2])

    rng = np.random.default_rng([person.seed, 4])
    roots, bases, normals = scatter(head, shaped, density, int(900 * person.brow), rng)
    outward = smoothstep(0.08, 0.30, np.abs(bases[:, 0]))
    direction = np.column_stack(
        [np.sign(bases[:, 0]) * (0.35 + 0.8 * outward), 0.75 - 0.95 * outward, -0.35 * outward]
    )
    direction += rng.normal(0, 0.18, direction.shape)
    return _tufts(roots, normals, direction, 0.07, 0.15, person.hair * 0.75 + 0.006, 0.55, rng)


def grow_lashes(head: Head, shaped: Floats, person: Person) -> Strands:
    """Eyelashes, upper and lower.

    Args:
        head: The asset.
        shaped: (V, 3) the person's vertices.
        person: Whose lashes.
    """

    def density(base: Floats) -> Floats:
        x, y = (np.abs(base[:, 0]) - EYE[0]) / 0.124, (base[:, 1] - EYE[1]) / 0.048
        rim = bump(np.hypot(x, y), 1.0, 0.09) * smoothstep(1.1, 1.25, base[:, 2])
        return rim * np.where(y > -0.1, 1.0, 0.25) * smoothstep(-1.1, -0.6, x)

    rng = np.random.default_rng([person.seed, 5])
    roots, bases, normals = scatter(head, shaped, density, int(420 - 200 * person.male), rng)
    sideways = np.sign(bases[:, 0]) * (np.abs(bases[:, 0]) - EYE[0] + 0.03) * 5
    upper = np.where(bases[:, 1] > EYE[1], 1.0, -0.9)
    direction = np.column_stack([sideways, 0.55 * upper, np.full(len(roots), 0.8)])
    length = 0.032 + 0.018 * (1 - person.male)
    return _tufts(roots, normals, direction, length, 0.1, person.hair * 0.25, 0.6, rng)


def grow_beard(head: Head, shaped: Floats, person: Person) -> Strands:
    """A beard; call it only for people who have one.

    Args:
        head: The asset.
        shaped: (V, 3) the person's vertices.
        person: Whose beard.
    """
    rng = np.random.default_rng([person.seed, 6])
    count = int(5000 * person.beard)
    roots, bases, normals = scatter(head, shaped, beard_mask, count, rng)
    direction = np.column_stack(
        [0.25 * np.sign(bases[:, 0]), np.full(len(roots), -0.8), np.full(len(roots), 0.1)]
    )
    direction += rng.normal(0, 0.3, direction.shape)
    length = 0.03 + 0.12 * max(0.0, person.beard - 0.4)
    return _tufts(roots, normals, direction, length, 0.5, person.hair * 0.8 + 0.003, 0.7, rng)


def _tufts(
    roots: Floats,
    normals: Floats,
    direction: Floats,
    length: float,
    rise: float,
    colour: Floats,
    opacity: float,
    rng: np.random.Generator,
) -> Strands:
    along = direction - (direction * normals).sum(1, keepdims=True) * normals * (1 - rise)
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6) + rise * 0.5 * normals
    reach = length * rng.uniform(0.5, 1.1, len(roots))
    steps = np.linspace(0, 1, 5)
    points = (
        roots[:, None]
        + reach[:, None, None] * steps[None, :, None] * along[:, None]
        + 0.006 * normals[:, None]
    )
    tint = np.exp(rng.normal(0, 0.2, len(roots)))
    shade = np.full(points.shape[:2], 0.8, dtype=np.float32)
    return Strands(points.astype(np.float32), (colour * tint[:, None]).astype(np.float32), shade, opacity)


def scatter(
    head: Head, shaped: Floats, density: Callable[[Floats], Floats], count: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Sow roots over the skin.

    Args:
        head: The asset.
        shaped: (V, 3) the person's vertices.
        density: Chance from 0 to 1 that something grows at (P, 3) points in base coordinates.
        count: At most so many.
        rng: Draws the places.

    Returns:
        (N, 3) roots on the person, the same places in base coordinates, and the person's normals there.
    """
    triangles = head.part("skin")
    corners = head.vertices[triangles]
    probe = np.concatenate([corners, corners.mean(1, keepdims=True)], 1).reshape(-1, 3)
    triangles = triangles[density(probe).reshape(-1, 4).max(1) > 0.02]
    a, b, c = (shaped[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    normals = vertex_normals(shaped, head.part("skin"))
    kept: list[tuple[Floats, Floats, Floats]] = []
    found = 0
    for _ in range(8):
        chosen = triangles[rng.choice(len(triangles), size=2 * count, p=area / area.sum())]
        weights = rng.dirichlet([1, 1, 1], size=2 * count).astype(np.float32)[..., None]
        base = (head.vertices[chosen] * weights).sum(1)
        accepted = rng.uniform(size=2 * count) < density(base)
        chosen, weights, base = chosen[accepted], weights[accepted], base[accepted]
        normal = (normals[chosen] * weights).sum(1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        kept.append(((shaped[chosen] * weights).sum(1), base, normal))
        found += len(base)
        if found >= count:
            break
    roots, bases, directions = (np.concatenate(parts)[:count] for parts in zip(*kept, strict=True))
    return roots, bases, directions
