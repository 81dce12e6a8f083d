"""Colour profiles: from a photograph's own RGB or grey to sRGB and back, in floating point.

Camera and screen profiles (Display P3, Adobe RGB, ProPhoto, grey gammas) are curves and a matrix. Pillow's
colour engine converts 8-bit pixels only, so these are evaluated here: exact both ways and at 16 bits.
Profiles made of look-up tables (printers, scanners, CMYK) go through Pillow once, on reading, to sRGB.

Source: ICC.1:2022, sections 8.3 (matrix/TRC model), 10.6 (curveType), 10.18 (parametricCurveType);
IEC 61966-2-1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_GRID = np.linspace(0.0, 1.0, 65536)
_SRGB_TO_D50 = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""Linear sRGB to the D50 profile connection space (Bradford adapted)."""

_PARAMETERS = {0: "g", 1: "gab", 2: "gabc", 3: "gabcd", 4: "gabcdef"}


def _decode_srgb(x: np.ndarray) -> np.ndarray:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _encode_srgb(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    encoded = x ** x.dtype.type(1 / 2.4)
    encoded *= 1.055
    encoded -= 0.055
    np.multiply(x, 12.92, out=encoded, where=x <= 0.0031308)
    return encoded


@dataclass(frozen=True, eq=False)
class Profile:
    """A colour profile of the curves-and-matrix kind.

    Args:
        icc: The profile as embedded in the file.
        curves: (65536, C) linear light over the encoded value in [0, 1], rising; C is 3, or 1 for grey.
        matrix: (3, 3) from the profile's linear RGB to linear sRGB; None for grey.
        is_srgb: True if it is sRGB up to the rounding of its numbers; pixels are then taken as they are.
    """

    icc: bytes
    curves: np.ndarray
    matrix: np.ndarray | None
    is_srgb: bool = False

    def to_srgb(self, pixels: np.ndarray) -> np.ndarray:
        """Convert stored pixels.

        Args:
            pixels: (..., C) uint8 or uint16.

        Returns:
            float32 sRGB in [0, 1] of the same shape.
        """
        top = np.iinfo(pixels.dtype).max
        if self.is_srgb:
            return pixels.astype(np.float32) / np.float32(top)
        table = self.curves[:: 65535 // top].astype(np.float32)
        linear = np.empty(pixels.shape, np.float32)
        for c in range(pixels.shape[-1]):
            linear[..., c] = table[:, c][pixels[..., c]]
        if self.matrix is not None:
            linear = linear @ self.matrix.T.astype(np.float32)
        return _encode_srgb(linear)

    def from_srgb(self, srgb: np.ndarray) -> np.ndarray:
        """Convert sRGB values into the profile's space.

        Args:
            srgb: (..., C) floats in [0, 1].

        Returns:
            float64 in [0, 1] of the same shape; what the space cannot hold is clipped.
        """
        if self.is_srgb:
            return srgb.astype(np.float64)
        linear = _decode_srgb(srgb.astype(np.float64))
        if self.matrix is not None:
            linear = linear @ np.linalg.inv(self.matrix).T
        return np.stack(
            [np.interp(linear[..., c], self.curves[:, c], _GRID) for c in range(srgb.shape[-1])], axis=-1
        )


def _tags(icc: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", icc, 128)
    entries = [struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(min(count, 200))]
    return {name: icc[offset : offset + size] for name, offset, size in entries}


def _xyz(tag: bytes) -> np.ndarray:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536.0


def _curve(tag: bytes) -> np.ndarray:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count == 0:
            return _GRID
        if count == 1:
            return _GRID ** (values[0] / 256.0)
        return np.interp(_GRID, np.linspace(0.0, 1.0, count), values / 65535.0)
    if tag[:4] != b"para":
        raise ValueError("unknown curve type")
    (kind,) = struct.unpack_from(">H", tag, 8)
    names = _PARAMETERS[kind]
    p = dict.fromkeys("abcdef", 0.0) | {"a": 1.0}
    p |= dict(zip(names, np.array(struct.unpack_from(f">{len(names)}i", tag, 12)) / 65536.0, strict=True))
    if kind in (1, 2):
        p["d"] = -p["b"] / p["a"]
        p["e"] = p["f"] = p["c"]
        p["c"] = 0.0
    power = np.maximum(p["a"] * _GRID + p["b"], 0.0) ** p["g"] + p["e"]
    return np.where(p["d"] <= _GRID, power, p["c"] * _GRID + p["f"])


@lru_cache(maxsize=16)
def load_profile(icc: bytes) -> Profile | None:
    """Read an ICC profile of the curves-and-matrix kind.

    Args:
        icc: The profile's bytes.

    Returns:
        The profile, or None if it is damaged or of another kind (look-up tables, CMYK).
    """
    try:
        tags = _tags(icc)
        grey = icc[16:20] == b"GRAY"
        if not grey and icc[16:20] != b"RGB ":
            return None
        curves = np.stack(
            [_curve(tags[name]) for name in ([b"kTRC"] if grey else [b"rTRC", b"gTRC", b"bTRC"])], axis=1
        )
        curves = np.clip(np.maximum.accumulate(curves, axis=0), 0.0, 1.0)
        matrix = None
        if not grey:
            to_d50 = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
            matrix = np.linalg.inv(_SRGB_TO_D50) @ to_d50
            np.linalg.inv(matrix)
    except (KeyError, ValueError, struct.error, np.linalg.LinAlgError):
        return None
    profile = Profile(icc, curves, matrix)
    return Profile(icc, curves, matrix, is_srgb=_changes_nothing(profile))


def _changes_nothing(profile: Profile) -> bool:
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    if profile.matrix is None:
        probe = ramp
    else:
        cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
        probe = np.concatenate([np.repeat(ramp, 3, axis=1), cube])
    return bool(np.abs(profile.to_srgb(probe) - probe / 255.0).max() < 2.0 / 255.0)
