"""Frozen face autoencoders: what a deepfake does to a face's pixels, made differentiable.

Each kind throws information away in another place, as the real tools do: a small code (the ``narrow`` ones), a dense
bottleneck with a shared encoder and two decoders (identity swap), a noisy latent (latent synthesis), skip connections
(attribute editors), all above a quarter of the resolution (super-resolution). ``resize`` is never trained against: it
is the honest "unseen" regenerator.
"""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import torch
import torch.nn.functional as functional
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from faketagger.errors import CheckpointError
from faketagger.simulator.autoencoder import Autoencoder, Residual, conv, shuffle_up
from faketagger.simulator.eigenfaces import discriminant, principal_axes
from faketagger.simulator.narrow import (
    MixerAutoencoder,
    QuantisedAutoencoder,
    ResizeAutoencoder,
    SpatialAutoencoder,
    StridedAutoencoder,
)

HELD_OUT = "resize"
BORROWED = "super"
"""The kind whose weights come from its authors; the others are trained here."""


class SharedAutoencoder(Autoencoder):
    """A shared dense encoder and one decoder per identity group, as face-swap tools have them.

    The bottleneck is one of eigenfaces, found in closed form by :meth:`prepare`. Each decoder first moves the code
    to its own group's side of the discriminant between the groups, as if it had never seen another face, and then
    renders it by a small network of its own.
    """

    decoders = 2
    mean: Tensor
    basis: Tensor
    centre: Tensor
    axis: Tensor
    probe: Tensor

    def __init__(self, width: int = 48, bottleneck: int = 256) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((3 * 64 * 64,), 0.5))
        self.register_buffer("basis", torch.zeros(bottleneck, 3 * 64 * 64))
        for name in ("centre", "axis", "probe"):
            self.register_buffer(name, torch.zeros(bottleneck))
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.PixelUnshuffle(2),
                conv(12, width),
                *(Residual(width) for _ in range(3)),
                nn.Conv2d(width, 48, 3, padding=1),
                nn.PixelShuffle(4),
            )
            for _ in range(self.decoders)
        )

    def prepare(self, images: Tensor, groups: Tensor, rng: torch.Generator) -> None:
        if self.basis.any():
            return
        self.mean, self.basis = principal_axes(functional.avg_pool2d(images, 2).flatten(1), len(self.basis), rng)
        self.centre, self.axis, self.probe = discriminant(self.encode(images), groups)

    def encode(self, images: Tensor) -> Tensor:
        return (functional.avg_pool2d(images, 2).flatten(1) - self.mean) @ self.basis.T

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        side = 2 * identity - 1
        score = side * ((latent - self.centre) @ self.probe)
        latent = latent + side * (score.clamp_min(1.0) - score)[:, None] * self.axis
        face = (latent @ self.basis + self.mean).unflatten(1, (3, 64, 64))
        return self.heads[identity](face - 0.5) + functional.interpolate(face, scale_factor=2, mode="bilinear")


class LatentAutoencoder(Autoencoder):
    """Eight-fold smaller latent of 16 channels, trained with noise in it.

    The latent is that of the principal axes of 8 x 8 patches, found in closed form by :meth:`prepare`; a small network
    paints what they leave out.
    """

    def __init__(self, width: int = 48, code: int = 16) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(3, code, 8, 8)
        self.decoder = nn.ConvTranspose2d(code, 3, 8, 8)
        last = nn.Conv2d(width, 48, 3, padding=1)
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
        self.painter = nn.Sequential(
            nn.PixelUnshuffle(4), conv(48, width), *(Residual(width) for _ in range(3)), last, nn.PixelShuffle(4)
        )

    def prepare(self, images: Tensor, groups: Tensor, rng: torch.Generator) -> None:
        patches = functional.unfold(images[:400], 8, stride=8).transpose(1, 2).flatten(0, 1)
        mean, axes = principal_axes(patches, self.encoder.out_channels, rng)
        kernels = axes.unflatten(1, (3, 8, 8))
        self.encoder.load_state_dict({"weight": kernels, "bias": -axes @ mean})
        self.decoder.load_state_dict({"weight": kernels, "bias": mean.unflatten(0, (3, 64)).mean(1)})

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(images)

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        plain = self.decoder(latent)
        return plain + self.painter(plain - 0.5)


