"""No change at all, and rounding to the integers a file can hold."""

from typing import ClassVar

import torch
from torch import Tensor

from faketagger.simulator.degradations.base import Degradation, checked_images, per_image, straight_through
from faketagger.simulator.interface import AttackBatch, AttackOutput


class Identity(Degradation):
    """Hand the pictures on as they are; the row every table must have."""

    name: ClassVar[str] = "identity"
    unit: ClassVar[str] = "without meaning"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.0
    training_range: ClassVar[tuple[float, float]] = (0.0, 0.0)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return images

    def apply(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:  # type: ignore[override]
        images = checked_images(batch.images)
        untouched = torch.zeros_like(images[:, :1])
        details = [{"severity": value} for value in self.severities(images).tolist()]
        return AttackOutput(images, ["passed_through"] * len(images), untouched, details)


class Quantise(Degradation):
    """Round every channel to so many bits (8: what an 8-bit file holds), gradient straight through.

    Rounds half to even as ``faketagger.imaging.to_uint8`` does.
    """

    name: ClassVar[str] = "quantise"
    differentiable: ClassVar[bool] = False
    unit: ClassVar[str] = "bits per channel"
    mildest: ClassVar[float] = 8.0
    default_severity: ClassVar[float] = 8.0
    training_range: ClassVar[tuple[float, float]] = (8.0, 8.0)
    valid_range: ClassVar[tuple[float, float]] = (1.0, 8.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        top = per_image(2.0 ** severity.round() - 1)
        return straight_through(images, (images.clamp(0, 1) * top).round() / top)
