"""Still-picture compression: JPEG as Pillow writes it, a differentiable JPEG, WebP."""

from typing import ClassVar, Literal

import torch
from kornia.enhance import jpeg_codec_differentiable
from torch import Tensor
from torch.nn import functional as F

from faketagger.errors import ConfigError
from faketagger.simulator.degradations.base import Degradation
from faketagger.simulator.degradations.codecs import Picture, through_codec, through_pillow

Subsampling = Literal["4:2:0", "4:2:2", "4:4:4"]


class Jpeg(Degradation):
    """Real JPEG by Pillow, gradient straight through.

    Args:
        severity: JPEG quality, 1 (worst) to 100.
        subsampling: Chroma subsampling; 4:2:0 is what phones and the web write.
    """

    name: ClassVar[str] = "jpeg"
    differentiable: ClassVar[bool] = False
    unit: ClassVar[str] = "JPEG quality"
    mildest: ClassVar[float] = 100.0
    default_severity: ClassVar[float] = 50.0
    training_range: ClassVar[tuple[float, float]] = (40.0, 95.0)
    valid_range: ClassVar[tuple[float, float]] = (1.0, 100.0)

    def __init__(self, severity: float | Tensor | None = None, subsampling: Subsampling = "4:2:0") -> None:
        super().__init__(severity)
        if subsampling not in ("4:2:0", "4:2:2", "4:4:4"):
            raise ConfigError(f"jpeg cannot subsample {subsampling!r}", "use 4:2:0, 4:2:2 or 4:4:4")
        self.subsampling = subsampling

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return through_codec(images, severity, self._code)

    def _code(self, picture: Picture, quality: int) -> Picture:
        return through_pillow(picture, format="JPEG", quality=quality, subsampling=self.subsampling)


class JpegDifferentiable(Degradation):
    """JPEG with soft rounding and 4:2:0 chroma, differentiable throughout.

    Source:
        Kornia's ``jpeg_codec_differentiable`` (Reich et al., "Differentiable JPEG: The Devil is in the
        Details", WACV 2024).
    """

    name: ClassVar[str] = "jpeg_diff"
    unit: ClassVar[str] = "JPEG quality"
    mildest: ClassVar[float] = 99.0
    default_severity: ClassVar[float] = 50.0
    training_range: ClassVar[tuple[float, float]] = (40.0, 95.0)
    valid_range: ClassVar[tuple[float, float]] = (1.0, 99.0)

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        height, width = images.shape[-2:]
        padded = F.pad(images, (0, -width % 16, 0, -height % 16), mode="replicate")
        return jpeg_codec_differentiable(padded, severity)[..., :height, :width]


class Webp(Degradation):
    """Real lossy WebP by Pillow, gradient straight through.

    Args:
        severity: WebP quality, 0 (worst) to 100.
        effort: libwebp's ``method``, 0 (fast) to 6 (small files).
    """

    name: ClassVar[str] = "webp"
    differentiable: ClassVar[bool] = False
    unit: ClassVar[str] = "WebP quality"
    mildest: ClassVar[float] = 100.0
    default_severity: ClassVar[float] = 50.0
    training_range: ClassVar[tuple[float, float]] = (40.0, 95.0)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 100.0)

    def __init__(self, severity: float | Tensor | None = None, effort: int = 2) -> None:
        super().__init__(severity)
        if effort not in range(7):
            raise ConfigError(f"webp cannot have effort {effort!r}", "it is 0 to 6")
        self.effort = effort

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return through_codec(images, severity, self._code)

    def _code(self, picture: Picture, quality: int) -> Picture:
        return through_pillow(picture, format="WEBP", quality=quality, method=self.effort)
