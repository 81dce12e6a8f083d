"""What every white-box deepfake family must keep; test classes inherit it and build their attack."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.faces.template import TEMPLATE
from faketagger.simulator import AttackBatch, AttackOutput, describe
from faketagger.simulator.autoencoders import KINDS, Autoencoder
from faketagger.simulator.graded import GradedAttack
from tests.unit.simulator.attack_suite import psnr, scene


def frontal_face() -> Tensor:
    """(68, 2) landmarks of a frontal face with closed mouth, as shares of the aligned crop's side."""
    turn = torch.linspace(0, math.pi, 17)
    jaw = torch.stack([0.5 - 0.34 * turn.cos(), 0.42 + 0.40 * turn.sin()], -1)
    outer = torch.linspace(0, 2 * math.pi, 13)[:-1]
    lips = torch.stack([0.5 - 0.10 * outer.cos(), 0.715 - 0.035 * outer.sin()], -1)
    inner = torch.linspace(0, 2 * math.pi, 9)[:-1]
    seam = torch.stack([0.5 - 0.08 * inner.cos(), 0.715 - 0.004 * inner.sin()], -1)
    return torch.cat([jaw, torch.tensor(TEMPLATE), lips, seam])


def landmarks_in(height: int, width: int, count: int, share: float = 0.8) -> Tensor:
    """(N, 68, 2) landmarks of a frontal face that fills ``share`` of the picture's shorter side."""
    side = share * min(height, width)
    corner = torch.tensor([(width - side) / 2, (height - side) / 2])
    return (frontal_face() * side + corner).expand(count, -1, -1).clone()


