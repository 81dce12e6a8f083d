"""What all frozen autoencoders share: the interface and the blocks they are made of."""

import torch
from torch import Tensor, nn


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution and leaky ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.LeakyReLU(0.1))


class Residual(nn.Module):
    """Two 3x3 convolutions around an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels), nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def shuffle_up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the side by sub-pixel convolution."""
    return nn.Sequential(conv(inputs, 4 * outputs), nn.PixelShuffle(2))


class Autoencoder(nn.Module):
    """Base: (N, 3, 128, 128) in [0, 1] -> the same, regenerated.

    ``identity`` picks the decoder where there are two; ``noise`` is added to the latent in units of its own standard
    deviation.
    """

    size = 128
    decoders = 1

    def encode(self, images: Tensor) -> Tensor:
        """(N, 3, 128, 128) -> latent."""
        raise NotImplementedError

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        """Latent -> (N, 3, 128, 128), unclamped."""
        raise NotImplementedError

    def prepare(self, images: Tensor, groups: Tensor, rng: torch.Generator) -> None:
        """Find before training what needs none: from aligned faces (N, 3, 128, 128) and their groups (N,)."""

    def forward(self, images: Tensor, identity: int = 0, noise: Tensor | None = None) -> Tensor:
        latent = self.encode(images)
        if noise is not None:
            latent = latent + noise * latent.std().detach()
        return self.decode(latent, identity)
