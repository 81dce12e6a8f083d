"""Write a photograph back: its own format, profile and metadata, never worse than it came, all or nothing."""

from __future__ import annotations

import errno
import io
import os
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin

from faketagger.errors import ImageError
from faketagger.imaging.deep import encode_deep_png, encode_tiff
from faketagger.imaging.photo import Photo

QUALITY = 95
"""Lossy formats are written at this quality or better."""
_MAX_MARKER = 65_000
"""Bytes; a JPEG holds XMP and EXIF in one segment each."""


def write_photo(photo: Photo, path: str | Path) -> Path:
    """Write a photograph; the name's suffix decides the format.

    JPEG is written 4:4:4 with the finer of the input's quantisation tables and those of quality 95. WebP is
    lossless if the input was (lossy WebP is 4:2:0 by its definition), AVIF is 4:4:4, HEIC keeps the 4:2:0
    that phones can show. 16 bits stay 16 in PNG and TIFF and become 8 elsewhere.

    Args:
        photo: The photograph.
        path: Where to; the folder must exist.

    Returns:
        The path.

    Raises:
        ImageError: If the format cannot hold the picture, or the disk is full or read-only. Then nothing is
            left behind, and an older file of that name is untouched.
    """
    path = Path(path)
    encoder = WRITABLE.get(path.suffix.lower())
    if encoder is None:
        raise ImageError(
            f"{path}: cannot write {path.suffix or 'a name without suffix'}.", "Use .png or .jpg."
        )
    try:
        data = encoder(photo)
    except ImageError as error:
        raise ImageError(f"{path}: {error.message}", error.hint) from error
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ImageError(f"{path} cannot be encoded ({error}).") from error
    write_atomically(data, path)
    return path


def output_path(photo: Photo, source: str | Path, folder: str | Path) -> Path:
    """Where the tagged version of a file goes: the same name, or ``.png`` where that name cannot hold it.

    Args:
        photo: The photograph read from ``source``.
        source: The input file.
        folder: The output folder.

    Returns:
        ``folder/name``; a GIF, a JPEG 2000 or a transparent picture mislabelled as JPEG gets ``.png``.
    """
    name = Path(Path(source).name)
    suffix = name.suffix.lower()
    fits = suffix in WRITABLE and not (photo.alpha is not None and suffix in _OPAQUE)
    return Path(folder) / (name if fits else name.with_suffix(".png"))


def write_atomically(data: bytes, path: Path) -> None:
    """Write a file completely or not at all.

    Args:
        data: The whole file.
        path: Where to.

    Raises:
        ImageError: If the disk refuses.
    """
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        reasons = {
            errno.ENOSPC: "the disk is full",
            errno.EDQUOT: "the disk quota is used up",
            errno.EROFS: "the disk is read-only",
            errno.EACCES: "no permission to write there",
            errno.ENOENT: "the folder does not exist",
        }
        reason = reasons.get(error.errno or 0, (error.strerror or str(error)).lower())
        raise ImageError(f"{path} cannot be written: {reason}.") from error


def _as_pillow(photo: Photo) -> Image.Image:
    """8-bit Pillow picture in the photograph's own colours."""

    def eight(array: np.ndarray) -> np.ndarray:
        return array if array.dtype == np.uint8 else np.rint(array / 257.0).astype(np.uint8)

    picture = Image.fromarray(eight(photo.pixels[..., 0] if photo.is_grey else photo.pixels))
    if photo.alpha is not None:
        picture.putalpha(Image.fromarray(eight(photo.alpha)))
    return picture


def _common(photo: Photo, *names: str) -> dict[str, Any]:
    known = {
        "icc_profile": photo.profile.icc if photo.profile else None,
        "exif": photo.metadata.exif,
        "xmp": photo.metadata.xmp,
        "dpi": photo.metadata.dpi,
    }
    return {name: known[name] for name in names if known[name] is not None}


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@cache
def _fine_tables() -> tuple[list[int], list[int]]:
    """Luma and chroma quantisation tables of quality 95."""
    probe = Image.open(io.BytesIO(_saved(Image.new("RGB", (16, 16)), "JPEG", quality=QUALITY)))
    assert isinstance(probe, JpegImagePlugin.JpegImageFile)
    return list(probe.quantization[0]), list(probe.quantization[1])


def _jpeg(photo: Photo) -> bytes:
    if photo.alpha is not None:
        raise ImageError("JPEG cannot hold transparency.", "Write a .png or .webp.")
    luma, chroma = _fine_tables()
    for i, table in enumerate(photo.metadata.jpeg_tables):
        if i == 0:
            luma = [min(pair) for pair in zip(luma, table, strict=True)]
        if i > 0 or len(photo.metadata.jpeg_tables) == 1:
            chroma = [min(pair) for pair in zip(chroma, table, strict=True)]
    options = _common(photo, "icc_profile", "exif", "xmp", "dpi")
    options = {k: v for k, v in options.items() if k not in ("xmp", "exif") or len(v) < _MAX_MARKER}
    return _saved(
        _as_pillow(photo),
        "JPEG",
        qtables=[luma] if photo.is_grey else [luma, chroma],
        subsampling=0,
        progressive=photo.metadata.progressive,
        optimize=True,
        **options,
    )


def _png(photo: Photo) -> bytes:
    if photo.depth == 16:
        return encode_deep_png(photo)
    text = PngImagePlugin.PngInfo()
    if photo.metadata.xmp:
        text.add_itxt("XML:com.adobe.xmp", photo.metadata.xmp.decode("utf-8", "replace"))
    return _saved(_as_pillow(photo), "PNG", pnginfo=text, **_common(photo, "icc_profile", "exif", "dpi"))


def _webp(photo: Photo) -> bytes:
    options = _common(photo, "icc_profile", "exif", "xmp")
    return _saved(
        _as_pillow(photo),
        "WEBP",
        lossless=photo.metadata.lossless,
        quality=QUALITY,
        exact=True,
        method=4,
        **options,
    )


def _avif(photo: Photo) -> bytes:
    options = _common(photo, "icc_profile", "exif", "xmp")
    chroma = {} if photo.is_grey else {"subsampling": "4:4:4"}
    return _saved(_as_pillow(photo), "AVIF", quality=QUALITY, **chroma, **options)


def _heif(photo: Photo) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return _saved(_as_pillow(photo), "HEIF", quality=QUALITY, **_common(photo, "icc_profile", "exif", "xmp"))


def _bmp(photo: Photo) -> bytes:
    if photo.alpha is not None:
        raise ImageError("BMP cannot hold transparency.", "Write a .png or .webp.")
    return _saved(_as_pillow(photo), "BMP", **_common(photo, "dpi"))


_JPEG_NAMES = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")
_OPAQUE = (*_JPEG_NAMES, ".bmp")

WRITABLE: dict[str, Callable[[Photo], bytes]] = {
    **dict.fromkeys(_JPEG_NAMES, _jpeg),
    ".png": _png,
    ".webp": _webp,
    ".tif": encode_tiff,
    ".tiff": encode_tiff,
    **dict.fromkeys((".heic", ".heif", ".hif"), _heif),
    ".avif": _avif,
    ".bmp": _bmp,
}
"""Suffix to encoder."""
