"""The faces of a benchmark: chosen evenly over people, cut square, kept as PNG."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faketagger.bench.sources import Source
from faketagger.imaging import write_atomically

Pixels = NDArray[np.uint8]
FACE_SHARE = 2.4
"""Side of the square cut out of a photograph, in sides of the landmarks' box; less where the photo ends."""


@dataclass(frozen=True)
class Cut:
    """A photograph with its face found and cut out, not yet tagged.

    Attributes:
        name: As for :class:`Source`.
        identity: Whose face it is.
        path: Path of the PNG.
        landmarks: (68, 2) as found in it.
    """

    name: str
    identity: str
    path: Path
    landmarks: NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """A prepared picture.

    Attributes:
        name: As for :class:`Source`.
        identity: Whose face it is.
        original: Path of the untagged PNG.
        tagged: Path of the tagged PNG.
        landmarks: (68, 2) as found in the original.
        tagged_landmarks: (68, 2) as the attacker finds them in the tagged picture; NaN where no face is
            found.
        quality: ``psnr_db, ssim, psnr_face_db, ssim_face`` of tagged against original.
    """

    name: str
    identity: str
    original: Path
    tagged: Path
    landmarks: NDArray[np.float32]
    tagged_landmarks: NDArray[np.float32]
    quality: dict[str, float]


def choose(sources: list[Source], count: int | None, seed: int) -> list[Source]:
    """Draw pictures evenly over identities, whatever the order they come in.

    Args:
        sources: Everything there is.
        count: At most so many; None for all.
        seed: Fixes the draw.

    Returns:
        The chosen ones, by name.
    """

    def lot(text: str) -> bytes:
        return hashlib.sha256(f"{seed}/{text}".encode()).digest()

    people: dict[str, list[Source]] = {}
    for source in sorted(sources, key=lambda source: lot(source.name)):
        people.setdefault(source.identity, []).append(source)
    order = sorted(people, key=lot)
    rounds = max(len(pictures) for pictures in people.values()) if people else 0
    drawn = [people[who][turn] for turn in range(rounds) for who in order if turn < len(people[who])]
    return sorted(drawn[:count], key=lambda source: source.name)


def cut_square(image: Pixels, landmarks: NDArray[np.floating], size: int) -> Pixels:
    """Square part of a photograph around its face, resampled.

    Args:
        image: (H, W, 3) uint8.
        landmarks: (68, 2) pixel coordinates.
        size: Side of the result.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    low, high = landmarks.min(0), landmarks.max(0)
    side = round(min(height, width, float((high - low).max()) * FACE_SHARE))
    centre = (low + high) / 2
    left = int(np.clip(round(float(centre[0]) - side / 2), 0, width - side))
    top = int(np.clip(round(float(centre[1]) - side / 2), 0, height - side))
    part = Image.fromarray(image[top : top + side, left : left + side])
    return np.asarray(part.resize((size, size), Image.Resampling.LANCZOS))


def save_png(path: Path, image: Pixels) -> None:
    """Write a lossless picture, whole or not at all.

    Args:
        path: Where to; the folder exists.
        image: (H, W, 3) uint8.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    write_atomically(buffer.getvalue(), path)


def load_png(path: Path) -> Pixels:
    """Read a picture that the benchmark or an adapter wrote.

    Args:
        path: A picture.

    Returns:
        (H, W, 3) uint8.
    """
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
