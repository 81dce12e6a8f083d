"""A video file opened safely: one video stream to decode, the sound beside it, nothing that refers elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from faketagger.errors import ImageError
from faketagger.imaging.read import MAX_PIXELS, MIN_SIDE

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg,h264,hevc"
"""Containers that hold their own frames. Playlists, which can name other files and addresses, are left out."""
_SMOOTH = int(Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND)
_TRUNCATED = "is cut off: the file is shorter than its own header says"
_REMEDY = "Copy it again, or repair it with a video tool first."


class Source:
    """An opened video; use it with ``with``.

    Args:
        path: The file.

    Raises:
        ImageError: It is missing, empty, cut off, no video, has no video stream, or its frames are too small or large.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            size = self.path.stat().st_size
            cut = is_cut_off(self.path)
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {(error.strerror or 'unknown error').lower()}.") from error
        if size == 0:
            raise ImageError(f"{path} is empty (0 bytes).")
        if cut:
            raise ImageError(f"{path} {_TRUNCATED}.", _REMEDY)
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        try:
            self.container = av.open(f"file:{self.path}", options=options)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise ImageError(
                f"{path} is no video, or its beginning is damaged.", "Known formats: MP4, MOV, MKV, WebM, AVI, MPEG."
            ) from error
        try:
            self._choose()
        except BaseException:
            self.container.close()
            raise

    def _choose(self) -> None:
        shown = [s for s in self.container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not shown:
            raise ImageError(f"{self.path} holds no video stream, only {_listed(self.container)}.")
        self.stream = shown[0]
        self.audio = list(self.container.streams.audio)
        if self.stream.codec_context is None:
            raise ImageError(f"{self.path}: its video codec is not known here.")
        width, height = self.stream.codec_context.width, self.stream.codec_context.height
        if width * height > MAX_PIXELS:
            raise ImageError(f"{self.path} is {width} x {height}: more than {MAX_PIXELS / 1e6:g} million pixels.")
        if min(width, height) < MIN_SIDE:
            raise ImageError(f"{self.path} is {width} x {height}: too small, each side needs {MIN_SIDE} pixels.")

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.container.close()

    @property
    def rate(self) -> Fraction:
        """Mean frames a second as the container tells it; 25 where it tells nothing."""
        return Fraction(self.stream.average_rate or self.stream.guessed_rate or 25)

    def count_packets(self) -> int:
        """Number of frames in the file, without decoding; the file must be opened again afterwards."""
        try:
            return sum(packet.dts is not None or packet.size > 0 for packet in self.container.demux(self.stream))
        except (av.FFmpegError, OSError) as error:
            raise self._damaged(error) from error

    def walk(self, sound: bool = False) -> Iterator[av.VideoFrame | av.Packet]:
        """Decode from the first frame to the last.

        Args:
            sound: Also give the packets of the sound, as they lie between the frames.

        Yields:
            Frames in presentation order; packets of the audio streams in between.

        Raises:
            ImageError: The file is damaged.
        """
        wanted = [self.stream, *self.audio] if sound else [self.stream]
        try:
            for packet in self.container.demux(wanted):
                if packet.stream.index == self.stream.index:
                    yield from (frame for frame in packet.decode() if isinstance(frame, av.VideoFrame))
                elif packet.size > 0:
                    yield packet
        except (av.FFmpegError, OSError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> ImageError:
        return ImageError(f"{self.path} is damaged ({getattr(error, 'strerror', None) or error}).", _REMEDY)


def turns_of(frame: av.VideoFrame) -> int:
    """Quarter turns against the clock that bring a frame upright."""
    return round(frame.rotation / 90) % 4


def upright_pixels(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """A frame as people see it: (H, W, 3) uint8 RGB, turned as its display matrix says."""
    rgb = frame.reformat(format="rgb24", interpolation=_SMOOTH).to_ndarray()
    return np.ascontiguousarray(np.rot90(rgb, turns_of(frame)))


def is_cut_off(path: Path) -> bool:
    """Whether a container (MP4, MOV, Matroska, WebM, AVI) names more bytes than its file has.

    Raises:
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return _segment_end(head + file.read(4096)) > size
        if head[:4] == b"RIFF":
            return int.from_bytes(head[4:8], "little") + 8 > size
        if head[4:8] not in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"):
            return False
        position = 0
        while position < size:
            file.seek(position)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:], "big")
            if length < 8:  # the rest of the file, or padding
                return False
            position += length
        return position > size


def _segment_end(head: bytes) -> int:
    """Where Matroska's one segment ends; 0 where it does not say."""
    at = 4
    length, at = _ebml_size(head, at)
    at += length
    if head[at : at + 4] != b"\x18\x53\x80\x67":
        return 0
    length, at = _ebml_size(head, at + 4)
    return at + length if length else 0


def _ebml_size(head: bytes, at: int) -> tuple[int, int]:
    """A size in EBML's variable-length coding and the position behind it; 0 for the reserved "unknown"."""
    if at >= len(head) or not head[at]:
        return 0, at
    width = 9 - head[at].bit_length()
    value = int.from_bytes(head[at : at + width], "big") - (1 << 7 * width)
    return (0 if value == (1 << 7 * width) - 1 else value), at + width


def _listed(container: av.container.InputContainer) -> str:
    kinds = sorted({str(stream.type) for stream in container.streams})
    return " and ".join(kinds) or "nothing"


def same_file(one: Path, other: Path) -> bool:
    """Whether two names lead to one file."""
    return one.exists() and other.exists() and os.path.samefile(one, other)
