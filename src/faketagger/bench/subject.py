"""The tagger under test, seen as 8-bit pictures in, 8-bit pictures or soft bits out."""

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faketagger.bench.pictures import Pixels
from faketagger.faces.geometry import face_mask
from faketagger.imaging import to_uint8

VIEW_FILL = 128
"""Grey level that replaces everything outside the face in the face view."""


class AlignedTagger(Protocol):
    """What the benchmark asks of a tagger; :class:`faketagger.tagger.Tagger` has it."""

    name: str
    codec: Any

    @property
    def message_bits(self) -> int:
        """Length L of a message."""
        ...

    def embed_aligned(self, images: Tensor, message: Tensor, landmarks: Tensor) -> Tensor:
        """Tag (N, 3, H, W) pictures in [0, 1] with (N, L) bits, faces at (N, 68, 2)."""
        ...

    def read_aligned(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Read (N, L) logits."""
        ...


def to_tensor(images: list[Pixels]) -> Tensor:
    """Equal-sized (H, W, 3) uint8 pictures as (N, 3, H, W) float in [0, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous().float() / 255


def to_pixels(images: Tensor) -> list[Pixels]:
    """(N, 3, H, W) float pictures rounded to 8 bits, as a file would hold them."""
    arrays = images.detach().cpu().permute(0, 2, 3, 1).numpy()
    return [to_uint8(array) for array in arrays]


def hull(landmarks: NDArray[np.floating], size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Soft mask (H, W) of the face.

    Args:
        landmarks: (68, 2) pixel coordinates.
        size_hw: Height and width.
    """
    points = torch.from_numpy(np.asarray(landmarks, dtype=np.float32))[None]
    return face_mask(points, size_hw)[0, 0].numpy()


def face_view(image: Pixels, attack_mask: NDArray[np.floating], landmarks: NDArray[np.floating]) -> Pixels:
    """Only what the attack itself made of the face; flat grey everywhere else.

    Paste-back tools leave the background bit-exact, and a mark there survives any of them. The face view
    keeps the pixels inside the attack's mask and inside the soft outline of the face, so that background
    cannot vote.

    Args:
        image: (H, W, 3) uint8, attacked.
        attack_mask: (H, W) in [0, 1], 1 where the attack made the pixel.
        landmarks: (68, 2) found in the attacked picture.

    Returns:
        (H, W, 3) uint8.
    """
    weight = (hull(landmarks, (image.shape[0], image.shape[1])) * attack_mask)[..., None]
    return np.rint(VIEW_FILL + weight * (image.astype(np.float32) - VIEW_FILL)).astype(np.uint8)


class Subject:
    """A tagger with the device it runs on hidden.

    Args:
        tagger: The tagger.
    """

    def __init__(self, tagger: AlignedTagger) -> None:
        self._tagger = tagger
        self.name = tagger.name
        self.message_bits = int(tagger.message_bits)
        self.payload_bits = int(tagger.codec.payload_bits)
        self.crc_bits = int(tagger.codec.crc_bits)

    def embed(
        self, images: list[Pixels], messages: list[NDArray[np.uint8]], landmarks: list[NDArray[np.float32]]
    ) -> list[Pixels]:
        """Tag pictures.

        Args:
            images: (H, W, 3) uint8, all of one size.
            messages: (L,) each.
            landmarks: (68, 2) each.

        Returns:
            Tagged pictures, rounded to 8 bits.
        """
        with torch.inference_mode():
            tagged = self._tagger.embed_aligned(
                to_tensor(images),
                torch.from_numpy(np.stack(messages)).float(),
                torch.from_numpy(np.stack(landmarks)),
            )
        return to_pixels(tagged.clamp(0, 1))

    def read(self, images: list[Pixels], landmarks: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Read pictures, one at a time so that a result never depends on its neighbours.

        Args:
            images: (H, W, 3) uint8 of any size.
            landmarks: (68, 2) each.

        Returns:
            (L,) soft bits each.
        """
        with torch.inference_mode():
            return [
                self._tagger.read_aligned(to_tensor([image]), torch.from_numpy(points)[None])[0].float().cpu().numpy()
                for image, points in zip(images, landmarks, strict=True)
            ]
