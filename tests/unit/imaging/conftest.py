"""Pictures and colour profiles made by code."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

P3_TO_D50 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
SRGB_TO_D50 = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE_TO_D50 = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""Parametric curve of type 3."""


def fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))


def make_icc(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A small valid ICC v2 display profile."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0free\0",
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249),
        **tags,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s12x4s", 0, b"test", 0x04000000, b"mntr", space, b"XYZ ", b"acsp")
    header = header.ljust(64, b"\0") + struct.pack(">I", 0) + fixed(0.9642, 1.0, 0.8249)
    icc = header.ljust(128, b"\0") + table + body
    return struct.pack(">I", len(icc)) + icc[4:]


def rgb_icc(primaries: tuple[tuple[float, ...], ...], curve: bytes) -> bytes:
    colours = {
        n: b"XYZ \0\0\0\0" + fixed(*p) for n, p in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    return make_icc(b"RGB ", colours | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def parametric(kind: int, *values: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*values)


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


@pytest.fixture(scope="session")
def p3_icc() -> bytes:
    return rgb_icc(P3_TO_D50, parametric(3, *SRGB_CURVE))


@pytest.fixture(scope="session")
def adobe_icc() -> bytes:
    return rgb_icc(ADOBE_TO_D50, gamma(2.19921875))


@pytest.fixture(scope="session")
def srgb_icc() -> bytes:
    return rgb_icc(SRGB_TO_D50, parametric(3, *SRGB_CURVE))


@pytest.fixture(scope="session")
def grey_icc() -> bytes:
    return make_icc(b"GRAY", {b"kTRC": gamma(1.8)})


@pytest.fixture(scope="session")
def scene() -> np.ndarray:
    """(48, 64, 3) uint8: smooth colours with some texture, no two sides alike."""
    y, x = np.mgrid[0:48, 0:64]
    rng = np.random.default_rng(5)
    planes = [2 * x + y + 20, 200 - 3 * y + x / 2, 60 + 40 * np.sin(x / 9) + 2 * y]
    return np.clip(np.stack(planes, -1) + rng.normal(0, 3, (48, 64, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    def encode(array: np.ndarray, kind: str, mode: str | None = None, **options: object) -> bytes:
        picture = Image.fromarray(array)
        file = io.BytesIO()
        (picture.convert(mode) if mode else picture).save(file, kind, **options)
        return file.getvalue()

    return encode
