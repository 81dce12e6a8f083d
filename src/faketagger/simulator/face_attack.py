"""The common frame of every deepfake family: cut the aligned face, remake it, paste it back, measure it."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from faketagger.faces.geometry import crop_matrix, invert, paste, scale_of, transform_points, warp_back, warp_crop
from faketagger.simulator.autoencoders import Autoencoder
from faketagger.simulator.degradations.base import checked_images, per_image
from faketagger.simulator.graded import GradedAttack, normal
from faketagger.simulator.interface import AttackBatch, AttackOutput, Status

CROP = 128
"""Side of the aligned crop in which faces are remade."""

EYE_DISTANCE = 0.30 * CROP
"""Distance of the eye centres in the aligned crop, in pixels."""

_MAGNIFICATION = (1 / 64, 16.0)
_HALF_GREY_LEVEL = 0.5 / 255


@dataclass(frozen=True)
class Remade:
    """Aligned faces after an attack.

    Attributes:
        crops: (N, 3, 128, 128) in [0, 1].
        masks: (N, 1, 128, 128) in [0, 1], where the crop was remade.
        weights: (N, 1, 128, 128) in [0, 1], share of the crop in the paste-back; ``masks`` when None.
        details: One plain dict per image.
        landmarks: (N, 68, 2) in pixels of the crop, where they are now; None where they stayed.
    """

    crops: Tensor
    masks: Tensor
    weights: Tensor | None = None
    details: list[dict[str, Any]] = field(default_factory=list)
    landmarks: Tensor | None = None


class FaceAttack(GradedAttack):
    """An attack on the aligned face; the rest of the picture stays bit for bit.

    Rows without landmarks are handed on unchanged. ``details[i]["reconstruction_db"]`` is the PSNR between
    the attacked picture and the input inside the mask: how much of the picture was left for a tag.
    """

    @abstractmethod
    def remake(self, crops: Tensor, landmarks: Tensor, severity: Tensor, rng: torch.Generator) -> Remade:
        """Remake aligned faces.

        Args:
            crops: (N, 3, 128, 128) in [0, 1].
            landmarks: (N, 68, 2) in pixels of the crop.
            severity: (N,) in ``unit``.
            rng: Source of every random draw.

        Returns:
            The remade faces.
        """

    def apply(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:  # type: ignore[override]
        images = checked_images(batch.images)
        severity = self.severities(images)
        details: list[dict[str, Any]] = [{"severity": value} for value in severity.tolist()]
        status: list[Status] = ["passed_through"] * len(images)
        masks = torch.zeros_like(images[:, :1])

        landmarks = batch.landmarks.to(images)
        matrix = crop_matrix(landmarks.nan_to_num(), CROP)
        rows = []
        for row, reason in enumerate(_reasons(landmarks, matrix)):
            if reason is None:
                rows.append(row)
            else:
                details[row]["reason"] = reason
        if not rows:
            return AttackOutput(images, status, masks, details)

        chosen = torch.tensor(rows, device=images.device)
        before, matrix = images[chosen], matrix[chosen]
        crops = warp_crop(before, matrix, CROP).clamp(0, 1)
        remade = self.remake(crops, transform_points(landmarks[chosen], matrix), severity[chosen], rng)
        weights = remade.masks if remade.weights is None else remade.weights
        after = paste(before, remade.crops, weights, matrix).clamp(0, 1)
        made = warp_back(remade.masks, matrix, (images.shape[2], images.shape[3])).clamp(0, 1)

        figures = reconstruction_db(before, after, made)
        changed = ((after - before).detach().abs().amax((1, 2, 3)) > _HALF_GREY_LEVEL).tolist()
        for place, row in enumerate(rows):
            details[row]["reconstruction_db"] = figures[place]
            details[row].update(remade.details[place] if remade.details else {})
            if changed[place]:
                status[row] = "attacked"
            else:
                details[row]["reason"] = "the attack changed nothing"
        if remade.landmarks is not None:
            landmarks = landmarks.index_copy(0, chosen, transform_points(remade.landmarks, invert(matrix)))
        return AttackOutput(
            images.index_copy(0, chosen, after),
            status,
            masks.index_copy(0, chosen, made),
            details,
            landmarks.to(batch.landmarks),
        )


def regenerate(
    network: Autoencoder, images: Tensor, noise: Tensor | None = None, rng: torch.Generator | None = None
) -> Tensor:
    """Send pictures through an autoencoder, with noise in its latent if asked.

    Args:
        network: The autoencoder.
        images: (N, 3, H, W) in [0, 1].
        noise: (N,) standard deviation of the noise, in units of each image's own latent's.
        rng: Source of the noise; needed with ``noise``.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    latent = encoded(network, images)
    if noise is not None and rng is not None:
        spread = latent.flatten(1).std(1) * noise.to(latent)
        shape = (-1,) + (1,) * (latent.ndim - 1)
        latent = latent + spread.view(shape) * normal(rng, tuple(latent.shape), latent)
    return network.decode(latent).clamp(0, 1).to(images.dtype)


def encoded(network: Autoencoder, images: Tensor) -> Tensor:
    """The latent of pictures of any float type, in the network's own type."""
    return network.encode(images.to(next(network.parameters()).dtype))


def reconstruction_db(before: Tensor, after: Tensor, masks: Tensor) -> list[float]:
    """PSNR inside masks, in dB for a peak of 1; identical pictures count as 100 dB.

    Args:
        before: (N, 3, H, W) in [0, 1].
        after: (N, 3, H, W) in [0, 1].
        masks: (N, 1, H, W) weights of the pixels.
    """
    with torch.no_grad():
        error = (masks * (after - before).square()).sum((1, 2, 3))
        mean = error / (3 * masks.sum((1, 2, 3))).clamp_min(1e-6)
        figures: list[float] = (-10 * mean.clamp_min(1e-10).log10()).tolist()
    return figures


def blend(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """``first`` with a share of ``second``; ``share`` is (N,) per image or a map (N, 1, H, W)."""
    return first + (per_image(share) if share.ndim == 1 else share) * (second - first)


def _reasons(landmarks: Tensor, matrix: Tensor) -> list[str | None]:
    found = torch.isfinite(landmarks).flatten(1).all(1).tolist()
    low, high = _MAGNIFICATION
    scale = scale_of(matrix)
    usable = ((scale >= low) & (scale <= high)).tolist()
    return [
        "no face found" if not one else None if other else "the landmarks span no usable face"
        for one, other in zip(found, usable, strict=True)
    ]
