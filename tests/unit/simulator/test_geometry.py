"""Geometric degradations tell the truth about where pixels went, and landmarks follow."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from faketagger.simulator import AttackBatch, AttackPool, PoolEntry, build
from faketagger.simulator.landmarks import mirror_order, moved_landmarks
from tests.unit.simulator.attack_suite import graded, scene, strike

HEIGHT, WIDTH = 72, 96


def dot(x: float, y: float) -> Tensor:
    """A picture with one soft white dot."""
    rows, columns = torch.arange(HEIGHT).float()[:, None], torch.arange(WIDTH).float()[None, :]
    blob = torch.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
    return blob.expand(1, 3, HEIGHT, WIDTH)


def brightest(image: Tensor) -> tuple[float, float]:
    """Centre of mass of the dot (x, y)."""
    weight = image[0, 0] ** 2
    columns, rows = torch.arange(WIDTH).float(), torch.arange(HEIGHT).float()
    total = weight.sum()
    return (weight.sum(0) @ columns / total).item(), (weight.sum(1) @ rows / total).item()


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(["rotation", "flip", "crop", "perspective"]), seed=st.integers(0, 99))
def test_matrix_says_where_a_dot_went(name: str, seed: int) -> None:
    image, point = dot(44, 38), torch.full((1, 68, 2), 0.0)
    point[..., 0], point[..., 1] = 44, 38
    batch = AttackBatch(image, point)
    output = build(name)(batch, torch.Generator().manual_seed(seed))
    expected = moved_landmarks(batch, output)[0, 0].tolist()
    assert brightest(output.images) == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("name", ["rotation", "crop", "perspective", "flip"])
@pytest.mark.parametrize("channel", [0, 2])
def test_mildest_leaves_the_picture(name: str, channel: int) -> None:
    images = scene()
    output = strike(graded(name, graded(name).mildest), images).images
    expected = images.flip(-1) if name == "flip" else images
    torch.testing.assert_close(output[:, channel], expected[:, channel], atol=1e-3, rtol=0)


def test_rotation_is_counter_clockwise() -> None:
    turned = strike(graded("rotation", 90), scene(1, 48, 48)).images
    torch.testing.assert_close(turned, torch.rot90(scene(1, 48, 48), 1, (2, 3)), atol=1e-3, rtol=0)


def test_crop_shows_a_window_of_the_stated_size() -> None:
    output = strike(graded("crop", 0.5), scene(1, HEIGHT, WIDTH))
    corners = torch.tensor([[0.0, 0, 1], [WIDTH - 1, HEIGHT - 1, 1]])
    back = corners @ torch.linalg.inv(torch.tensor(output.details[0]["matrix"])).T
    span = (back[1] - back[0])[:2].tolist()
    assert span == pytest.approx([(WIDTH - 1) / 2, (HEIGHT - 1) / 2], abs=1e-3)
    assert bool((back[0, :2] >= -1e-3).all())
    assert back[1, 0] <= WIDTH - 1 + 1e-3
    assert back[1, 1] <= HEIGHT - 1 + 1e-3


def test_mirror_order_is_its_own_inverse_and_swaps_eyes() -> None:
    order = mirror_order()
    assert torch.equal(order[order], torch.arange(68))
    assert sorted(order[36:42].tolist()) == list(range(42, 48))
    assert order[27:31].tolist() == [27, 28, 29, 30]
    assert order[8] == 8
    assert order[33] == 33
    assert order[51] == 51
    assert order[57] == 57
    assert order[62] == 62
    assert order[66] == 66


def test_landmarks_of_a_mirrored_symmetric_face_are_themselves() -> None:
    half = torch.rand(68, 2, generator=torch.Generator().manual_seed(0)) * 20
    order = mirror_order()
    mirrored = torch.stack([WIDTH - 1 - half[order, 0], half[order, 1]], dim=1)
    face = ((half + mirrored) / 2)[None]
    batch = AttackBatch(scene(1, HEIGHT, WIDTH), face)
    output = build("flip")(batch, torch.Generator())
    torch.testing.assert_close(moved_landmarks(batch, output), face)


def test_faces_not_found_stay_not_found() -> None:
    batch = AttackBatch(scene(2), torch.full((2, 68, 2), math.nan))
    output = build("rotation")(batch, torch.Generator())
    assert bool(moved_landmarks(batch, output).isnan().all())


def test_chain_composes_matrices() -> None:
    pool = AttackPool([PoolEntry(build("flip"))], chain=3)
    landmarks = torch.rand(1, 68, 2) * 40
    batch = AttackBatch(scene(1), landmarks)
    output = pool(batch, torch.Generator())
    once = build("flip")(batch, torch.Generator())
    torch.testing.assert_close(output.images, once.images)
    torch.testing.assert_close(moved_landmarks(batch, output), moved_landmarks(batch, once))
