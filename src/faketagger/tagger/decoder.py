"""The networks that read a message out of a face: our own small one, or any timm backbone."""

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from faketagger.tagger.layers import conv, residuals


class TagDecoder(nn.Module):
    """Residual convolutions on a space-to-depth grid, then one linear read-out per bit.

    Args:
        message_bits: Length L of the message.
        size: Side of the picture in pixels, a multiple of four patches.
        width: Channels at the finest scale.
        patch: Side in pixels of what one cell of the grid holds.
        depth: Residual blocks at each of the three scales, the finest first.
    """

    def __init__(
        self,
        message_bits: int,
        size: int = 128,
        width: int = 48,
        patch: int = 4,
        depth: tuple[int, int, int] = (1, 2, 2),
    ) -> None:
        super().__init__()
        self.depth = tuple(depth)
        self.block = 4 * patch
        side = size // self.block
        fine, middle, coarse = depth
        self.body = nn.Sequential(
            nn.PixelUnshuffle(patch), conv(3 * patch**2, width), *residuals(fine, width),
            conv(width, 2 * width, 2), *residuals(middle, 2 * width),
            conv(2 * width, 3 * width, 2), *residuals(coarse, 3 * width),
            nn.Conv2d(3 * width, 48, 1), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(48 * side * side, message_bits)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, size, size) in [0, 1] -> logits (N, L), positive for bit 1."""
        means = functional.avg_pool2d(images, self.block)
        coarse = functional.interpolate(means, scale_factor=float(self.block), mode="bilinear")
        return self.head(self.body((images - coarse) * 4))


class TimmDecoder(nn.Module):
    """Any timm classification backbone with its head replaced by one output per bit.

    Args:
        message_bits: Length L of the message.
        backbone: A timm model name, for example ``convnextv2_atto`` or ``resnet18``.
    """

    def __init__(self, message_bits: int, backbone: str) -> None:
        super().__init__()
        from faketagger.torch_compat import ensure_torchvision

        ensure_torchvision()
        import timm

        self.net = timm.create_model(backbone, pretrained=False, num_classes=message_bits)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[:, None, None], persistent=False)
        self.mean: Tensor
        self.std: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, size, size) in [0, 1] -> logits (N, L), positive for bit 1."""
        return self.net((images - self.mean) / self.std)
