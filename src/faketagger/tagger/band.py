"""The slow waves of a residual, and nothing else."""

import math

import numpy as np
import torch
from scipy.fft import dct
from torch import Tensor, nn


class BandLimit(nn.Module):
    """Keep the waves of a square picture below a frequency, exactly.

    What lies above cannot be made up for by writing it stronger, as it can behind a Gaussian.
    A wave's frequency is the length of its vector of frequencies across and down, in half cycles per side: those of the
    cosines of the type II discrete cosine transform, which mirrors pictures at their edges.

    Args:
        side: Side of the picture in pixels.
        below: Half cycles per side that a wave must have fewer of.
    """

    cosines: Tensor
    kept: Tensor

    def __init__(self, side: int, below: float) -> None:
        super().__init__()
        cosines = dct(np.eye(side), axis=0, norm="ortho")[: math.ceil(below)]
        numbers = np.arange(len(cosines))
        self.register_buffer("cosines", torch.tensor(cosines).float(), persistent=False)
        kept = np.hypot.outer(numbers, numbers) < below
        self.register_buffer("kept", torch.tensor(kept).float(), persistent=False)

    def forward(self, residual: Tensor) -> Tensor:
        """(N, C, side, side) -> the same without what is above."""
        waves = self.cosines @ residual @ self.cosines.T
        return self.cosines.T @ (waves * self.kept) @ self.cosines
