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
    valid_range: ClassVar[tuple[float, float]] = (1.0, 9.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        largest = 2 * min(images.shape[-2:]) - 1
        odd = (2 * ((severity - 1) / 2).round() + 1).clamp(max=largest)
        return each_severity(images, odd, lambda part, side: _median(part, int(side)))


def _median(images: Tensor, side: int) -> Tensor:
    """Kornia's median, with the gradient sent to a pixel of the window that has the median value."""
    padded = F.pad(images, (side // 2,) * 4, mode="reflect")
    medians = median_blur(images.detach(), (side, side))
    height, width = images.shape[-2:]
    row = torch.arange(height, device=images.device)[:, None] * padded.shape[-1]
    corner = row + torch.arange(width, device=images.device)
    picked = corner.expand(images.shape)
    for y in range(side):
        for x in range(side):
            found = padded.detach()[..., y : y + height, x : x + width] == medians
            picked = torch.where(found, corner + (y * padded.shape[-1] + x), picked)
    return padded.flatten(2).gather(2, picked.flatten(2)).view_as(images)


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
