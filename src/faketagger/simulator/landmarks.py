"""Landmarks that follow a picture through an attack."""

import torch
from torch import Tensor

from faketagger.simulator.interface import AttackBatch, AttackOutput

_LEFT_RIGHT = (
    [(index, 16 - index) for index in range(8)]
    + [(17 + index, 26 - index) for index in range(5)]
    + [(31, 35), (32, 34)]
    + [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    + [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)]
)


def mirror_order() -> Tensor:
    """(68,) iBUG indices as a face finder numbers them in a mirrored picture."""
    order = torch.arange(68)
    for left, right in _LEFT_RIGHT:
        order[left], order[right] = right, left
    return order


def moved_landmarks(batch: AttackBatch, output: AttackOutput) -> Tensor:
    """Where the landmarks are after an attack that told them, or its homography as ``details[i]["matrix"]``.

    Args:
        batch: What was attacked.
        output: What came out; where it has no ``landmarks``, images without a ``matrix`` keep theirs.

    Returns:
        (N, 68, 2) pixel coordinates, renumbered where the homography mirrors.
    """
    if output.landmarks is not None:
        return output.landmarks
    moved = batch.landmarks.clone()
    for index, detail in enumerate(output.details):
        if "matrix" not in detail:
            continue
        matrix = moved.new_tensor(detail["matrix"])
        points = moved[index] @ matrix[:, :2].T + matrix[:, 2]
        points = points[:, :2] / points[:, 2:]
        moved[index] = points[mirror_order()] if torch.linalg.det(matrix[:2, :2]) < 0 else points
    return moved
