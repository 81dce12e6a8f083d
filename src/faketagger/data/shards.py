"""Faces that were cut once and lie in Parquet files: read in windows, in an order that seed and step fix.

A pass shuffles the files, gathers a few of them into a window, and shuffles the faces of a window. So 100 million faces
are read from the disk almost in order, each once a pass, and the faces of any step are known without reading what comes
before. ``faketagger shard`` writes the files.
"""

import io
import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

from faketagger.config import Section, check
from faketagger.data.crops import FaceItem
from faketagger.data.samples import Split
from faketagger.errors import DataError, FakeTaggerError

INDEX = "shards.json"
SCHEMA = pa.schema(
    {
        "row": pa.int64(), "uri": pa.string(), "key": pa.string(), "status": pa.string(), "same_as": pa.int64(),
        "error": pa.string(), "seconds": pa.float64(), "identity": pa.string(), "image": pa.binary(),
        "landmarks": pa.list_(pa.float32(), 136),
    }
)  # fmt: skip
"""A face to train or validate on has its split as ``status``; such faces come first, in this order of splits."""
ORDER: tuple[Split, ...] = ("train", "val", "test")
WINDOW = 4
"""Files that are shuffled together."""


class ShardFile(Section):
    """One file: its path below the folder, and its faces of each split."""

    path: str
    train: int = 0
    val: int = 0
    test: int = 0


class ShardIndex(Section):
    """What a folder of shards holds.

    Attributes:
        size: Side of the aligned crop in pixels.
        margin: What lies around it on every side, as a share of ``size``.
        files: All files, in order.
    """

    size: int
    margin: float
    files: list[ShardFile]


def read_index(root: Path) -> ShardIndex:
    """The index of a folder of shards.

    Raises:
        DataError: There is none, or it is damaged.
    """
    try:
        return check(json.loads((root / INDEX).read_text()), ShardIndex, str(root / INDEX))
    except (OSError, ValueError, FakeTaggerError) as error:
        raise DataError(f"{root} holds no finished shards.", "faketagger shard PHOTOS --out FOLDER") from error


class WindowedOrder:
    """The order of the items of a pass; items of one file stay within one window.

    Args:
        counts: (F,) items of each file; items are numbered file after file.
        seed: Fixes every shuffle.
        window: Files that are shuffled together.
    """

    def __init__(self, counts: Sequence[int], seed: int, window: int = WINDOW) -> None:
        self._counts = np.asarray(counts, dtype=np.int64)
        self._starts = np.cumsum(self._counts) - self._counts
        self._seed, self._window = seed, window
        self._turn = -1

    def __call__(self, turn: int, start: int, stop: int) -> list[int]:
        """Numbers of the items at places ``start`` to ``stop`` of a pass."""
        if turn != self._turn:
            self._turn = turn
            self._files = np.random.default_rng((self._seed, turn)).permutation(len(self._counts))
            places = np.arange(0, len(self._files), self._window)
            self._ends = np.cumsum(np.add.reduceat(self._counts[self._files], places))
        found: list[int] = []
        number = int(np.searchsorted(self._ends, start, side="right"))
        while start < stop:
            first = int(self._ends[number - 1]) if number else 0
            part = self._mixed(turn, number)[start - first : stop - first]
            found += part.tolist()
            start, number = start + len(part), number + 1
        return found

    def _mixed(self, turn: int, number: int) -> NDArray[np.int64]:
        files = self._files[number * self._window : (number + 1) * self._window]
        items = np.concatenate([self._starts[file] + np.arange(self._counts[file]) for file in files])
        return np.random.default_rng((self._seed, turn, number)).permutation(items)


class ShardFaces(Dataset[FaceItem]):
    """One split of a folder of shards; the last few files read are kept in memory.

    Args:
        root: The folder.
        split: ``train``, ``val`` or ``test``.
        size: Side of the crop that is asked for, in pixels.
        margin: Margin that is asked for.
        limit: Use only so many faces.

    Raises:
        DataError: There are no shards, none of that split, or they were cut otherwise.
    """

    def __init__(self, root: Path, split: Split, size: int, margin: float, limit: int | None = None) -> None:
        index = read_index(root)
        if (index.size, index.margin) != (size, margin):
            raise DataError(
                f"The shards in {root} were cut with size {index.size} and margin {index.margin:g}.",
                f"Set data.size={index.size} data.margin={index.margin:g}, or cut them again.",
            )
        before = ORDER[: ORDER.index(split)]
        self._root = root
        self._offset = [sum(getattr(file, name) for name in before) for file in index.files]
        self._paths = [file.path for file in index.files]
        counts = [getattr(file, split) for file in index.files]
        if limit is not None:
            left = np.clip(limit - np.concatenate([[0], np.cumsum(counts)[:-1]]), 0, None)
            counts = np.minimum(counts, left).tolist()
        self.counts = tuple(int(count) for count in counts)
        self._ends = np.cumsum(self.counts)
        self._open: OrderedDict[int, pa.Table] = OrderedDict()
        if not len(self):
            raise DataError(f"The shards in {root} have no {split} faces.", "Cut them with another share.")

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, number: int) -> FaceItem:
        file = int(np.searchsorted(self._ends, number, side="right"))
        place = number - (int(self._ends[file - 1]) if file else 0) + self._offset[file]
        row: dict[str, Any] = self._table(file).slice(place, 1).to_pylist()[0]
        with Image.open(io.BytesIO(row["image"])) as picture:
            pixels = torch.from_numpy(np.asarray(picture.convert("RGB")).copy())
        return {
            "image": pixels.permute(2, 0, 1).contiguous(),
            "landmarks": torch.tensor(row["landmarks"], dtype=torch.float32).view(68, 2),
            "identity": row["identity"],
            "group": 0,
            "path": row["uri"],
        }

    def _table(self, file: int) -> pa.Table:
        if file not in self._open:
            path = self._root / self._paths[file]
            try:
                self._open[file] = pq.read_table(path, columns=["image", "landmarks", "identity", "uri"])
            except (OSError, pa.ArrowException) as error:
                raise DataError(
                    f"The shard {path} cannot be read.", "Delete it and call faketagger shard again."
                ) from error
            if len(self._open) > WINDOW + 1:
                self._open.popitem(last=False)
        self._open.move_to_end(file)
        return self._open[file]
