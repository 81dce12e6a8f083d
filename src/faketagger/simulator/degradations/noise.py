"""Random disturbance of values: sensor noise and film grain."""

import math
from typing import ClassVar

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator.degradations.base import Degradation, per_image, pixel_scale
from faketagger.simulator.graded import normal


class Noise(Degradation):
    """White Gaussian noise, independent for each pixel and channel."""

    name: ClassVar[str] = "noise"
    unit: ClassVar[str] = "standard deviation, where white is 1"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.04
    training_range: ClassVar[tuple[float, float]] = (0.01, 0.08)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return images + per_image(severity) * normal(rng, tuple(images.shape), images)


class Grain(Degradation):
    """Film grain: grey clumps, strongest in the mid-tones and absent in black and white.

    Args:
        severity: Standard deviation in mid-grey, where white is 1.
        clump: Radius of a clump, in pixels of a picture 256 pixels on its shorter side.
    """

    name: ClassVar[str] = "grain"
    unit: ClassVar[str] = "standard deviation in mid-grey, where white is 1"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.05
    training_range: ClassVar[tuple[float, float]] = (0.01, 0.08)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __init__(self, severity: float | Tensor | None = None, clump: float = 0.8) -> None:
        super().__init__(severity)
        if not 0 < clump <= 8:
            raise ConfigError(f"grain cannot have clumps of {clump!r} pixels", "the radius is 0 to 8")
        self.clump = clump

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        white = normal(rng, tuple(images[:, :1].shape), images)
        sigma = max(self.clump * pixel_scale(images), 0.1)
        kernel = 2 * math.ceil(3 * sigma) + 1
        clumps = gaussian_blur2d(white, (kernel, kernel), (sigma, sigma), "replicate")
        clumps = clumps / clumps.std(dim=(1, 2, 3), keepdim=True, unbiased=False).clamp(min=1e-6)
        grey = images.mean(dim=1, keepdim=True).clamp(0, 1)
        return images + per_image(severity) * 4 * grey * (1 - grey) * clumps
