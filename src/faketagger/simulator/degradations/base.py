"""The common frame of every degradation: check the pictures, change them, keep them in [0, 1]."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator.graded import GradedAttack
from faketagger.simulator.interface import AttackBatch, AttackOutput, Family

REFERENCE_SIDE = 256
"""Lengths in pixels (blur, grain, rain) are meant for this shorter side and scale with the picture."""


class Degradation(GradedAttack):
    """A change that knows nothing of faces. Every pixel counts as remade."""

    family: ClassVar[Family] = "degradation"

    @abstractmethod
    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        """Change the pictures.

        Args:
            images: (N, 3, H, W) in [0, 1].
            severity: (N,) in ``unit``.
            rng: Source of every random draw.

        Returns:
            (N, 3, H, W); values outside [0, 1] are clipped by the caller.
        """

    def apply(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:  # type: ignore[override]
        images = checked_images(batch.images)
        severity = self.severities(images)
        attacked = self.degrade(images, severity, rng).clamp(0, 1)
        return remade(attacked, [{"severity": value} for value in severity.tolist()])


def checked_images(images: Tensor) -> Tensor:
    """The pictures themselves, if they are float NCHW with three channels and at least one image.

    Raises:
        ConfigError: They are something else.
    """
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape or not images.is_floating_point():
        shape = tuple(images.shape)
        raise ConfigError(f"attacks take (N, 3, H, W) float pictures, not {images.dtype} {shape}")
    return images


def remade(images: Tensor, details: list[dict[str, Any]]) -> AttackOutput:
    """An output whose every pixel was made by the attack."""
    return AttackOutput(images, ["attacked"] * len(images), torch.ones_like(images[:, :1]), details)


def per_image(values: Tensor) -> Tensor:
    """(N,) as (N, 1, 1, 1), ready to be broadcast over pictures."""
    return values.view(-1, 1, 1, 1)


def pixel_scale(images: Tensor) -> float:
    """How many pixels of these pictures make one pixel of a picture of :data:`REFERENCE_SIDE`."""
    return min(images.shape[-2:]) / REFERENCE_SIDE


def straight_through(images: Tensor, changed: Tensor) -> Tensor:
    """``changed`` in the forward pass, bit for bit; the gradient of ``images`` in the backward pass."""
    return changed.detach() + (images - images.detach())


def each_severity(images: Tensor, values: Tensor, change: Callable[[Tensor, float], Tensor]) -> Tensor:
    """Apply a change that takes one scalar to groups of images that share the same value.

    Args:
        images: (N, C, H, W).
        values: (N,) scalars; equal values are handled in one call.
        change: Called as ``change(images of the group, value)``; keeps the shape.

    Returns:
        (N, C, H, W) in the order of the input.
    """
    kinds, group = torch.unique(values, return_inverse=True)
    if len(kinds) == 1:
        return change(images, float(kinds[0]))
    members = [torch.nonzero(group == index).flatten() for index in range(len(kinds))]
    parts = [change(images[rows], float(kind)) for kind, rows in zip(kinds, members, strict=True)]
    order = torch.argsort(torch.cat(members))
    return torch.cat(parts)[order]
