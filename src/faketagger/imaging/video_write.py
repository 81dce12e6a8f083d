"""Write a video anew, frame by frame: what is not changed on purpose stays, and the file comes whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation
from numpy.typing import NDArray

from faketagger.errors import ImageError
from faketagger.imaging.video import Frame, time_of
from faketagger.imaging.video_source import Source, same_file, turns_of, upright_pixels

WRITABLE_VIDEOS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffix to container."""
CRF = 18
"""libx264's constant rate factor: 0 is best, 51 worst, 18 is hard to tell from the source."""

Change = Callable[[Frame], NDArray[np.uint8] | None]
_AREA = int(Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP)
_RGB, _UNSPECIFIED = 0, 2
_TECHNICAL = ("major_brand", "minor_version", "compatible_brands", "encoder")
_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EFBIG: "the file grows larger than is allowed here",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "no permission to write there",
    errno.ENOENT: "the folder does not exist",
}


def rewrite_video(
    source: str | Path,
    target: str | Path,
    change: Change,
    *,
    crf: float = CRF,
    lossless: bool = False,
    sound: bool = True,
    approve: Callable[[], None] = lambda: None,
) -> int:
    """Copy a video with other pixels.

    Number, order and time stamps of the frames, their size and colour tags, the sound (packet by packet, not encoded
    again) and the title stay. A turned video is written upright. H.264 with 4:2:0 chroma is the default.

    Args:
        source: The video to copy.
        target: The new file; its suffix, one of :data:`WRITABLE_VIDEOS`, decides the container.
        change: Called with each frame in order; gives its new (H, W, 3) uint8 pixels, or None to leave it.
        crf: Constant rate factor, 0 to 51.
        lossless: Keep every RGB value (H.264 4:4:4 predictive, which few players but all editors show).
        sound: Copy the audio streams.
        approve: Called when all is written; what it raises takes the new file away.

    Returns:
        Number of frames written.

    Raises:
        ImageError: The source is unusable, the target cannot hold it, or the disk refuses. Then no new file is left
            and an older file of that name is untouched.
    """
    target = Path(target)
    if same_file(Path(source), target):
        raise ImageError(f"{target} would overwrite the video that is read.", "Choose another --out.")
    if not 0 <= crf <= 51:
        raise ImageError(f"The constant rate factor lies between 0 and 51, not at {crf:g}.")
    with Source(source) as opened, _container(target) as output:
        writer = _Writer(opened, output, target, crf, lossless, sound)
        for item in opened.walk(sound):
            if isinstance(item, av.VideoFrame):
                writer.frame(item, change)
            else:
                writer.sound(item)
        writer.finish()
        approve()
    return writer.count


