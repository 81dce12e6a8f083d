"""Decode a photograph safely: every limit is checked on the header, before a pixel is decoded."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from faketagger.errors import ImageError
from faketagger.imaging.colour import Profile, load_profile
from faketagger.imaging.deep import decode_deep, is_deep
from faketagger.imaging.exif import clean_exif, clean_xmp, exif_of_tiff, orientation, upright
from faketagger.imaging.photo import Metadata, Photo

MIN_SIDE = 16
"""Pixels; a smaller picture cannot hold a face."""
MAX_PIXELS = 120_000_000
"""Largest accepted width x height; phones end at 108 or, rarely, 200 million."""

_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF", "JPEG2000")
_LOSSLESS = ("PNG", "TIFF", "BMP", "GIF")
_STILL_WITH_EXTRAS = ("MPO", "HEIF")
"""Phones put gain maps, depth or a burst behind the main picture; these formats name the main one."""


@cache
def _formats() -> tuple[str, ...]:
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def read_photo(source: str | Path | bytes, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a photograph upright, with everything needed to write it back.

    What a file holds decides, not its name. CMYK, palette and look-up-table profiles become 8-bit sRGB;
    HEIF and AVIF of more than 8 bits become 8 bits; 16-bit PNG and TIFF stay 16; greyscale stays greyscale.

    Args:
        source: A path or a whole file's bytes.
        max_pixels: Largest width x height that is decoded.

    Returns:
        The photograph.

    Raises:
        ImageError: If the file is missing, empty, cut off, no picture, animated, too small or too large.
    """
    name, data = _load(source)
    image = _open(name, data)
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            f"{name} is {width} x {height}: more than {max_pixels / 1e6:g} million pixels.",
            "Make it smaller first.",
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{name} is {width} x {height}: too small, each side needs {MIN_SIDE} pixels.")
    if getattr(image, "n_frames", 1) > 1 and image.format not in _STILL_WITH_EXTRAS:
        raise ImageError(
            f"{name} holds {getattr(image, 'n_frames', 0)} frames or pages, not one photograph.",
            "Extract the frames you want as single pictures.",
        )
    if image.format == "TIFF" and 50706 in getattr(image, "tag_v2", {}):
        raise ImageError(f"{name} is a camera's raw file (DNG).", "Develop it to a TIFF, PNG or JPEG first.")
    try:
        return _decode(image, data)
    except ImageError as error:
        raise ImageError(f"{name}: {error.message}", error.hint) from error
    except Exception as error:
        raise ImageError(f"{name} is cut off or damaged ({error}).") from error


def _load(source: str | Path | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        name, data = "The given picture", source
    else:
        name = str(source)
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise ImageError(
                f"{name} cannot be read: {(error.strerror or 'unknown error').lower()}."
            ) from error
    if not data:
        raise ImageError(f"{name} is empty (0 bytes).")
    return name, data


def _open(name: str, data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data), formats=_formats())
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} is far too large to decode: {error}", "Make it smaller first.") from error
    except Exception as error:
        raise ImageError(
            f"{name} is no picture, or its beginning is damaged.",
            "Known formats: JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP, GIF, JPEG 2000.",
        ) from error


def _decode(image: Image.Image, data: bytes) -> Photo:
    image.load()
    turn = orientation(image)
    icc = image.info.get("icc_profile")
    metadata = _metadata(image, data)
    if is_deep(image, data):
        stored = decode_deep(image, data)
        pixels, alpha = (stored[..., :3], stored[..., 3]) if stored.shape[2] == 4 else (stored, None)
    else:
        pixels, alpha, icc = _eight_bits(image, icc)
    profile = load_profile(icc) if icc else None
    if icc and profile is None and pixels.shape[2] == 3:
        pixels, profile = _through_tables(pixels, icc)
    if profile is not None and profile.curves.shape[1] != pixels.shape[2]:
        profile = None
    return Photo(
        pixels=upright(pixels, turn),
        alpha=None if alpha is None else upright(alpha, turn),
        profile=profile,
        format="JPEG" if image.format == "MPO" else str(image.format),
        metadata=metadata,
    )


def _metadata(image: Image.Image, data: bytes) -> Metadata:
    info: dict[Any, Any] = image.info
    tables: dict[int, list[int]] = getattr(image, "quantization", None) or {}
    dpi = info.get("dpi")
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp")
    return Metadata(
        exif=clean_exif(exif_of_tiff(image) if image.format == "TIFF" else info.get("exif")),
        xmp=clean_xmp(xmp),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
        jpeg_tables=tuple(tuple(tables[key]) for key in sorted(tables)),
        progressive=bool(info.get("progressive")),
        lossless=image.format in _LOSSLESS or (image.format == "WEBP" and _is_lossless_webp(data)),
    )


def _is_lossless_webp(data: bytes) -> bool:
    """Walk the RIFF chunks to the one that holds the pixels."""
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        at += 8 + size + size % 2
    return False


def _eight_bits(image: Image.Image, icc: bytes | None) -> tuple[np.ndarray, np.ndarray | None, bytes | None]:
    """Pixels (H, W, 1 or 3), alpha, and the profile that still applies to them."""
    if image.mode == "CMYK":
        return _from_cmyk(image, icc), None, None
    if image.mode not in ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"):
        raise ImageError(
            f"pixels of the kind {image.mode} are not supported.",
            "Convert it to an 8- or 16-bit RGB PNG or TIFF.",
        )
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        array = np.array(image.convert("RGBA"))
        return array[..., :1] if grey else array[..., :3], array[..., 3], icc
    return np.array(image.convert("L"))[..., None] if grey else np.array(image.convert("RGB")), None, icc


def _from_cmyk(image: Image.Image, icc: bytes | None) -> np.ndarray:
    converted = None
    if icc:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, _as_cms(icc), srgb, outputMode="RGB")
    return np.array(converted or image.convert("RGB"))


def _as_cms(icc: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(icc))


def _through_tables(pixels: np.ndarray, icc: bytes) -> tuple[np.ndarray, Profile | None]:
    """Convert RGB with a look-up-table profile to sRGB at 8-bit precision; a damaged profile is dropped."""
    top = np.iinfo(pixels.dtype).max
    eight = pixels if top == 255 else np.rint(pixels / 257.0).astype(np.uint8)
    srgb = ImageCms.createProfile("sRGB")
    try:
        converted = ImageCms.profileToProfile(Image.fromarray(eight), _as_cms(icc), srgb)
    except (ImageCms.PyCMSError, OSError):
        return pixels, None
    array = np.asarray(converted).astype(pixels.dtype) * pixels.dtype.type(top // 255)
    return array, load_profile(ImageCms.ImageCmsProfile(srgb).tobytes())
