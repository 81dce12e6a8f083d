"""Changes of light and colour, the same for every pixel."""

from typing import ClassVar

import torch
from kornia.color import linear_rgb_to_rgb, rgb_to_linear_rgb
from kornia.enhance import adjust_hue
from torch import Tensor

from faketagger.simulator.degradations.base import Degradation, per_image

_LUMA = (0.299, 0.587, 0.114)
_DARKEST = 1 / 1024
"""Below a quarter of a grey level a power's slope runs to infinity; values are held here."""


class Brightness(Degradation):
    """Add the same value to every pixel."""

    name: ClassVar[str] = "brightness"
    unit: ClassVar[str] = "value added, where white is 1"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.15
    training_range: ClassVar[tuple[float, float]] = (-0.25, 0.25)
    valid_range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return images + per_image(severity)


class Gain(Degradation):
    """Multiply every value, as the *brightness* of PIL, torchvision and most watermark papers does."""

    name: ClassVar[str] = "gain"
    unit: ClassVar[str] = "factor"
    mildest: ClassVar[float] = 1.0
    default_severity: ClassVar[float] = 1.3
    training_range: ClassVar[tuple[float, float]] = (0.6, 1.4)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 8.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return images * per_image(severity)


class Contrast(Degradation):
    """Stretch or squeeze values about the picture's mean grey."""

    name: ClassVar[str] = "contrast"
    unit: ClassVar[str] = "factor"
    mildest: ClassVar[float] = 1.0
    default_severity: ClassVar[float] = 0.7
    training_range: ClassVar[tuple[float, float]] = (0.6, 1.5)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 4.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        mean = _grey(images).mean(dim=(1, 2, 3), keepdim=True)
        return mean + per_image(severity) * (images - mean)


class Gamma(Degradation):
    """Raise every value to a power; above 1 darkens."""

    name: ClassVar[str] = "gamma"
    unit: ClassVar[str] = "exponent"
    mildest: ClassVar[float] = 1.0
    default_severity: ClassVar[float] = 1.4
    training_range: ClassVar[tuple[float, float]] = (0.6, 1.6)
    valid_range: ClassVar[tuple[float, float]] = (0.1, 10.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return images.clamp(min=_DARKEST) ** per_image(severity)


class Exposure(Degradation):
    """Multiply the light itself (linear sRGB) and clip, as a camera set wrongly would."""

    name: ClassVar[str] = "exposure"
    unit: ClassVar[str] = "stops (factors of two of light)"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.7
    training_range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    valid_range: ClassVar[tuple[float, float]] = (-6.0, 6.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        light = rgb_to_linear_rgb(images) * per_image(2.0**severity)
        return linear_rgb_to_rgb(light.clamp(0, 1))


class Saturation(Degradation):
    """Stretch or squeeze colours about each pixel's grey; 0 is a grey picture."""

    name: ClassVar[str] = "saturation"
    unit: ClassVar[str] = "factor"
    mildest: ClassVar[float] = 1.0
    default_severity: ClassVar[float] = 0.5
    training_range: ClassVar[tuple[float, float]] = (0.3, 1.8)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 4.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        grey = _grey(images)
        return grey + per_image(severity) * (images - grey)


class Hue(Degradation):
    """Turn the colour wheel (HSV)."""

    name: ClassVar[str] = "hue"
    unit: ClassVar[str] = "degrees on the colour wheel; red turns to green at 120"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 20.0
    training_range: ClassVar[tuple[float, float]] = (-30.0, 30.0)
    valid_range: ClassVar[tuple[float, float]] = (-180.0, 180.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return adjust_hue(images, torch.deg2rad(severity))


def _grey(images: Tensor) -> Tensor:
    weights = images.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (images * weights).sum(dim=1, keepdim=True)
