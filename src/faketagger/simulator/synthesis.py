"""Synthesis: the whole aligned face, or the whole picture, made anew from a noisy latent."""

from pathlib import Path
from typing import ClassVar, Literal

import torch
import torch.nn.functional as functional
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.faces.geometry import edge_window
from faketagger.simulator.autoencoders import HELD_OUT, Autoencoder, load_autoencoder
from faketagger.simulator.degradations.base import checked_images
from faketagger.simulator.face_attack import FaceAttack, Remade, reconstruction_db, regenerate
from faketagger.simulator.graded import GradedAttack
from faketagger.simulator.interface import AttackBatch, AttackOutput, Family, Status
from faketagger.simulator.taef2 import STRIDE, load_taef2

_BORDER = 0.04
_UNIT = "noise in the latent, in standard deviations of the latent"


class Synthesis(FaceAttack):
    """Make the whole aligned face anew from the noisy latent of the ``latent`` autoencoder.

    Args:
        severity: Noise in the latent, in standard deviations of each image's latent.
        network: The autoencoder; the shipped one when None.

    Raises:
        CheckpointError: The shipped weights are missing.
    """

    name: ClassVar[str] = "synthesis"
    family: ClassVar[Family] = "synthesis"
    kind: ClassVar[str] = "latent"
    unit: ClassVar[str] = _UNIT
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.1
    training_range: ClassVar[tuple[float, float]] = (0.0, 0.2)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __init__(self, severity: float | Tensor | None = None, network: Autoencoder | None = None) -> None:
        super().__init__(severity)
        self.network = network or load_autoencoder(self.kind)

    def remake(self, crops: Tensor, landmarks: Tensor, severity: Tensor, rng: torch.Generator) -> Remade:
        window = edge_window(crops.shape[-1], _BORDER).to(crops).expand(len(crops), -1, -1, -1)
        return Remade(regenerate(self.network, crops, severity, rng), window)


class SynthesisSpatial(Synthesis):
    """Make the whole aligned face anew from the small spatial code of the ``spatial`` autoencoder."""

    name: ClassVar[str] = "synthesis_spatial"
    kind: ClassVar[str] = "spatial"


class SynthesisGan(Synthesis):
    """Make the whole aligned face anew by a reconstructing GAN: the ``gan`` autoencoder, trained against a critic."""

    name: ClassVar[str] = "synthesis_gan"
    kind: ClassVar[str] = "gan"


class SynthesisSuper(Synthesis):
    """Reduce the whole aligned face to a quarter and let a super-resolution GAN draw it anew."""

    name: ClassVar[str] = "synthesis_super"
    kind: ClassVar[str] = "super"


class SynthesisStrided(Synthesis):
    """Make the whole aligned face anew from the narrow code of the ``strided`` autoencoder."""

    name: ClassVar[str] = "synthesis_strided"
    kind: ClassVar[str] = "strided"


class SynthesisMixer(Synthesis):
    """Make the whole aligned face anew by the ``mixer`` autoencoder, which looks at all patches at once."""

    name: ClassVar[str] = "synthesis_mixer"
    kind: ClassVar[str] = "mixer"


class SynthesisQuantised(Synthesis):
    """Make the whole aligned face anew from the discrete code of the ``quantised`` autoencoder."""

    name: ClassVar[str] = "synthesis_quantised"
    kind: ClassVar[str] = "quantised"


class SynthesisUnseen(Synthesis):
    """Make the whole aligned face anew by an autoencoder that no tagger is ever trained against."""

    name: ClassVar[str] = "synthesis_unseen"
    kind: ClassVar[str] = HELD_OUT
    held_out: ClassVar[bool] = True


class SynthesisTaef2(GradedAttack):
    """Make the whole picture anew by TAEF2, the small autoencoder of a published image generator.

    Args:
        severity: Noise in the latent, in standard deviations of each picture's latent.
        weights: Folder with TAEF2's weights; the environment variable ``FAKETAGGER_TAEF2`` when None.
        resolution: ``full`` works at the picture's size, ``half`` at half of it and enlarges the result.
        network: Use this network and load none.

    Raises:
        ConfigError: Another ``resolution``.
        CheckpointError: The weights are missing.
    """

    name: ClassVar[str] = "synthesis_taef2"
    family: ClassVar[Family] = "synthesis"
    unit: ClassVar[str] = _UNIT
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.1
    training_range: ClassVar[tuple[float, float]] = (0.0, 0.2)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __init__(
        self,
        severity: float | Tensor | None = None,
        weights: str | Path | None = None,
        resolution: Literal["full", "half"] = "full",
        network: Autoencoder | None = None,
    ) -> None:
        super().__init__(severity)
        if resolution not in ("full", "half"):
            raise ConfigError(f"synthesis_taef2 has no resolution {resolution!r}", "use 'full' or 'half'")
        self.resolution = resolution
        self.network = network or load_taef2(weights)

    def apply(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:  # type: ignore[override]
        images = checked_images(batch.images)
        severity = self.severities(images)
        height, width = images.shape[-2:]
        work = images
        if self.resolution == "half":
            half = (max(height // 2, 1), max(width // 2, 1))
            work = functional.interpolate(images, half, mode="bilinear", antialias=True)
        rows, columns = work.shape[-2:]
        padded = functional.pad(work, (0, -columns % STRIDE, 0, -rows % STRIDE), mode="replicate")
        made = regenerate(self.network, padded, severity, rng)[:, :, :rows, :columns]
        if self.resolution == "half":
            made = functional.interpolate(made, (height, width), mode="bicubic").clamp(0, 1)
        masks = torch.ones_like(images[:, :1])
        status: list[Status] = ["attacked"] * len(images)
        pairs = zip(severity.tolist(), reconstruction_db(images, made, masks), strict=True)
        details = [{"severity": value, "reconstruction_db": figure} for value, figure in pairs]
        return AttackOutput(made, status, masks, details)
