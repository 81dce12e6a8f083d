"""Hair: long strands that are combed, fall and keep off the skin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faketagger.data.rendered.head import Head
from faketagger.data.rendered.noise import noise, smoothstep
from faketagger.data.rendered.occlusion import vertex_normals
from faketagger.data.rendered.person import Person
from faketagger.data.rendered.raster import Floats
from faketagger.data.rendered.strands import Strands, scatter

_HAIRLINE_ANGLE = np.radians([0, 22, 42, 58, 72, 86, 100, 130, 180])
_HAIRLINE_HEIGHT = np.array([8.02, 8.03, 7.86, 7.66, 7.30, 7.34, 7.30, 7.02, 6.86])


@dataclass(frozen=True)
class _Style:
    count: int
    length: float
    lift: float
    stiffness: float
    gravity: float
    comb: tuple[float, float, float]


_STYLES = {
    "crop": _Style(9000, 0.10, 0.06, 0.9, 0.0, (0.0, 0.1, 0.4)),
    "short": _Style(7500, 0.42, 0.16, 0.45, 0.15, (0.35, 0.0, -0.5)),
    "side": _Style(7500, 0.75, 0.20, 0.35, 0.25, (0.9, 0.05, -0.45)),
    "bob": _Style(6500, 2.3, 0.22, 0.15, 0.85, (0.9, -0.15, -0.30)),
    "long": _Style(6500, 3.4, 0.20, 0.12, 0.85, (0.9, -0.15, -0.35)),
    "tied": _Style(7500, 1.3, 0.08, 0.12, 0.05, (0.08, -0.1, -1.0)),
    "bald": _Style(3500, 0.09, 0.05, 0.9, 0.1, (0.0, -0.2, -0.4)),
}


def scalp_mask(base: Floats, style: str = "short") -> Floats:
    """(P,) 1 where hair grows on the head.

    Args:
        base: (P, 3) points in base coordinates.
        style: Hair style; ``bald`` leaves a wreath.
    """
    angle = np.abs(np.arctan2(base[:, 0], base[:, 2] - 0.35))
    line = np.interp(angle, _HAIRLINE_ANGLE, _HAIRLINE_HEIGHT)
    ragged = 0.05 * noise(base * 9, 4711)
    grows = smoothstep(-0.05, 0.05, (base[:, 1] - line + ragged).astype(np.float32))
    if style == "bald":
        grows = grows * smoothstep(7.75, 7.55, base[:, 1])
    return grows * smoothstep(0.85, 0.80, np.where(base[:, 1] < 7.5, np.abs(base[:, 0]), 0.0))


def grow_hair(head: Head, shaped: Floats, person: Person) -> Strands:
    """Comb and drop hair over the head.

    Args:
        head: The asset.
        shaped: (V, 3) the person's vertices.
        person: Whose hair.
    """
    style = _STYLES[person.style]
    rng = np.random.default_rng([person.seed, 3])
    steps = int(np.clip(style.length / 0.08, 4, 26))
    roots, bases, normals = scatter(head, shaped, lambda p: scalp_mask(p, person.style), style.count, rng)
    count = len(roots)
    skin = np.unique(head.part("skin"))
    skin = skin[~((np.abs(head.vertices[skin, 0]) > 0.82) & (head.vertices[skin, 1] > 6.6))]  # hair falls over ears
    tree, tree_normals = cKDTree(shaped[skin]), vertex_normals(shaped, head.part("skin"))[skin]
    layer = rng.uniform(0, 1, count).astype(np.float32) ** 0.7
    lift = (
        style.lift
        * (1 + 0.8 * person.wave)
        * (0.1 + 0.9 * layer)
        * (1 + 0.35 * noise(bases * 4, person.seed))
    )
    stride = (
        style.length / steps * rng.uniform(0.6, 1.1, count) * (1 + 0.25 * noise(bases * 6, person.seed + 1))
    )
    away = np.tanh((bases[:, 0] - person.part) * 9)
    comb = np.column_stack(
        [style.comb[0] * away, np.full(count, style.comb[1]), np.full(count, style.comb[2])]
    )
    comb += 0.35 * np.column_stack([noise(bases * 5 + 9 * axis, person.seed + 2) for axis in range(3)])

    free_below = np.float32(shaped[np.unique(head.part("eye")), 1].mean() - 0.15)
    points = np.empty((count, steps + 1, 3), dtype=np.float32)
    points[:, 0] = roots
    straying = np.zeros(count, dtype=bool)
    position, heading = roots.copy(), normals * (style.stiffness + 0.3)
    for step in range(steps):
        curl = np.column_stack(
            [noise(position * (5 + 6 * person.wave) + 31 * axis, person.seed + 3) for axis in range(3)]
        )
        _, nearest = tree.query(position, workers=1)
        normal = tree_normals[nearest]
        along = comb - (comb * normal).sum(1, keepdims=True) * normal
        progress = (step + 1) / steps
        wish = (1 - 0.5 * progress) * along + (0.06 + 0.6 * person.wave) * curl
        wish += style.stiffness * normal * (1 - progress)
        wish[:, 1] -= style.gravity * (0.35 + 1.6 * progress)
        heading = 0.55 * heading + 0.45 * wish
        rise = lift * min(1.0, 0.25 + 2.5 * progress)
        height = ((position - shaped[skin][nearest]) * normal).sum(1)
        leaving = np.maximum((heading * normal).sum(1), 0) * (height > 0.6 * rise)
        heading = heading - leaving[:, None] * normal
        heading /= np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-6)
        position = position + stride[:, None] * heading
        straying |= _on_face(head.vertices[skin][nearest])
        height = ((position - shaped[skin][nearest]) * normal).sum(1)
        near = np.linalg.norm(position - shaped[skin][nearest], axis=1) < 0.5
        correction = np.maximum(rise - height, 0) - 0.6 * np.maximum(height - 1.3 * rise - 0.02, 0)
        correction *= near & ((correction > 0) | (position[:, 1] > free_below))
        position = position + correction[:, None] * normal
        points[:, step + 1] = position
    tint = np.exp(rng.normal(0, 0.16, count) + 0.25 * noise(bases * 10, person.seed + 4))
    shade = np.linspace(0.55, 1, steps + 1)[None, :] * (0.35 + 0.65 * layer[:, None])
    kept = ~straying
    colour = (person.hair * tint[:, None]).astype(np.float32)
    return Strands(points[kept], colour[kept], shade.astype(np.float32)[kept], 0.92)


def _on_face(base: Floats) -> NDArray[np.bool_]:
    return (np.abs(base[:, 0]) < 0.66) & (base[:, 2] > 0.6) & (base[:, 1] < 7.68) & (base[:, 1] > 6.1)
