"""Videos as a stream of upright RGB frames: presentation order, true time stamps, one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from faketagger.errors import ImageError
from faketagger.imaging.video_source import Source, upright_pixels

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".3gp", ".wmv", ".flv"}
)
"""Names that are taken for videos."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself.

    Attributes:
        width: Columns of an upright frame.
        height: Rows of an upright frame.
        frames: How many it holds.
        rate: Mean frames a second.
        codec: Of the pictures.
        audio: Codecs of the sound, one a stream.
    """

    width: int
    height: int
    frames: int
    rate: Fraction
    codec: str
    audio: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        index: Place in presentation order, from 0.
        time_s: When it is shown, in seconds on the file's own clock.
        pixels: (H, W, 3) uint8 sRGB, upright.
    """

    index: int
    time_s: float
    pixels: NDArray[np.uint8]


def is_video(path: str | Path) -> bool:
    """Whether a name is a video's; the name decides, as nothing is opened."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def probe_video(path: str | Path) -> VideoInfo:
    """Count the frames of a video and look at the first one.

    Args:
        path: The file.

    Raises:
        ImageError: It is no usable video, or holds no frame.
    """
    with Source(path) as source:
        frames = source.count_packets()
        rate, codec = source.rate, source.stream.codec_context.name
        audio = tuple(stream.codec_context.name for stream in source.audio)
    height, width = next(read_frames(path)).pixels.shape[:2]
    return VideoInfo(width, height, frames, rate, codec, audio)


def read_frames(path: str | Path, every: int = 1, limit: int | None = None) -> Iterator[Frame]:
    """Decode a video frame by frame.

    Args:
        path: The file.
        every: Give each n-th frame only; those between are decoded but not converted.
        limit: At most so many frames.

    Yields:
        Frames in presentation order.

    Raises:
        ImageError: The file is no usable video, is damaged, or holds no frame.
    """
    with Source(path) as source:
        given = 0
        for index, decoded in enumerate(source.walk()):
            if limit is not None and given >= limit:
                return
            if index % every == 0 and isinstance(decoded, av.VideoFrame):
                given += 1
                yield Frame(index, time_of(decoded, index, source.rate), upright_pixels(decoded))
        if not given:
            raise ImageError(f"{path} holds no frame.")


def time_of(frame: av.VideoFrame, index: int, rate: Fraction) -> float:
    """When a frame is shown in seconds; from its number where it has no time stamp."""
    if frame.pts is None or frame.time_base is None:
        return float(index / rate)
    return float(frame.pts * frame.time_base)
