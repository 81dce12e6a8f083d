"""The data module: batches as a function of the step, resumption, people kept apart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as lightning
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from faketagger.config import load_config
from faketagger.data import demo
from faketagger.data.batches import SteppedBatches
from faketagger.data.config import DataConfig
from faketagger.data.module import FaceDataModule
from faketagger.errors import ConfigError, DataError


@given(count=st.integers(1, 40), size=st.integers(1, 12), seed=st.integers(0, 99), start=st.integers(0, 50))
def test_resumed_batches_continue_the_same_stream(count: int, size: int, seed: int, start: int) -> None:
    straight = SteppedBatches(count, size, seed, lambda: 0)
    expected = [straight.batch(step) for step in range(start, start + 3)]
    position = start
    resumed = SteppedBatches(count, size, seed, lambda: position)
    got: list[Any] = []
    while len(got) < 3:
        fresh = list(resumed)
        assert 1 <= len(fresh) <= len(resumed)
        got += fresh
        position += len(fresh)
    assert got[:3] == expected


@given(count=st.integers(1, 60), size=st.integers(1, 12))
def test_a_pass_uses_every_item_at_most_once(count: int, size: int) -> None:
    used = [number for batch in SteppedBatches(count, size, 5, lambda: 0) for number in batch]
    assert len(used) == len(set(used)) >= count - min(size, count) + 1
    assert set(used) <= set(range(count))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "faces"
    root.mkdir()
    rng = np.random.default_rng(0)
    lines = ["file,identity"]
    for number in range(20):
        Image.fromarray(rng.integers(1, 256, (96, 96, 3), dtype=np.uint8)).save(root / f"{number}.png")
        lines.append(f"{number}.png,p{number // 2}")
    (root / "manifest.csv").write_text("\n".join(lines))
    return root


def _module(folder: Path, **changes: Any) -> FaceDataModule:
    values: dict[str, Any] = {"kind": "folder", "root": folder, "size": 32, "batch_size": 3} | changes
    return FaceDataModule(DataConfig(**values), cache=folder.parent / "cache")


class _Listener(lightning.LightningModule):
    """Learns nothing and writes down which pictures came."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.heard: list[tuple[list[str], float]] = []

    def training_step(self, batch: dict[str, Any], number: int) -> torch.Tensor:
        self.heard.append(([Path(path).name for path in batch["path"]], float(batch["image"].sum())))
        return self.weight.sum()

    def validation_step(self, batch: dict[str, Any], number: int) -> None:
        assert batch["image"].shape[1:] == (3, 44, 44)
        assert batch["image"].dtype == torch.float32
        assert 0 <= batch["image"].min() <= batch["image"].max() <= 1

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def _trainer(steps: int) -> lightning.Trainer:
    return lightning.Trainer(
        max_steps=steps,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def test_a_resumed_training_sees_the_very_next_batches(folder: Path, finder: list[int]) -> None:
    straight = _Listener()
    _trainer(13).fit(straight, datamodule=_module(folder))
    half, trainer = _Listener(), _trainer(7)
    trainer.fit(half, datamodule=_module(folder))
    checkpoint = folder.parent / "half.ckpt"
    trainer.save_checkpoint(checkpoint)
    rest = _Listener()
    _trainer(13).fit(rest, datamodule=_module(folder), ckpt_path=checkpoint)
    assert len(straight.heard) == 13
    assert half.heard + rest.heard == straight.heard


def test_nobody_is_in_two_splits(folder: Path, finder: list[int]) -> None:
    module = _module(folder, val_share=0.2, test_share=0.2)
    module.setup()
    people = [set(data.identities) for data in module.datasets.values()]
    assert sum(len(group) for group in people) == len(set.union(*people)) == 10
    assert [len(data) for data in module.datasets.values()] == [12, 4, 4]
    module.setup("fit")
    assert len(finder) == 20


def test_people_of_the_held_out_folder_are_left_out_of_training(
    folder: Path, tmp_path: Path, finder: list[int]
) -> None:
    held = tmp_path / "held"
    held.mkdir()
    (held / "x.png").write_bytes((folder / "4.png").read_bytes())
    (held / "manifest.csv").write_text("file,identity\nx.png,p2\n")
    module = _module(folder, val_root=held, test_share=0.0)
    module.setup()
    assert module.datasets["val"].identities == ["p2"]
    assert len(module.datasets["train"]) == 18
    with pytest.raises(DataError, match="no test faces"):
        module.test_dataloader()


def test_the_demo_set_goes_all_the_way(
    rendered: list[tuple[str, str, np.ndarray]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "demo_faces", lambda n: rendered)
    module = FaceDataModule(DataConfig(size=64, batch_size=2, backend="dlib"), cache=tmp_path)
    module.setup()
    splits = {split: len(data) for split, data in module.datasets.items()}
    assert sum(splits.values()) == len(rendered)
    assert all(data.skipped == 0 for data in module.datasets.values())
    batch = next(iter(module.train_dataloader()))
    assert batch["image"].shape[1:] == (3, 88, 88)
    assert batch["group"].tolist() == [0, 0]
    eyes = batch["landmarks"][:, 36:48].mean(1)
    assert ((eyes - torch.tensor([43.5, 37.6])).abs() < 12).all()


def test_demo_people_are_grouped(
    rendered: list[tuple[str, str, np.ndarray]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "demo_faces", lambda n: rendered)
    module = FaceDataModule(DataConfig(size=32, backend="dlib", group="Male"), cache=tmp_path)
    module.setup()
    groups = {item["identity"]: item["group"] for data in module.datasets.values() for item in data}
    assert groups == {"person-000": 0, "person-001": 1, "astronaut": 0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind: folder", "root folder is needed"),
        ("kind: demo\nroot: x", "not allowed for demo"),
        ("kind: celebahq\nroot: x\nval_root: y", "kind: folder only"),
        ("val_share: 0.6\ntest_share: 0.5", "leave nothing"),
        ("kind: photos", "'kind' is 'photos'"),
        ("size: 7", "'size' is 7"),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        load_config(tmp_path / "data.yaml", DataConfig)
