"""Random changes of aligned crops for training: mirror, small shifts, light. Landmarks follow."""

import math

import torch
from torch import Tensor

from faketagger.config import Section
from faketagger.faces.geometry import transform_points, warp_crop

# iBUG order: jaw, brows, nose, eyes, mouth; entry i is the point that lands on i in the mirrored picture.
MIRROR = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46),
    *(39, 38, 37, 36, 41, 40),
    *range(54, 47, -1),
    *range(59, 54, -1),
    *range(64, 59, -1),
    *(67, 66, 65),
)


class Augment(Section):
    """Strength of each random change; calling it changes one crop.

    Attributes:
        mirror: Chance of a left-right flip.
        rotate: Largest rotation in degrees.
        zoom: Largest relative change of size.
        shift: Largest shift as a share of the side.
        light: Largest relative change of brightness, contrast and saturation.
    """

    mirror: float = 0.5
    rotate: float = 6.0
    zoom: float = 0.08
    shift: float = 0.04
    light: float = 0.15

    def __call__(self, image: Tensor, landmarks: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw one change and apply it.

        Args:
            image: (3, S, S) float in [0, 1].
            landmarks: (68, 2) pixel coordinates.
            rng: Source of every draw.

        Returns:
            The changed image, in [0, 1], and its landmarks.
        """
        draws = torch.rand(8, generator=rng).tolist()
        if draws[0] < self.mirror:
            image, landmarks = mirror(image, landmarks)
        turn, zoom, right, down, bright, contrast, colour = (2 * draw - 1 for draw in draws[1:])
        image, landmarks = self._move(image, landmarks, turn, zoom, right, down)
        return self._relight(image, bright, contrast, colour), landmarks

    def _move(
        self, image: Tensor, landmarks: Tensor, turn: float, zoom: float, right: float, down: float
    ) -> tuple[Tensor, Tensor]:
        if self.rotate == self.zoom == self.shift == 0:
            return image, landmarks
        size = image.shape[-1]
        angle, scale = math.radians(turn * self.rotate), 1 + zoom * self.zoom
        linear = scale * torch.tensor(
            [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        )
        centre = torch.full((2, 1), (size - 1) / 2)
        offset = torch.tensor([[right], [down]]) * self.shift * size
        matrix = torch.cat([linear, centre - linear @ centre + offset], 1)[None]
        moved = warp_crop(image[None], matrix, size)[0]
        return moved.clamp(0, 1), transform_points(landmarks[None], matrix)[0]

    def _relight(self, image: Tensor, bright: float, contrast: float, colour: float) -> Tensor:
        if self.light == 0:
            return image
        grey = image.mean(0, keepdim=True)
        image = grey + (1 + colour * self.light) * (image - grey)
        middle = grey.mean()
        image = middle + (1 + contrast * self.light) * (image - middle)
        return (image * (1 + bright * self.light)).clamp(0, 1)


def mirror(image: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Flip a crop left to right.

    Args:
        image: (3, S, S).
        landmarks: (68, 2) pixel coordinates, iBUG order.

    Returns:
        The mirrored image and its landmarks, again in iBUG order.
    """
    flipped = landmarks[list(MIRROR)].clone()
    flipped[:, 0] = image.shape[-1] - 1 - flipped[:, 0]
    return image.flip(-1), flipped
