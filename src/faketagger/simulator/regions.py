"""Soft regions of an aligned face, drawn from its landmarks."""

import math

import torch
from torch import Tensor

from faketagger.faces.geometry import face_mask

_SIDES = 24

LIPS, INNER_LIPS = slice(48, 60), slice(60, 68)
EYES = (slice(36, 42), slice(42, 48))
BROWS = slice(17, 27)


def soft_hull(points: Tensor, size: int, edge: float, grow: float = 0.0) -> Tensor:
    """Soft convex hull of some points.

    Args:
        points: (N, K, 2) pixel coordinates.
        size: Side of the square map.
        edge: Width of the fall from 1 to 0 in pixels, centred on the hull's border.
        grow: Pixels by which the hull is grown first.

    Returns:
        (N, 1, size, size) in [0, 1].
    """
    angles = torch.arange(_SIDES).to(points) * (2 * math.pi / _SIDES)
    directions = torch.stack([angles.cos(), angles.sin()], -1)
    support = (points @ directions.T).amax(1) + grow
    line = torch.arange(size).to(points)
    place = line[:, None, None] * directions[:, 1] + line[None, :, None] * directions[:, 0]
    inside = (support[:, None, None, :] - place).amin(-1)
    return (0.5 + inside / edge).clamp(0, 1).unsqueeze(1)


def spot(centres: Tensor, size: int, radius: Tensor) -> Tensor:
    """(N, 1, size, size) Gaussian spots of (N,) radii in pixels around (N, 2) centres."""
    line = torch.arange(size).to(centres)
    across = (line[None, None, :] - centres[:, 0, None, None]).square()
    down = (line[None, :, None] - centres[:, 1, None, None]).square()
    return (-(across + down) / (2 * radius.square()[:, None, None])).exp().unsqueeze(1)


def lips(landmarks: Tensor, size: int) -> Tensor:
    """(N, 1, size, size): the lips without the mouth between them."""
    inner = soft_hull(landmarks[:, INNER_LIPS], size, 2.0, -1.0)
    return soft_hull(landmarks[:, LIPS], size, 4.0) * (1 - inner)


def eyes(landmarks: Tensor, size: int, grow: float = 2.0) -> Tensor:
    """(N, 1, size, size): both eyes, lids included when grown."""
    left, right = (soft_hull(landmarks[:, eye], size, 4.0, grow) for eye in EYES)
    return torch.maximum(left, right)


def skin(landmarks: Tensor, size: int) -> Tensor:
    """(N, 1, size, size): the face without eyes and mouth."""
    mouth = soft_hull(landmarks[:, LIPS], size, 4.0)
    return face_mask(landmarks, (size, size), 0.15) * (1 - mouth) * (1 - eyes(landmarks, size))


def cheeks(landmarks: Tensor, size: int) -> Tensor:
    """(N, 1, size, size): a soft spot on each cheek, between eye, nose and jaw."""
    left = landmarks[:, [2, 31, 41]].mean(1)
    right = landmarks[:, [14, 35, 46]].mean(1)
    radius = left.new_full((len(left),), 0.075 * size)
    return torch.maximum(spot(left, size, radius), spot(right, size, radius))


def beard(landmarks: Tensor, size: int) -> Tensor:
    """(N, 1, size, size): chin, jaw and upper lip without the mouth."""
    lower = soft_hull(landmarks[:, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 33]], size, 10.0, -2.0)
    return lower * (1 - soft_hull(landmarks[:, LIPS], size, 4.0, 1.0))


def hair(landmarks: Tensor, size: int) -> Tensor:
    """(N, 1, size, size): a band around the upper half of the face, where hair usually is."""
    face = face_mask(landmarks, (size, size), 0.1)
    top = landmarks[:, BROWS].mean(1)
    width = landmarks[:, 16, 0] - landmarks[:, 0, 0]
    rows = torch.arange(size).to(landmarks)[None, None, :, None]
    above = ((landmarks[:, 29, 1].view(-1, 1, 1, 1) - rows) / (0.2 * size)).clamp(0, 1)
    return (1 - face) * above * spot(top, size, 0.62 * width.clamp_min(1.0))
