"""Where the aligned face lies in a picture: similarity, crop, paste-back, mask. Torch, batched, differentiable.

The aligned crop is a square in which the distance between the eye centres is 0.30 of the side, wide enough for
the face from forehead to chin. The similarity is the least-squares fit (Umeyama, TPAMI 1991) of brows, nose and
eyes, the landmarks that expressions move least.
"""

import math

import kornia.geometry.transform as kornia_transform
import torch
import torch.nn.functional as functional
from kornia.filters import gaussian_blur2d
from torch import Tensor

from faketagger.faces.template import STABLE, TEMPLATE

_HULL_SIDES = 48


def crop_matrix(landmarks: Tensor, size: int, zoom: float = 1.0) -> Tensor:
    """Similarity that takes picture coordinates to the aligned crop.

    Args:
        landmarks: (N, 68, 2) pixel coordinates (x, y), iBUG order.
        size: Side of the crop in pixels.
        zoom: Magnification about the centre of the crop; below 1 the crop shows more of the picture.

    Returns:
        (N, 2, 3) matrices, picture -> crop, in pixel coordinates with pixel centres at integers.

    Source: S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991.
    """
    source = landmarks[:, STABLE].double()
    template = torch.as_tensor(TEMPLATE, dtype=torch.float64, device=landmarks.device)
    target = (0.5 + zoom * (template - 0.5)) * size - 0.5
    source_mean, target_mean = source.mean(1, keepdim=True), target.mean(0)
    a, b = source - source_mean, target - target_mean
    norm = a.square().sum((1, 2)).clamp_min(1e-6)
    cosine = (a * b).sum((1, 2)) / norm
    sine = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(1) / norm
    linear = torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], 1)
    shift = target_mean[None, :, None] - linear @ source_mean.transpose(1, 2)
    return torch.cat([linear, shift], 2).to(landmarks.dtype)


def invert(matrix: Tensor) -> Tensor:
    """Inverse of (N, 2, 3) affine matrices."""
    linear = torch.linalg.inv(matrix[:, :, :2])
    return torch.cat([linear, -linear @ matrix[:, :, 2:]], 2)


def chained(first: Tensor, second: Tensor) -> Tensor:
    """What ``first`` does and then what ``second`` does, (N, 2, 3) each; ``first`` may be one for all, (1, 2, 3)."""
    linear, shift = second[:, :, :2], second[:, :, 2:]
    return torch.cat([linear @ first[:, :, :2], linear @ first[:, :, 2:] + shift], 2)


def scale_of(matrix: Tensor) -> Tensor:
    """(N,) magnification of (N, 2, 3) similarity matrices: crop pixels per picture pixel."""
    return torch.linalg.det(matrix[:, :, :2]).abs().sqrt()


def transform_points(points: Tensor, matrix: Tensor) -> Tensor:
    """Apply (N, 2, 3) matrices to (N, K, 2) points."""
    return points @ matrix[:, :, :2].transpose(1, 2) + matrix[:, :, 2].unsqueeze(1)


def warp_crop(images: Tensor, matrix: Tensor, size: int) -> Tensor:
    """Cut the aligned crop out of each picture, low-pass filtered first where it shrinks.

    Args:
        images: (N, C, H, W) float.
        matrix: (N, 2, 3) picture -> crop.
        size: Side of the crop.

    Returns:
        (N, C, size, size); border pixels are repeated outside the picture.
    """
    return sampled(*softened(images, matrix, size), size)


