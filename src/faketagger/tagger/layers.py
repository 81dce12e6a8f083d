"""Building blocks of the tagger's networks."""

from torch import Tensor, nn


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, group norm, SiLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.GroupNorm(max(1, outputs // 16), outputs),
        nn.SiLU(),
    )


def upsample(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the side by sub-pixel convolution."""
    return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 1), nn.PixelShuffle(2))


class Residual(nn.Module):
    """Two 3x3 convolutions around an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels), nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def residuals(count: int, channels: int) -> list[Residual]:
    """Residual blocks, one after another."""
    return [Residual(channels) for _ in range(count)]
