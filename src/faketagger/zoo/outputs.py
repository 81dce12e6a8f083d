"""What a tool really did to a picture: a driver may say less than its files show, never more."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from faketagger.zoo.events import ImageEvent, Status

_LARGEST_FILE = 2**30


@dataclass(frozen=True)
class Finding:
    """One checked output.

    Attributes:
        status: What happened.
        reason: Why not ``attacked``.
        pixels: (H, W, 3) uint8, None if failed.
        changed: Share of pixels in [0, 1] whose value differs from the input's.
        psnr_db: Output against input; None if equal or failed.
        mask: (H, W) uint8, 255 where the tool made the pixel; None where it did not say.
    """

    status: Status
    reason: str | None
    pixels: np.ndarray | None = None
    changed: float = 0.0
    psnr_db: float | None = None
    mask: np.ndarray | None = None


def judge(event: ImageEvent, path: Path, given: np.ndarray, mask: Path, promised: bool) -> Finding:
    """Hold the driver's word on an image against its output file.

    Args:
        event: The driver's word.
        path: The output file.
        given: (H, W, 3) uint8 input.
        mask: Where the driver may have put its mask.
        promised: Whether the manifest promises one.

    Returns:
        The finding. Unchanged pixels are ``passed_through``, whatever the driver said.
    """
    if event.status == "failed":
        return Finding("failed", event.reason or "the tool failed on it and gave no reason")
    if event.status == "passed_through":
        return Finding("passed_through", event.reason or "the tool left it as it was", given)
    try:
        made = read_png(path)
    except (OSError, ValueError, MemoryError) as error:
        return Finding("failed", f"the driver says attacked, but its output {error}")
    if made.shape != given.shape:
        sizes = [f"{shape[1]}x{shape[0]}" for shape in (made.shape, given.shape)]
        return Finding("failed", f"the output has {sizes[0]} pixels instead of {sizes[1]}")
    different = (made != given).any(axis=2)
    if not different.any():
        return Finding("passed_through", "the output equals the input pixel by pixel", given)
    if garbage := _garbage(made, given):
        return Finding("failed", f"the output is {garbage}")
    error_power = float(np.mean((made.astype(np.float64) - given) ** 2))
    try:
        told = _read_mask(mask, given.shape[:2])
    except (OSError, ValueError, MemoryError) as error:
        return Finding("failed", f"the mask that belongs to its output {error}")
    if told is None and promised:
        return Finding("failed", "the mask that the manifest promises is missing")
    psnr_db = 10 * float(np.log10(255**2 / error_power))
    return Finding("attacked", None, made, float(different.mean()), psnr_db, told)


def _garbage(made: np.ndarray, given: np.ndarray) -> str | None:
    """What a tool makes of any picture when it is broken."""
    if made.std() < 1.0 and given.std() > 5.0:
        return "one flat colour"
    brightness = made.mean()  # rules both colours out for nearly every picture, in a tenth of the time
    for colour, low, high, possible in (("white", 248, 255, brightness > 240), ("black", 0, 7, brightness < 15)):
        if not possible:
            continue
        shares = [float(((picture >= low) & (picture <= high)).all(axis=2).mean()) for picture in (made, given)]
        if shares[0] > 0.98 and shares[1] < 0.5:
            return f"nearly all {colour}"
    return None


def _read_mask(path: Path, size: tuple[int, ...]) -> np.ndarray | None:
    if not os.path.lexists(path):
        return None
    mask = read_png(path)[..., 0]
    if mask.shape != size:
        raise ValueError(f"has {mask.shape[1]}x{mask.shape[0]} pixels instead of {size[1]}x{size[0]}")
    if not mask.any():
        raise ValueError("is empty, though pixels changed")
    return mask


def read_png(path: Path) -> np.ndarray:
    """Decode a PNG made by a tool.

    Args:
        path: A regular file in a real folder: a tool could put a link or a pipe there, which are refused.

    Returns:
        (H, W, 3) uint8.

    Raises:
        OSError: It is missing or broken; the message continues the sentence "the output ...".
        ValueError: It is too large to be meant seriously.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            handle = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        finally:
            os.close(folder)
    except FileNotFoundError:
        raise OSError("is missing") from None
    except OSError as error:
        raise OSError(f"cannot be opened ({error.strerror})") from None
    with open(handle, "rb") as file:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode) or not 0 < state.st_size < _LARGEST_FILE:
            raise ValueError(f"is no regular file of a sensible size ({state.st_size} bytes)")
        try:
            with Image.open(file, formats=["PNG"]) as image:
                return np.asarray(image.convert("RGB"))
        except (
            Image.DecompressionBombError,
            Image.UnidentifiedImageError,
            OSError,
            SyntaxError,
            ValueError,
        ) as error:
            raise OSError(f"cannot be decoded ({type(error).__name__})") from None


def stage_png(pixels: np.ndarray, source: Path, target: Path) -> None:
    """Hand a picture to a tool as a plain PNG: 8-bit RGB without metadata.

    Args:
        pixels: (H, W, 3) uint8.
        source: The file they were read from; copied where it is such a PNG itself, which takes a twentieth of the time.
        target: Where to.

    Raises:
        OSError: It cannot be written.
    """
    content = source.read_bytes()
    if _is_plain(content):
        target.write_bytes(content)
    else:
        write_png(pixels, target)


def _is_plain(content: bytes) -> bool:
    """PNG of 8-bit RGB (PNG specification, 11.2.1), not interlaced, with no chunks but IHDR, IDAT and IEND."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[24:26] != b"\x08\x02" or content[28:29] != b"\x00":
        return False
    place = 8
    while place + 8 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        if kind not in (b"IHDR", b"IDAT", b"IEND"):
            return False
        place += 12 + length
    return place == len(content)


def write_png(pixels: np.ndarray, path: Path) -> None:
    """Write (H, W, 3) or (H, W) uint8 quickly and without metadata."""
    Image.fromarray(pixels).save(path, format="PNG", compress_level=1)