class _Writer:
    """Encodes into an output container; the stream is made at the first frame, when its true size is known."""

    def __init__(
        self,
        source: Source,
        output: av.container.OutputContainer,
        target: Path,
        crf: float,
        lossless: bool,
        sound: bool,
    ) -> None:
        self.source, self.output, self.target = source, output, target
        self.codec = "libx264rgb" if lossless else "libx264"
        self.format = "rgb24" if lossless else "yuv420p"
        self.options = {"qp": "0"} if lossless else {"crf": f"{crf:g}"}
        self.count = 0
        self.last: int | None = None
        self.size = (0, 0)
        self.early: list[av.Packet] = []
        options = self.options | {"preset": "medium"}
        self.stream: Any = output.add_stream(self.codec, rate=source.rate, options=options)
        self.copies = {stream.index: self._copy(stream) for stream in source.audio} if sound else {}
        for name, text in source.container.metadata.items():
            if name not in _TECHNICAL:
                output.metadata[name] = text

    def frame(self, decoded: av.VideoFrame, change: Change) -> None:
        """Encode one frame, changed or not."""
        pixels = upright_pixels(decoded)
        if self.count == 0:
            self._describe(decoded, pixels.shape[1], pixels.shape[0])
            for packet in self.early:
                self.output.mux(packet)
        if pixels.shape[:2] != self.size:
            raise ImageError(f"{self.source.path} changes its size midway, from {self.size} to {pixels.shape[:2]}.")
        new = change(Frame(self.count, time_of(decoded, self.count, self.source.rate), pixels))
        if new is not None and (new.shape != pixels.shape or new.dtype != np.uint8):
            raise ImageError(f"A new frame is {new.dtype} {new.shape} instead of uint8 {pixels.shape}.")
        self.output.mux(self.stream.encode(self._encodable(pixels if new is None else new, decoded)))
        self.count += 1

    def sound(self, packet: av.Packet) -> None:
        """Copy one packet; those before the first frame wait for it."""
        packet.stream = self.copies[packet.stream.index]
        if self.count:
            self.output.mux(packet)
        else:
            self.early.append(packet)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self.count == 0:
            raise ImageError(f"{self.source.path} holds no frame.")
        self.output.mux(self.stream.encode(None))

    def _describe(self, decoded: av.VideoFrame, width: int, height: int) -> None:
        if self.format == "yuv420p" and (width % 2 or height % 2):
            raise ImageError(
                f"{self.source.path} is {width} x {height}: H.264 with 4:2:0 chroma needs even sides.",
                "Write it with --lossless, or crop one row or column first.",
            )
        self.size = (height, width)
        coder, given = self.stream.codec_context, self.source.stream.codec_context
        coder.width, coder.height, coder.pix_fmt = width, height, self.format
        coder.time_base = self.source.stream.time_base or 1 / self.source.rate
        shape = self.source.stream.sample_aspect_ratio
        if shape:
            coder.sample_aspect_ratio = 1 / shape if turns_of(decoded) % 2 else shape
        coder.color_primaries, coder.color_trc = given.color_primaries, given.color_trc
        if self.format == "yuv420p":
            self.matrix = given.colorspace if given.colorspace != _RGB else _UNSPECIFIED
            full = "yuvj" in (given.pix_fmt or "") or given.color_range == ColorRange.JPEG
            self.range = ColorRange.JPEG if full else ColorRange.MPEG
            coder.colorspace, coder.color_range = self.matrix, int(self.range)

    def _encodable(self, pixels: NDArray[np.uint8], decoded: av.VideoFrame) -> av.VideoFrame:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        if self.format == "yuv420p":
            frame = frame.reformat(
                format=self.format, dst_colorspace=self.matrix, dst_color_range=self.range, interpolation=_AREA
            )
            frame.colorspace, frame.color_range = self.matrix, int(self.range)
        base = self.stream.codec_context.time_base
        stamp = decoded.pts
        if stamp is None:
            stamp = round(Fraction(self.count) / self.source.rate / base)
        self.last = stamp if self.last is None else max(stamp, self.last + 1)
        frame.pts, frame.time_base = self.last, base
        return frame

    def _copy(self, stream: av.AudioStream) -> av.AudioStream:
        try:
            copy = self.output.add_stream_from_template(stream)
        except (av.FFmpegError, ValueError) as error:
            name = stream.codec_context.name
            raise ImageError(f"{self.target} cannot hold sound coded as {name}.", "Write an .mkv.") from error
        copy.metadata.update({name: text for name, text in stream.metadata.items() if name == "language"})
        return copy


@contextmanager
def _container(target: Path) -> Iterator[av.container.OutputContainer]:
    """An output beside the target that takes its place when all went well and is gone otherwise."""
    kind = WRITABLE_VIDEOS.get(target.suffix.lower())
    if kind is None:
        known = ", ".join(WRITABLE_VIDEOS)
        raise ImageError(f"{target}: cannot write {target.suffix or 'a name without suffix'}.", f"Use one of {known}.")
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with av.open(f"file:{temporary}", "w", format=kind) as output:
                yield output
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = _DISK.get(getattr(error, "errno", None) or 0, str(getattr(error, "strerror", None) or error).lower())
        raise ImageError(f"{target} cannot be written: {reason}.") from error
