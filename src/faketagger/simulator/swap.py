"""Identity swap: the face is decoded by a decoder that has learnt other people."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.faces.geometry import edge_window, face_mask
from faketagger.simulator.autoencoders import Autoencoder, load_autoencoder
from faketagger.simulator.colour_transfer import match_colours
from faketagger.simulator.dense_warp import random_flow, warp
from faketagger.simulator.face_attack import FaceAttack, Remade, encoded, reconstruction_db
from faketagger.simulator.graded import uniform
from faketagger.simulator.interface import Family

_SOFTNESS = 0.2
_SHIFT, _TURN, _ZOOM, _WOBBLE = 1.0, 0.02, 0.02, 0.6


class Swap(FaceAttack):
    """Decode the face by the other group's decoder behind a shared encoder, match colours, paste it back.

    Args:
        severity: Weight of the swapped face in the blend.
        identity: Which decoder makes the face. None takes, for each image, the one that reconstructs it
            worse: the decoder of the people it is not one of.
        network: A regenerator with several decoders; the shipped one when None.

    Raises:
        ConfigError: There is no such decoder.
        CheckpointError: The shipped weights are missing.
    """

    name: ClassVar[str] = "swap"
    family: ClassVar[Family] = "swap"
    unit: ClassVar[str] = "weight of the swapped face in the blend"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 1.0
    training_range: ClassVar[tuple[float, float]] = (0.6, 1.0)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __init__(
        self,
        severity: float | Tensor | None = None,
        identity: int | None = None,
        network: Autoencoder | None = None,
    ) -> None:
        super().__init__(severity)
        self.network = network or load_autoencoder("shared")
        if identity is not None and not 0 <= identity < self.network.decoders:
            hint = f"it has {self.network.decoders}, counted from 0"
            raise ConfigError(f"swap has no decoder {identity}", hint)
        self.identity = identity

    def remake(self, crops: Tensor, landmarks: Tensor, severity: Tensor, rng: torch.Generator) -> Remade:
        size = crops.shape[-1]
        mask = face_mask(landmarks, (size, size), _SOFTNESS) * edge_window(size).to(crops)
        swapped, details = self._other_face(crops, mask)
        swapped = match_colours(warp(swapped, self._misfit(crops, rng)), crops, mask)
        return Remade(swapped, mask, mask * severity.view(-1, 1, 1, 1), details)

    def _other_face(self, crops: Tensor, mask: Tensor) -> tuple[Tensor, list[dict[str, Any]]]:
        latent = encoded(self.network, crops)

        def face(identity: int) -> Tensor:
            return self.network.decode(latent, identity).clamp(0, 1).to(crops.dtype)

        if self.identity is not None:
            return face(self.identity), [{"identity": self.identity} for _ in crops]
        faces = [face(identity) for identity in range(self.network.decoders)]
        figures = torch.tensor([reconstruction_db(crops, one, mask) for one in faces])
        own, other = figures.amax(0).tolist(), figures.argmin(0)
        swapped = torch.stack(faces, 1)[torch.arange(len(crops)), other.to(crops.device)]
        pairs = zip(other.tolist(), own, strict=True)
        return swapped, [{"identity": index, "own_reconstruction_db": figure} for index, figure in pairs]

    def _misfit(self, crops: Tensor, rng: torch.Generator) -> Tensor:
        """How a pasted face never quite fits: a small similarity and a small wobble, as a flow in pixels."""
        size = crops.shape[-1]
        shift_x, shift_y, turn, zoom = (2 * uniform(rng, (4, len(crops), 1, 1), crops) - 1).unbind()
        line = torch.arange(size).to(crops) - (size - 1) / 2
        rows, columns = torch.meshgrid(line, line, indexing="ij")
        across = _SHIFT * shift_x + _ZOOM * zoom * columns - _TURN * turn * rows
        down = _SHIFT * shift_y + _ZOOM * zoom * rows + _TURN * turn * columns
        return torch.stack([across, down], 1) + random_flow(rng, _WOBBLE, 4, crops)
