"""Slow waves of the face's luma, moved towards the points of a lattice: no training, and read from the face alone.

What :mod:`faketagger.watermarks.lattice` does to a whole picture, within the aligned face: what the face itself holds
in a wave is no noise to the reader. So this reads more after codecs and autoencoders than networks that have to tell a
tag from the face beneath it. The price: where a face is repainted, moved or clipped to white, its waves are others.

Source: B. Chen and G. Wornell, "Quantization index modulation", IEEE Trans. Information Theory 2001 (dither modulation
    with distortion compensation).
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from faketagger.watermarks.interface import Bits, Landmarks, Pixels, Soft
from faketagger.watermarks.lattice import drawn
from faketagger.watermarks.taggers import tensor_of

if TYPE_CHECKING:
    from torch import Tensor

STEP = 180.0
"""Distance of points of the same bit, in grey levels of an orthonormal wave of the aligned crop of 128 pixels."""
_SHARE = 0.87
"""Of the way to a point that a wave is moved; the rest is noise, and buys a wider lattice at the same PSNR."""
_PILOTS = 10
"""Waves that always hold a zero: by them the reader finds the framing."""
_ROUNDS = 4
"""What pasting, rounding and clipping take away is written again."""


class FaceLattice:
    """64 bits in slow waves of the face.

    Args:
        factor: Strength: multiplies the step of the lattice, which the reader has to know.
    """

    name = "face-lattice"
    version = "1"
    message_bits = 64
    native_size: int | None = None
    uses_landmarks = True
    payload_bits, crc_bits = 32, 12

    def __init__(self, factor: float = 1.0) -> None:
        self._step = STEP * factor

    def with_strength(self, factor: float) -> "FaceLattice":
        """The same with another step."""
        return FaceLattice(factor)

    def embed(self, images: Pixels, messages: Bits, landmarks: Landmarks) -> Pixels:
        """Mark pictures; see :class:`faketagger.watermarks.FaceWatermark`."""
        return np.stack([self._marked(*one) for one in zip(images, messages, landmarks, strict=True)])

    def read(self, images: Pixels, landmarks: Landmarks) -> Soft:
        """Read pictures; see :class:`faketagger.watermarks.FaceWatermark`."""
        return np.stack([self._logits(*one) for one in zip(images, landmarks, strict=True)])

    def _marked(self, image: Pixels, message: Bits, landmarks: Landmarks) -> Pixels:
        import torch

        from faketagger.faces.geometry import crop_matrix, paste_residual
        from faketagger.watermarks.face_waves import SIDE, face_waves

        waves, dither = face_waves(self.message_bits + _PILOTS), _dither()
        before, face = tensor_of(image), torch.from_numpy(landmarks)[None]
        matrix = crop_matrix(face, SIDE)
        points = dither + torch.cat([torch.from_numpy(message).float() / 2, torch.zeros(_PILOTS)])
        found = self._positions(before, face)
        wanted = found + _SHARE * ((found - points).round() + points - found)
        moved, marked = torch.zeros_like(found), before
        for _ in range(_ROUNDS):
            moved = moved + wanted - self._positions(marked, face)
            residual = (moved * self._step @ waves).view(1, 1, SIDE, SIDE).expand(-1, 3, -1, -1) / 255
            marked = (paste_residual(before, residual, matrix) * 255).round() / 255
        return np.asarray((marked[0] * 255).round().permute(1, 2, 0).numpy().astype(np.uint8))

    def _logits(self, image: Pixels, landmarks: Landmarks) -> Soft:
        import torch

        from faketagger.faces.geometry import crop_matrix
        from faketagger.watermarks.face_framing import averaged, views
        from faketagger.watermarks.face_waves import SIDE

        face = torch.from_numpy(landmarks)[None]
        grey, matrix = _grey(tensor_of(image), face), crop_matrix(face, SIDE)

        def look(moves: "Tensor", mirrored: bool) -> "Tensor":
            return self._held(views(grey, matrix, moves, mirrored))

        return np.asarray(averaged(look, _dither(), _PILOTS).numpy(), dtype=np.float32)

    def _positions(self, image: "Tensor", face: "Tensor") -> "Tensor":
        """What a picture (1, 3, H, W) holds in each wave of a face, landmarks (1, 68, 2): (1, L + pilots) in steps."""
        from faketagger.faces.geometry import crop_matrix, warp_crop
        from faketagger.watermarks.face_waves import SIDE

        return self._held(warp_crop(_grey(image, face), crop_matrix(face, SIDE), SIDE).flatten(1))

    def _held(self, crops: "Tensor") -> "Tensor":
        from faketagger.watermarks.face_waves import face_waves

        return crops * 255 @ face_waves(self.message_bits + _PILOTS).T / self._step


@lru_cache(maxsize=1)
def _dither() -> "Tensor":
    """(L + pilots,) where the points of a zero are, in steps."""
    import torch

    waves = range(FaceLattice.message_bits + _PILOTS)
    return torch.tensor([drawn("face lattice", "dither", number) for number in waves])


def _grey(images: "Tensor", faces: "Tensor") -> "Tensor":
    """Luma (N, 1, H, W) of pictures (N, 3, H, W) in [0, 1] within faces (N, 68, 2), less its mean; 0 elsewhere."""
    from faketagger.faces.geometry import face_mask

    luma = (images * images.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    where = face_mask(faces, (images.shape[2], images.shape[3]))
    return where * (luma - (where * luma).sum((2, 3), keepdim=True) / where.sum((2, 3), keepdim=True).clamp_min(1))
