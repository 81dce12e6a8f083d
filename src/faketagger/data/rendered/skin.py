"""Colour and gloss of every surface, painted in the coordinates of the base shape (decimetres).

The base shape has the mouth line at y = 6.605, the eyes at (+-0.32, 7.29), the brows near y = 7.47 and the chin at
y = 6.2; wherever a person's own features move to, the paint moves with the surface.
"""

from dataclasses import dataclass

import numpy as np

from faketagger.data.rendered.noise import bump, cloud, grain, noise, smoothstep
from faketagger.data.rendered.person import Person, Shot
from faketagger.data.rendered.raster import Floats

MOUTH = 6.605
EYE = (0.319, 7.287)
COLLAR = 5.72


@dataclass(frozen=True)
class Paint:
    """Surface properties, one entry per covered pixel.

    Attributes:
        albedo: (P, 3) linear RGB.
        roughness: (P,) 0 mirror, 1 matt.
        gloss: (P,) strength of the highlight.
        relief: (P, 3) what to add to the normal.
    """

    albedo: Floats
    roughness: Floats
    gloss: Floats
    relief: Floats


def paint_skin(base: Floats, person: Person, occlusion: Floats) -> Paint:
    """Paint skin, lips, stubble.

    Args:
        base: (P, 3) points in base coordinates.
        person: Whose skin.
        occlusion: (P,) open sky.

    Returns:
        The paint.
    """
    x, y, z = np.abs(base[:, 0]), base[:, 1], base[:, 2]
    seed, face = person.seed * 101, smoothstep(0.7, 1.0, z)
    lip = lip_mask(base)
    tone = np.exp(0.10 * cloud(base * 3, seed) + 0.07 * cloud(base * 14, seed + 7, 2))
    albedo = person.skin * tone[:, None]

    blush = 0.5 * bump(x, 0.52, 0.24) * bump(y, 6.98, 0.22) + 0.45 * bump(x, 0, 0.16) * bump(y, 6.93, 0.14)
    blush += 0.3 * bump(y, 6.3, 0.12) * bump(x, 0, 0.2) + 0.8 * smoothstep(0.86, 0.98, x) * bump(y, 7.2, 0.4)
    blush *= 0.55 + 0.3 * cloud(base * 5, seed + 11, 2)
    albedo *= np.exp(blush[:, None] * np.array([0.10, -0.24, -0.22]))
    socket = bump(np.hypot((x - EYE[0]) / 1.7, y - 7.24), 0, 0.12) * face
    albedo *= np.exp(-(0.16 + 0.25 * person.age) * socket[:, None] * np.array([0.8, 1.05, 0.9]))
    crease = (1 - occlusion)[:, None] * face[:, None]
    albedo *= np.exp(-0.5 * crease * np.array([0.5, 1.0, 1.1]))

    spots = smoothstep(0.45, 0.75, noise(base * 26, seed + 3)) * bump(y, 7.05, 0.35) * face
    spots *= person.freckles
    moles = smoothstep(0.86, 0.93, noise(base * 13, seed + 5)) * face
    dark = 0.5 * spots + 0.6 * moles * (1 - lip)
    albedo *= np.exp(-dark[:, None] * np.array([0.6, 1.0, 1.2]))

    stubble = beard_mask(base) * min(person.beard, 0.6) * (1 - lip)
    dots = 0.75 + 0.25 * grain(base * 55, seed + 9)
    shadow = 0.55 * person.skin.mean() * np.array([0.7, 0.78, 0.85])
    albedo += (0.75 * stubble * dots)[:, None] * (shadow - albedo)

    red = person.skin * np.exp(person.lips * np.array([-0.1, -0.85, -0.6]) - 0.15)
    lines = 0.9 + 0.1 * noise(np.column_stack([base[:, 0] * 60, y * 8]), seed + 13)
    albedo += lip[:, None] * (red * lines[:, None] - albedo)

    shine = bump(x, 0, 0.25) * smoothstep(6.8, 7.0, y) * face
    roughness = 0.52 - 0.10 * shine - 0.16 * lip + 0.06 * cloud(base * 20, seed + 17, 2)
    return Paint(
        albedo.astype(np.float32),
        np.clip(roughness, 0.25, 0.8).astype(np.float32),
        (0.85 + 0.5 * lip + 0.35 * shine).astype(np.float32),
        _pores(base, seed, 0.05 + 0.06 * person.age) * (1 - 0.5 * lip)[:, None],
    )


def paint_cloth(base: Floats, shot: Shot) -> Paint:
    """Paint the shirt: weave and folds.

    Args:
        base: (P, 3) points in base coordinates.
        shot: Which shirt.
    """
    weave = 0.06 * np.sin(base[:, 0] * 190) * np.sin(base[:, 1] * 190) + 0.08 * grain(base * 45, shot.seed)
    edge = bump(base[:, 1] - collar_line(base), -0.03, 0.035)
    albedo = shot.cloth * np.exp(weave - 0.25 * edge)[:, None]
    folds = np.stack([cloud(base * 3.5, shot.seed + axis, 2) for axis in range(3)], -1)
    count = len(base)
    return Paint(
        albedo.astype(np.float32),
        np.full(count, 0.85, dtype=np.float32),
        np.full(count, 0.35, dtype=np.float32),
        0.35 * folds,
    )


