"""Networks of one fixed size on pictures of any: look at a resampled copy, add the resampled residual."""

import numpy as np
from numpy.typing import NDArray

from faketagger.watermarks.interface import Landmarks, Pixels


def to_side(images: Pixels, side: int) -> Pixels:
    """Resample pictures to a square.

    Args:
        images: (N, H, W, 3) uint8.
        side: Of the square.

    Returns:
        (N, side, side, 3) uint8: averaged over areas where it is smaller, bicubic where it is larger.
    """
    if images.shape[1:3] == (side, side):
        return images
    return np.stack([_resample(image, side, side) for image in images])


def landmarks_to_side(landmarks: Landmarks, size_hw: tuple[int, int], side: int) -> Landmarks:
    """Landmarks in the pixels of the resampled square.

    Args:
        landmarks: (N, 68, 2) x, y.
        size_hw: Height and width they belong to.
        side: Of the square.
    """
    scale = np.array([side / size_hw[1], side / size_hw[0]], dtype=np.float32)
    return (landmarks + np.float32(0.5)) * scale - np.float32(0.5)


def add_residual(images: Pixels, seen: Pixels, marked: NDArray[np.floating] | Pixels, scale: float) -> Pixels:
    """What an embedder added at its own size, added to the originals and rounded to 8 bits.

    Args:
        images: (N, H, W, 3) uint8, the originals.
        seen: (N, h, w, 3) uint8, what the embedder saw.
        marked: (N, h, w, 3) what it made of it, 0 to 255.
        scale: Multiplies the residual.

    Returns:
        (N, H, W, 3) uint8.

    Source: resolution scaling of Bui, Agarwal, Collomosse, "TrustMark", 2023, section 3.4.
    """
    height, width = images.shape[1:3]
    made = np.empty_like(images)
    for place, (image, before, after) in enumerate(zip(images, seen, marked, strict=True)):
        residual = after.astype(np.float32) - before.astype(np.float32)
        made[place] = np.clip(np.rint(image + scale * _resample(residual, height, width)), 0, 255)
    return made


def _resample(image: NDArray[np.generic], height: int, width: int) -> NDArray[np.generic]:
    import cv2

    if image.shape[:2] == (height, width):
        return image
    smaller = height * width < image.shape[0] * image.shape[1]
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC))  # type: ignore[call-overload]
