"""The frozen autoencoders as they are shipped."""

from pathlib import Path

import pytest
import torch

from faketagger.errors import CheckpointError
from faketagger.simulator.autoencoders import KINDS, load_autoencoder
from tests.unit.simulator.attack_suite import psnr


@pytest.mark.parametrize("kind", list(KINDS))
def test_shipped_weights_regenerate_a_smooth_picture(kind: str) -> None:
    network = load_autoencoder(kind)
    coarse = 0.3 + 0.4 * torch.rand(2, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(coarse, (128, 128), mode="bicubic", align_corners=True)
    assert not any(weight.requires_grad for weight in network.parameters())
    assert psnr(network(smooth).clamp(0, 1), smooth) > 12


def test_two_decoders_disagree() -> None:
    network = load_autoencoder("shared")
    picture = torch.full((1, 3, 128, 128), 0.5)
    one, other = (network(picture, identity) for identity in (0, 1))
    assert psnr(one, other) < 40


def test_unknown_missing_and_foreign_weights_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no autoencoder"):
        load_autoencoder("spatail")
    with pytest.raises(CheckpointError, match="missing"):
        load_autoencoder("spatial", tmp_path / "spatial.safetensors")
    foreign = Path(torch.__file__).parent / "version.py"
    with pytest.raises(CheckpointError):
        load_autoencoder("spatial", foreign)
