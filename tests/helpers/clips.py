"""Short videos made by code: a picture that moves, a tone beside it."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TICK = Fraction(1, 1000)


def numbered(count: int, height: int = 48, width: int = 64) -> list[NDArray[np.uint8]]:
    """Smooth frames whose brightness tells their number."""
    rows, columns = np.mgrid[:height, :width]
    return [
        np.stack([columns * 2, rows * 3, 0 * rows + 20 + 8 * index], -1).clip(0, 255).astype(np.uint8)
        for index in range(count)
    ]


def make_clip(
    path: Path,
    frames: Sequence[NDArray[np.uint8]],
    stamps: Sequence[int] | None = None,
    *,
    tone: bool = True,
    turned: int = 0,
    crf: int = 8,
    matrix: int = 1,
) -> Path:
    """Write an H.264 video.

    Args:
        path: Where to; the suffix decides the container.
        frames: (H, W, 3) uint8 each; odd sides are coded as 4:4:4.
        stamps: When each frame is shown, in ms; every 40 ms if None.
        tone: Put one second of AAC beside them.
        turned: Degrees against the clock that a player turns the frames.
        crf: Constant rate factor.
        matrix: Colour matrix by its number in H.264: 1 is BT.709, 5 is BT.601.
    """
    height, width = frames[0].shape[:2]
    layout = "yuv444p" if height % 2 or width % 2 else "yuv420p"
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "veryfast"})
        coder = video.codec_context
        coder.width, coder.height, coder.pix_fmt, coder.time_base = width, height, layout, TICK
        coder.colorspace = coder.color_primaries = coder.color_trc = matrix
        if turned:
            video.set_display_rotation(turned)
        sound = output.add_stream("aac", rate=16000) if tone else None
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels).reformat(format=layout, dst_colorspace=matrix)
            frame.pts, frame.time_base = stamps[index] if stamps else 40 * index, TICK
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound is not None:
            wave = (8000 * np.sin(np.arange(16000) * 0.17)).astype(np.int16)[None]
            for start in range(0, 16000, 1024):
                part = av.AudioFrame.from_ndarray(wave[:, start : start + 1024], format="s16", layout="mono")
                part.rate, part.pts = 16000, start
                output.mux(sound.encode(part))
            output.mux(sound.encode(None))
    return path


def sound_packets(path: Path) -> list[tuple[bytes, Fraction]]:
    """Bytes and time of every packet of the first audio stream."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.audio[0]) if packet.size]
        return [(bytes(packet), packet.pts * packet.time_base) for packet in packets]


def only_tone(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", rate=16000)
        part = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        part.rate, part.pts = 16000, 0
        output.mux(sound.encode(part))
        output.mux(sound.encode(None))
    return path
