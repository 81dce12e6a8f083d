"""What the tag may cost the picture, and how its bits are judged."""

import torch
import torch.nn.functional as functional
from kornia.color import rgb_to_yuv
from kornia.losses import ssim_loss
from torch import Tensor, nn

from faketagger.tagger.layers import conv


def message_loss(logits: Tensor, message: Tensor) -> Tensor:
    """Binary cross-entropy of logits (N, L) against bits (N, L)."""
    return functional.binary_cross_entropy_with_logits(logits, message)


def image_loss(tagged: Tensor, images: Tensor) -> Tensor:
    """Structure and colour damage of a residual whose power is held elsewhere.

    Slow colour stains are what eyes see first on skin, red-green ones before blue-yellow ones.

    Args:
        tagged: (N, 3, H, W) in [0, 1].
        images: (N, 3, H, W) in [0, 1].

    Returns:
        Structural dissimilarity plus the weighted chroma share of the residual's energy in YUV.
    """
    residual = rgb_to_yuv(tagged) - rgb_to_yuv(images)
    luma, blue, red = residual.square().mean((0, 2, 3))
    stain = (0.5 * blue + red) / (luma + blue + red).clamp_min(1e-12)
    return 2 * ssim_loss(tagged, images, window_size=7) + 1.5 * stain


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return -gradient


class Critic(nn.Module):
    """PatchGAN that tells tagged from untagged pictures; its gradient reaches the encoder reversed.

    Reversal (Ganin & Lempitsky, ICML 2015) trains both in one optimiser, so that ``global_step`` counts steps.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.net = nn.Sequential(
            conv(3, width, 2),
            conv(width, 2 * width, 2),
            conv(2 * width, 4 * width, 2),
            nn.Conv2d(4 * width, 1, 1),
        )

    def loss(self, tagged: Tensor, images: Tensor) -> Tensor:
        """Softplus loss of the critic on tagged (N, 3, H, W) and untagged pictures."""
        return (
            functional.softplus(self.net(_Reverse.apply(tagged))).mean() + functional.softplus(-self.net(images)).mean()
        )
