"""Dense warps of aligned faces: thin-plate splines through moved landmarks, smooth random fields."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from faketagger.simulator.graded import normal

_ANCHORS = 6
_COARSE = 64
_RIDGE = 1e-3


def _kernel(first: Tensor, second: Tensor) -> Tensor:
    distance = (first[:, :, None] - second[:, None]).square().sum(-1)
    return distance * (distance + 1e-9).log()


def _border(size: int, like: Tensor) -> Tensor:
    line = torch.linspace(0, size - 1, _ANCHORS).to(like)[:-1]
    low, high = torch.zeros_like(line), torch.full_like(line, size - 1)
    sides = [(line, low), (high, line), (high - line, high), (low, high - line)]
    return torch.cat([torch.stack(side, -1) for side in sides])


def spline_flow(before: Tensor, after: Tensor, size: int) -> Tensor:
    """Where each pixel comes from when landmarks move and the border of the crop stays.

    The thin-plate spline is fitted from moved to old places, with a small ridge so that landmarks which fall
    on one another do not tear the picture.

    Args:
        before: (N, K, 2) landmarks in pixels of the crop.
        after: (N, K, 2) where they go.
        size: Side of the crop.

    Returns:
        (N, 2, size, size) displacement (x, y) in pixels from a pixel of the new crop to its source.

    Source: F. L. Bookstein, "Principal warps: thin-plate splines and the decomposition of deformations",
    IEEE TPAMI 1989.
    """
    dtype = before.dtype
    before, after = before.detach().double() / size, after.detach().double() / size
    border = (_border(size, before) / size).expand(len(before), -1, -1)
    knots = torch.cat([after, border], 1)
    moves = torch.cat([before - after, torch.zeros_like(border)], 1)
    count = knots.shape[1]
    affine = torch.cat([torch.ones_like(knots[..., :1]), knots], -1)
    system = torch.zeros(len(knots), count + 3, count + 3).to(knots)
    system[:, :count, :count] = _kernel(knots, knots) + _RIDGE * torch.eye(count).to(knots)
    system[:, :count, count:] = affine
    system[:, count:, :count] = affine.transpose(1, 2)
    right = torch.cat([moves, torch.zeros(len(knots), 3, 2).to(knots)], 1)
    solved = torch.linalg.solve(system, right).to(dtype)

    line = torch.linspace(0, (size - 1) / size, _COARSE).to(solved)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    places = torch.stack([columns, rows], -1).view(1, -1, 2)
    coarse = _kernel(places.expand(len(knots), -1, -1), knots.to(dtype)) @ solved[:, :count]
    coarse = coarse + solved[:, None, count] + places @ solved[:, count + 1 :]
    flow = coarse.transpose(1, 2).unflatten(2, (_COARSE, _COARSE)) * size
    return functional.interpolate(flow, (size, size), mode="bilinear", align_corners=True)


def random_flow(rng: torch.Generator, amplitude: float, cells: int, like: Tensor) -> Tensor:
    """Smooth random displacements of (N, C, s, s) crops, ``amplitude`` pixels on a grid, 0 at the rim.

    Returns:
        (N, 2, s, s).
    """
    grid = amplitude * normal(rng, (len(like), 2, cells, cells), like).clamp(-2, 2)
    grid = functional.pad(grid, (1, 1, 1, 1))
    return functional.interpolate(grid, like.shape[-2:], mode="bicubic", align_corners=True)


def warp(crops: Tensor, flow: Tensor) -> Tensor:
    """Fetch every pixel of (N, C, s, s) crops from where the (N, 2, s, s) flow says."""
    size = crops.shape[-1]
    line = torch.arange(size).to(crops)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    places = torch.stack([columns, rows], -1) + flow.permute(0, 2, 3, 1)
    grid = places * (2 / (size - 1)) - 1
    return functional.grid_sample(crops, grid, mode="bilinear", padding_mode="border", align_corners=True)


def stretch(flow: Tensor) -> Tensor:
    """(N, 1, s, s): by how much area grows where a flow fetches pixels; 1 where nothing is stretched."""
    across = torch.gradient(flow, dim=3)[0]
    down = torch.gradient(flow, dim=2)[0]
    area = (1 + across[:, :1]) * (1 + down[:, 1:]) - across[:, 1:] * down[:, :1]
    return 1 / area.clamp(0.1, 10)
