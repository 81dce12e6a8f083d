"""16 bits a channel, and TIFF at any depth: what Pillow itself reads and writes at 8 bits only."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, TiffImagePlugin

from faketagger.errors import ImageError
from faketagger.imaging.exif import HEADER, tiff_tags
from faketagger.imaging.photo import Photo

_PNG_START = 33
"""A PNG's signature and header chunk end here; colour profile and metadata must follow."""


def is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether an opened PNG or TIFF stores 16 bits a channel (CMYK excepted: it ends as 8-bit sRGB).

    Args:
        image: The picture as Pillow opened it.
        data: The whole file.
    """
    if image.format == "PNG":
        return data[24] == 16
    if image.format == "TIFF" and image.mode != "CMYK":
        bits = getattr(image, "tag_v2", {}).get(258, (8,))
        return max(bits if isinstance(bits, tuple) else (bits,)) == 16
    return False


def decode_deep(image: Image.Image, data: bytes) -> np.ndarray:
    """Decode a 16-bit PNG or TIFF.

    Args:
        image: The picture as Pillow opened it.
        data: The whole file.

    Returns:
        uint16 (H, W, C) with C = 1 grey, 3 RGB or 4 RGB and alpha (also for grey with alpha).

    Raises:
        ImageError: If it cannot be decoded.
    """
    import cv2

    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None]
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ImageError("This kind of 16-bit file is not supported.", "Convert it to an RGB PNG or TIFF.")
    if pixels.ndim == 2:
        return pixels[..., None]
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def encode_deep_png(photo: Photo) -> bytes:
    """Encode a 16-bit PNG with profile, EXIF, XMP and resolution.

    Args:
        photo: A photograph of 16 bits.

    Returns:
        The file.
    """
    import cv2

    pixels = _planes(photo)
    order = [2, 1, 0, 3][: pixels.shape[2]] if pixels.shape[2] > 1 else [0]
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels[..., order]))
    if not done:
        raise ImageError("The picture cannot be encoded as a 16-bit PNG.")
    data = encoded.tobytes()
    extra = b""
    if photo.profile is not None:
        extra += _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(photo.profile.icc))
    if photo.metadata.dpi:
        extra += _chunk(b"pHYs", struct.pack(">IIB", *(round(d / 0.0254) for d in photo.metadata.dpi), 1))
    if photo.metadata.exif:
        extra += _chunk(b"eXIf", photo.metadata.exif.removeprefix(HEADER))
    if photo.metadata.xmp:
        extra += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + photo.metadata.xmp)
    return data[:_PNG_START] + extra + data[_PNG_START:]


def _planes(photo: Photo) -> np.ndarray:
    """Pixels and alpha in one array; grey with alpha becomes RGB, since few readers know it at 16 bits."""
    if photo.alpha is None:
        return photo.pixels
    colours = np.repeat(photo.pixels, 3, axis=2) if photo.is_grey else photo.pixels
    return np.concatenate([colours, photo.alpha[..., None]], axis=2)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def encode_tiff(photo: Photo) -> bytes:
    """Encode a TIFF of 8 or 16 bits: deflate with horizontal differences, descriptive tags kept.

    Args:
        photo: Any photograph.

    Returns:
        The file.

    Source: TIFF 6.0, sections 8 and 14; Adobe Photoshop TIFF Technical Notes (2002) for deflate.
    """
    planes = _planes(photo)
    differences = planes.copy()
    differences[:, 1:] -= planes[:, :-1]
    strip = zlib.compress(differences.astype(differences.dtype.newbyteorder("<"), copy=False).tobytes())
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tiff_tags(photo.metadata.exif).items():
        directory[tag] = value
    directory[256], directory[257] = photo.width, photo.height
    directory[258] = (photo.depth,) * planes.shape[2]
    directory[259], directory[317] = 8, 2
    directory[262] = 1 if planes.shape[2] == 1 else 2
    directory[277], directory[278], directory[284] = planes.shape[2], photo.height, 1
    directory[273], directory[279] = 0, len(strip)
    if photo.alpha is not None:
        directory[338] = 2
    if photo.metadata.dpi:
        directory[282], directory[283], directory[296] = *photo.metadata.dpi, 2
    if photo.metadata.xmp:
        directory[700] = photo.metadata.xmp
    if photo.profile is not None:
        directory[34675] = photo.profile.icc
    file = io.BytesIO()
    directory.save(file)
    file.write(strip)
    return file.getvalue()
