"""Every shipped tagger: a card that says what its metrics say, weights that are what the configuration names."""

import json
from pathlib import Path

import pytest

from faketagger.bench.card import card_table
from faketagger.config import load_config
from faketagger.errors import BenchError
from faketagger.places import repository_root
from faketagger.tagger.checkpoint import CheckpointConfig, digest
from faketagger.watermarks import digest_of

SHIPPED = sorted(path.parent for path in (repository_root() / "checkpoints").glob("*/config.yaml"))


def test_something_is_shipped() -> None:
    assert {"face-128", "face-256", "face-256-low", "portrait-256"} <= {folder.name for folder in SHIPPED}


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_card_tells_the_measured_figures(folder: Path) -> None:
    files = [folder / "metrics.json", *sorted(folder.glob("metrics-*.json"))]
    first, *others = (json.loads(path.read_text()) for path in files)
    assert first["model"]["name"] == folder.name
    parts = [other for other in others if other["model"]["digest"] == first["model"]["digest"]]
    card = (folder / "README.md").read_text()
    assert card_table(first, *parts) in card
    for section in ("Where it fails", "Training data and terms"):
        assert section in card


def test_parts_of_one_measurement_are_one_table_and_others_are_refused() -> None:
    folders = [folder for folder in SHIPPED if folder.name.startswith("face-")]
    one, other = (json.loads((folder / "metrics.json").read_text()) for folder in folders[:2])
    rows = one["scenarios"]
    parts = [{**one, "scenarios": rows[:9]}, {**one, "scenarios": rows[5:]}]
    assert card_table(*parts) == card_table(one)
    with pytest.raises(BenchError, match="different taggers"):
        card_table(one, other)


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
