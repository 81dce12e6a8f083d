"""What every graded white-box attack must keep, whatever its family; test classes inherit it."""

import math

import pytest
import torch
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator import AttackBatch, AttackOutput, build, describe
from faketagger.simulator.graded import GradedAttack


def graded(name: str, severity: float | Tensor | None = None) -> GradedAttack:
    """Build an attack and make sure that it is graded."""
    attack = build(name, severity)
    assert isinstance(attack, GradedAttack)
    return attack


def scene(count: int = 2, height: int = 48, width: int = 48, dtype: torch.dtype = torch.float32) -> Tensor:
    """(N, 3, H, W) coloured pictures with smooth parts, edges and texture, within [0.1, 0.9]."""
    rows = torch.linspace(0, 1, height, dtype=dtype)[:, None]
    columns = torch.linspace(0, 1, width, dtype=dtype)[None, :]
    pictures = []
    for index in range(count):
        waves = 0.5 + 0.5 * torch.sin(2 * math.pi * ((3 + index) * columns + 5 * rows))
        disc = ((rows - 0.45) ** 2 + (columns - 0.55) ** 2 < 0.09).to(dtype)
        pictures.append(
            torch.stack([disc * 0.8 + 0.2 * waves, rows * waves, columns * (1 - 0.6 * disc) + 0 * rows])
        )
    return 0.1 + 0.8 * torch.stack(pictures)


def batch_of(images: Tensor) -> AttackBatch:
    """Pictures with no face found in them."""
    return AttackBatch(images, torch.full((len(images), 68, 2), math.nan))


def strike(attack: GradedAttack, images: Tensor, seed: int = 3) -> AttackOutput:
    """Apply an attack with a fresh seeded generator."""
    return attack(batch_of(images), torch.Generator().manual_seed(seed))


