"""dwtDct and dwtDctSvd of the package invisible-watermark, as Stable Diffusion's own scripts used them."""

from typing import Any

import numpy as np

from faketagger.watermarks.interface import Bits, Pixels, Soft

SCALE = 36.0
"""The package's quantisation step of the U channel, the only one that it marks."""
_EVEN = 127 / 255


class _Quantised:
    """Both quantise one coefficient of every 4 x 4 block of the U channel's wavelet band; ``scale`` is the step.

    Source: github.com/ShieldMnt/invisible-watermark 0.2.0, ``maxDct.py`` and ``dwtDctSvd.py``.
    """

    name: str
    version = "0.2.0"
    message_bits = 32
    native_size = None
    _coder: str

    def __init__(self, factor: float = 1.0) -> None:
        self._scales = [0.0, SCALE * factor, 0.0]

    def with_strength(self, factor: float) -> "_Quantised":
        """The same with another quantisation step."""
        return type(self)(factor)

    def embed(self, images: Pixels, messages: Bits) -> Pixels:
        """Mark pictures; see :class:`faketagger.watermarks.Watermark`."""
        made = []
        for image, message in zip(images, messages, strict=True):
            coder = self._make([int(bit) for bit in message])
            made.append(np.asarray(coder.encode(_swapped(image)))[..., ::-1])
        return np.stack(made)

    def read(self, images: Pixels) -> Soft:
        """Read pictures: the share of a bit's blocks that say 1, less the share from which the package calls it 1."""
        import cv2
        import pywt

        coder, soft = self._make([]), []
        for image in images:
            rows, columns = (side // 4 * 4 for side in image.shape[:2])
            channel = cv2.cvtColor(_swapped(image), cv2.COLOR_BGR2YUV)[:rows, :columns, 1]
            band, _ = pywt.dwt2(channel, "haar")
            scores = coder.decode_frame(band, self._scales[1], [[] for _ in range(self.message_bits)])
            soft.append([float(np.mean(score)) - _EVEN if score else 0.0 for score in scores])
        return np.array(soft, dtype=np.float32)

    def _make(self, bits: list[int]) -> Any:
        import imwatermark.dwtDctSvd
        import imwatermark.maxDct

        coders = {"dct": imwatermark.maxDct.EmbedMaxDct, "svd": imwatermark.dwtDctSvd.EmbedDwtDctSvd}
        return coders[self._coder](bits, self.message_bits, scales=self._scales)


class DwtDct(_Quantised):
    """Quantises the largest coefficient of each block."""

    name = "dwtDct"
    _coder = "dct"


class DwtDctSvd(_Quantised):
    """Quantises the largest singular value of each block."""

    name = "dwtDctSvd"
    _coder = "svd"


def _swapped(image: Pixels) -> Pixels:
    return np.ascontiguousarray(image[..., ::-1])
