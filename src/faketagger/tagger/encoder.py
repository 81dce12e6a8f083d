"""The U-Net that writes a message into a face."""

import math

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor, nn

from faketagger.tagger.attenuation import just_noticeable_difference
from faketagger.tagger.band import BandLimit
from faketagger.tagger.layers import conv, residuals, upsample

_TAILS = 3
"""Standard deviations after which the Gaussian ends."""


def amplitude(images: Tensor, mask: Tensor | None = None) -> Tensor:
    """How strong a residual may be at each pixel, (N, 1, H, W) from 0.2 to 2; see :meth:`TagEncoder.forward`."""
    visibility = (just_noticeable_difference(images) / 6).clamp(0.5, 2.0)
    return visibility if mask is None else visibility * (0.4 + 0.6 * mask)


class MessageMap(nn.Module):
    """Spread a message over a square grid: (N, L) in {0, 1} -> (N, channels, side, side)."""

    def __init__(self, message_bits: int, channels: int, side: int) -> None:
        super().__init__()
        self.spread = nn.Linear(message_bits, channels * side * side)
        self.shape = (channels, side, side)

    def forward(self, message: Tensor) -> Tensor:
        return self.spread(2 * message - 1).unflatten(1, self.shape)


class TagEncoder(nn.Module):
    """U-Net on a space-to-depth grid; the message enters at the bottleneck and at every decoder scale.

    Args:
        message_bits: Length L of the message.
        size: Side of the picture in pixels, a multiple of four patches.
        width: Channels at the finest scale.
        patch: Side in pixels of what one cell of the grid holds.
        smooth: Standard deviation in pixels of the Gaussian that every residual passes; 0 for none. Waves 5.3 times as
            long lose half their amplitude. Coarse ones survive autoencoders and super-resolution best.
        depth: Residual blocks at each of the three scales, the finest first, on the way down and again on the way up.
        band: Half cycles per side below which every residual stays, exactly; 0 for no limit.
    """

    def __init__(
        self,
        message_bits: int,
        size: int = 128,
        width: int = 32,
        patch: int = 4,
        smooth: float = 0.0,
        depth: tuple[int, int, int] = (1, 1, 1),
        band: float = 0.0,
    ) -> None:
        super().__init__()
        self.smooth, self.depth = smooth, tuple(depth)
        self.limit = BandLimit(size, band) if band else nn.Identity()
        grid, cell = size // patch, 3 * patch**2
        self.stem = nn.Sequential(nn.PixelUnshuffle(patch), conv(cell, width), *residuals(depth[0], width))
        self.down1 = nn.Sequential(conv(width, 2 * width, 2), *residuals(depth[1], 2 * width))
        self.down2 = nn.Sequential(conv(2 * width, 3 * width, 2), *residuals(depth[2], 3 * width))
        self.message0 = MessageMap(message_bits, 32, grid // 4)
        self.message1 = MessageMap(message_bits, 16, grid // 2)
        self.message2 = MessageMap(message_bits, 8, grid)
        self.bottleneck = nn.Sequential(conv(3 * width + 32, 3 * width), *residuals(depth[2], 3 * width))
        self.up1 = upsample(3 * width, 2 * width)
        self.fuse1 = nn.Sequential(conv(4 * width + 16, 2 * width), *residuals(depth[1], 2 * width))
        self.up2 = upsample(2 * width, width)
        self.fuse2 = nn.Sequential(conv(2 * width + 8, width), *residuals(depth[0], width))
        self.out = nn.Sequential(nn.Conv2d(width, cell, 3, padding=1), nn.PixelShuffle(patch))

    def forward(self, images: Tensor, message: Tensor, mask: Tensor | None = None) -> Tensor:
        """Residual to add to the pictures, before its power is fixed.

        Args:
            images: (N, 3, size, size) in [0, 1].
            message: (N, L) in {0, 1}.
            mask: (N, 1, size, size) in [0, 1], where the tag may be at full strength; everywhere if absent.

        Returns:
            (N, 3, size, size), attenuated by the just-noticeable difference and the mask.
        """
        fine = self.stem(images - 0.5)
        middle = self.down1(fine)
        coarse = self.bottleneck(torch.cat([self.down2(middle), self.message0(message)], 1))
        middle = self.fuse1(torch.cat([self.up1(coarse), middle, self.message1(message)], 1))
        fine = self.fuse2(torch.cat([self.up2(middle), fine, self.message2(message)], 1))
        return self.limit(self._smoothed(self.out(fine)) * amplitude(images, mask))

    def _smoothed(self, residual: Tensor) -> Tensor:
        if not self.smooth:
            return residual
        side = 2 * math.ceil(_TAILS * self.smooth) + 1
        return gaussian_blur2d(residual, (side, side), (self.smooth, self.smooth))
