"""Shards give training the faces that the folder gives, in windows, by (seed, step), divided by rank."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from faketagger.data.batches import OrderedBatches, SteppedBatches
from faketagger.data.config import DataConfig
from faketagger.data.crops import FaceCrops
from faketagger.data.division import Division, part_rng
from faketagger.data.module import FaceDataModule
from faketagger.data.samples import Sample
from faketagger.data.shards import INDEX, ShardFaces, WindowedOrder
from faketagger.errors import ConfigError, DataError
from faketagger.scale.engine import result_file
from faketagger.scale.frozen import FrozenListing
from faketagger.scale.listing import listed
from faketagger.scale.sharding import FILES, CutOrder, _index


@settings(max_examples=40)
@given(
    counts=st.lists(st.integers(0, 9), min_size=1, max_size=9).filter(any),
    window=st.integers(1, 4), seed=st.integers(0, 9), cut=st.integers(1, 7),
)  # fmt: skip
def test_a_pass_has_every_item_once_and_few_files_at_a_time(
    counts: list[int], window: int, seed: int, cut: int
) -> None:
    order = WindowedOrder(counts, seed, window)
    total = sum(counts)
    whole = order(3, 0, total)
    assert sorted(whole) == list(range(total))
    pieces = [order(3, start, min(start + cut, total)) for start in range(0, total, cut)]
    assert [item for piece in pieces for item in piece] == whole
    assert WindowedOrder(counts, seed, window)(3, total // 2, total) == whole[total // 2 :]
    ends = [sum(counts[: file + 1]) for file in range(len(counts))]
    files = [next(file for file, end in enumerate(ends) if item < end) for item in whole]
    open_at = [len(set(files[:place]) & set(files[place:])) for place in range(len(files))]
    assert max(open_at) <= window


@settings(max_examples=40)
@given(
    count=st.integers(8, 60), share=st.integers(1, 3), processes=st.integers(1, 4), turns=st.integers(1, 2),
    start=st.integers(0, 20),
)  # fmt: skip
def test_all_processes_together_take_the_batch_of_one(
    count: int, share: int, processes: int, turns: int, start: int
) -> None:
    size = share * processes * turns
    if count < size:
        return
    alone = SteppedBatches(count, size, 5, lambda: start)
    step: list[int] = []
    for rank in range(processes):
        parts = iter(SteppedBatches(count, size, 5, lambda: start, Division(processes, rank, turns)))
        taken = [next(parts) for _ in range(turns)]
        assert all(len(part) == share for part in taken)
        step += [item for part in taken for item in part]
    assert sorted(step) == sorted(alone.batch(start))
    seen = [item for rank in range(processes) for batch in OrderedBatches(count, size, Division(processes, rank, turns))
            for item in batch]  # fmt: skip
    assert sorted(seen) == list(range(count))


def test_parts_draw_alike_whoever_takes_them() -> None:
    two = {Division(2, rank).part(turn) for rank in range(2) for turn in range(1)}
    one = {Division(1, 0, 2).part(turn) for turn in range(2)}
    assert two == one == {0, 1}
    draws = [torch.rand(3, generator=part_rng(1, step, part)) for step in range(3) for part in range(3)]
    assert len({tuple(draw.tolist()) for draw in draws}) == 9
    with pytest.raises(ConfigError, match="cannot be divided evenly"):
        Division(2, 0, 2).share(6)


@pytest.fixture
def shards(tmp_path: Path, paint: Callable[[str, int], Path], finder: list[int]) -> tuple[Path, list[Path]]:
    """Seven pictures in files of three, one of them without a face."""
    photos = [paint(f"photos/{number}.png", number) for number in range(7)]
    order = CutOrder(tmp_path / "shards", 32, 0.25, 0.34, 0.0, 5, None, "auto")
    listing = FrozenListing(tmp_path, 7, 3, 1)
    cutting = order()
    from faketagger.scale.tables import write_table

    for number in range(3):
        some = photos[3 * number : 3 * number + 3]
        rows = listed([str(path) for path in some], identity=[f"person {path.stem}" for path in some])
        write_table(cutting(rows, 3 * number), result_file(order.out / FILES, number))
    assert sum(_index(listing, order).values()) == 7
    return order.out, photos


def test_faces_are_those_of_the_folder(shards: tuple[Path, list[Path]], tmp_path: Path) -> None:
    root, photos = shards
    folder = FaceCrops([Sample(path, str(path)) for path in photos], 32, margin=0.25, cache=tmp_path)
    expected = {folder[number]["path"]: folder[number] for number in range(len(folder))}
    found = {item["path"]: item for split in ("train", "val") for item in ShardFaces(root, split, 32, 0.25)}  # type: ignore[attr-defined,arg-type]
    assert found.keys() == expected.keys()
    assert len(found) == 6
    for path, item in found.items():
        assert torch.equal(item["image"], expected[path]["image"])
        assert torch.allclose(item["landmarks"], expected[path]["landmarks"])
    failed = [row for path in root.rglob("*.parquet") for row in pq.read_table(path).to_pylist() if row["error"]]
    assert [row["error"] for row in failed] == ["no face was found"]


def test_training_streams_them(shards: tuple[Path, list[Path]]) -> None:
    root, _ = shards
    values: dict[str, Any] = {"kind": "shards", "root": root, "size": 32, "margin": 0.25, "batch_size": 2}
    module = FaceDataModule(DataConfig(**values))
    module.setup()
    assert [len(data) for data in module.datasets.values()] == [4, 2]
    batches = [batch["path"] for batch in module.train_dataloader()]
    module.batches_used = 1
    assert [batch["path"] for batch in module.train_dataloader()] == batches[1:]
    assert len(batches) == 2
    with pytest.raises(DataError, match="size 32 and margin"):
        FaceDataModule(DataConfig(**values | {"size": 64})).setup()
    (root / INDEX).write_text(json.dumps({"size": 32}))
    with pytest.raises(DataError, match="no finished shards"):
        FaceDataModule(DataConfig(**values)).setup()
