"""What video coding does to one picture: H.264 by libx264."""

from fractions import Fraction
from typing import ClassVar

import av
import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator.degradations.base import Degradation, straight_through
from faketagger.simulator.degradations.codecs import Picture, through_codec

_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")


class H264(Degradation):
    """Real H.264 by libx264, gradient straight through.

    Each picture is coded alone, as the intra frame that opens a clip: 4:2:0 chroma, constant rate factor.
    What motion prediction from other frames would add is not in it.

    Args:
        severity: Constant rate factor, 0 (best) to 51.
        preset: libx264's preset.
        enlarge: How many times larger a picture is coded than it is: for views that show pictures reduced, and would
            meet blocks too coarse for them.
    """

    name: ClassVar[str] = "h264"
    differentiable: ClassVar[bool] = False
    unit: ClassVar[str] = "constant rate factor of libx264"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 32.0
    training_range: ClassVar[tuple[float, float]] = (18.0, 36.0)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 51.0)

    def __init__(self, severity: float | Tensor | None = None, preset: str = "veryfast", enlarge: int = 1) -> None:
        super().__init__(severity)
        if preset not in _PRESETS:
            raise ConfigError(f"h264 has no preset {preset!r}", f"use one of {', '.join(_PRESETS)}")
        if enlarge < 1:
            raise ConfigError(f"h264 cannot enlarge a picture {enlarge} times", "use 1 or more")
        self.preset, self.enlarge = preset, enlarge

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        if self.enlarge == 1:
            return through_codec(images, severity, self._code)
        large = functional.interpolate(images.detach(), scale_factor=float(self.enlarge), mode="bicubic")
        coded = functional.avg_pool2d(through_codec(large.clamp(0, 1), severity, self._code), self.enlarge)
        return straight_through(images, coded)

    def _code(self, picture: Picture, crf: int) -> Picture:
        height, width = picture.shape[:2]
        return decode_h264(encode_h264(picture, crf, self.preset))[:height, :width]


def encode_h264(picture: Picture, crf: int, preset: str = "veryfast") -> list[av.Packet]:
    """Code one picture with libx264.

    Args:
        picture: H x W x 3 uint8 RGB; odd sides are extended by one pixel, since chroma is halved.
        crf: Constant rate factor, 0 to 51.
        preset: libx264's preset.

    Returns:
        The packets of the stream.
    """
    height, width = picture.shape[:2]
    even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    coder = av.CodecContext.create("libx264", "w")
    coder.height, coder.width = even.shape[:2]
    coder.pix_fmt = "yuv420p"
    coder.time_base = Fraction(1, 25)
    coder.thread_count = 1
    coder.options = {"crf": str(crf), "preset": preset}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24").reformat(format="yuv420p")
    frame.pts = 0
    return [*coder.encode(frame), *coder.encode(None)]


def decode_h264(packets: list[av.Packet]) -> Picture:
    """Decode the first picture of an H.264 stream.

    Args:
        packets: As :func:`encode_h264` gives them.

    Returns:
        H x W x 3 uint8 RGB.
    """
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + list(decoder.decode(None))
    return frames[0].to_ndarray(format="rgb24").astype(np.uint8, copy=False)
