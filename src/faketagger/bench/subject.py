"""The watermark under test, ours or a rival, seen as 8-bit pictures in, 8-bit pictures or soft bits out."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faketagger.bench.pictures import Pixels
from faketagger.faces.geometry import face_mask
from faketagger.imaging import to_uint8
from faketagger.watermarks import CheckedWatermark

VIEW_FILL = 128
"""Grey level that replaces everything outside the face in the face view."""


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
    """The watermark under test: pictures of any sizes in lists, and whether it has to know the face.

    Args:
        watermark: Any watermark, checked.
    """

    def __init__(self, watermark: CheckedWatermark) -> None:
        self._watermark = watermark
        self.name, self.kind, self.version = watermark.name, watermark.kind, watermark.version
        self.message_bits = watermark.message_bits
        self.coded = watermark.payload_bits is not None
        self.payload_bits = watermark.payload_bits or watermark.message_bits
        self.crc_bits = watermark.crc_bits if self.coded else None
        self.needs_face, self.knob = watermark.uses_landmarks, watermark.knob

    def set_strength(self, factor: float) -> None:
        """Make the watermark as strong as a factor on its default.

        Args:
            factor: Above 0.
        """
        self._watermark = self._watermark.with_strength(factor)

    def embed(
        self, images: list[Pixels], messages: list[NDArray[np.uint8]], landmarks: list[NDArray[np.float32]]
    ) -> list[Pixels]:
        """Tag pictures.

        Args:
            images: (H, W, 3) uint8.
            messages: (L,) each.
            landmarks: (68, 2) each.

        Returns:
            Tagged pictures, rounded to 8 bits.

        Raises:
            WatermarkError: It failed, or did not keep the protocol.
        """
        tagged: list[Pixels] = list(images)
        for places in _equal_sized(images):
            batch = np.stack([images[i] for i in places])
            bits = np.stack([messages[i] for i in places])
            made = self._watermark.embed(batch, bits, np.stack([landmarks[i] for i in places]))
            for i, image in zip(places, made, strict=True):
                tagged[i] = image
        return tagged

    def read(
        self, images: list[Pixels], landmarks: list[NDArray[np.float32] | None]
    ) -> list[NDArray[np.float32]]:
        """Read pictures.

        Args:
            images: (H, W, 3) uint8 of any size.
            landmarks: (68, 2) each; None only where the watermark does not need them.

        Returns:
            (L,) soft bits each.

        Raises:
            WatermarkError: It failed, or did not keep the protocol.
        """
        soft: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(images)
        for places in _equal_sized(images):
            points = np.stack([_known(landmarks[i]) for i in places]) if self.needs_face else None
            read = self._watermark.read(np.stack([images[i] for i in places]), points)
            for i, row in zip(places, read, strict=True):
                soft[i] = row
        return soft


def _equal_sized(images: list[Pixels]) -> list[list[int]]:
    """Places of pictures of equal size together."""
    places: dict[tuple[int, ...], list[int]] = {}
    for i, image in enumerate(images):
        places.setdefault(image.shape, []).append(i)
    return list(places.values())


def _known(landmarks: NDArray[np.float32] | None) -> NDArray[np.float32]:
    assert landmarks is not None
    return landmarks
