"""The renderer: its z-buffer against brute force, its noise, its head, and faces that a detector finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from faketagger.data.rendered.head import load_head
from faketagger.data.rendered.noise import cloud, noise, smoothstep
from faketagger.data.rendered.occlusion import ambient_occlusion, look_along, vertex_normals
from faketagger.data.rendered.person import draw_person, draw_shot
from faketagger.data.rendered.raster import rasterise
from faketagger.data.rendered.render import render
from faketagger.faces import find_faces

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=np.float32)
SIDES = np.array(
    [
        *((0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)),
        *((2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)),
    ]
)


@given(seed=st.integers(0, 10_000))
def test_every_pixel_sees_the_nearest_triangle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, count = 16, 5
    corners = np.column_stack([rng.uniform(-4, 20, (3 * count, 2)), rng.uniform(1, 5, 3 * count)])
    screen, triangles = corners.astype(np.float32), np.arange(3 * count).reshape(-1, 3)
    surface = rasterise(screen, triangles, size)
    expected = np.full(size * size, np.inf)
    doubtful = np.zeros(size * size, dtype=bool)
    for a, b, c in screen[triangles].astype(float):
        system = np.vstack([np.column_stack([a, b, c])[:2], np.ones(3)])
        for pixel in range(size * size):
            weights = np.linalg.solve(system, [pixel % size, pixel // size, 1])
            doubtful[pixel] |= abs(weights.min()) < 1e-3
            if weights.min() >= 0:
                depth = 1 / (weights / np.array([a[2], b[2], c[2]])).sum()
                expected[pixel] = min(expected[pixel], depth)
    got = np.full(size * size, np.inf)
    got[surface.pixel] = surface.depth
    np.testing.assert_allclose(got[~doubtful], expected[~doubtful], rtol=1e-3)
    np.testing.assert_allclose(surface.weights.sum(1), 1, atol=1e-3)
    assert len(np.unique(surface.pixel)) == len(surface.pixel)


def test_a_cube_in_the_open_sees_the_whole_sky_and_a_buried_one_none() -> None:
    assert ambient_occlusion(CUBE, SIDES, 60, 48).min() > 0.95
    shell = 3 * (CUBE - 0.5) + 0.5
    buried = ambient_occlusion(np.concatenate([CUBE, shell]), np.concatenate([SIDES, SIDES + 8]), 60, 48)
    assert buried[:8].max() < 0.05


def test_normals_point_outwards_and_projection_keeps_order() -> None:
    normals = vertex_normals(CUBE, SIDES)
    assert ((normals * (CUBE - 0.5)).sum(1) > 0.5).all()
    view = look_along(CUBE, np.array([0.0, 0.0, 1.0]), 32)
    assert (view[:, 2] > 0).all()
    assert view[CUBE[:, 2] == 1, 2].max() < view[CUBE[:, 2] == 0, 2].min()


@given(seed=st.integers(0, 1000))
def test_noise_is_bounded_smooth_and_repeatable(seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-50, 50, (200, 3)).astype(np.float32)
    value = noise(points, seed)
    assert np.abs(value).max() <= 1
    assert np.abs(cloud(points, seed)).max() <= 1
    assert np.abs(noise(points + np.float32(0.001), seed) - value).max() < 0.02
    np.testing.assert_array_equal(value, noise(points, seed))
    assert value.std() > 0.1


def test_smoothstep_rises_and_falls() -> None:
    value = np.array([0.0, 0.5, 1.0], dtype=np.float32)
    np.testing.assert_allclose(smoothstep(0, 1, value), [0, 0.5, 1])
    np.testing.assert_allclose(smoothstep(1, 0, value), [1, 0.5, 0])


def test_the_head_is_whole_and_targets_move_it() -> None:
    head = load_head()
    assert head.triangles.max() == len(head.vertices) - 1
    assert 0 <= head.occlusion.min() < 0.1
    assert head.occlusion.max() > 0.9
    smile = head.shape({"mouth-corner-puller": 1.0}) - head.vertices
    moved = np.linalg.norm(smile, axis=1) > 0.01
    assert 0 < moved.sum() < 0.3 * len(head.vertices)
    np.testing.assert_allclose(head.shape({"mouth-corner-puller": 0.5}), head.vertices + smile / 2, atol=1e-6)


def test_people_differ_and_repeat() -> None:
    people = [draw_person(seed) for seed in range(30)]
    assert draw_person(3).shape == people[3].shape
    assert len({tuple(sorted(person.shape.items())) for person in people}) == 30
    assert len({person.style for person in people}) >= 5
    tones = np.array([person.skin.mean() for person in people])
    assert tones.max() / tones.min() > 3
    for person in people:
        assert set(person.shape) <= set(load_head().targets)
        assert set(draw_shot(person, 0).expression) <= set(load_head().targets)


def test_a_detector_finds_68_landmarks_in_rendered_faces(
    rendered: list[tuple[str, str, np.ndarray]],
) -> None:
    for name, _, picture in rendered:
        faces = find_faces(picture, backend="dlib")
        assert len(faces) == 1, name
        points = faces[0].landmarks
        eyes = points[36:42].mean(0), points[42:48].mean(0)
        apart = np.linalg.norm(eyes[0] - eyes[1])
        assert 0.1 * picture.shape[0] < apart < 0.4 * picture.shape[0]
        assert points[48:].mean(0)[1] - np.mean(eyes, 0)[1] > 0.6 * apart
        assert cdist(points[36:42], points[42:48]).min() > 0.2 * apart


def test_the_same_seed_gives_the_same_picture(rendered: list[tuple[str, str, np.ndarray]]) -> None:
    person = draw_person(0)
    again = next(render(person, [draw_shot(person, 0)]))
    np.testing.assert_array_equal(again, rendered[0][2])