def paint_eye(direction: Floats, gaze: Floats, person: Person) -> Paint:
    """Paint eyeballs: sclera with veins, iris with fibres, limbus, pupil.

    Args:
        direction: (P, 3) unit vectors from the centre of the eyeball.
        gaze: (3,) where the eye looks.
        person: Whose eyes.
    """
    angle = np.arccos(np.clip(direction @ gaze, -1, 1))
    side = np.cross([0.0, 1.0, 0.0], gaze)
    side /= np.linalg.norm(side)
    around = np.arctan2(direction @ np.cross(gaze, side), direction @ side)
    iris, pupil = 0.45, 0.17
    seed = person.seed * 101 + 50
    fibres = noise(np.column_stack([around * 14, angle * 6]), seed) + 0.6 * noise(
        np.column_stack([around * 31, angle * 9]), seed + 1
    )
    colour = person.iris * np.exp(0.45 * fibres)[:, None]
    colour = colour * (0.65 + 0.9 * smoothstep(pupil, 0.34, angle))[:, None]
    colour *= (1 - 0.75 * smoothstep(0.36, iris, angle))[:, None]
    colour *= smoothstep(pupil - 0.02, pupil + 0.02, angle)[:, None]
    veins = smoothstep(0.35, 0.8, noise(direction * 22, seed + 2)) * smoothstep(0.55, 1.1, angle)
    sclera = np.array([0.62, 0.57, 0.53]) * np.exp(-(0.15 + 0.8 * veins)[:, None] * np.array([0.1, 0.5, 0.5]))
    white = smoothstep(iris - 0.025, iris + 0.035, angle)[:, None]
    count = len(direction)
    return Paint(
        (white * sclera + (1 - white) * colour).astype(np.float32),
        np.full(count, 0.10, dtype=np.float32),
        np.full(count, 1.3, dtype=np.float32),
        np.zeros((count, 3), dtype=np.float32),
    )


def paint_mouth(base: Floats, teeth: bool) -> Paint:
    """Paint teeth or tongue.

    Args:
        base: (P, 3) points in base coordinates.
        teeth: Teeth, else tongue.
    """
    colour = np.array([0.58, 0.52, 0.42]) if teeth else np.array([0.32, 0.10, 0.09])
    gaps = (
        0.75 + 0.25 * smoothstep(0.0, 0.25, np.abs(np.sin(base[:, 0] * 38))) if teeth else np.ones(len(base))
    )
    count = len(base)
    return Paint(
        (colour * gaps[:, None]).astype(np.float32),
        np.full(count, 0.3, dtype=np.float32),
        np.full(count, 0.8, dtype=np.float32),
        np.zeros((count, 3), dtype=np.float32),
    )


def lip_mask(base: Floats) -> Floats:
    """(P,) 1 on the red of the lips."""
    x, y = np.abs(base[:, 0]), base[:, 1]
    width = np.clip(x / 0.255, 0, 1)
    top = MOUTH + 0.092 * (1 - width**2.2) - 0.014 * bump(x, 0, 0.035) + 0.004
    low = MOUTH - 0.105 * np.clip(1 - width**2.4, 0, 1) ** 0.8 - 0.004
    inside = smoothstep(-0.008, 0.008, top - y) * smoothstep(-0.012, 0.012, y - low)
    return inside * smoothstep(0.265, 0.245, x) * smoothstep(0.9, 1.1, base[:, 2])


def beard_mask(base: Floats) -> Floats:
    """(P,) 1 where a beard grows: upper lip, chin, jaw."""
    x, y = np.abs(base[:, 0]), base[:, 1]
    top = (
        6.60
        + 0.14 * smoothstep(0.42, 0.30, x)
        - 0.1 * bump(x, 0.42, 0.1)
        + 0.9 * smoothstep(0.5, 0.85, x) ** 1.5
    )
    bottom = 6.05 + 0.25 * smoothstep(0.2, 0.7, x)
    mask = smoothstep(-0.05, 0.05, top - y) * smoothstep(-0.1, 0.05, y - bottom)
    below_nose = smoothstep(0.03, 0.06, x) * bump(y, 6.75, 0.08)
    mask *= 1 - 0.5 * (1 - below_nose) * bump(y, 6.78, 0.05) * (x < 0.03)
    return mask * smoothstep(0.30, 0.45, base[:, 2]) * smoothstep(0.92, 0.80, x)


def collar_line(base: Floats) -> Floats:
    """(P,) height of the shirt's edge around the neck."""
    front = smoothstep(0.0, 1.0, base[:, 2])
    shoulder = 0.55 * smoothstep(0.5, 1.0, np.abs(base[:, 0]))
    return (COLLAR - 0.22 * front * bump(base[:, 0], 0, 0.55) + shoulder).astype(np.float32)


def _pores(base: Floats, seed: int, strength: float) -> Floats:
    fine = [
        grain(base * 60, seed + 21 + axis) + 0.6 * noise(base * 22, seed + 31 + axis) for axis in range(3)
    ]
    return (strength * np.stack(fine, -1)).astype(np.float32)
