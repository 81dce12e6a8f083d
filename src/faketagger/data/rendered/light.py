"""Light: a main light with soft shadows, a sky that corners see less of, and a rim; skin glows a little."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from faketagger.data.rendered.noise import smoothstep
from faketagger.data.rendered.occlusion import look_along
from faketagger.data.rendered.person import Shot
from faketagger.data.rendered.raster import Floats, Ints, rasterise
from faketagger.data.rendered.skin import Paint

SIDE = 320
_TAPS = np.array(
    [(-1, -0.3), (-0.3, 1), (1, 0.3), (0.3, -1), (-0.6, 0.5), (0.5, 0.6), (0.6, -0.5), (-0.5, -0.6)]
)
SKIN_GLOW = np.array([0.30, 0.10, 0.05], dtype=np.float32)


@dataclass(frozen=True)
class Lamp:
    """The main light with its shadow map.

    Attributes:
        direction: (3,) towards the light.
        colour: (3,) linear RGB.
        softness: Blur of the shadow's edge in map pixels.
        frame: (8, 3) points that frame the map.
        nearest: (SIDE, SIDE) distance of the first surface seen from the light.
    """

    direction: Floats
    colour: Floats
    softness: float
    frame: Floats
    nearest: Floats

    def reaches(self, points: Floats) -> Floats:
        """(P,) share of the light that gets to the points (P, 3)."""
        seen = look_along(np.concatenate([self.frame, points]), self.direction, SIDE)[len(self.frame) :]
        lit = np.zeros(len(points), dtype=np.float32)
        for tap in _TAPS:
            x, y = np.clip(np.rint(seen[:, :2] + tap * self.softness).astype(int), 0, SIDE - 1).T
            lit += smoothstep(0.09, 0.03, seen[:, 2] - self.nearest[y, x])
        return lit / len(_TAPS)


def make_lamp(shot: Shot, vertices: Floats, triangles: Ints, hair: Floats) -> Lamp:
    """Put up the main light.

    Args:
        shot: Where it is and how hard.
        vertices: (V, 3) posed.
        triangles: (T, 3) what throws shadows.
        hair: (K, 3) posed points of hair, which throw shadows too.
    """
    low, high = vertices.min(0), vertices.max(0)
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    frame = (low - 0.6 + corners * (high - low + 1.2)).astype(np.float32)
    direction = shot.light.astype(np.float32)
    nearest = np.full(SIDE * SIDE, np.inf, dtype=np.float32)
    screen = look_along(np.concatenate([frame, vertices]), direction, SIDE)[len(frame) :]
    surface = rasterise(screen, triangles, SIDE)
    nearest[surface.pixel] = surface.depth
    strands = look_along(np.concatenate([frame, hair]), direction, SIDE)[len(frame) :]
    x, y = np.clip(np.rint(strands[:, :2]).astype(int), 0, SIDE - 1).T
    np.minimum.at(nearest, y * SIDE + x, strands[:, 2])
    warm = shot.warmth
    colour = np.array([1 + 0.14 * warm, 1.0, 1 - 0.18 * warm]) * (1.2 + 1.7 * shot.hardness)
    return Lamp(
        direction, colour.astype(np.float32), 4.5 - 3.2 * shot.hardness, frame, nearest.reshape(SIDE, SIDE)
    )


def shade(
    paint: Paint,
    normal: Floats,
    view: Floats,
    open_sky: Floats,
    lit: Floats,
    lamp: Lamp,
    shot: Shot,
    skin: Floats,
) -> Floats:
    """Light that leaves the surfaces towards the camera.

    Args:
        paint: What the surfaces are made of.
        normal: (P, 3) unit normals.
        view: (P, 3) unit vectors to the camera.
        open_sky: (P,) share of the sky that is seen.
        lit: (P,) share of the main light.
        lamp: The main light.
        shot: For the colours of sky and floor.
        skin: (P,) 1 where light seeps through the surface.

    Returns:
        (P, 3) linear RGB.

    Source: highlight by B. Walter et al., "Microfacet models for refraction through rough surfaces", EGSR 2007.
    """
    bumped = normal + paint.relief
    bumped /= np.linalg.norm(bumped, axis=1, keepdims=True)
    facing = (bumped @ lamp.direction)[:, None]
    glow = SKIN_GLOW * skin[:, None]
    direct = np.clip((facing + glow) / (1 + glow), 0, 1)
    shadow = lit[:, None] ** np.where(skin[:, None] > 0, np.array([0.75, 1.0, 1.05], dtype=np.float32), 1.0)
    up = (0.5 + 0.5 * bumped[:, 1])[:, None]
    sky = np.array([0.50, 0.54, 0.60]) * (1.15 - 0.75 * shot.hardness)
    floor = np.array([0.34, 0.28, 0.24]) * (1.15 - 0.75 * shot.hardness)
    ambient = (up * sky + (1 - up) * floor) * (open_sky[:, None] ** np.array([1.0, 1.25, 1.35]))
    diffuse = paint.albedo * (direct * shadow * lamp.colour / np.pi * 2.2 + ambient)
    highlight = _highlight(bumped, view, lamp.direction, paint.roughness) * lit
    fresnel = 0.028 + 0.5 * (1 - np.clip((bumped * view).sum(1), 0, 1)) ** 5
    sheen = 0.16 * fresnel * open_sky**2
    gloss = paint.gloss * (0.028 * highlight * 1.6 + sheen)
    return (diffuse + gloss[:, None] * lamp.colour).astype(np.float32)


def _highlight(normal: Floats, view: Floats, light: Floats, roughness: Floats) -> Floats:
    half = view + light
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    cosine = np.clip((normal * half).sum(1), 0, 1)
    alpha = roughness**2
    spread = alpha**2 / (np.pi * (cosine**2 * (alpha**2 - 1) + 1) ** 2)
    facing, seen = np.clip(normal @ light, 0, 1), np.clip((normal * view).sum(1), 0.05, 1)
    k = (roughness + 1) ** 2 / 8
    masking = 1 / ((facing * (1 - k) + k) * (seen * (1 - k) + k)) / 4
    return np.minimum(spread * masking * facing, 60.0)


def develop(linear: Floats, seed: int) -> Floats:
    """What a camera makes of the light: halo, film curve, sensor noise.

    Args:
        linear: (S, S, 3) linear RGB.
        seed: Which noise.

    Returns:
        (S, S, 3) sRGB in [0, 1].
    """
    rng = np.random.default_rng([seed, 8])
    size = linear.shape[0]
    halo = gaussian_filter(np.clip(linear - 0.8, 0, 2), (size * 0.02, size * 0.02, 0), mode="nearest")
    x = np.clip(0.62 * (linear + 0.25 * halo), 0, None)
    film = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    film += rng.normal(0, 0.004 + 0.010 * np.sqrt(film + 0.02)) * rng.uniform(0.3, 0.9)
    film = np.clip(film, 0, 1)
    return np.where(film <= 0.0031308, 12.92 * film, 1.055 * film ** (1 / 2.4) - 0.055).astype(np.float32)
