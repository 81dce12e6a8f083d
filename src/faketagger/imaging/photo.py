"""A photograph in memory: its own pixels and colour space, seen from outside as sRGB.

The pixels stay as the file had them (8 or 16 bits, grey or RGB, any matrix profile). A change is computed in
sRGB, carried over into the photograph's own colour space as a difference and added there: an unchanged pixel
keeps its exact value, even a Display-P3 colour that sRGB cannot show.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from faketagger.errors import ImageError
from faketagger.imaging.colour import Profile

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""BT.601 luma weights: what JPEG calls Y and what a greyscale photograph keeps of a change."""


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Round a float picture to bytes: half to even, clipped.

    Args:
        image: Floats, 0 is black and 1 is white; any shape.

    Returns:
        uint8 array of the same shape.

    Raises:
        ImageError: If a value is NaN or infinite.
    """
    image = np.asarray(image)
    if not np.isfinite(image).all():
        raise ImageError("The picture contains NaN or infinite values.")
    return np.rint(np.clip(image, 0.0, 1.0) * np.float32(255)).astype(np.uint8)


def to_float(image: np.ndarray) -> np.ndarray:
    """Scale unsigned integers to float32 in [0, 1].

    Args:
        image: uint8 or uint16 array of any shape.

    Returns:
        float32 array of the same shape, divided by 255 or 65535.

    Raises:
        ImageError: If the array holds something else.
    """
    image = np.asarray(image)
    if image.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"Pixels must be uint8 or uint16 here, not {image.dtype}.")
    return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)


@dataclass(frozen=True)
class Metadata:
    """What travels from the input file to the output file beside the pixels.

    Args:
        exif: Raw EXIF block starting with ``Exif\\0\\0``, orientation already 1, without thumbnail.
        xmp: Raw XMP packet, without an orientation.
        dpi: Horizontal and vertical resolution.
        jpeg_tables: Quantisation tables (64 numbers each) if the input was a JPEG.
        progressive: The input was a progressive JPEG.
        lossless: The input format loses nothing (PNG, TIFF, BMP, GIF, lossless WebP).
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    jpeg_tables: tuple[tuple[int, ...], ...] = ()
    progressive: bool = False
    lossless: bool = True


@dataclass(frozen=True, eq=False)
class Photo:
    """One upright photograph.

    Args:
        pixels: (H, W, 3) or, for a greyscale photograph, (H, W, 1); uint8 or uint16, in the colour space of
            ``profile``.
        alpha: (H, W) of the same type, or None.
        profile: The embedded colour profile, or None for plain sRGB.
        format: What the file really was, as Pillow names it ("JPEG", "PNG", ...).
        metadata: EXIF and the rest.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    profile: Profile | None = None
    format: str = "PNG"
    metadata: Metadata = field(default_factory=Metadata)

    @classmethod
    def from_array(cls, image: np.ndarray) -> Photo:
        """Wrap an sRGB array.

        Args:
            image: (H, W, 3) or (H, W) uint8, uint16, or float in [0, 1] (which becomes uint8).

        Raises:
            ImageError: If the shape or the values are no picture.
        """
        image = np.asarray(image)
        if image.ndim == 2:
            image = image[..., None]
        if image.ndim != 3 or image.shape[2] not in (1, 3) or 0 in image.shape:
            raise ImageError(f"A picture must be H x W x 3 or H x W, not {image.shape}.")
        if np.issubdtype(image.dtype, np.floating):
            image = to_uint8(image)
        if image.dtype not in (np.uint8, np.uint16):
            raise ImageError(f"A picture must hold uint8, uint16 or float values, not {image.dtype}.")
        return cls(pixels=image)

    @property
    def height(self) -> int:
        """Rows."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.pixels.shape[1]

    @property
    def depth(self) -> int:
        """Bits a channel: 8 or 16."""
        return self.pixels.dtype.itemsize * 8

    @property
    def is_grey(self) -> bool:
        """True if the photograph has one channel."""
        return self.pixels.shape[2] == 1

    @property
    def rgb(self) -> np.ndarray:
        """The picture as float32 (H, W, 3) sRGB in [0, 1]; a grey photograph has three equal channels."""
        own = to_float(self.pixels) if self.profile is None else self.profile.to_srgb(self.pixels)
        return np.repeat(own, 3, axis=2) if self.is_grey else own

    @property
    def rgb8(self) -> np.ndarray:
        """The picture as uint8 (H, W, 3) sRGB."""
        if self.profile is None and self.depth == 8:
            return np.repeat(self.pixels, 3, axis=2) if self.is_grey else self.pixels.copy()
        return to_uint8(self.rgb)

    def with_rgb(self, rgb: np.ndarray) -> Photo:
        """The same photograph with other colours; size, alpha, depth, profile and metadata stay.

        A greyscale photograph stays greyscale: it takes over the change of luma (BT.601) and drops the rest.

        Args:
            rgb: (H, W, 3) float sRGB; values outside [0, 1] are clipped.

        Raises:
            ImageError: If the size differs or a value is NaN or infinite.
        """
        rgb = np.asarray(rgb)
        if rgb.shape != (self.height, self.width, 3) or not np.issubdtype(rgb.dtype, np.floating):
            raise ImageError(
                f"New pixels must be float, {self.height} x {self.width} x 3, not {rgb.dtype} {rgb.shape}."
            )
        if not np.isfinite(rgb).all():
            raise ImageError("The new pixels contain NaN or infinite values.")
        new = np.clip(rgb.astype(np.float32, copy=False), 0.0, 1.0)
        if self.is_grey:
            new = (new @ LUMA)[..., None]
        top = np.iinfo(self.pixels.dtype).max
        if self.profile is None or self.profile.is_srgb:
            return replace(self, pixels=np.rint(new * np.float32(top)).astype(self.pixels.dtype))
        old = self.profile.to_srgb(self.pixels)
        changed = np.logical_or.reduce([new[..., c] != old[..., c] for c in range(old.shape[2])])
        move = self.profile.from_srgb(new[changed]) - self.profile.from_srgb(old[changed])
        pixels = self.pixels.copy()
        pixels[changed] = np.clip(np.rint(pixels[changed] + move * top), 0, top).astype(pixels.dtype)
        return replace(self, pixels=pixels)
