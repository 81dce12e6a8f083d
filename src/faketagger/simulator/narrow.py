"""Narrow autoencoders: a face goes through a code of 256 places and comes back with little of its finer structure.

Each is of another build and makes other mistakes, so that what reads through several may read through one more.
"""

from torch import Tensor, nn

from faketagger.simulator.autoencoder import Autoencoder, Residual, conv, shuffle_up


class SpatialAutoencoder(Autoencoder):
    """Convolutional with a 16 x 16 x 12 code on a space-to-depth grid."""

    def __init__(self, width: int = 64, code: int = 12) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4), conv(48, width), Residual(width), conv(width, 2 * width, 2),
            Residual(2 * width), nn.Conv2d(2 * width, code, 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            conv(code, 2 * width), Residual(2 * width), shuffle_up(2 * width, width), Residual(width),
            Residual(width), nn.Conv2d(width, 48, 3, padding=1), nn.PixelShuffle(4),
        )  # fmt: skip

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(images - 0.5)

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        return self.decoder(latent) + 0.5


class StridedAutoencoder(Autoencoder):
    """Strided 4x4 convolutions down to a 16 x 16 x 3 code and transposed ones back up."""

    def __init__(self, width: int = 32, code: int = 3) -> None:
        super().__init__()

        def down(inputs: int, outputs: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2))

        def up(inputs: int, outputs: int) -> nn.Sequential:
            return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.ReLU())

        self.encoder = nn.Sequential(
            down(3, width), down(width, 2 * width), down(2 * width, 4 * width), nn.Conv2d(4 * width, code, 1)
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(code, 4 * width, 3, padding=1), nn.ReLU(), Residual(4 * width),
            up(4 * width, 3 * width), up(3 * width, 2 * width), nn.ConvTranspose2d(2 * width, 3, 4, 2, 1),
        )  # fmt: skip

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(images - 0.5)

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        return self.decoder(latent) + 0.5


class _MixerBlock(nn.Module):
    """Mixes tokens (N, tokens, width) across places, then across channels (Tolstikhin et al., NeurIPS 2021)."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()

        def mlp(inputs: int, hidden: int) -> nn.Sequential:
            return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, inputs))

        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.places, self.channels = mlp(tokens, tokens // 2), mlp(width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.places(self.norms[0](x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norms[1](x))


class MixerAutoencoder(Autoencoder):
    """Patches of 8 x 8 pixels as tokens, mixed by perceptrons: every patch of the code sees the whole face."""

    def __init__(self, width: int = 160, code: int = 3, blocks: int = 3, patch: int = 8) -> None:
        super().__init__()
        side = self.size // patch
        cell = 3 * patch**2
        self.fold = nn.Sequential(nn.Unflatten(2, (side, side)), nn.PixelShuffle(patch))
        self.unfold = nn.Sequential(nn.PixelUnshuffle(patch), nn.Flatten(2))
        self.encoder = nn.Sequential(nn.Linear(cell, width), _MixerBlock(side**2, width), nn.Linear(width, code))
        self.decoder = nn.Sequential(
            nn.Linear(code, width), *(_MixerBlock(side**2, width) for _ in range(blocks)), nn.Linear(width, cell)
        )
        self.finish = nn.Sequential(conv(3, 12), nn.Conv2d(12, 3, 3, padding=1))

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(self.unfold(images - 0.5).transpose(1, 2))

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        face = self.fold(self.decoder(latent).transpose(1, 2))
        return face + self.finish(face) + 0.5


class QuantisedAutoencoder(Autoencoder):
    """A code of 16 x 16 places with three numbers of eight levels each, rounded as a discrete code is.

    Gradients pass the rounding as they are (finite scalar quantisation, Mentzer et al., ICLR 2024).
    """

    levels = 8

    def __init__(self, width: int = 40, code: int = 3) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2), conv(12, width), conv(width, 2 * width, 2), conv(2 * width, 3 * width, 2),
            Residual(3 * width), nn.Conv2d(3 * width, code, 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            conv(code, 3 * width), Residual(3 * width), shuffle_up(3 * width, 2 * width), Residual(2 * width),
            shuffle_up(2 * width, width), nn.Conv2d(width, 12, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(images - 0.5)

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        half = self.levels / 2
        within = half * latent.tanh() - 0.5
        code = within + (self.to_levels(within.clamp(-half, half - 1)) - within).detach()
        return self.decoder((code + 0.5) / half) + 0.5

    def to_levels(self, values: Tensor) -> Tensor:
        """The nearest whole numbers."""
        return values.round()


class ResizeAutoencoder(Autoencoder):
    """Strided encoder at full resolution, resize-convolution decoder, SiLU and group norm: unlike the others."""

    def __init__(self, width: int = 24, code: int = 20) -> None:
        super().__init__()

        def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.GroupNorm(4, outputs), nn.SiLU())

        def up(inputs: int, outputs: int) -> nn.Sequential:
            return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), block(inputs, outputs))

        self.encoder = nn.Sequential(
            block(3, width, 2), block(width, 2 * width, 2), block(2 * width, 4 * width, 2), block(4 * width, 4 * width),
            nn.Conv2d(4 * width, code, 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            block(code, 4 * width), block(4 * width, 4 * width), up(4 * width, 3 * width), up(3 * width, 2 * width),
            block(2 * width, 2 * width), up(2 * width, width), nn.Conv2d(width, 3, 3, padding=1),
        )  # fmt: skip

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(images * 2 - 1)

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        return self.decoder(latent) * 0.5 + 0.5
