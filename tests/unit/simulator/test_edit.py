"""Attribute edits: where they change the face, and where they do not."""

from typing import Any

import pytest
import torch
from torch import Tensor

from faketagger.simulator import regions
from faketagger.simulator.edit import Edit
from faketagger.simulator.edit_fields import EDITS
from tests.unit.simulator.attack_suite import scene
from tests.unit.simulator.face_suite import PastedSuite, frontal_face, strike, untrained

FACE = (frontal_face() * 128)[None]
ONE = torch.ones(1, 1, 1, 1)


class TestEdit(PastedSuite):
    name = "edit"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> Edit:
        return Edit(severity, network=untrained("skip"), **params)

    def test_details_tell_the_edits(self) -> None:
        details = strike(self.build(), scene(4, 64, 64)).details
        drawn = [name for detail in details for name in detail["edits"]]
        assert set(drawn) <= set(EDITS)
        assert len(set(drawn)) > 1

    def test_amplitude_nought_is_regeneration_alone(self) -> None:
        output = strike(self.build(0.0), scene(1, 64, 64))
        assert output.status == ["attacked"]
        assert output.details[0]["edits"] == {}


@pytest.mark.parametrize("name", list(EDITS))
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_edit_is_visible_and_stays_in_its_place(name: str, sign: int) -> None:
    crops = 0.25 + 0.5 * scene(1, 128, 128)
    assert torch.equal(EDITS[name](crops, FACE, 0 * ONE), crops)
    edited = EDITS[name](crops, FACE, sign * ONE)
    change = (edited - crops).abs().amax(1)[0]
    assert change.max() > 0.04
    assert change[-6:].max() < 0.02
    assert change[:, :2].max() < 0.15


def test_lipstick_reddens() -> None:
    grey = torch.full((1, 3, 128, 128), 0.5)
    x, y = FACE[0, [57, 66]].mean(0).round().long().tolist()
    red, green, _ = EDITS["lipstick"](grey, FACE, ONE)[0, :, y, x].tolist()
    assert red > green + 0.1


@pytest.mark.parametrize(
    ("region", "inside", "outside"),
    [
        (regions.skin, [2, 14, 30], [37, 66]),
        (regions.eyes, [37, 44], [30, 57, 8]),
        (regions.beard, [7, 9], [27, 37, 66]),
        (regions.lips, [57], [30, 8, 37]),
    ],
)
def test_regions_lie_on_their_landmarks(region: Any, inside: list[int], outside: list[int]) -> None:
    mask = region(FACE, 128)[0, 0]
    middle = FACE[0].mean(0)

    def value(point: int) -> float:
        x, y = (FACE[0, point] + 0.06 * (middle - FACE[0, point])).round().long().tolist()
        return float(mask[y, x])

    assert mask.min() >= 0
    assert mask.max() <= 1
    assert min(value(point) for point in inside) > 0.4
    assert max(value(point) for point in outside) < 0.3


def test_soft_hull_of_a_square() -> None:
    square = torch.tensor([[[10.0, 10], [20, 10], [20, 20], [10, 20]]])
    hull = regions.soft_hull(square, 32, 2.0)[0, 0]
    assert hull[15, 15] == 1
    assert hull[15, 10] == pytest.approx(0.5)
    assert hull[5, 15] == 0
    assert regions.soft_hull(square, 32, 2.0, 3.0).sum() > hull.sum()
