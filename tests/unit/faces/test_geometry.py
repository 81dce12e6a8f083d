"""Alignment is an exact similarity, the way to the crop and back costs next to nothing, gradients flow."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from faketagger.faces import (
    STABLE,
    TEMPLATE,
    crop_matrix,
    face_mask,
    find_faces,
    invert,
    paste,
    paste_residual,
    scale_of,
    transform_points,
    warp_crop,
)
from faketagger.faces.geometry import chained, edge_window

poses = st.fixed_dictionaries(
    {
        "side": st.floats(60, 400),
        "angle": st.floats(-0.6, 0.6),
        "x": st.floats(-50, 300),
        "y": st.floats(-50, 300),
    }
)


def make_landmarks(side: float, angle: float, x: float, y: float) -> Tensor:
    """(1, 68, 2): a plausible face whose stable points are the template, turned, scaled and moved."""
    points = torch.zeros(68, 2, dtype=torch.float64)
    points[STABLE] = torch.tensor(TEMPLATE, dtype=torch.float64)
    sweep = torch.linspace(math.pi, 0, 17, dtype=torch.float64)
    points[:17] = torch.stack([0.5 + 0.32 * sweep.cos(), 0.42 + 0.42 * sweep.sin()], -1)
    turn = torch.linspace(0, 2 * math.pi, 21, dtype=torch.float64)[:20]
    points[48:] = torch.stack([0.5 + 0.11 * turn.cos(), 0.71 + 0.04 * turn.sin()], -1)
    rotation = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]).double()
    return ((points * side - 0.5) @ rotation.T + torch.tensor([x, y]).double())[None]


def smooth_picture(height: int, width: int) -> Tensor:
    """(1, 3, H, W) in [0, 1], without detail that resampling could lose."""
    y, x = torch.meshgrid(torch.arange(height) / 40.0, torch.arange(width) / 40.0, indexing="ij")
    return torch.stack([0.5 + 0.4 * (x + i).sin() * (y * 0.7 + i).cos() for i in range(3)])[None]


@settings(max_examples=60, deadline=None)
@given(pose=poses, size=st.sampled_from([64, 160, 256]))
def test_the_template_lands_on_itself(pose, size):
    landmarks = make_landmarks(**pose)
    matrix = crop_matrix(landmarks, size)
    landed = transform_points(landmarks[:, STABLE], matrix)[0]
    assert torch.allclose(landed, torch.tensor(TEMPLATE).double() * size - 0.5, atol=1e-6)
    assert float(scale_of(matrix)) == pytest.approx(size / pose["side"], rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(pose=poses, seed=st.integers(0, 10_000))
def test_the_matrix_is_a_similarity_and_invertible(pose, seed):
    noise = torch.randn(1, 68, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    landmarks = make_landmarks(**pose) + 2 * noise
    matrix = crop_matrix(landmarks, 128)
    linear = matrix[0, :, :2]
    assert torch.allclose(linear @ linear.T, torch.eye(2).double() * torch.linalg.det(linear), atol=1e-9)
    assert torch.linalg.det(linear) > 0
    there_and_back = transform_points(transform_points(landmarks, matrix), invert(matrix))
    assert torch.allclose(there_and_back, landmarks, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(first=poses, second=poses)
def test_matrices_in_a_chain_do_one_after_the_other(first, second):
    points = make_landmarks(**first)
    one, other = crop_matrix(points, 128), crop_matrix(make_landmarks(**second), 64)
    apart = transform_points(transform_points(points, one), other)
    assert torch.allclose(transform_points(points, chained(one, other)), apart, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(pose=poses, seed=st.integers(0, 10_000))
def test_the_fit_is_the_best_one(pose, seed):
    noise = torch.randn(1, 68, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    landmarks = make_landmarks(**pose) + 3 * noise
    target = torch.tensor(TEMPLATE).double() * 128 - 0.5
    matrix = crop_matrix(landmarks, 128)

    def error(m: Tensor) -> float:
        return float((transform_points(landmarks[:, STABLE], m) - target).square().sum())

    best = error(matrix)
    for change in ([[1e-3, 0, 0], [0, 1e-3, 0]], [[0, -1e-3, 0], [1e-3, 0, 0]], [[0, 0, 0.05], [0, 0, 0]]):
        for sign in (1, -1):
            assert error(matrix + sign * torch.tensor([change]).double()) > best


@pytest.mark.parametrize("side", [90.0, 160.0, 300.0])
@pytest.mark.parametrize("angle", [0.0, 0.25])
def test_round_trip_costs_less_than_half_a_grey_level(side, angle):
    picture = smooth_picture(360, 400)
    matrix = crop_matrix(make_landmarks(side, angle, 60.0, 30.0), 160).float()
    crops = warp_crop(picture, matrix, 160)
    masks = edge_window(160)
    pasted = paste(picture, crops, masks, matrix)
    difference = (pasted - picture).abs() * 255
    touched = difference.amax((0, 1)) > 0
    assert touched.any()
    assert float(difference.amax(1)[0][touched].mean()) < 0.5
    assert float(difference.max()) < 2.0
    assert not touched[:, -1].any()


def test_round_trip_of_a_real_face(portrait):
    """Blurred by one pixel, so that there is little that bilinear resampling must lose."""
    picture = cv2.GaussianBlur(portrait, (0, 0), 1.0)
    image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    landmarks = torch.from_numpy(find_faces(portrait, "dlib")[0].landmarks)[None]
    matrix = crop_matrix(landmarks, 256)
    difference = (paste(image, warp_crop(image, matrix, 256), edge_window(256), matrix) - image).abs() * 255
    touched = difference.amax((0, 1)) > 0
    assert 0.1 < float(touched.float().mean()) < 0.5
    assert float(difference.mean((0, 1))[touched].mean()) < 0.5
    eyes = transform_points(landmarks[:, 36:48], matrix)[0].reshape(2, 6, 2).mean(1)
    assert float((eyes[1] - eyes[0]).norm()) / 256 == pytest.approx(0.30, abs=0.03)


def test_nothing_changes_where_the_mask_is_zero():
    picture = torch.rand(2, 3, 120, 140)
    matrix = crop_matrix(make_landmarks(80, 0.1, 20, 10), 64).float().expand(2, 2, 3)
    untouched = paste(picture, torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64), matrix)
    assert torch.equal(untouched, picture)
    partly = paste_residual(picture, torch.rand(2, 3, 64, 64) - 0.5, matrix)
    same = (partly == picture).all(1)
    assert same[:, -10:].all()
    assert same[:, :, -10:].all()
    assert not same.all()


def test_no_residual_changes_nothing():
    picture = torch.rand(1, 3, 100, 100)
    matrix = crop_matrix(make_landmarks(70, -0.2, 15, 15), 96).float()
    assert torch.equal(paste_residual(picture, torch.zeros(1, 3, 96, 96), matrix), picture)


@pytest.mark.parametrize("side", [100.0, 200.0, 420.0])
def test_a_smooth_residual_arrives_in_the_crop(side):
    picture = torch.full((1, 3, 480, 480), 0.5)
    matrix = crop_matrix(make_landmarks(side, 0.15, 70, 30), 160).float()
    residual = 0.1 * (smooth_picture(160, 160) - 0.5)
    arrived = warp_crop(paste_residual(picture, residual, matrix), matrix, 160) - 0.5
    inner = slice(24, 136)
    assert float((arrived - residual)[..., inner, inner].abs().mean() * 255) < 0.5


def test_a_crop_outside_the_picture_is_harmless():
    picture = torch.rand(1, 3, 64, 64)
    matrix = crop_matrix(make_landmarks(60, 0.0, 500, 500), 64).float()
    assert torch.equal(paste_residual(picture, torch.ones(1, 3, 64, 64), matrix), picture)
    assert torch.isfinite(warp_crop(picture, matrix, 64)).all()


@settings(max_examples=30, deadline=None)
@given(pose=poses, softness=st.floats(0.01, 0.3))
def test_masks_lie_between_zero_and_one(pose, softness):
    mask = face_mask(make_landmarks(**pose).float(), (90, 110), softness)
    assert mask.shape == (1, 1, 90, 110)
    assert float(mask.min()) >= 0.0
    assert float(mask.max()) <= 1.0


def test_the_mask_covers_the_face_and_not_the_rest():
    landmarks = make_landmarks(200, 0.0, 20, 20).float()
    mask = face_mask(landmarks, (260, 260))[0, 0]
    for index in (8, 30, 38, 43, 51, 57):
        x, y = landmarks[0, index].round().long().tolist()
        assert mask[y, x] > 0.3
    forehead = landmarks[0, 19:25].mean(0) - torch.tensor([0.0, 15.0])
    assert mask[int(forehead[1]), int(forehead[0])] == 1
    assert mask[0].max() == 0
    assert mask[-1].max() == 0
    wide, narrow = face_mask(landmarks, (260, 260), 0.2), face_mask(landmarks, (260, 260), 0.02)
    soft = [int(((m > 0.01) & (m < 0.99)).sum()) for m in (wide, narrow)]
    assert soft[0] > 3 * soft[1]


def test_warp_is_linear_and_batched():
    a, b = torch.rand(2, 3, 100, 120), torch.rand(2, 3, 100, 120)
    matrices = torch.cat([crop_matrix(make_landmarks(s, 0.1, 10, 5), 48) for s in (60.0, 90.0)]).float()
    together = warp_crop(a + 2 * b, matrices, 48)
    assert torch.allclose(together, warp_crop(a, matrices, 48) + 2 * warp_crop(b, matrices, 48), atol=1e-5)


def test_gradients_flow_to_picture_residual_and_crop():
    matrix = crop_matrix(make_landmarks(30, 0.1, 4, 3), 24)
    small = torch.rand(1, 1, 14, 14, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: warp_crop(p, matrix / 3, 8), small)
    picture = (torch.rand(1, 3, 40, 40, dtype=torch.float64) * 0.4 + 0.3).requires_grad_()
    residual = (torch.rand(1, 3, 24, 24, dtype=torch.float64) * 0.1).requires_grad_()
    paste_residual(picture, residual, matrix).square().sum().backward()
    assert residual.grad[..., 12, 12].abs().min() > 0
    assert (picture.grad != 0).float().mean() > 0.99
    crops = torch.rand(1, 3, 24, 24, dtype=torch.float64, requires_grad=True)
    masks = torch.full((1, 1, 24, 24), 0.5, dtype=torch.float64, requires_grad=True)
    paste(picture.detach(), crops, masks, matrix).sum().backward()
    assert crops.grad[..., 12, 12].abs().min() > 0
    assert masks.grad[..., 12, 12].abs().min() > 0


def test_shrinking_does_not_alias():
    stripes = torch.from_numpy(np.indices((400, 400)).sum(0) % 2).float()[None, None].repeat(1, 3, 1, 1)
    matrix = crop_matrix(make_landmarks(380, 0.0, 5, 5), 64).float()
    assert float(warp_crop(stripes, matrix, 64)[..., 8:-8, 8:-8].std()) < 0.05
