"""Checkpoints: what is written is what is read, and nothing else is."""

from pathlib import Path

import pytest
import torch
import yaml

from faketagger.coding import Codec
from faketagger.errors import CheckpointError
from faketagger.tagger.checkpoint import NetworkConfig, digest, load, save
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.surround import Surround
from faketagger.tagger.tagger import Tagger
from tests.helpers.points import template_landmarks

NETWORK = NetworkConfig(message_bits=40, size=64, encoder_width=16, decoder_width=16)
AROUND = NetworkConfig(message_bits=40, size=128, encoder_width=8, decoder_width=8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    tagger = Tagger(TaggerNetworks(**NETWORK.plain()), Codec(40, 16, 12), 37.5)
    return save(tagger, tmp_path / "little", NETWORK)


def test_round_trip(folder: Path) -> None:
    tagger = load(folder)
    assert (tagger.name, tagger.message_bits, tagger.size, tagger.psnr_db) == ("little", 40, 64, 37.5)
    assert (tagger.codec.payload_bits, tagger.codec.crc_bits) == (16, 12)
    images, message = torch.rand(2, 3, 64, 64), torch.zeros(2, 40)
    assert torch.equal(tagger.embed_message(images, message), load(folder).embed_message(images, message))


def test_key_changes_the_message_not_the_networks(folder: Path) -> None:
    ours, theirs = load(folder, key="ours"), load(folder, key="theirs")
    assert (ours.codec.encode(5) != theirs.codec.encode(5)).any()
    assert (ours.with_key("theirs").codec.encode(5) == theirs.codec.encode(5)).all()


def test_damaged_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(CheckpointError, match="sha256"):
        load(folder)


def test_wrong_shape_with_right_hash(folder: Path) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["network"]["message_bits"] = 48
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(CheckpointError, match="does not fit"):
        load(folder)


def test_not_safetensors_is_never_unpickled(folder: Path) -> None:
    torch.save({"a": 1}, folder / "model.safetensors")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["sha256"] = digest(folder / "model.safetensors")
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(CheckpointError, match="does not fit"):
        load(folder)


def _with_surround(folder: Path) -> Path:
    face = Tagger(TaggerNetworks(**NETWORK.plain()), Codec(40, 16, 12), 37.5)
    around = Surround(TaggerNetworks(**AROUND.plain()), 0.5, 44.0)
    tagger = Tagger(face.networks, face.codec, face.psnr_db, surround=around)
    return save(tagger, folder, NETWORK, AROUND)


def test_round_trip_with_a_surround(tmp_path: Path) -> None:
    tagger = load(_with_surround(tmp_path / "wide"))
    assert tagger.surround is not None
    assert (tagger.surround.zoom, tagger.surround.psnr_db, tagger.surround.networks.size) == (0.5, 44.0, 128)
    images, faces = torch.rand(1, 3, 90, 90), template_landmarks(1, 40)[:, None] + 25
    assert torch.equal(tagger.surround.read(images, faces), tagger.with_key("x").surround.read(images, faces))
    alone = Tagger(tagger.networks, tagger.codec, 37.5)
    both, face, around = (
        tagger.read_aligned(images, faces[:, 0]),
        alone.read_aligned(images, faces[:, 0]),
        tagger.surround.read(images, faces),
    )
    assert torch.allclose(both, face + around)


def test_a_surround_without_its_weights(tmp_path: Path) -> None:
    folder = _with_surround(tmp_path / "wide")
    (folder / "surround.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match=r"surround\.safetensors is not the file"):
        load(folder)
    (folder / "surround.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"no surround\.safetensors"):
        load(folder)


def test_missing_parts(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no tagger"):
        load(tmp_path / "nowhere")
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        load(folder)
    (folder / "config.yaml").write_text("sha256: x\nnetwrk: {}\n")
    with pytest.raises(CheckpointError, match="usable"):
        load(folder)
