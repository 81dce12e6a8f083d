"""Changes of light that differ from place to place: haze, rain, vignette."""

from typing import ClassVar

import torch
from kornia.geometry.transform import warp_affine
from torch import Tensor
from torch.nn import functional as F

from faketagger.errors import ConfigError
from faketagger.simulator.degradations.base import Degradation, per_image, pixel_scale
from faketagger.simulator.graded import uniform


class Haze(Degradation):
    """Blend towards grey air light through a patchy layer of haze.

    Source:
        The haze model I = J t + A (1 - t) (Koschmieder); t is smooth random, A a drawn light grey.
    """

    name: ClassVar[str] = "haze"
    unit: ClassVar[str] = "mean share of the light that comes from the haze"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.3
    training_range: ClassVar[tuple[float, float]] = (0.05, 0.5)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        coarse = uniform(rng, (len(images), 1, 4, 4), images)
        patches = F.interpolate(coarse, size=images.shape[-2:], mode="bilinear", align_corners=True)
        density = (per_image(severity) * (0.5 + patches)).clamp(max=1)
        air = 0.75 + 0.2 * uniform(rng, (len(images), 1, 1, 1), images)
        return images * (1 - density) + air * density


class Rain(Degradation):
    """Bright slanted streaks, one pixel wide in a picture 256 pixels on its shorter side.

    Args:
        severity: Share of the picture that streaks cover.
        length: Length of a streak in such pixels.
        opacity: How much of the picture a streak hides, 0 to 1.
    """

    name: ClassVar[str] = "rain"
    unit: ClassVar[str] = "share of the picture covered by streaks"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.08
    training_range: ClassVar[tuple[float, float]] = (0.01, 0.15)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 0.9)

    def __init__(
        self, severity: float | Tensor | None = None, length: int = 17, opacity: float = 0.6
    ) -> None:
        super().__init__(severity)
        if length not in range(1, 65) or not 0 < opacity <= 1:
            raise ConfigError(
                f"rain cannot have streaks of length {length!r} and opacity {opacity!r}",
                "length is 1 to 64, opacity above 0 and up to 1",
            )
        self.length = length
        self.opacity = opacity

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        streaks = self.opacity * self._streaks(images, severity, rng)
        return images + streaks * (0.9 - images)

    def _streaks(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        height, width = (max(round(side / pixel_scale(images)), 1) for side in images.shape[-2:])
        chance = 1 - (1 - per_image(severity)) ** (1 / self.length)
        above = self.length - 1
        drops = (uniform(rng, (len(images), 1, height + above, width), images) < chance).to(images)
        lines = F.max_pool2d(drops, (self.length, 1), stride=1)
        slant = 0.8 * uniform(rng, (len(images),), images) - 0.4
        shear = torch.eye(2, 3, dtype=images.dtype, device=images.device).repeat(len(images), 1, 1)
        shear[:, 0, 1] = slant
        shear[:, 0, 2] = -slant * (height - 1) / 2
        slanted = warp_affine(lines, shear, (height, width), padding_mode="reflection")
        return F.interpolate(slanted, size=images.shape[-2:], mode="bilinear", antialias=True).clamp(0, 1)


class Vignette(Degradation):
    """Darken towards the corners with the square of the distance from the centre."""

    name: ClassVar[str] = "vignette"
    unit: ClassVar[str] = "share of the value lost in the corners"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.5
    training_range: ClassVar[tuple[float, float]] = (0.1, 0.7)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        rows, columns = (
            torch.linspace(-1, 1, side, dtype=images.dtype, device=images.device)
            for side in images.shape[-2:]
        )
        distance = (rows[:, None] ** 2 + columns[None, :] ** 2) / 2
        return images * (1 - per_image(severity) * distance)
