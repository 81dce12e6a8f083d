"""What every attack looks like, white box or black box."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

Family = Literal["swap", "reenact", "edit", "synthesis", "degradation"]
Role = Literal["carrier", "donor"]
Status = Literal["attacked", "passed_through", "failed"]


@dataclass(frozen=True)
class AttackBatch:
    """Pictures to attack, with what the attacker's own face finder saw in them.

    Attributes:
        images: (N, 3, H, W) float in [0, 1].
        landmarks: (N, 68, 2) float pixel coordinates (x, y) in iBUG order; NaN rows where no face was found.
    """

    images: Tensor
    landmarks: Tensor


@dataclass(frozen=True)
class AttackOutput:
    """Attacked pictures.

    Attributes:
        images: (N, 3, H, W) float in [0, 1], same size as the input.
        status: One of ``attacked``, ``passed_through``, ``failed`` per image.
        masks: (N, 1, H, W) float in [0, 1], 1 where the attack made the pixel.
        details: One plain dict per image (drawn severity, reason of a failure, ...).
        landmarks: (N, 68, 2) pixel coordinates of the faces afterwards, where the attack moved them itself; None where
            they stayed or went along a homography (:func:`faketagger.simulator.landmarks.moved_landmarks`).
    """

    images: Tensor
    status: list[Status]
    masks: Tensor
    details: list[dict[str, Any]] = field(default_factory=list)
    landmarks: Tensor | None = None


class Attack(nn.Module, ABC):
    """A change made to tagged pictures.

    Subclasses set the class attributes and implement :meth:`apply`. Bump ``version`` when a change moves scores.
    """

    name: ClassVar[str]
    family: ClassVar[Family]
    version: ClassVar[int] = 1
    differentiable: ClassVar[bool] = True
    roles: ClassVar[tuple[Role, ...]] = ("carrier",)

    @abstractmethod
    def apply(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:  # type: ignore[override]
        """Attack a batch.

        Args:
            batch: Pictures and landmarks.
            rng: Source of every random draw, so that a seed fixes the result.

        Returns:
            Attacked pictures of the same size, in [0, 1].
        """

    def forward(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:
        return self.apply(batch, rng)
