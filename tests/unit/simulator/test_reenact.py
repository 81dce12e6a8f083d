"""Reenactment: the moves of landmarks, the splines that carry the face along."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from faketagger.simulator.dense_warp import spline_flow, stretch, warp
from faketagger.simulator.expression import Expression, mouth_gap, move_landmarks
from faketagger.simulator.reenact import Reenact
from tests.unit.simulator.attack_suite import psnr, scene
from tests.unit.simulator.face_suite import PastedSuite, frontal_face, landmarks_in, strike, untrained

FACE = (frontal_face() * 128)[None]
STILL = {name: torch.zeros(1) for name in ("mouth", "smile", "brows", "blink", "yaw", "pitch")}


def changed(**values: float) -> Tensor:
    """(68, 2) landmarks of the frontal face under an expression."""
    return move_landmarks(FACE, Expression(**STILL | {name: torch.tensor([v]) for name, v in values.items()}))[0]


class TestReenact(PastedSuite):
    name = "reenact"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> Reenact:
        return Reenact(severity, **params)

    def test_details_tell_the_expression(self) -> None:
        detail = strike(self.build(), scene(1, 64, 64)).details[0]
        assert set(STILL) <= set(detail)
        assert any(abs(detail[name]) > 0.1 for name in STILL)

    def test_amplitude_nought_only_resamples(self) -> None:
        images = scene(1, 160, 160)
        assert psnr(strike(self.build(0.0), images).images, images) > 30

    def test_tells_where_the_landmarks_went(self) -> None:
        """A dot on a grey face is found again at the place that the landmark under it is said to have now."""
        side, points = 320, {30: "nose", 36: "eye", 54: "mouth"}
        before = landmarks_in(side, side, 1)
        across, down = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="xy")
        travelled = []
        for point in points:
            x, y = before[0, point].tolist()
            dot = (-((across - x).square() + (down - y).square()) / (2 * 4.0**2)).exp()
            output = strike(self.build(), (0.4 + 0.5 * dot).expand(1, 3, side, side))
            assert output.landmarks is not None
            found = (output.images[0].mean(0) - 0.4).clamp_min(0)
            found[output.masks[0, 0] < 0.5] = 0
            found[found < 0.5 * found.max()] = 0
            centre = torch.stack([(found * across).sum(), (found * down).sum()]) / found.sum()
            told = output.landmarks[0, point]
            travelled.append((told - before[0, point]).norm().item())
            assert (centre - told).norm() < 2.5
        assert max(travelled) > 6

    def test_rerendering_regenerates_the_face(self) -> None:
        images = scene(1, 64, 64)
        network = untrained("skip")
        plain, rendered = (
            strike(self.build(), images),
            strike(self.build(rerender=True, network=network), images),
        )
        assert rendered.details[0]["reconstruction_db"] < plain.details[0]["reconstruction_db"]
        assert plain.details[0]["yaw"] == rendered.details[0]["yaw"]


def test_no_expression_moves_nothing() -> None:
    torch.testing.assert_close(changed(), FACE[0])


def test_mouth_opens() -> None:
    assert mouth_gap(changed(mouth=1.0)[None]) > mouth_gap(FACE) + 6
    assert changed(mouth=1.0)[8, 1] > FACE[0, 8, 1] + 3


def test_smile_lifts_and_widens_the_corners() -> None:
    moved = changed(smile=1.0)
    assert moved[54, 0] - moved[48, 0] > FACE[0, 54, 0] - FACE[0, 48, 0] + 3
    assert moved[48, 1] < FACE[0, 48, 1] - 1
    assert moved[54, 1] < FACE[0, 54, 1] - 1


def test_blink_narrows_the_eyes_and_leaves_them_a_slit() -> None:
    def opening(points: Tensor) -> float:
        return float((points[[41, 40, 47, 46], 1] - points[[37, 38, 43, 44], 1]).mean())

    assert 0 < opening(changed(blink=1.0)) < 0.4 * opening(FACE[0])


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_turning_moves_the_nose_against_the_jaw(side: float) -> None:
    move = changed(yaw=side)[:, 0] - FACE[0, :, 0]
    assert side * move[30] > 2
    assert side * move[[0, 16]].mean() < -1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 1.5))
def test_faces_never_fold_badly(seed: int, amplitude: float) -> None:
    expression = Expression.draw(torch.tensor([amplitude]), torch.Generator().manual_seed(seed))
    moved = move_landmarks(FACE, expression)
    assert bool(((moved >= 0) & (moved <= 127)).all())
    flow = spline_flow(FACE, moved, 128)
    across, down = torch.gradient(flow, dim=3)[0], torch.gradient(flow, dim=2)[0]
    area = (1 + across[:, 0]) * (1 + down[:, 1]) - across[:, 1] * down[:, 0]
    assert (area < 0).float().mean() < 0.01


def test_spline_carries_landmarks_to_their_places() -> None:
    expression = Expression.draw(torch.ones(1), torch.Generator().manual_seed(1))
    moved = move_landmarks(FACE, expression)
    flow = spline_flow(FACE, moved, 128)
    for point in (30, 36, 45, 48, 54, 57, 8, 21):
        x, y = moved[0, point].round().long().tolist()
        source = moved[0, point] + flow[0, :, y, x]
        assert torch.linalg.norm(source - FACE[0, point]) < 1.5
    assert flow[..., 0, :].abs().max() < 0.75
    assert flow[..., :, -1].abs().max() < 0.75


def test_no_move_is_no_flow() -> None:
    assert spline_flow(FACE, FACE, 128).abs().max() < 1e-4
    picture = scene(1, 128, 128)
    torch.testing.assert_close(warp(picture, torch.zeros(1, 2, 128, 128)), picture, atol=1e-5, rtol=0)


def test_warp_fetches_from_where_the_flow_says() -> None:
    picture = scene(1, 32, 32)
    flow = torch.zeros(1, 2, 32, 32)
    flow[:, 0] = 3
    torch.testing.assert_close(warp(picture, flow)[..., :-3], picture[..., 3:], atol=1e-4, rtol=0)


def test_stretch_is_the_growth_of_area() -> None:
    line = torch.arange(32.0)
    flow = torch.stack(torch.meshgrid(line, line, indexing="ij")[::-1])[None] * -0.5
    torch.testing.assert_close(stretch(flow), torch.full((1, 1, 32, 32), 4.0))
    assert math.isclose(float(stretch(torch.zeros(1, 2, 8, 8)).mean()), 1.0)
