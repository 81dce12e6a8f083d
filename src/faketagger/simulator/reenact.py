"""Reenactment: another expression and pose, by a dense warp through moved landmarks."""

from typing import ClassVar

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from faketagger.faces.geometry import edge_window
from faketagger.simulator.autoencoders import Autoencoder, load_autoencoder
from faketagger.simulator.dense_warp import spline_flow, stretch, warp
from faketagger.simulator.expression import Expression, mouth_gap, move_landmarks
from faketagger.simulator.face_attack import FaceAttack, Remade, blend, regenerate
from faketagger.simulator.interface import Family
from faketagger.simulator.regions import INNER_LIPS, soft_hull

_TORN = (1.8, 3.5)
_CAVITY = (0.20, 0.09, 0.08)
_TEETH = (0.88, 0.82, 0.72)


class Reenact(FaceAttack):
    """Move the landmarks to a drawn expression and pose, warp the face along, paint in what was hidden.

    Args:
        severity: Amplitude of the drawn expression and pose.
        rerender: Send the warped face through the ``skip`` autoencoder, as neural renderers do.
        network: The re-rendering network; the shipped one when None.

    Raises:
        CheckpointError: The shipped weights are missing.
    """

    name: ClassVar[str] = "reenact"
    family: ClassVar[Family] = "reenact"
    unit: ClassVar[str] = "amplitude of the drawn expression and pose (1: as far as an ordinary face goes)"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 1.0
    training_range: ClassVar[tuple[float, float]] = (0.3, 1.2)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.5)

    def __init__(
        self,
        severity: float | Tensor | None = None,
        rerender: bool = False,
        network: Autoencoder | None = None,
    ) -> None:
        super().__init__(severity)
        self.network = (network or load_autoencoder("skip")) if rerender else None

    def remake(self, crops: Tensor, landmarks: Tensor, severity: Tensor, rng: torch.Generator) -> Remade:
        size = crops.shape[-1]
        change = Expression.draw(severity, rng)
        moved = move_landmarks(landmarks, change)
        flow = spline_flow(landmarks, moved, size)
        face = _mend(warp(crops, flow), flow)
        face = _paint_mouth(face, crops, landmarks, moved)
        if self.network is not None:
            face = regenerate(self.network, face)
        window = edge_window(size).to(crops).expand(len(crops), -1, -1, -1)
        return Remade(face.clamp(0, 1), window, details=change.plain(), landmarks=moved)


def _mend(face: Tensor, flow: Tensor) -> Tensor:
    """Fill stretched places with their blurred surroundings: nothing was there to be seen."""
    low, high = _TORN
    torn = ((stretch(flow) - low) / (high - low)).clamp(0, 1)
    torn = gaussian_blur2d(torn, (7, 7), (1.5, 1.5))
    return blend(face, gaussian_blur2d(face, (13, 13), (2.5, 2.5)), torn)


def _paint_mouth(face: Tensor, before: Tensor, landmarks: Tensor, moved: Tensor) -> Tensor:
    """Paint cavity and upper teeth where the lips have opened further than they were."""
    size = face.shape[-1]
    wider = mouth_gap(moved) - mouth_gap(landmarks)
    share = ((wider - 1.0) / 3.0).clamp(0, 1).view(-1, 1, 1, 1)
    inside = soft_hull(moved[:, INNER_LIPS], size, 2.5, -0.3)
    light = before.detach().mean((1, 2, 3)).view(-1, 1, 1, 1).clamp(0.15, 0.7) / 0.45
    cavity = light * torch.tensor(_CAVITY).to(face).view(1, 3, 1, 1)
    teeth = light * torch.tensor(_TEETH).to(face).view(1, 3, 1, 1)

    upper, lower = moved[:, 61:64], moved[:, 65:68].flip(1)
    row = torch.cat([moved[:, 60:61], upper, moved[:, 64:65], lower.flip(1) * 0.55 + upper.flip(1) * 0.45], 1)
    band = soft_hull(row, size, 2.5, -1.0)
    mouth = blend(cavity.expand_as(face), teeth.clamp(0, 0.95).expand_as(face), 0.9 * band)
    return blend(face, gaussian_blur2d(mouth, (5, 5), (1.0, 1.0)), share * inside)
