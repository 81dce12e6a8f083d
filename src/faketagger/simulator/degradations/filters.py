"""Neighbourhood filters: blur, median, and shrinking then enlarging."""

import math
from typing import ClassVar

import torch
from kornia.filters import gaussian_blur2d, median_blur
from torch import Tensor
from torch.nn import functional as F

from faketagger.simulator.degradations.base import Degradation, each_severity, pixel_scale


class Blur(Degradation):
    """Gaussian blur."""

    name: ClassVar[str] = "blur"
    unit: ClassVar[str] = "standard deviation in pixels of a picture 256 pixels on its shorter side"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 1.5
    training_range: ClassVar[tuple[float, float]] = (0.5, 2.5)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 20.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        sigma = (severity * pixel_scale(images)).clamp(min=1e-2)
        reach = min(math.ceil(3 * float(sigma.max())), min(images.shape[-2:]) - 1)
        kernel = 2 * max(reach, 1) + 1
        border = "reflect" if kernel // 2 < min(images.shape[-2:]) else "replicate"
        return gaussian_blur2d(images, (kernel, kernel), sigma[:, None].expand(-1, 2), border)


class Median(Degradation):
    """Median of a square window."""

    name: ClassVar[str] = "median"
    unit: ClassVar[str] = "side of the window in pixels, rounded to an odd number"
    mildest: ClassVar[float] = 1.0
    default_severity: ClassVar[float] = 3.0
    training_range: ClassVar[tuple[float, float]] = (3.0, 3.0)
    valid_range: ClassVar[tuple[float, float]] = (1.0, 15.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        largest = 2 * min(images.shape[-2:]) - 1
        odd = (2 * ((severity - 1) / 2).round() + 1).clamp(max=largest)
        return each_severity(images, odd, lambda part, side: median_blur(part, (int(side), int(side))))


class Resize(Degradation):
    """Shrink by anti-aliased bilinear resampling, then enlarge to the old size bicubically."""

    name: ClassVar[str] = "resize"
    unit: ClassVar[str] = "fraction of each side kept"
    mildest: ClassVar[float] = 1.0
    default_severity: ClassVar[float] = 0.5
    training_range: ClassVar[tuple[float, float]] = (0.4, 0.9)
    valid_range: ClassVar[tuple[float, float]] = (0.02, 1.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return each_severity(images, severity, _shrink_and_enlarge)


def _shrink_and_enlarge(images: Tensor, factor: float) -> Tensor:
    height, width = images.shape[-2:]
    small = (max(round(height * factor), 1), max(round(width * factor), 1))
    if small == (height, width):
        return images
    shrunk = F.interpolate(images, size=small, mode="bilinear", antialias=True)
    return F.interpolate(shrunk, size=(height, width), mode="bicubic")
