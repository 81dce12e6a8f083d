"""A low-frequency spread spectrum without any training: the baseline that a learnt watermark has to beat.

The luminance is averaged down to a small square, whose cosine coefficients in a band of low frequencies are the
carriers. Every bit has a fixed random sign for each of them, its projection is pushed to a margin, and reading looks at
the sign of the projection. What survives a regeneration at half the size is low frequency, so this does.

Source: Cox, Kilian, Leighton, Shamoon, "Secure spread spectrum watermarking for multimedia", IEEE TIP 1997 (carriers);
    Malvar, Florencio, "Improved spread spectrum", IEEE TSP 2003 (the picture's own projection is taken away).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faketagger.watermarks.interface import Bits, Pixels, Soft

GRID = 64
"""Side of the small square, in cells."""
BAND = (24.0, 36.0)
"""Smallest and largest radius of the coefficients, in half cycles a side; the best of five bands on ten CelebA-HQ faces."""
MARGIN = 0.3
"""Where a bit's projection is pushed to, on the scale of the small square's grey levels."""
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


class SpreadSpectrum:
    """32 bits in the low frequencies of the luminance of any picture.

    Args:
        message_bits: Length L of a message.
        factor: Strength: multiplies the margin.
    """

    name = "spread"
    version = "1"
    native_size = None

    def __init__(self, message_bits: int = 32, factor: float = 1.0) -> None:
        self.message_bits, self._margin = message_bits, MARGIN * factor

    def with_strength(self, factor: float) -> "SpreadSpectrum":
        """The same with another margin."""
        return SpreadSpectrum(self.message_bits, factor)

    def embed(self, images: Pixels, messages: Bits) -> Pixels:
        """Mark pictures; see :class:`faketagger.watermarks.Watermark`."""
        import cv2

        patterns = _patterns(self.message_bits)
        wanted = self._margin * (2.0 * messages.astype(np.float32) - 1.0)
        made = []
        for image, target in zip(images, wanted, strict=True):
            found = _project(image, patterns)
            short = np.where(target * found < target**2, target - found, 0.0)  # none is pulled back that is beyond
            residual = np.tensordot(short.astype(np.float32), patterns, 1)
            residual = cv2.resize(residual, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
            made.append(np.clip(np.rint(image + residual[..., None]), 0, 255).astype(np.uint8))
        return np.stack(made)

    def read(self, images: Pixels) -> Soft:
        """Read pictures; see :class:`faketagger.watermarks.Watermark`."""
        patterns = _patterns(self.message_bits)
        return np.stack([_project(image, patterns) for image in images])


def _project(image: NDArray[np.uint8], patterns: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    small = cv2.resize((image.astype(np.float32) @ _LUMA), (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.tensordot(patterns, small, 2) / np.float32(GRID**2)


@lru_cache(maxsize=4)
def _patterns(bits: int) -> NDArray[np.float32]:
    """(L, GRID, GRID), orthogonal, with a mean square of 1 each."""
    from scipy.fft import idctn

    radius = np.hypot(*np.mgrid[0:GRID, 0:GRID])
    rows, columns = np.nonzero((radius >= BAND[0]) & (radius <= BAND[1]))
    signs = np.random.default_rng(32).choice([-1.0, 1.0], (bits, len(rows)))
    basis = np.linalg.qr(signs.T)[0].T
    spectra = np.zeros((bits, GRID, GRID))
    spectra[:, rows, columns] = basis
    return (idctn(spectra, axes=(1, 2), norm="ortho") * GRID).astype(np.float32)
