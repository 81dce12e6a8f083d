"""EXIF and XMP: read the orientation, reset it, cut the thumbnail off, touch no other byte.

Re-serialising EXIF breaks maker notes, so the block is patched in place: orientation becomes 1 (the pixels
are handed out upright) and the link to the thumbnail is zeroed (it would show the untagged picture).
"""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
from PIL import Image

HEADER = b"Exif\0\0"
ORIENTATION = 0x0112
SUB_DIRECTORIES = (0x8769, 0x8825)
"""The Exif and the GPS directory."""

_TIFF_TAGS = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
"""Description, make, model, software, date, artist, copyright."""


def clean_exif(exif: bytes | None) -> bytes | None:
    """Reset the orientation and drop the thumbnail.

    Args:
        exif: Raw EXIF block, with or without the ``Exif\\0\\0`` header.

    Returns:
        The block with its header, or None if there is none or it is damaged.
    """
    if not exif:
        return None
    data = bytearray(exif[len(HEADER) :] if exif.startswith(HEADER) else exif)
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    try:
        if order is None:
            return None
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            if struct.unpack_from(order + "H", data, entry)[0] == ORIENTATION:
                struct.pack_into(order + "HIHH", data, entry + 2, 3, 1, 1, 0)
        struct.pack_into(order + "I", data, start + 2 + 12 * count, 0)
    except struct.error:
        return None
    return HEADER + bytes(data)


def clean_xmp(xmp: bytes | str | None) -> bytes | None:
    """Remove the orientation from an XMP packet.

    Args:
        xmp: The packet.

    Returns:
        The packet without ``tiff:Orientation``, or None if there is none.
    """
    if not xmp:
        return None
    raw = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
    raw = re.sub(rb'tiff:Orientation="[0-9]"', b"", raw)
    return re.sub(rb"<tiff:Orientation>[0-9]</tiff:Orientation>", b"", raw)


def exif_of_tiff(image: Image.Image) -> bytes | None:
    """Collect a TIFF's descriptive tags into an EXIF block.

    Args:
        image: An opened TIFF.

    Returns:
        The block with its header, or None if nothing is there.
    """
    source = image.getexif()
    found = Image.Exif()
    for tag in _TIFF_TAGS:
        if tag in source:
            found[tag] = source[tag]
    for tag in SUB_DIRECTORIES:
        if directory := source.get_ifd(tag):
            found[tag] = directory
    return found.tobytes() if len(found) else None


def tiff_tags(exif: bytes | None) -> dict[int, Any]:
    """Unpack an EXIF block for a TIFF's own directory.

    Args:
        exif: The block with its header.

    Returns:
        Tag number to value; the Exif and GPS directories are dictionaries.
    """
    if exif is None:
        return {}
    block = Image.Exif()
    block.load(exif)
    tags = {tag: block[tag] for tag in _TIFF_TAGS if tag in block}
    return tags | {tag: block.get_ifd(tag) for tag in SUB_DIRECTORIES if block.get_ifd(tag)}


def orientation(image: Image.Image) -> int:
    """The EXIF (or XMP) orientation of an opened picture, 1 to 8; 1 if absent or absurd."""
    value = image.getexif().get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror an array so that the picture stands upright.

    Args:
        pixels: (H, W, ...) array.
        orientation: EXIF orientation, 1 to 8.

    Returns:
        A contiguous array, (W, H, ...) for orientations 5 to 8.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return np.ascontiguousarray(pixels[rows, columns])
