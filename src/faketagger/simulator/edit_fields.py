"""Low-frequency edits of an aligned face, each confined to a soft region found by landmarks."""

from collections.abc import Callable

import torch
import torch.nn.functional as functional
from kornia.color import rgb_to_grayscale
from kornia.filters import gaussian_blur2d
from torch import Tensor

from faketagger.faces.geometry import face_mask
from faketagger.simulator import regions
from faketagger.simulator.graded import normal

_DYES = ((0.82, 0.66, 0.40), (0.52, 0.22, 0.12), (0.16, 0.12, 0.10), (0.70, 0.70, 0.72))
_FIELD_CELLS, _FIELD_LIGHT, _FIELD_COLOUR = 4, 0.06, 0.015

Edit = Callable[[Tensor, Tensor, Tensor], Tensor]
"""``edit(crops (N, 3, s, s), landmarks (N, 68, 2), strength (N, 1, 1, 1) in [-1, 1]) -> (N, 3, s, s)``."""


def _weaker_back(strength: Tensor, share: float) -> Tensor:
    """Strengths of which the negative ones count for a share only: there is less to take away than to add."""
    return torch.where(strength > 0, strength, share * strength)


def _colour(like: Tensor, *values: float) -> Tensor:
    return torch.tensor(values).to(like).view(1, 3, 1, 1)


def complexion(crops: Tensor, landmarks: Tensor, strength: Tensor) -> Tensor:
    """Paler skin, or tanned where the strength is negative."""
    mask = regions.skin(landmarks, crops.shape[-1])
    return crops + mask * strength * _colour(crops, 0.07, 0.085, 0.09)


def lipstick(crops: Tensor, landmarks: Tensor, strength: Tensor) -> Tensor:
    """Redder lips, or paler ones."""
    mask = regions.lips(landmarks, crops.shape[-1])
    return crops * (1 - mask * _weaker_back(strength, 0.3) * _colour(crops, -0.05, 0.40, 0.28))


def blush(crops: Tensor, landmarks: Tensor, strength: Tensor) -> Tensor:
    """Rosy cheeks."""
    mask = regions.cheeks(landmarks, crops.shape[-1])
    return crops + mask * strength.abs() * _colour(crops, 0.06, -0.05, -0.03)


def beard(crops: Tensor, landmarks: Tensor, strength: Tensor) -> Tensor:
    """The shadow of a beard, or a shaven chin."""
    mask = regions.beard(landmarks, crops.shape[-1])
    return crops * (1 - mask * _weaker_back(strength, 0.2) * _colour(crops, 0.30, 0.28, 0.24))


def age(crops: Tensor, landmarks: Tensor, strength: Tensor) -> Tensor:
    """Deeper folds and sallower skin, or smoother skin."""
    mask = regions.skin(landmarks, crops.shape[-1])
    folds = crops - gaussian_blur2d(crops, (13, 13), (3.0, 3.0))
    grey = rgb_to_grayscale(crops)
    older = crops + 0.9 * folds + 0.25 * (grey - crops)
    return crops + mask * torch.where(strength > 0, strength * (older - crops), 0.7 * strength * folds)


def eye_shadow(crops: Tensor, landmarks: Tensor, strength: Tensor) -> Tensor:
    """Darker or lighter lids."""
    size = crops.shape[-1]
    lids = regions.eyes(landmarks, size, 5.0) * (1 - regions.eyes(landmarks, size, 0.0))
    lids = gaussian_blur2d(lids, (7, 7), (1.5, 1.5))
    return crops * (1 - lids * _weaker_back(strength, 0.25) * _colour(crops, 0.36, 0.44, 0.33))


def dye_hair(crops: Tensor, landmarks: Tensor, strength: Tensor) -> Tensor:
    """Blond, red, black or grey hair; the strength's own value picks the dye."""
    mask = regions.hair(landmarks, crops.shape[-1])
    dyes = torch.tensor(_DYES).to(crops)
    choice = (strength.flatten().abs() * 997).long() % len(_DYES)
    tone = dyes[choice].view(-1, 3, 1, 1)
    grey = rgb_to_grayscale(crops)
    dyed = tone * (0.35 + 1.5 * grey)
    return crops + 0.6 * mask * strength.abs() * (dyed - crops)


EDITS: dict[str, Edit] = {
    "complexion": complexion,
    "lipstick": lipstick,
    "blush": blush,
    "beard": beard,
    "age": age,
    "eye_shadow": eye_shadow,
    "dye_hair": dye_hair,
}


def tone_field(crops: Tensor, landmarks: Tensor, rng: torch.Generator) -> Tensor:
    """(N, 3, s, s) smooth random offsets over the face, mostly of lightness, as other light would make them."""
    size, cells = crops.shape[-1], _FIELD_CELLS
    light = _FIELD_LIGHT * normal(rng, (len(crops), 1, cells, cells), crops)
    colour = _FIELD_COLOUR * normal(rng, (len(crops), 3, cells, cells), crops)
    grid = (light + colour).clamp(-0.12, 0.12)
    field = functional.interpolate(grid, (size, size), mode="bicubic", align_corners=True)
    return field * face_mask(landmarks, (size, size), 0.4)
