"""How what is around a face is looked at while a scene is trained on."""

import torch
from torch import Tensor

from faketagger.faces.geometry import transform_points, warp_crop
from faketagger.simulator.graded import uniform
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.place import blanked
from faketagger.tagger.surround import READING, outside

_HIDDEN = (0.97, 1.17)
"""How much larger than its landmarks say a face is hidden from who reads around it."""


def lose(seen: Tensor, untagged: Tensor, share: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Replace a random share of the scenes (N, 3, H, W) by untagged ones.

    Returns:
        The scenes, and True, (N,), where one was replaced.
    """
    gone = uniform(rng, (len(seen), 1, 1, 1), seen) < share
    return torch.where(gone, untagged, seen), gone.flatten()


def read_around(
    networks: TaggerNetworks, seen: Tensor, landmarks: Tensor, matrix: Tensor, rng: torch.Generator | None
) -> Tensor:
    """Read wide views whose faces are hidden.

    Args:
        networks: Who reads.
        seen: Scenes, (N, 3, H, W) in [0, 1].
        landmarks: (N, 68, 2) pixel coordinates in the scenes.
        matrix: (N, 2, 3) scene -> wide view.
        rng: Where faces are hidden by more or less than their landmarks say; None to hide them as a tagger does.

    Returns:
        Logits (N, L), positive for bit 1.
    """
    size = networks.size
    growth: Tensor | float = READING
    if rng is not None:
        low, high = _HIDDEN
        growth = low + (high - low) * uniform(rng, (len(seen), 1, 1), landmarks)
    where = outside(transform_points(landmarks, matrix), (size, size), growth)
    return networks.read(blanked(warp_crop(seen, matrix, size).clamp(0, 1), where))
