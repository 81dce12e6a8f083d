"""One picture of one person: shape, pose, surfaces, hair, light, background."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faketagger.data.rendered.backdrop import backdrop
from faketagger.data.rendered.hair import grow_hair, scalp_mask
from faketagger.data.rendered.head import Head, load_head
from faketagger.data.rendered.light import Lamp, develop, make_lamp, shade
from faketagger.data.rendered.noise import smoothstep
from faketagger.data.rendered.occlusion import vertex_normals
from faketagger.data.rendered.person import Person, Shot
from faketagger.data.rendered.raster import Floats, Fragments, rasterise
from faketagger.data.rendered.skin import Paint, collar_line, paint_cloth, paint_eye, paint_mouth, paint_skin
from faketagger.data.rendered.strands import Strands, grow_beard, grow_brows, grow_lashes

OVERSAMPLING = 2
DISTANCE = 11.0
_PIVOT = np.array([0.0, 6.5, 0.2], dtype=np.float32)
_SOLID = ("skin", "eye", "teeth", "tongue")


@dataclass(frozen=True)
class _Camera:
    centre: Floats
    focal: float
    size: int

    def project(self, points: Floats) -> Floats:
        away = DISTANCE - (points[:, 2] - self.centre[2])
        x = self.size / 2 + (points[:, 0] - self.centre[0]) / away * self.focal
        y = self.size / 2 - (points[:, 1] - self.centre[1]) / away * self.focal
        return np.column_stack([x, y, away]).astype(np.float32)

    def towards(self, points: Floats) -> Floats:
        eye = self.centre + np.array([0, 0, DISTANCE], dtype=np.float32)
        view = eye - points
        return view / np.linalg.norm(view, axis=1, keepdims=True)


def render(person: Person, shots: Iterable[Shot], size: int = 256) -> Iterator[NDArray[np.uint8]]:
    """Take pictures of one person, whose hair is grown once.

    Args:
        person: Who.
        shots: How.
        size: Side of the square pictures in pixels.

    Yields:
        One (size, size, 3) uint8 sRGB picture per shot.
    """
    head = load_head()
    hair = grow_hair(head, head.shape(person.shape), person)
    for shot in shots:
        yield _take(head, person, hair, shot, size)


def _take(head: Head, person: Person, hair: Strands, shot: Shot, size: int) -> NDArray[np.uint8]:
    fine = size * OVERSAMPLING
    shaped = head.shape(person.shape | shot.expression)
    skin = head.part("skin")
    cloth = smoothstep(0.03, -0.03, head.vertices[:, 1] - collar_line(head.vertices))
    shaped = shaped + 0.07 * cloth[:, None] * vertex_normals(shaped, skin)
    hairs = [hair, *_face_hairs(head, shaped, person)]
    posed = _pose(shaped, shot)
    camera = _camera(posed, head, shot, fine)
    triangles = head.part(*_SOLID)
    combed = [_pose(hair.points.reshape(-1, 3), shot).reshape(hair.points.shape) for hair in hairs]
    lamp = make_lamp(shot, posed, triangles, combed[0].reshape(-1, 3))

    surface = rasterise(camera.project(posed), triangles, fine)
    behind = backdrop(size, shot.seed)
    picture = behind.repeat(OVERSAMPLING, 0).repeat(OVERSAMPLING, 1).reshape(-1, 3)
    depth = np.full(fine * fine, np.inf, dtype=np.float32)
    depth[surface.pixel] = surface.depth
    picture[surface.pixel] = _surfaces(head, person, shot, shaped, posed, surface, lamp, camera)
    for strands, points in zip(hairs, combed, strict=True):
        _lay(picture, depth, strands, points, lamp, camera, shot)
    face = picture[surface.pixel[surface.interpolate(triangles, head.vertices)[:, 1] > 6.2]]
    level = float(face.mean())
    picture = picture * (shot.exposure * 0.30 * (level / 0.30) ** 0.45 / max(level, 1e-3))
    small = picture.reshape(size, OVERSAMPLING, size, OVERSAMPLING, 3).mean((1, 3))
    return np.rint(255 * develop(small.astype(np.float32), shot.seed)).astype(np.uint8)


def _face_hairs(head: Head, shaped: Floats, person: Person) -> list[Strands]:
    hairs = [grow_brows(head, shaped, person), grow_lashes(head, shaped, person)]
    if person.beard > 0.3:
        hairs.append(grow_beard(head, shaped, person))
    return hairs


def _pose(points: Floats, shot: Shot) -> Floats:
    yaw, pitch, roll = shot.turn
    share = smoothstep(5.5, 6.6, points[:, 1])[:, None]
    turned = (points - _PIVOT) @ _rotation(yaw, pitch, roll).T + _PIVOT
    return (points + share * (turned - points)).astype(np.float32)


def _rotation(yaw: float, pitch: float, roll: float) -> Floats:
    cos, sin = np.cos, np.sin
    about_y = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
    about_z = np.array([[cos(roll), -sin(roll), 0], [sin(roll), cos(roll), 0], [0, 0, 1]])
    return (about_z @ about_x @ about_y).astype(np.float32)


def _camera(posed: Floats, head: Head, shot: Shot, size: int) -> _Camera:
    eyes = posed[np.unique(head.part("eye"))].mean(0)
    centre = eyes + np.array([shot.shift[0], shot.shift[1] - 0.16, 0.0], dtype=np.float32)
    return _Camera(centre.astype(np.float32), shot.zoom * size * DISTANCE, size)


def _surfaces(
    head: Head,
    person: Person,
    shot: Shot,
    shaped: Floats,
    posed: Floats,
    surface: Fragments,
    lamp: Lamp,
    camera: _Camera,
) -> Floats:
    triangles = head.part(*_SOLID)
    base = surface.interpolate(triangles, head.vertices)
    place = surface.interpolate(triangles, posed)
    normal = surface.interpolate(triangles, vertex_normals(posed, triangles))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    open_sky = np.clip(surface.interpolate(triangles, head.occlusion), 0, 1)
    view = camera.towards(place)
    material = head.material[np.isin(head.material, [head.materials.index(m) for m in _SOLID])][
        surface.triangle
    ]
    names = np.array(head.materials)[material]
    radiance = np.zeros_like(base)

    def finish(chosen: NDArray[np.bool_], paint: Paint, glow: Floats) -> None:
        lit = lamp.reaches(place[chosen] + 0.02 * normal[chosen])
        radiance[chosen] = shade(paint, normal[chosen], view[chosen], open_sky[chosen], lit, lamp, shot, glow)

    shirt = (names == "skin") & (base[:, 1] < collar_line(base))
    finish(shirt, paint_cloth(base[shirt], shot), np.zeros(shirt.sum(), dtype=np.float32))
    bare = (names == "skin") & ~shirt
    skin = paint_skin(base[bare], person, open_sky[bare])
    under = (0.85 * scalp_mask(base[bare], person.style))[:, None]
    skin.albedo[:] += under * (0.6 * person.hair + 0.1 * person.skin - skin.albedo)
    finish(bare, skin, np.ones(bare.sum(), dtype=np.float32))
    for teeth in (True, False):
        inner = names == ("teeth" if teeth else "tongue")
        finish(inner, paint_mouth(base[inner], teeth), np.zeros(inner.sum(), dtype=np.float32))
    eyes = np.unique(head.part("eye"))
    for side in (-1, 1):
        ball = eyes[np.sign(head.vertices[eyes, 0]) == side]
        chosen = (names == "eye") & (np.sign(base[:, 0]) == side)
        direction = surface.interpolate(triangles, shaped)[chosen] - shaped[ball].mean(0)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        yaw, pitch, roll = shot.turn
        gaze = np.array([shot.gaze[0], shot.gaze[1], 1.0]) @ _rotation(yaw * 0.7, pitch * 0.7, roll)
        gaze = (gaze / np.linalg.norm(gaze)).astype(np.float32)
        finish(chosen, paint_eye(direction, gaze, person), np.zeros(chosen.sum(), dtype=np.float32))
    return radiance


def _lay(
    picture: Floats, depth: Floats, hair: Strands, points: Floats, lamp: Lamp, camera: _Camera, shot: Shot
) -> None:
    along = np.diff(points, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-6)
    lit = lamp.reaches(points[:, :-1].reshape(-1, 3)).reshape(points.shape[0], -1)
    across = np.sqrt(np.clip(1 - (along @ lamp.direction) ** 2, 0, 1))
    half = lamp.direction + np.array([0, 0, 1], dtype=np.float32)
    half /= np.linalg.norm(half)
    shine = np.sqrt(np.clip(1 - (along @ half) ** 2, 0, 1)) ** 60
    sky = np.array([0.50, 0.53, 0.58]) * (1.2 - 0.75 * shot.hardness)
    body = hair.colour[:, None] * (
        lit[..., None] * across[..., None] * lamp.colour * 0.55 + sky * hair.shade[:, :-1, None]
    )
    radiance = body + (0.10 * shine * lit)[..., None] * lamp.colour * (0.3 + hair.colour[:, None]) * 0.8

    screen = camera.project(points.reshape(-1, 3)).reshape(points.shape)
    reach = np.linalg.norm(np.diff(screen[..., :2], axis=1), axis=2)
    parts = int(np.clip(np.ceil(np.percentile(reach, 90)), 1, 8))
    for part in range(parts):
        spot = screen[:, :-1] + (part / parts) * np.diff(screen, axis=1)
        x, y = np.rint(spot[..., :2]).astype(int).reshape(-1, 2).T
        inside = (x >= 0) & (x < camera.size) & (y >= 0) & (y < camera.size)
        pixel = (y * camera.size + x)[inside]
        away, colour = spot[..., 2].reshape(-1)[inside], radiance.reshape(-1, 3)[inside]
        free = away < depth[pixel] + 0.004
        pixel, away, colour = pixel[free], away[free], colour[free]
        order = np.argsort(-away, kind="stable")
        pixel, away, colour = pixel[order], away[order], colour[order]
        picture[pixel] = (1 - hair.opacity) * picture[pixel] + hair.opacity * colour
        depth[pixel] = np.minimum(depth[pixel], away)
