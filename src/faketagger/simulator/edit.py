"""Attribute editing: the face is regenerated and a few of its attributes are changed."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from faketagger.faces.geometry import edge_window
from faketagger.simulator.autoencoders import Autoencoder, load_autoencoder
from faketagger.simulator.degradations.base import per_image
from faketagger.simulator.dense_warp import spline_flow, warp
from faketagger.simulator.edit_fields import EDITS, tone_field
from faketagger.simulator.expression import Expression, move_landmarks
from faketagger.simulator.face_attack import FaceAttack, Remade, regenerate
from faketagger.simulator.graded import uniform
from faketagger.simulator.interface import Family

_CHOSEN = 0.5
_SMILE, _BROWS = 0.6, 0.35


class Edit(FaceAttack):
    """Regenerate the face by the ``skip`` autoencoder, then change drawn attributes by low-frequency fields.

    Each attribute of ``edit_fields.EDITS`` is drawn with probability 1/2 and a strength of either sign; with
    them go a smooth field of tone and a small change of shape (mouth and brows).

    Args:
        severity: Amplitude of the fields; 0 leaves the regeneration alone.
        network: The regenerating network; the shipped one when None.

    Raises:
        CheckpointError: The shipped weights are missing.
    """

    name: ClassVar[str] = "edit"
    family: ClassVar[Family] = "edit"
    unit: ClassVar[str] = "amplitude of the edit fields (0: regeneration alone, 1: clearly visible)"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 1.0
    training_range: ClassVar[tuple[float, float]] = (0.2, 1.2)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.5)

    def __init__(self, severity: float | Tensor | None = None, network: Autoencoder | None = None) -> None:
        super().__init__(severity)
        self.network = network or load_autoencoder("skip")

    def remake(self, crops: Tensor, landmarks: Tensor, severity: Tensor, rng: torch.Generator) -> Remade:
        size = crops.shape[-1]
        face = regenerate(self.network, crops)
        strengths, details = self._draw(severity, rng)
        for edit, strength in zip(EDITS.values(), strengths.unbind(1), strict=True):
            face = edit(face, landmarks, per_image(strength))
        face = (face + per_image(severity) * tone_field(face, landmarks, rng)).clamp(0, 1)
        moved = self._reshaped(landmarks, severity, rng)
        face = warp(face, spline_flow(landmarks, moved, size))
        window = edge_window(size).to(crops).expand(len(crops), -1, -1, -1)
        return Remade(face, window, details=details, landmarks=moved)

    def _draw(self, severity: Tensor, rng: torch.Generator) -> tuple[Tensor, list[dict[str, Any]]]:
        """(N, number of edits) signed strengths, and what they are called."""
        chosen = uniform(rng, (len(severity), len(EDITS)), severity) < _CHOSEN
        size = 0.5 + 0.5 * uniform(rng, (len(severity), len(EDITS)), severity)
        sign = 1 - 2 * (uniform(rng, (len(severity), len(EDITS)), severity) < 0.5).to(severity)
        strengths = chosen * size * sign * severity[:, None]
        rows = [dict(zip(EDITS, row, strict=True)) for row in strengths.tolist()]
        return strengths, [{"edits": {name: value for name, value in row.items() if value}} for row in rows]

    def _reshaped(self, landmarks: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        smile, brows = (2 * uniform(rng, (2, len(severity)), severity) - 1).unbind()
        still = torch.zeros_like(severity)
        change = Expression(still, _SMILE * severity * smile, _BROWS * severity * brows, still, still, still)
        return move_landmarks(landmarks, change)
