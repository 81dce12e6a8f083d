"""TAEF2, the distilled autoencoder of FLUX.2: any picture to a latent eight times smaller and back.

Source: the architecture published in madebyollin/taesd (MIT). Its weights are not shipped with this package.
"""

import os
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from faketagger.errors import CheckpointError
from faketagger.simulator.autoencoders import Autoencoder

ENVIRONMENT = "FAKETAGGER_TAEF2"
CHANNELS, CODE, STRIDE = 64, 32, 8
_HINT = (
    f"set {ENVIRONMENT}, or the parameter 'weights', to a folder with taef2_encoder.pth and "
    "taef2_decoder.pth (or .safetensors) from madebyollin/taesd"
)


class _Block(nn.Module):
    def __init__(self, pooled: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(_conv(), nn.ReLU(), _conv(), nn.ReLU(), _conv())
        self.pool: nn.Module | None = None
        if pooled:
            wide = 4 * CHANNELS
            self.pool = nn.Sequential(
                nn.Conv2d(CHANNELS, wide, 1, bias=False), nn.GroupNorm(4, wide), nn.ReLU(),
                nn.Conv2d(wide, CHANNELS, 1, bias=False),
            )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class _SoftClamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 3 * torch.tanh(x / 3)


def _conv(inputs: int = CHANNELS, outputs: int = CHANNELS, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=bias)


class Taef2(Autoencoder):
    """Base for any picture whose sides are multiples of 8; the latent has 32 channels."""

    def __init__(self) -> None:
        super().__init__()

        def stage(*head: nn.Module, blocks: int = 3, pooled: bool = False) -> list[nn.Module]:
            return [*head, *(_Block(pooled) for _ in range(blocks))]

        def down() -> nn.Conv2d:
            return _conv(stride=2, bias=False)

        def up() -> tuple[nn.Module, nn.Module]:
            return nn.Upsample(scale_factor=2), _conv(bias=False)

        self.encoder = nn.Sequential(
            *stage(_conv(3), blocks=1), *stage(down()), *stage(down()), *stage(down(), pooled=True),
            _conv(outputs=CODE),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            *stage(_SoftClamp(), _conv(CODE), nn.ReLU(), pooled=True), *stage(*up()), *stage(*up()),
            *stage(*up(), blocks=1), _conv(outputs=3),
        )  # fmt: skip

    def encode(self, images: Tensor) -> Tensor:
        return self.encoder(images)

    def decode(self, latent: Tensor, identity: int = 0) -> Tensor:
        return self.decoder(latent)


def load_taef2(folder: str | Path | None = None) -> Taef2:
    """Load TAEF2 from a folder of the user's.

    Args:
        folder: Holds ``taef2_encoder`` and ``taef2_decoder`` as ``.safetensors`` or ``.pth``; the environment
            variable ``FAKETAGGER_TAEF2`` when None.

    Returns:
        The frozen network in evaluation mode.

    Raises:
        CheckpointError: No folder is named, a file is missing, or it does not fit.
    """
    where = folder or os.environ.get(ENVIRONMENT)
    if not where:
        raise CheckpointError("TAEF2 needs weights that are not shipped with this package", _HINT)
    network = Taef2()
    for name, part in (("encoder", network.encoder), ("decoder", network.decoder)):
        path, state = _read(Path(where), f"taef2_{name}")
        try:
            part.load_state_dict({key: tensor.float() for key, tensor in state.items()})
        except (RuntimeError, AttributeError) as error:
            raise CheckpointError(f"{path.name} does not fit TAEF2's {name}", _HINT) from error
    return network.eval().requires_grad_(False)


def _read(folder: Path, stem: str) -> tuple[Path, dict[str, Tensor]]:
    for suffix in (".safetensors", ".pth"):
        path = folder / f"{stem}{suffix}"
        if not path.is_file():
            continue
        try:
            if suffix == ".safetensors":
                return path, load_file(path)
            state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
            raise CheckpointError(f"{path.name} cannot be read as weights", _HINT) from error
        return path, state
    raise CheckpointError(f"there is no {stem}.pth or {stem}.safetensors in {folder}", _HINT)
