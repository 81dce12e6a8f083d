"""The lattice in the face: its waves, what is written where, and how a reader finds the framing."""

import math

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from faketagger.bench.quality import psnr_db
from faketagger.bench.subject import face_view
from faketagger.data.demo import demo_faces
from faketagger.faces import find_faces
from faketagger.faces.geometry import crop_matrix, scale_of
from faketagger.simulator.landmarks import mirror_order
from faketagger.watermarks import face_framing
from faketagger.watermarks.face_framing import averaged
from faketagger.watermarks.face_lattice import STEP, FaceLattice, _dither
from faketagger.watermarks.face_waves import SIDE, face_waves
from faketagger.watermarks.taggers import tensor_of

MARK, COUNT = FaceLattice(), 3
KNOWN = [[0.00429, 0.02187, 0.02068], [-0.01724, 0.01034, -0.01932], [-0.01852, 0.02017, -0.00598]]
MESSAGES = np.random.default_rng(5).integers(0, 2, (COUNT, 64)).astype(np.uint8)


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, np.ndarray]:
    """Rendered faces (N, H, W, 3) and landmarks (N, 68, 2)."""
    rows = demo_faces(COUNT)[:COUNT]
    pictures = np.stack([cv2.resize(row[2], (256, 256), interpolation=cv2.INTER_AREA) for row in rows])
    return pictures, np.stack([find_faces(one)[0].landmarks for one in pictures])


