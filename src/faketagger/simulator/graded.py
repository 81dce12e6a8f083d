"""Attacks with one strength number: how a severity is stated, checked and handed to a batch."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator.interface import Attack


class GradedAttack(Attack):
    """An attack whose strength is one number in a natural unit.

    Subclasses set the class attributes. ``severity`` may be changed between calls and may
    hold one value per image.

    Attributes:
        unit: What the number means, in words.
        mildest: The value that changes the picture least.
        default_severity: Used when none is given.
        training_range: ``(low, high)`` from which a pool draws uniformly.
        valid_range: ``(low, high)`` outside which a value is an error.

    Args:
        severity: One value for all images, or an (N,) tensor with one for each image of the batches to come.

    Raises:
        ConfigError: The severity is not a finite number within ``valid_range``.
    """

    unit: ClassVar[str]
    mildest: ClassVar[float]
    default_severity: ClassVar[float]
    training_range: ClassVar[tuple[float, float]]
    valid_range: ClassVar[tuple[float, float]]

    def __init__(self, severity: float | Tensor | None = None) -> None:
        super().__init__()
        self.severity = self.default_severity if severity is None else severity

    @property
    def severity(self) -> float | Tensor:
        """Strength in ``unit``: one float, or an (N,) tensor."""
        return self._severity

    @severity.setter
    def severity(self, value: float | Tensor) -> None:
        low, high = self.valid_range
        if isinstance(value, Tensor):
            good = value.ndim == 1 and bool(((value >= low) & (value <= high)).all())
        else:
            good = isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high
        if not good:
            hint = f"it is {self.unit}, {low:g} to {high:g}"
            raise ConfigError(f"{self.name} cannot have severity {value!r}", hint)
        self._severity = value

    def severities(self, images: Tensor) -> Tensor:
        """The severity of each image.

        Args:
            images: (N, C, H, W).

        Returns:
            (N,) float on the images' device.

        Raises:
            ConfigError: ``severity`` holds another number of values than there are images.
        """
        count = images.shape[0]
        if not isinstance(self.severity, Tensor):
            return images.new_full((count,), float(self.severity))
        if len(self.severity) != count:
            raise ConfigError(f"{self.name} holds {len(self.severity)} severities for {count} images")
        return self.severity.to(images)


def uniform(rng: torch.Generator, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Numbers drawn uniformly from [0, 1) by ``rng``, moved to the device and type of ``like``."""
    return torch.rand(shape, generator=rng, device=rng.device).to(like)


def normal(rng: torch.Generator, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Standard normal numbers drawn by ``rng``, moved to the device and type of ``like``."""
    return torch.randn(shape, generator=rng, device=rng.device).to(like)