def untrained(kind: str, seed: int = 0) -> Autoencoder:
    """A frozen autoencoder with seeded random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = KINDS[kind]()
        for weight in network.state_dict().values():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=1.2 / math.sqrt(weight[0].numel()))
    return network.eval().requires_grad_(False)


def strike(attack: GradedAttack, images: Tensor, seed: int = 3) -> AttackOutput:
    """Apply an attack to pictures with a frontal face in each."""
    height, width = images.shape[-2:]
    batch = AttackBatch(images, landmarks_in(height, width, len(images)))
    return attack(batch, torch.Generator().manual_seed(seed))


class FaceSuite:
    """Tests that every attack on an aligned face passes; subclasses implement :meth:`build`.

    Attributes:
        name: The name in the registry.
    """

    name: str

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        """The attack, with untrained networks."""
        raise NotImplementedError

    def test_says_what_it_did(self) -> None:
        images = scene(2, 96, 80)
        output = strike(self.build(), images)
        assert describe(self.name)["family"] == self.name.split("_")[0]
        assert output.images.shape == images.shape
        assert output.masks.shape == (2, 1, 96, 80)
        assert output.status == ["attacked", "attacked"]
        for index, detail in enumerate(output.details):
            mask = output.masks[index]
            error = (mask * (output.images[index] - images[index]).square()).sum() / (3 * mask.sum())
            assert detail["reconstruction_db"] == pytest.approx(-10 * math.log10(error), abs=0.01)

    @pytest.mark.parametrize(("height", "width"), [(40, 64), (57, 33), (300, 260)])
    def test_any_size(self, height: int, width: int) -> None:
        output = strike(self.build(), scene(1, height, width))
        assert output.images.shape == (1, 3, height, width)
        assert bool(torch.isfinite(output.images).all())

    def test_range(self) -> None:
        images = (scene(2, 80, 80) - 0.1) / 0.8
        images[:, :, 30:34], images[:, :, 50:54] = 0, 1
        attack = self.build()
        for severity in attack.valid_range:
            output = strike(self.build(severity), images)
            assert output.images.min() >= 0
            assert output.images.max() <= 1
            assert output.masks.min() >= 0
            assert output.masks.max() <= 1

    def test_gradient_is_the_slope(self) -> None:
        attack = self.build().double()
        texture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        images = 0.8 * scene(1, 64, 64, torch.float64) + 0.1 * texture
        direction = torch.randn(images.shape, generator=torch.Generator().manual_seed(1), dtype=images.dtype)
        weights = torch.randn(images.shape, generator=torch.Generator().manual_seed(2), dtype=images.dtype)
        leaf = images.clone().requires_grad_()
        (strike(attack, leaf).images * weights).sum().backward()
        assert leaf.grad is not None
        step = 1e-7
        ahead = (strike(attack, images + step * direction).images * weights).sum()
        behind = (strike(attack, images - step * direction).images * weights).sum()
        measured = (ahead - behind) / (2 * step)
        torch.testing.assert_close((leaf.grad * direction).sum(), measured, rtol=1e-3, atol=1e-3)

    def test_gradient_reaches_the_attacked_pixels(self) -> None:
        images = scene(2, 72, 72).requires_grad_()
        output = strike(self.build(), images)
        inside = (output.masks > 0.99).expand_as(output.images)
        output.images[inside].square().sum().backward()
        assert images.grad is not None
        assert bool(torch.isfinite(images.grad).all())
        assert (images.grad[inside] != 0).float().mean() > 0.4

    def test_seed_fixes_the_result(self) -> None:
        attack, images = self.build(), scene(2, 64, 64)
        one, same, other = (strike(attack, images, seed).images for seed in (7, 7, 8))
        assert torch.equal(one, same)
        assert not torch.equal(one, other)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_dtype_is_kept(self, dtype: torch.dtype) -> None:
        output = strike(self.build(), scene(1, 64, 64, dtype))
        assert output.images.dtype == output.masks.dtype == dtype

    def test_stronger_is_further_from_the_mildest(self) -> None:
        attack, images = self.build(), scene(3, 64, 64)
        high = attack.training_range[1]
        mild, middle, strong = (strike(self.build(value), images).images for value in (0.0, high / 2, high))
        assert psnr(strong, mild) < psnr(middle, mild) < 100

    def test_severity_per_image(self) -> None:
        low, high = self.build().training_range
        output = strike(self.build(torch.tensor([low, high])), scene(2, 64, 64))
        assert [detail["severity"] for detail in output.details] == pytest.approx([low, high])

    def test_severity_outside_the_range_is_an_error(self) -> None:
        with pytest.raises(ConfigError, match=self.name):
            self.build(self.build().valid_range[1] + 0.1)

    def test_pictures_of_a_wrong_shape_are_an_error(self) -> None:
        with pytest.raises(ConfigError, match="pictures"):
            strike(self.build(), torch.rand(1, 1, 64, 64))

    def test_input_is_left_alone(self) -> None:
        images = scene(1, 64, 64)
        before = images.clone()
        strike(self.build(), images)
        assert torch.equal(images, before)


class PastedSuite(FaceSuite):
    """The same for attacks that need a face and leave the rest of the picture alone."""

    def test_background_is_kept_bit_for_bit(self) -> None:
        images = scene(1, 120, 150)
        output = strike(self.build(), images)
        outside = (output.masks == 0).expand_as(images)
        assert outside.float().mean() > 0.2
        assert torch.equal(output.images[outside], images[outside])

    def test_pictures_without_a_face_pass_through(self) -> None:
        images = scene(3, 64, 64)
        landmarks = landmarks_in(64, 64, 3)
        landmarks[0] = math.nan
        landmarks[2, 40] = math.nan
        output = self.build()(AttackBatch(images, landmarks), torch.Generator().manual_seed(0))
        assert output.status == ["passed_through", "attacked", "passed_through"]
        for row in (0, 2):
            assert torch.equal(output.images[row], images[row])
            assert not output.masks[row].any()
            assert output.details[row]["reason"] == "no face found"
            assert "reconstruction_db" not in output.details[row]

    def test_collapsed_landmarks_pass_through(self) -> None:
        images = scene(1, 64, 64)
        output = self.build()(AttackBatch(images, torch.full((1, 68, 2), 30.0)), torch.Generator())
        assert output.status == ["passed_through"]
        assert torch.equal(output.images, images)
        assert "usable face" in output.details[0]["reason"]

    def test_images_do_not_influence_each_other(self) -> None:
        images = scene(2, 64, 64)
        together = strike(self.build(), images).images[:1]
        other = torch.cat([images[:1], 1 - images[1:]])
        torch.testing.assert_close(strike(self.build(), other).images[:1], together, atol=1e-5, rtol=0)