@pytest.fixture(scope="module")
def tagged(faces: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return MARK.embed(faces[0], MESSAGES, faces[1])


def right(soft: np.ndarray) -> float:
    return float(np.mean((soft > 0) == (MESSAGES == 1)))


def mirrored(points: np.ndarray, width: int) -> np.ndarray:
    return np.ascontiguousarray((np.array([width - 1, 0]) + np.array([-1, 1]) * points)[:, mirror_order()], np.float32)


def test_waves_are_orthonormal_alike_everywhere_and_nothing_at_the_border() -> None:
    waves = face_waves(74)
    assert torch.allclose(waves @ waves.T, torch.eye(74), atol=1e-5)
    crops = waves.view(74, SIDE, SIDE)
    assert torch.allclose(crops[[0, 40, 73]][:, [50, 60, 70], [50, 64, 80]], torch.tensor(KNOWN), atol=1e-4)
    assert crops[:, :, : SIDE // 4].abs().max() == 0
    assert crops[:, 110:].abs().max() == 0


def test_what_is_written_is_read_whole_and_from_the_face_alone(
    faces: tuple[np.ndarray, np.ndarray], tagged: np.ndarray
) -> None:
    landmarks = faces[1]
    assert right(MARK.read(faces[0], landmarks)) < 0.65
    assert right(MARK.read(tagged, landmarks)) == 1
    everywhere = np.ones(tagged.shape[1:3])
    alone = np.stack([face_view(one, everywhere, face) for one, face in zip(tagged, landmarks, strict=True)])
    assert right(MARK.read(alone, landmarks)) > 0.99


def test_no_wave_is_moved_further_than_half_a_step(faces: tuple[np.ndarray, np.ndarray], tagged: np.ndarray) -> None:
    change = (tagged.astype(float) - faces[0]).mean(3)
    spent, scale = (change**2).sum((1, 2)), _scale(faces[1])
    assert (spent * scale**2 < 74 * (STEP / 2) ** 2).all()


def test_strength_is_the_step(faces: tuple[np.ndarray, np.ndarray], tagged: np.ndarray) -> None:
    stronger = MARK.with_strength(2.0).embed(faces[0], MESSAGES, faces[1])
    cost = [np.mean([psnr_db(*pair) for pair in zip(faces[0], one, strict=True)]) for one in (tagged, stronger)]
    assert 5 < cost[0] - cost[1] < 7


def test_a_framing_that_is_a_little_off_is_found(faces: tuple[np.ndarray, np.ndarray], tagged: np.ndarray) -> None:
    centre = faces[1].mean(1, keepdims=True)
    moved = (centre + 1.02 * (faces[1] - centre) + 0.8).astype(np.float32)
    where = torch.from_numpy(moved)
    held = torch.cat([MARK._positions(tensor_of(one), face[None]) for one, face in zip(tagged, where, strict=True)])
    bits = torch.from_numpy(MESSAGES)
    blind = (torch.cos(2 * math.pi * (held - _dither()))[:, :64] < 0) == (bits == 1)
    assert float(blind.float().mean()) < 0.95
    assert right(MARK.read(tagged, moved)) > 0.99


def test_mirrored_darker_and_smaller_pictures_are_read(
    faces: tuple[np.ndarray, np.ndarray], tagged: np.ndarray
) -> None:
    landmarks = faces[1]
    assert right(MARK.read(np.ascontiguousarray(tagged[:, :, ::-1]), mirrored(landmarks, tagged.shape[2]))) > 0.99
    darker = np.rint(tagged * 0.75).astype(np.uint8)
    assert right(MARK.read(darker, landmarks)) > 0.97
    small = np.stack([cv2.resize(one, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA) for one in tagged])
    assert right(MARK.read(small, ((landmarks + 0.5) * 0.6 - 0.5).astype(np.float32))) > 0.97


def test_nothing_is_believed_where_nothing_was_written(faces: tuple[np.ndarray, np.ndarray]) -> None:
    chance = 1 / (1 + np.exp(-MARK.read(*faces)))
    assert np.maximum(chance, 1 - chance).mean(1).max() < 0.75


@pytest.mark.parametrize(("noise", "least"), [(0.02, 1.0), (0.09, 0.95)])
def test_the_mean_over_framings_reads_what_one_framing_holds(noise: float, least: float) -> None:
    """Positions are right at one framing and anything elsewhere."""
    rng = torch.Generator().manual_seed(1)
    bits, pilots = torch.randint(0, 2, (64,), generator=rng), 10
    dither = torch.rand(74, generator=rng)
    truth = torch.cat([bits / 2, torch.zeros(pilots)]) + dither + torch.randint(-3, 4, (74,), generator=rng)
    truth, there = truth + noise * torch.randn(74, generator=rng), torch.tensor([0.7, -0.4, 0.5, 0.1])
    slopes = torch.randn(4, 74, generator=rng) * 0.15

    def look(moves: Tensor, mirrored: bool) -> Tensor:
        return truth + (moves - there) @ slopes if not mirrored else torch.rand(len(moves), 74, generator=rng)

    logits = averaged(look, dither, pilots)
    assert float(((logits > 0) == (bits == 1)).float().mean()) >= least


def test_looks_are_weighed_by_how_often_they_are_taken() -> None:
    """The mean weight of looks is one, whatever was looked around: importance sampling without a bias."""
    best = face_framing._cloud(256, 0)[:12]
    near = (best[:, None] + face_framing._NEAR * face_framing._cloud(192, 1).view(12, 16, 4)).flatten(0, 1)
    moves = torch.cat([face_framing._cloud(256, 0), near])
    weight = face_framing._rarity(moves, best).exp()
    assert abs(float(weight.mean()) - 1) < 0.05
    assert abs(float((weight[:, None] * moves.square()).mean(0).mean()) - 1) < 0.1


def test_shares_leave_room_for_nothing() -> None:
    unlikely, sure = face_framing._shares(torch.tensor([-9.0, -8.0])), face_framing._shares(torch.tensor([3.0, 40.0]))
    assert float(unlikely.sum()) < 0.01
    assert abs(float(sure.sum()) - 1) < 1e-6


def _scale(landmarks: np.ndarray) -> np.ndarray:
    return scale_of(crop_matrix(torch.from_numpy(landmarks), SIDE)).numpy()