class GanAutoencoder(LatentAutoencoder):
    """The same with half the latent; its painter is trained against a critic and so makes up what the latent lost."""

    def __init__(self) -> None:
        super().__init__(code=8)


class SkipAutoencoder(Autoencoder):
    """Encoder-decoder whose skip is squeezed to a few channels, as in attribute editors."""

    def __init__(self, width: int = 48, skip: int = 6, code: int = 32) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.PixelUnshuffle(4), conv(48, width), Residual(width))
        self.skip = nn.Conv2d(width, skip, 1)
        self.down = nn.Sequential(
            conv(width, 2 * width, 2), conv(2 * width, 2 * width, 2), nn.Conv2d(2 * width, code, 1)
        )
        self.up = nn.Sequential(conv(code, 2 * width), shuffle_up(2 * width, 2 * width), shuffle_up(2 * width, width))
        self.out = nn.Sequential(
            conv(width + skip, width),
            Residual(width),
            nn.Conv2d(width, 48, 3, padding=1),
            nn.PixelShuffle(4),
        )

    def encode(self, images: Tensor) -> Tensor:
        stem = self.stem(images - 0.5)
        code = self.down(stem)
        return torch.cat([self.skip(stem).flatten(1), code.flatten(1)], 1)

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        skip_channels = self.skip.out_channels
        skip, code = latent.split([skip_channels * 1024, latent.shape[1] - skip_channels * 1024], 1)
        up = self.up(code.unflatten(1, (-1, 8, 8)))
        return self.out(torch.cat([up, skip.unflatten(1, (-1, 32, 32))], 1)) + 0.5


class SuperResolution(Autoencoder):
    """A quarter of the side and back by a super-resolution GAN, whose weights are its authors' own.

    Source: SRVGGNetCompact of Real-ESRGAN (Wang et al., ICCV workshops 2021), weights realesr-animevideov3.
    """

    scale = 4

    def __init__(self, width: int = 64, depth: int = 16) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs in (3, *(width for _ in range(depth))):
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.PReLU(width)]
        self.decoder = nn.Sequential(*layers, nn.Conv2d(width, 48, 3, padding=1), nn.PixelShuffle(self.scale))

    def encode(self, images: Tensor) -> Tensor:
        return functional.avg_pool2d(images, self.scale)

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        return self.decoder(latent) + functional.interpolate(latent, scale_factor=float(self.scale))


KINDS: dict[str, Callable[[], Autoencoder]] = {
    "spatial": SpatialAutoencoder,
    "shared": SharedAutoencoder,
    "latent": LatentAutoencoder,
    "gan": GanAutoencoder,
    "skip": SkipAutoencoder,
    "strided": StridedAutoencoder,
    "mixer": MixerAutoencoder,
    "quantised": QuantisedAutoencoder,
    BORROWED: SuperResolution,
    HELD_OUT: ResizeAutoencoder,
}


def load_autoencoder(kind: str, path: Path | None = None) -> Autoencoder:
    """Build a frozen autoencoder and load its shipped weights.

    Args:
        kind: A key of ``KINDS``.
        path: Weights to use instead of the shipped ones (safetensors).

    Returns:
        The network in evaluation mode, gradients off for its weights (they still flow through to the picture).

    Raises:
        CheckpointError: The weights are missing or do not fit.
    """
    if kind not in KINDS:
        raise CheckpointError(f"no autoencoder is called '{kind}'", f"known: {', '.join(KINDS)}")
    source = path or Path(str(files("faketagger.simulator") / "weights" / f"{kind}.safetensors"))
    if not source.is_file():
        raise CheckpointError(
            f"the weights of the autoencoder '{kind}' are missing: {source.name}",
            "install the package again"
            if kind == BORROWED
            else f"train them with 'faketagger train experiments/train/autoencoder-{kind}.yaml'",
        )
    network = KINDS[kind]()
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in load_file(source).items()})
    except (RuntimeError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{source.name} does not fit the autoencoder '{kind}': {error}") from error
    return network.eval().requires_grad_(False)
