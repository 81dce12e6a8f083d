"""Coarse waves of the whole picture's luma, moved to the nearest points of a lattice: no training, and no face.

What a picture itself holds in a wave is no noise to the reader, since the lattice goes on everywhere. So this reads
through codecs and autoencoders what networks, which have to tell a tag from the face beneath it, read far less of. The
price: a picture that is cropped, turned or brightened has other waves, and a face that is replaced takes its part away.

Source: B. Chen and G. Wornell, "Quantization index modulation", IEEE Trans. Information Theory 2001 (spread-transform
    dither modulation).
"""

import hashlib
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faketagger.watermarks.interface import Bits, Pixels, Soft

BAND = (8, 28)
"""Frequencies from the first up to the second, in half cycles a side; the best of four on twelve CelebA-HQ faces."""
STEP = 270.0
"""Distance of points of the same bit, in grey levels of the orthonormal cosine transform of 256 x 256 pixels."""
_SIDE = 256
_LUMA = np.array([0.299, 0.587, 0.114])

Floats = NDArray[np.float64]


class Lattice:
    """64 bits in the low frequencies of the luminance of any picture, each in a wave of some nine frequencies.

    Args:
        message_bits: Length L of a message.
        factor: Strength: multiplies the step of the lattice, which the reader has to know.
    """

    name = "lattice"
    version = "1"
    native_size: int | None = None

    def __init__(self, message_bits: int = 64, factor: float = 1.0) -> None:
        self.message_bits, self._step = message_bits, STEP * factor

    def with_strength(self, factor: float) -> "Lattice":
        """The same with another step."""
        return Lattice(self.message_bits, factor)

    def embed(self, images: Pixels, messages: Bits) -> Pixels:
        """Mark pictures; see :class:`faketagger.watermarks.Watermark`."""
        signs, _ = _waves(self.message_bits)
        half = messages / 2.0
        found = self._found(images)
        moves = ((found - half).round() + half - found) * self._step
        rows, columns = (_cosines(side) for side in images.shape[1:3])
        spectra = np.tensordot(moves, signs, 1) / _grey(images)
        residual = rows.T @ spectra @ columns
        return np.asarray(np.clip(np.rint(images + residual[..., None]), 0, 255), dtype=np.uint8)

    def read(self, images: Pixels) -> Soft:
        """Read pictures; see :class:`faketagger.watermarks.Watermark`."""
        found = self._found(images)
        return np.asarray(np.abs(found - found.round()) - 0.25, dtype=np.float32)

    def _found(self, images: Pixels) -> Floats:
        """What pictures hold in each wave, (N, L) in steps, less the wave's dither."""
        signs, dither = _waves(self.message_bits)
        rows, columns = (_cosines(side) for side in images.shape[1:3])
        spectra = rows @ (images @ _LUMA) @ columns.T * _grey(images)
        return np.tensordot(spectra, signs, ((1, 2), (1, 2))) / self._step - dither


def _grey(images: Pixels) -> float:
    """What a coefficient of these pictures is multiplied by to be one of 256 x 256 pixels."""
    return _SIDE / math.sqrt(images.shape[1] * images.shape[2])


@lru_cache(maxsize=8)
def _cosines(length: int) -> Floats:
    """The first basis vectors of the orthonormal cosine transform of a line, up to the end of the band."""
    places = (np.arange(length) + 0.5) * math.pi / length
    basis = np.cos(np.arange(BAND[1])[:, None] * places) * math.sqrt(2 / length)
    basis[0] /= math.sqrt(2)
    return basis


@lru_cache(maxsize=4)
def _waves(bits: int) -> tuple[Floats, Floats]:
    """Each bit's wave as weights of frequencies, (L, end, end), orthonormal, and its dither, (L,) in [0, 1).

    Every frequency of the band serves one bit. Which, with which sign and which dither, is taken from SHA-256, so that
    no release of any library changes it.
    """
    first, end = BAND
    inside = [(row, column) for row in range(end) for column in range(end) if first <= math.hypot(row, column) < end]
    signs = np.zeros((bits, end, end))
    for number, (row, column) in enumerate(sorted(inside, key=lambda place: drawn("lattice", "place", *place))):
        signs[number % bits, row, column] = 1 if drawn("lattice", "sign", row, column) < 0.5 else -1
    signs /= np.sqrt((signs**2).sum((1, 2), keepdims=True))
    return signs, np.array([drawn("lattice", "dither", bit, bits) for bit in range(bits)])


def drawn(*words: object) -> float:
    """A number in [0, 1), always the same for the same words: from SHA-256, which no release of a library moves."""
    found = hashlib.sha256(f"faketagger {' '.join(map(str, words))}".encode()).digest()
    return int.from_bytes(found[:6], "big") / 2**48
