"""Changes of place: crop, rotation, flip, perspective.

All are one homography per image, from input pixels to output pixels with pixel centres at whole numbers; it
is told as ``details[i]["matrix"]`` (3 rows of 3) so that landmarks can follow.
Outside the picture all is black.
"""

from abc import abstractmethod
from typing import ClassVar

import torch
from kornia.geometry.transform import get_perspective_transform, warp_perspective
from torch import Tensor

from faketagger.simulator.degradations.base import Degradation, checked_images, remade
from faketagger.simulator.graded import uniform
from faketagger.simulator.interface import AttackBatch, AttackOutput


class GeometricDegradation(Degradation):
    """A degradation that moves pixels by one homography per image."""

    @abstractmethod
    def matrices(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        """Draw the homographies.

        Args:
            images: (N, 3, H, W), for their size only.
            severity: (N,) in ``unit``.
            rng: Source of every random draw.

        Returns:
            (N, 3, 3), input pixel to output pixel.
        """

    def degrade(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        return self._move(images, self.matrices(images, severity, rng))

    def apply(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:  # type: ignore[override]
        images = checked_images(batch.images)
        severity = self.severities(images)
        matrices = self.matrices(images, severity, rng)
        pairs = zip(severity.tolist(), matrices.tolist(), strict=True)
        details = [{"severity": value, "matrix": matrix} for value, matrix in pairs]
        return remade(self._move(images, matrices).clamp(0, 1), details)

    def _move(self, images: Tensor, matrices: Tensor) -> Tensor:
        return warp_perspective(images, matrices, (images.shape[-2], images.shape[-1]))


class Rotation(GeometricDegradation):
    """Rotate about the centre."""

    name: ClassVar[str] = "rotation"
    unit: ClassVar[str] = "degrees counter-clockwise"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 5.0
    training_range: ClassVar[tuple[float, float]] = (-10.0, 10.0)
    valid_range: ClassVar[tuple[float, float]] = (-180.0, 180.0)

    def matrices(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        centre_y, centre_x = ((side - 1) / 2 for side in images.shape[-2:])
        angle = torch.deg2rad(severity)
        cos, sin, nought, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
        shift_x = centre_x - cos * centre_x - sin * centre_y
        shift_y = centre_y + sin * centre_x - cos * centre_y
        rows = [cos, sin, shift_x, -sin, cos, shift_y, nought, nought, one]
        return torch.stack(rows, dim=1).view(-1, 3, 3)


class Flip(GeometricDegradation):
    """Mirror left and right, exactly."""

    name: ClassVar[str] = "flip"
    unit: ClassVar[str] = "1, a flip has no degrees"
    mildest: ClassVar[float] = 1.0
    default_severity: ClassVar[float] = 1.0
    training_range: ClassVar[tuple[float, float]] = (1.0, 1.0)
    valid_range: ClassVar[tuple[float, float]] = (1.0, 1.0)

    def matrices(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        mirror = images.new_tensor([[-1, 0, images.shape[-1] - 1], [0, 1, 0], [0, 0, 1]])
        return mirror.expand(len(images), 3, 3)

    def _move(self, images: Tensor, matrices: Tensor) -> Tensor:
        return images.flip(-1)


class Crop(GeometricDegradation):
    """Keep a window at a random place and enlarge it to the old size."""

    name: ClassVar[str] = "crop"
    unit: ClassVar[str] = "fraction of each side kept"
    mildest: ClassVar[float] = 1.0
    default_severity: ClassVar[float] = 0.8
    training_range: ClassVar[tuple[float, float]] = (0.75, 1.0)
    valid_range: ClassVar[tuple[float, float]] = (0.1, 1.0)

    def matrices(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        sides = images.new_tensor([images.shape[-1] - 1, images.shape[-2] - 1])
        corner = uniform(rng, (len(images), 2), images) * (1 - severity[:, None]) * sides
        matrices = torch.zeros(len(images), 3, 3, dtype=images.dtype, device=images.device)
        matrices[:, 0, 0] = matrices[:, 1, 1] = 1 / severity
        matrices[:, :2, 2] = -corner / severity[:, None]
        matrices[:, 2, 2] = 1
        return matrices


class Perspective(GeometricDegradation):
    """Move every corner at random, in or out, and warp the picture with them."""

    name: ClassVar[str] = "perspective"
    unit: ClassVar[str] = "largest move of a corner as a fraction of the side"
    mildest: ClassVar[float] = 0.0
    default_severity: ClassVar[float] = 0.08
    training_range: ClassVar[tuple[float, float]] = (0.0, 0.12)
    valid_range: ClassVar[tuple[float, float]] = (0.0, 0.4)

    def matrices(self, images: Tensor, severity: Tensor, rng: torch.Generator) -> Tensor:
        sides = images.new_tensor([images.shape[-1], images.shape[-2]])
        corners = images.new_tensor([[0, 0], [1, 0], [1, 1], [0, 1]]) * sides - 0.5
        corners = corners.expand(len(images), 4, 2)
        moves = (2 * uniform(rng, (len(images), 4, 2), images) - 1) * severity.view(-1, 1, 1)
        return get_perspective_transform(corners, corners + moves * sides)
