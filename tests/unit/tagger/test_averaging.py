"""The mean of taggers is their weights' mean, and only of taggers alike."""

from pathlib import Path

import pytest
import torch

from faketagger.coding import Codec
from faketagger.errors import CheckpointError
from faketagger.tagger.averaging import average_taggers
from faketagger.tagger.checkpoint import NetworkConfig, load, save
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.surround import Surround
from faketagger.tagger.tagger import Tagger

SHAPE = {"message_bits": 36, "size": 64, "encoder_width": 8, "decoder_width": 8}


def saved(folder: Path, seed: int, payload_bits: int = 16, zoom: float | None = None) -> Path:
    torch.manual_seed(seed)
    surround = None if zoom is None else Surround(TaggerNetworks(**SHAPE), zoom, 44.0)
    tagger = Tagger(TaggerNetworks(**SHAPE), Codec(36, payload_bits, 12), 39.0 + seed, "small", surround)
    shape = NetworkConfig(**SHAPE)
    return save(tagger, folder / f"run-{seed}-{payload_bits}-{zoom}", shape, shape)


def test_every_weight_is_the_mean(tmp_path: Path) -> None:
    runs = [saved(tmp_path, seed) for seed in range(3)]
    mean = load(average_taggers(runs, tmp_path / "mean"))
    states = [load(run).networks.state_dict() for run in runs]
    for name, tensor in mean.networks.state_dict().items():
        wanted = torch.stack([state[name] for state in states]).mean(0)
        torch.testing.assert_close(tensor, wanted, rtol=1e-3, atol=1e-4)  # stored in half precision
    assert mean.psnr_db == 39.0


def test_surrounds_are_averaged_too(tmp_path: Path) -> None:
    runs = [saved(tmp_path, seed, zoom=0.5) for seed in range(2)]
    mean = load(average_taggers(runs, tmp_path / "mean")).state_dict()
    states = [load(run).state_dict() for run in runs]
    assert any(name.startswith("surround.") for name in mean)
    for name, tensor in mean.items():
        torch.testing.assert_close(tensor, (states[0][name] + states[1][name]) / 2, rtol=1e-3, atol=1e-4)
    for zoom in (None, 0.6):
        with pytest.raises(CheckpointError, match="surround differ"):
            average_taggers([runs[0], saved(tmp_path, 3, zoom=zoom)], tmp_path / "other")


def test_a_deeper_run_and_what_it_began_with_have_a_mean(tmp_path: Path) -> None:
    """Blocks that are new add zero in what it began with: of their last convolution the run's share is left."""
    before = saved(tmp_path, 0)
    torch.manual_seed(5)
    shape = NetworkConfig(**SHAPE, encoder_depth=(2, 1, 1), decoder_depth=(2, 2, 2))
    networks = TaggerNetworks(**shape.model_dump())
    run = save(Tagger(networks, Codec(36, 16, 12), 39.0, "deep"), tmp_path / "run", shape)
    mean = load(average_taggers([run, run, run, before], tmp_path / "mean")).networks.state_dict()
    began, went = load(before).networks.state_dict(), load(run).networks.state_dict()
    close = {"rtol": 1e-3, "atol": 1e-4}
    bias = "encoder.out.0.bias"
    torch.testing.assert_close(mean[bias], 0.75 * went[bias] + 0.25 * began[bias], **close)
    for block in ("encoder.stem.3", "encoder.fuse2.2", "decoder.body.3"):
        inner, last = f"{block}.body.0.0.weight", f"{block}.body.1.weight"
        torch.testing.assert_close(mean[inner], went[inner], **close)
        torch.testing.assert_close(mean[last], 0.75 * went[last], **close)
    with pytest.raises(CheckpointError, match="another shape"):
        average_taggers([before, run], tmp_path / "other")


def test_others_are_not_averaged(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="payload_bits differ"):
        average_taggers([saved(tmp_path, 0), saved(tmp_path, 1, payload_bits=20)], tmp_path / "mean")
    with pytest.raises(CheckpointError, match="at least two"):
        average_taggers([saved(tmp_path, 0)], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
