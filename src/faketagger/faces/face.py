"""One found face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture.

    Args:
        landmarks: (68, 2) float32 pixel coordinates (x, y), iBUG order, pixel centres at integers.
        box: (4,) float32 left, top, right, bottom in pixels; may reach beyond the picture.
        score: The detector's confidence; comparable only within one backend.
    """

    landmarks: np.ndarray
    box: np.ndarray
    score: float

    @property
    def area(self) -> float:
        """Area of the box in pixels."""
        left, top, right, bottom = self.box
        return float((right - left) * (bottom - top))

    @property
    def eye_distance(self) -> float:
        """Distance between the eye centres in pixels."""
        return float(np.linalg.norm(self.landmarks[36:42].mean(0) - self.landmarks[42:48].mean(0)))
