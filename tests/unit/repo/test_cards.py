"""Every shipped tagger: a card that says what metrics.json says, weights that are what the configuration names."""

import json
from pathlib import Path

import pytest

from faketagger.bench.card import card_table
from faketagger.config import load_config
from faketagger.places import repository_root
from faketagger.tagger.checkpoint import CheckpointConfig, digest
from faketagger.watermarks import digest_of

SHIPPED = sorted(path.parent for path in (repository_root() / "checkpoints").glob("*/config.yaml"))


def test_something_is_shipped() -> None:
    assert {"face-128", "face-256", "portrait-256"} <= {folder.name for folder in SHIPPED}


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_card_tells_the_measured_figures(folder: Path) -> None:
    summary = json.loads((folder / "metrics.json").read_text())
    assert summary["model"]["name"] == folder.name
    card = (folder / "README.md").read_text()
    assert card_table(summary) in card
    for section in ("Where it fails", "Training data and terms"):
        assert section in card


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_weights_are_the_ones_measured_and_small(folder: Path) -> None:
    config = load_config(folder / "config.yaml", CheckpointConfig)
    parts = {"model.safetensors": config.sha256}
    if config.surround is not None:
        parts["surround.safetensors"] = config.surround.sha256
    assert {path.name for path in folder.glob("*.safetensors")} == parts.keys()
    assert all(digest(folder / name) == sha256 for name, sha256 in parts.items())
    assert sum((folder / name).stat().st_size for name in parts) < 32_000_000
    summary = json.loads((folder / "metrics.json").read_text())
    assert summary["model"]["digest"] == digest_of(str(folder))
