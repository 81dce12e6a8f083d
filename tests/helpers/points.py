"""Landmarks without a face."""

import torch

from faketagger.faces.template import STABLE, TEMPLATE


def template_landmarks(n: int, side: float) -> torch.Tensor:
    """(n, 68, 2) plausible frontal landmarks filling a square of ``side`` pixels."""
    angles = torch.linspace(0, torch.pi, 17)
    points = torch.zeros(68, 2)
    points[:17] = torch.stack([0.5 - 0.34 * angles.cos(), 0.45 + 0.5 * angles.sin()], 1)
    points[STABLE] = torch.tensor(TEMPLATE)
    turn = torch.linspace(0, 2 * torch.pi, 21)[:20]
    points[48:] = torch.stack([0.5 + 0.12 * turn.cos(), 0.75 + 0.05 * turn.sin()], 1)
    return (points * side).expand(n, 68, 2).clone()
