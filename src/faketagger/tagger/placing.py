"""Adding an aligned residual to a large picture, touching only the part of it that the crop covers."""

import torch
from torch import Tensor

from faketagger.faces.geometry import invert, transform_points, warp_back


def add_residual(images: Tensor, residual: Tensor, matrix: Tensor) -> Tensor:
    """Lay residuals where their crops came from.

    Args:
        images: (N, 3, H, W) in [0, 1].
        residual: (N, 3, s, s), fading to 0 at its border.
        matrix: (N, 2, 3) picture -> crop.

    Returns:
        (N, 3, H, W) in [0, 1]; pixels that no crop covers are bit-identical.
    """
    height, width = images.shape[2:]
    side = residual.shape[-1] - 1
    corners = torch.tensor([[0, 0], [side, 0], [0, side], [side, side]]).to(matrix)
    places = transform_points(corners.expand(len(matrix), 4, 2), invert(matrix))
    left, top = (places.amin((0, 1)).floor().long() - 1).tolist()
    right, bottom = (places.amax((0, 1)).ceil().long() + 2).tolist()
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        return images
    shift = torch.zeros_like(matrix)
    shift[:, :, 2:] = matrix[:, :, :2] @ torch.tensor([[left], [top]]).to(matrix)
    placed = warp_back(residual, matrix + shift, (bottom - top, right - left))
    tagged = images.clone()
    tagged[:, :, top:bottom, left:right] = (tagged[:, :, top:bottom, left:right] + placed).clamp(0, 1)
    return tagged