def psnr(one: Tensor, other: Tensor) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal pictures."""
    error = (one.double() - other.double()).square().mean().item()
    return math.inf if error == 0 else -10 * math.log10(error)


class AttackSuite:
    """Tests that every attack passes; subclasses parametrise ``name``."""

    def test_smoke(self, name: str) -> None:
        images = scene()
        output = strike(graded(name), images)
        assert output.images.shape == images.shape
        assert output.masks.shape == (2, 1, 48, 48)
        assert len(output.status) == len(output.details) == 2
        assert set(output.status) <= {"attacked", "passed_through"}
        assert describe(name)["name"] == name

    @pytest.mark.parametrize("bad", [math.nan, math.inf, "strong"])
    def test_severity_that_is_no_number_is_an_error(self, name: str, bad: object) -> None:
        with pytest.raises(ConfigError, match=name):
            build(name, bad)  # type: ignore[arg-type]

    def test_severity_outside_the_range_is_an_error(self, name: str) -> None:
        low, high = graded(name).valid_range
        for bad in (low - 1, high + 1, torch.tensor([low, high + 1])):
            with pytest.raises(ConfigError, match=name):
                build(name, bad)

    @pytest.mark.parametrize("shape", [(3, 48, 48), (1, 1, 48, 48), (0, 3, 48, 48)])
    def test_pictures_of_a_wrong_shape_are_an_error(self, name: str, shape: tuple[int, ...]) -> None:
        with pytest.raises(ConfigError, match="pictures"):
            graded(name)(AttackBatch(torch.rand(shape), torch.zeros(shape[0], 68, 2)), torch.Generator())

    def test_integer_pictures_are_an_error(self, name: str) -> None:
        with pytest.raises(ConfigError, match="uint8"):
            strike(graded(name), torch.zeros(1, 3, 48, 48, dtype=torch.uint8))

    @pytest.mark.parametrize(("count", "height", "width"), [(1, 40, 64), (3, 57, 33), (1, 1, 9)])
    def test_cardinality(self, name: str, count: int, height: int, width: int) -> None:
        output = strike(graded(name), scene(count, height, width))
        assert output.images.shape == (count, 3, height, width)
        assert output.masks.shape == (count, 1, height, width)
        assert bool(torch.isfinite(output.images).all())

    def test_range(self, name: str) -> None:
        images = (scene() - 0.1) / 0.8
        images[:, :, :8] = 0
        images[:, :, -8:] = 1
        for severity in graded(name).training_range:
            output = strike(graded(name, severity), images).images
            assert output.min() >= 0
            assert output.max() <= 1

    def test_gradient_is_finite_and_flows(self, name: str) -> None:
        images = scene()
        images[:, :, :8] = 0
        images[:, :, 8:16] = 0.5
        images[:, :, -8:] = 1
        images.requires_grad_()
        output = strike(graded(name), images).images
        weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(0))
        (output * weights).sum().backward()
        assert images.grad is not None
        assert bool(torch.isfinite(images.grad).all())
        assert (images.grad != 0).float().mean() > 0.4
        assert images.grad.abs().max() < 100

    def test_gradient_is_the_slope(self, name: str) -> None:
        attack = graded(name)
        texture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        images = 0.9 * scene(1, 32, 32, torch.float64) + 0.1 * texture
        direction = torch.randn(images.shape, generator=torch.Generator().manual_seed(1), dtype=images.dtype)
        weights = torch.randn(images.shape, generator=torch.Generator().manual_seed(2), dtype=images.dtype)
        leaf = images.clone().requires_grad_()
        (strike(attack, leaf).images * weights).sum().backward()
        assert leaf.grad is not None
        if not attack.differentiable:
            torch.testing.assert_close(leaf.grad, weights)
            return
        step = 1e-6
        ahead = (strike(attack, images + step * direction).images * weights).sum()
        behind = (strike(attack, images - step * direction).images * weights).sum()
        measured = (ahead - behind) / (2 * step)
        torch.testing.assert_close((leaf.grad * direction).sum(), measured, rtol=1e-2, atol=1e-2)

    def test_seed_fixes_the_result(self, name: str) -> None:
        attack, images = graded(name), scene()
        assert torch.equal(strike(attack, images, 7).images, strike(attack, images, 7).images)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_dtype_is_kept(self, name: str, dtype: torch.dtype) -> None:
        output = strike(graded(name), scene(dtype=dtype))
        assert output.images.dtype == output.masks.dtype == dtype

    def test_stronger_is_further_from_the_original(self, name: str) -> None:
        attack, images = graded(name), scene(3)
        below, above = (end - attack.mildest for end in attack.training_range)
        offsets = {min(below, 0.0), max(above, 0.0)} - {0.0}
        for end in (attack.mildest + offset for offset in offsets):
            halfway = psnr(strike(graded(name, (attack.mildest + end) / 2), images).images, images)
            whole = psnr(strike(graded(name, end), images).images, images)
            assert whole <= halfway

    def test_images_may_differ_in_severity(self, name: str) -> None:
        low, high = graded(name).training_range
        images = scene(1, 48, 48).expand(3, 3, 48, 48)
        mixed = strike(graded(name, torch.tensor([low, high, low])), images)
        assert [detail["severity"] for detail in mixed.details] == pytest.approx([low, high, low])
        same = strike(graded(name, low), images).images
        torch.testing.assert_close(mixed.images[0], same[0], atol=1e-4, rtol=0)
        torch.testing.assert_close(mixed.images[2], same[2], atol=1e-4, rtol=0)

    def test_number_of_severities_must_fit(self, name: str) -> None:
        mildest = graded(name).mildest
        with pytest.raises(ConfigError, match="2 severities for 3 images"):
            strike(graded(name, torch.full((2,), mildest)), scene(3))

    def test_input_is_left_alone(self, name: str) -> None:
        images = scene()
        before = images.clone()
        strike(graded(name), images)
        assert torch.equal(images, before)
