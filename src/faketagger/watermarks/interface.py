"""What the benchmark asks of a watermark: messages into batches of 8-bit pictures, soft bits out of them."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(N, H, W, 3) sRGB."""
Bits = NDArray[np.uint8]
"""(N, L) of 0 and 1."""
Soft = NDArray[np.float32]
"""(N, L), positive where a bit is more likely 1."""
Landmarks = NDArray[np.float32]
"""(N, 68, 2) pixel coordinates of one face a picture."""


class Watermark(Protocol):
    """The whole contract; a class with these five members is a watermark.

    A watermark may say more of itself, each by an attribute of this name:

    - ``version`` (text or number): goes into the digest of results; raise it when a change moves them.
    - ``with_strength(factor)``: the same watermark, its own strength knob multiplied; without it the benchmark scales
      the residual where it has to hold a PSNR.
    - ``uses_landmarks = True``: ``embed`` and ``read`` get the faces as a further argument ``landmarks``.
    - ``payload_bits`` and ``crc_bits``: the message is a code word of :class:`faketagger.coding.Codec`, and a payload is
      read where it decodes; without them it is read where all L bits are right.

    Attributes:
        name: What tables call it.
        message_bits: Length L of a message.
        native_size: Side in pixels of the square that its networks see. The benchmark then enlarges or reduces pictures
            for it and adds the enlarged residual to the original, as VideoSeal and TrustMark do. None where ``embed``
            and ``read`` take any size themselves.
    """

    name: str
    message_bits: int
    native_size: int | None

    def embed(self, images: Pixels, messages: Bits) -> Pixels:
        """Write one message into each picture.

        Args:
            images: (N, H, W, 3) uint8 sRGB.
            messages: (N, L) uint8 of 0 and 1.

        Returns:
            (N, H, W, 3) uint8, or floats on the same scale of 0 to 255 that are rounded afterwards.
        """
        ...

    def read(self, images: Pixels) -> Soft:
        """Read every picture, knowing nothing of what was written.

        Args:
            images: (N, H, W, 3) uint8.

        Returns:
            (N, L) soft bits, positive for 1; booleans and whole numbers 0 and 1 are taken as hard bits.
        """
        ...
