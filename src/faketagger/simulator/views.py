"""Random framings of a face, what alignment errors and other people's crops do to it; and the rounding of a file."""

from dataclasses import dataclass

import torch
from torch import Tensor

from faketagger.faces.geometry import chained, crop_matrix, transform_points, warp_crop
from faketagger.simulator.landmarks import mirror_order


@dataclass(frozen=True)
class Framing:
    """Ranges of a random similarity around the aligned crop.

    Attributes:
        rotation: Largest angle in degrees, either way.
        shift: Largest shift as a share of the side, either way.
        zoom_out: Smallest magnification relative to the aligned crop.
        zoom_in: Largest magnification relative to the aligned crop.
        zoom: Magnification of the crop that is moved, relative to the aligned one.
    """

    rotation: float = 6.0
    shift: float = 0.05
    zoom_out: float = 0.9
    zoom_in: float = 1.1
    zoom: float = 1.0


STILL = Framing(rotation=0.0, shift=0.0, zoom_out=1.0, zoom_in=1.0)
READ = Framing(rotation=3.0, shift=0.02, zoom_out=0.95, zoom_in=1.05)
"""How far a reader's framing of a face may be off."""


def _uniform(n: int, low: float, high: float, rng: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=rng)


def random_matrix(landmarks: Tensor, size: int, framing: Framing, rng: torch.Generator) -> Tensor:
    """Aligned crop matrix followed by a random similarity about the crop's centre.

    Args:
        landmarks: (N, 68, 2) pixel coordinates.
        size: Side of the crop in pixels.
        framing: Ranges to draw from.
        rng: Source of the draws.

    Returns:
        (N, 2, 3) picture -> crop.
    """
    base = crop_matrix(landmarks, size, framing.zoom)
    return chained(base, random_similarity(len(landmarks), size, framing, rng).to(base))


def random_similarity(n: int, size: int, framing: Framing, rng: torch.Generator) -> Tensor:
    """(n, 2, 3) random similarities about the centre of a square of ``size`` pixels."""
    angle = torch.deg2rad(_uniform(n, -framing.rotation, framing.rotation, rng))
    zoom = torch.exp(_uniform(n, framing.zoom_out, framing.zoom_in, rng).log())
    linear = zoom[:, None, None] * torch.stack(
        [torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], 1
    )
    centre = torch.full((n, 2, 1), (size - 1) / 2)
    shift = (2 * torch.rand(n, 2, 1, generator=rng) - 1) * framing.shift * size
    return torch.cat([linear, centre + shift - linear @ centre], 2)


def random_views(
    images: Tensor, landmarks: Tensor, size: int, framing: Framing, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cut one random view per picture.

    Args:
        images: (N, 3, H, W) in [0, 1], with some margin around the face.
        landmarks: (N, 68, 2) pixel coordinates in ``images``.
        size: Side of the views.
        framing: Ranges of the random similarity.
        rng: Source of the draws.

    Returns:
        Views (N, 3, size, size) in [0, 1] and their landmarks (N, 68, 2).
    """
    matrix = random_matrix(landmarks, size, framing, rng)
    return warp_crop(images, matrix, size).clamp(0, 1), transform_points(landmarks, matrix)


def jitter(images: Tensor, framing: Framing, rng: torch.Generator) -> Tensor:
    """The same square pictures (N, 3, S, S), each turned, moved and scaled a little."""
    size = images.shape[-1]
    return warp_crop(images, random_similarity(len(images), size, framing, rng).to(images), size)


def flip(images: Tensor, landmarks: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mirror half of the pictures, landmarks with them (iBUG left and right exchanged)."""
    chosen = torch.rand(len(images), generator=rng).to(images.device) < 0.5
    mirrored = landmarks[:, mirror_order()]
    mirrored[..., 0] = images.shape[-1] - 1 - mirrored[..., 0]
    return (
        torch.where(chosen[:, None, None, None], images.flip(3), images),
        torch.where(chosen[:, None, None], mirrored, landmarks),
    )


def round_to_uint8(images: Tensor) -> Tensor:
    """Clip to [0, 1] and round to 256 levels; the gradient passes as if nothing was rounded."""
    clipped = images.clamp(0, 1)
    return clipped + ((clipped * 255).round() / 255 - clipped).detach()
