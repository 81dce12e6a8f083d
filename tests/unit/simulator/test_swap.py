"""Identity swap and its colour transfer."""

from typing import Any

import pytest
import torch
from kornia.color import rgb_to_lab
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator.colour_transfer import match_colours
from faketagger.simulator.swap import Swap
from tests.unit.simulator.attack_suite import scene
from tests.unit.simulator.face_suite import PastedSuite, strike, untrained


class TestSwap(PastedSuite):
    name = "swap"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> Swap:
        return Swap(severity, network=untrained("shared"), **params)

    def test_weight_nought_changes_nothing(self) -> None:
        images = scene(1, 64, 64)
        output = strike(self.build(0.0), images)
        assert torch.equal(output.images, images)
        assert output.status == ["passed_through"]
        assert output.details[0]["reason"] == "the attack changed nothing"

    def test_the_decoder_that_fits_worse_makes_the_face(self) -> None:
        images = scene(2, 96, 96)
        free = strike(self.build(), images)
        for row, detail in enumerate(free.details):
            forced = strike(self.build(identity=detail["identity"]), images)
            torch.testing.assert_close(forced.images[row], free.images[row])
        assert {detail["identity"] for detail in free.details} <= {0, 1}

    @pytest.mark.parametrize("identity", [-1, 2])
    def test_unknown_decoder_is_an_error(self, identity: int) -> None:
        with pytest.raises(ConfigError, match="decoder"):
            self.build(identity=identity)


def test_colours_inside_the_mask_become_the_targets() -> None:
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.3
    source, target = 0.3 + pictures[:1], 0.45 + pictures[1:] * torch.tensor([1.0, 0.7, 0.5]).view(1, 3, 1, 1)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    matched = match_colours(source, target, mask)
    ours, wanted = (rgb_to_lab(one)[..., 8:24, 8:24].flatten(2) for one in (matched, target))
    torch.testing.assert_close(ours.mean(2), wanted.mean(2), atol=0.5, rtol=0)
    torch.testing.assert_close(ours.std(2), wanted.std(2), atol=0.5, rtol=0)


def test_a_face_with_its_own_colours_is_left_alone() -> None:
    picture = scene(1, 32, 32)
    matched = match_colours(picture, picture, torch.ones(1, 1, 32, 32))
    torch.testing.assert_close(matched, picture, atol=2e-3, rtol=0)
