"""Our own taggers as watermarks: they know faces, and their message is a code word."""

from typing import Any

import numpy as np

from faketagger.watermarks.interface import Bits, Landmarks, Pixels, Soft


class TaggerWatermark:
    """A tagger behind the protocol.

    Pictures go through one at a time, so that a result never depends on its neighbours.

    Args:
        tagger: Has ``name``, ``message_bits``, ``codec``, ``embed_aligned`` and ``read_aligned``, as
            :class:`faketagger.tagger.Tagger`.
        factor: Strength against the tagger's own; needs its ``psnr_db``.
    """

    native_size: int | None = None
    uses_landmarks = True

    def __init__(self, tagger: Any, factor: float = 1.0) -> None:
        self._tagger, self._factor = tagger, factor
        self.name, self.message_bits = str(tagger.name), int(tagger.message_bits)
        self.payload_bits, self.crc_bits = int(tagger.codec.payload_bits), int(tagger.codec.crc_bits)

    def with_strength(self, factor: float) -> "TaggerWatermark":
        """The same tagger at a PSNR of its aligned crop that is ``20 log10(factor)`` dB lower.

        Args:
            factor: Above 0.
        """
        return TaggerWatermark(self._tagger, factor)

    def embed(self, images: Pixels, messages: Bits, landmarks: Landmarks) -> Pixels:
        """Tag pictures; see :class:`faketagger.watermarks.Watermark`."""
        import torch

        from faketagger.imaging import to_uint8

        held = {} if self._factor == 1.0 else {"psnr_db": self._tagger.psnr_db - 20 * np.log10(self._factor)}
        made = []
        with torch.inference_mode():
            for image, message, points in zip(images, messages, landmarks, strict=True):
                bits = torch.from_numpy(np.ascontiguousarray(message)).float()[None]
                tagged = self._tagger.embed_aligned(tensor_of(image), bits, torch.from_numpy(points)[None], **held)
                made.append(to_uint8(tagged.clamp(0, 1)[0].permute(1, 2, 0).cpu().numpy()))
        return np.stack(made)

    def read(self, images: Pixels, landmarks: Landmarks) -> Soft:
        """Read pictures; see :class:`faketagger.watermarks.Watermark`."""
        import torch

        with torch.inference_mode():
            return np.stack(
                [
                    self._tagger.read_aligned(tensor_of(image), torch.from_numpy(points)[None])[0].float().cpu().numpy()
                    for image, points in zip(images, landmarks, strict=True)
                ]
            )


def load_tagger(name: str, polish: int = 0) -> TaggerWatermark:
    """A shipped tagger or a checkpoint folder.

    Args:
        name: As for :func:`faketagger.load`.
        polish: Rounds in which every tag is improved before it is written.
    """
    import faketagger

    tagger = faketagger.load(name)
    return TaggerWatermark(tagger.with_polish(polish) if polish else tagger)


def tensor_of(image: Pixels) -> Any:
    """A picture (H, W, 3) uint8 as (1, 3, H, W) float in [0, 1]."""
    import torch

    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].contiguous().float() / 255