def softened(images: Tensor, matrix: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """What crops are cut out of: pictures low-pass filtered where the crops shrink them, and perhaps smaller.

    Args:
        images: (N, C, H, W) float.
        matrix: (N, 2, 3) picture -> crop.
        size: Side of the crop.

    Returns:
        (N, C, h, w), and (N, 2, 3) matrices from these to the crops.
    """
    scale = scale_of(matrix)
    height, width = images.shape[2:]
    reach = math.ceil(4 / float(scale.min().clamp_min(1e-3))) + 4
    left, top, right, bottom = covered_box(matrix, size, (height, width), reach)
    if left < right and top < bottom and (right - left) * (bottom - top) < 0.5 * height * width:
        images, matrix = images[:, :, top:bottom, left:right], _moved(matrix, left, top)
    factor = int(1.0 / float(scale.max().clamp_min(1e-6)))
    if factor >= 2:
        images = _shrink(images, factor)
        step = torch.tensor([[factor, 0.0, (factor - 1) / 2], [0.0, factor, (factor - 1) / 2]]).to(matrix)
        lifted = torch.cat([step, torch.tensor([[0.0, 0.0, 1.0]]).to(matrix)])
        matrix = matrix @ lifted
        scale = scale * factor
    sigma = 0.5 * (1.0 / scale.clamp(1e-3, 1.0) - 1.0)
    if float(sigma.max()) > 0.15:
        width = 2 * math.ceil(2.5 * float(sigma.max())) + 1
        images = gaussian_blur2d(images, (width, width), sigma.clamp_min(1e-3)[:, None].expand(-1, 2).to(images))
    return images, matrix


def sampled(images: Tensor, matrix: Tensor, size: int) -> Tensor:
    """Crops (N, C, size, size) of pictures that are soft enough; border pixels are repeated outside."""
    return kornia_transform.warp_affine(
        images, matrix.to(images), (size, size), mode="bilinear", padding_mode="border", align_corners=True
    )


def warp_back(crops: Tensor, matrix: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Lay aligned crops (N, C, s, s) back where they came from, on zeros of (N, C, H, W).

    Args:
        crops: Values in the aligned crop.
        matrix: (N, 2, 3) picture -> crop, as for :func:`warp_crop`.
        size_hw: Height and width of the picture.
    """
    mode = "bicubic" if float(scale_of(matrix).min()) < 0.75 else "bilinear"
    return kornia_transform.warp_affine(
        crops, invert(matrix).to(crops), size_hw, mode=mode, padding_mode="zeros", align_corners=True
    )


def edge_window(size: int, border: float = 0.08) -> Tensor:
    """(1, 1, size, size) window: 1 inside, cosine fall to 0 over ``border`` of the side."""
    ramp = ((torch.arange(size) + 0.5) / size / border).clamp(0, 1)
    line = 0.5 - 0.5 * torch.cos(math.pi * torch.minimum(ramp, ramp.flip(0)))
    return (line[:, None] * line[None, :])[None, None]


def paste(images: Tensor, crops: Tensor, masks: Tensor, matrix: Tensor) -> Tensor:
    """Blend aligned crops back into the pictures.

    Args:
        images: (N, 3, H, W).
        crops: (N, 3, s, s) aligned crops.
        masks: (N, 1, s, s) in [0, 1], weight of the crop.
        matrix: (N, 2, 3) picture -> crop.

    Returns:
        (N, 3, H, W); pixels where the mask is 0 are bit-identical to the input.
    """
    size_hw = (images.shape[2], images.shape[3])
    weight = warp_back(masks, matrix, size_hw).clamp(0, 1)
    filled = warp_back(crops, matrix, size_hw)
    covered = warp_back(torch.ones_like(masks), matrix, size_hw).clamp_min(1e-4)
    return images + weight * (filled / covered - images)


def paste_residual(images: Tensor, residual: Tensor, matrix: Tensor) -> Tensor:
    """Add aligned residuals, faded at the border of the crop, to pictures.

    Args:
        images: (N, 3, H, W) in [0, 1].
        residual: (N, 3, s, s).
        matrix: (N, 2, 3) picture -> crop.

    Returns:
        (N, 3, H, W) in [0, 1]; pixels that no crop covers are bit-identical.
    """
    size = residual.shape[-1]
    left, top, right, bottom = covered_box(matrix, size, (images.shape[2], images.shape[3]), margin=1)
    if left >= right or top >= bottom:
        return images
    faded = residual * edge_window(size).to(residual)
    placed = warp_back(faded, _moved(matrix, left, top), (bottom - top, right - left))
    pasted = images.clone()
    pasted[:, :, top:bottom, left:right] = (images[:, :, top:bottom, left:right] + placed).clamp(0, 1)
    return pasted


def covered_box(matrix: Tensor, size: int, size_hw: tuple[int, int], margin: int) -> tuple[int, int, int, int]:
    """Smallest box that holds the crops of all pictures of a batch.

    Args:
        matrix: (N, 2, 3) picture -> crop.
        size: Side of the crops.
        size_hw: Height and width of the pictures.
        margin: Pixels to add on every side.

    Returns:
        Left, top, right and bottom (the latter two exclusive), within the picture.
    """
    end = size - 1
    corners = torch.tensor([[0, 0], [end, 0], [0, end], [end, end]]).to(matrix)
    places = transform_points(corners.expand(len(matrix), 4, 2), invert(matrix))
    left, top = (places.amin((0, 1)).floor().long() - margin).clamp_min(0).tolist()
    right, bottom = (places.amax((0, 1)).ceil().long() + 1 + margin).tolist()
    return left, top, min(right, size_hw[1]), min(bottom, size_hw[0])


def _moved(matrix: Tensor, left: int, top: int) -> Tensor:
    """The matrices of pictures whose first ``left`` columns and ``top`` rows were cut off."""
    shift = matrix[:, :, :2] @ torch.tensor([[left], [top]]).to(matrix)
    return torch.cat([matrix[:, :, :2], matrix[:, :, 2:] + shift], 2)


def face_mask(landmarks: Tensor, size_hw: tuple[int, int], softness: float = 0.06) -> Tensor:
    """Soft mask of the face: jaw and brows, the latter lifted to cover the forehead.

    Args:
        landmarks: (N, 68, 2) pixel coordinates.
        size_hw: Height and width of the mask.
        softness: Width of the edge as a share of the face's height.

    Returns:
        (N, 1, H, W) in [0, 1].
    """
    jaw, brows = landmarks[:, :17], landmarks[:, 17:27]
    chin, bridge = landmarks[:, 8:9], landmarks[:, 27:28]
    up = (bridge - chin) * 0.45
    outline = torch.cat([jaw, brows + up], 1)
    centre = outline.mean(1, keepdim=True)
    angles = torch.linspace(0, 2 * math.pi, _HULL_SIDES + 1)[:-1].to(landmarks)
    directions = torch.stack([angles.cos(), angles.sin()], -1)
    support = ((outline - centre) @ directions.T).amax(1)
    height, width = size_hw
    rows = torch.arange(height).to(landmarks)
    columns = torch.arange(width).to(landmarks)
    inside = torch.full((len(landmarks), height, width), float("inf")).to(landmarks)
    for side, direction in enumerate(directions):
        distance = (
            support[:, side, None, None]
            - (rows[:, None] - centre[:, :, 1, None]) * direction[1]
            - (columns[None, :] - centre[:, :, 0, None]) * direction[0]
        )
        inside = torch.minimum(inside, distance)
    edge = softness * torch.linalg.norm(up, dim=-1)[..., None].clamp_min(1.0) / 0.45
    return (0.5 + inside / edge).clamp(0, 1).unsqueeze(1)


def _shrink(images: Tensor, factor: int) -> Tensor:
    height, width = images.shape[2] // factor * factor, images.shape[3] // factor * factor
    return functional.avg_pool2d(images[:, :, :height, :width], factor)
