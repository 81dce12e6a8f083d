"""The LightningDataModule: kind of data, split by person, and batches that resume at the very next step."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, model_validator
from torch.utils.data import DataLoader, Sampler

from faketagger.config import Section
from faketagger.data.celebahq import CelebAHQ
from faketagger.data.crops import FaceCrops
from faketagger.data.demo import materialise_demo
from faketagger.data.division import Division
from faketagger.data.samples import Identities, Sample, Split, list_folder, split_by_identity
from faketagger.data.shards import ShardFaces, WindowedOrder
from faketagger.errors import DataError
from faketagger.places import cache_root
from faketagger.torch_compat import ensure_torchvision

ensure_torchvision()
import pytorch_lightning as lightning  # noqa: E402

Faces = FaceCrops | ShardFaces
_SPLITS: tuple[Split, ...] = ("train", "val", "test")


class DataConfig(Section):
    """Which faces, how large, how many at a time.

    Attributes:
        kind: ``demo`` (the built-in faces), ``folder`` (any photographs), ``celebahq`` (published layout) or
            ``shards`` (what ``faketagger shard`` wrote; its splits are in the shards).
        root: The folder; not for ``demo``.
        val_root: A second folder to validate and test on, instead of a share of the first; its people are left
            out of training.
        identities: Where names come from in a folder.
        group: What divides people in two: a column of ``manifest.csv``, or an attribute of CelebA-HQ; above 0 means
            group 1. Null puts everybody into group 0.
        size: Side of the aligned crop in pixels.
        margin: What is added to the crop on every side, as a share of ``size``.
        batch_size: Faces per optimiser step, over all processes and accumulated batches.
        val_share: Share of the pictures for validation (``demo`` and ``folder``).
        test_share: Share of the pictures for the test (``demo`` and ``folder``).
        limit: Use only so many pictures of each split.
        demo_faces: How many pictures to render for ``demo``.
        workers: Processes that load data.
        in_memory: Keep every crop in memory.
        backend: Face finder.
        seed: Fixes the split and the order.
    """

    kind: Literal["demo", "folder", "celebahq", "shards"] = "demo"
    root: Path | None = None
    val_root: Path | None = None
    identities: Identities = "auto"
    group: str | None = None
    size: int = Field(default=128, ge=32, le=1024)
    margin: float = Field(default=0.1875, ge=0, le=1)
    batch_size: int = Field(default=16, ge=1)
    val_share: float = Field(default=0.1, gt=0, lt=1)
    test_share: float = Field(default=0.1, ge=0, lt=1)
    limit: int | None = Field(default=None, ge=1)
    demo_faces: int = Field(default=48, ge=6)
    workers: int = Field(default=0, ge=0)
    in_memory: bool = True
    backend: str = "auto"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _roots_fit_the_kind(self) -> "DataConfig":
        if (self.kind == "demo") != (self.root is None):
            raise ValueError("a root folder is needed for folder, celebahq and shards, and not allowed for demo")
        if self.val_root is not None and self.kind != "folder":
            raise ValueError("val_root goes with kind: folder only")
        if self.kind == "shards" and self.group is not None:
            raise ValueError("shards carry no group")
        if self.val_share + self.test_share >= 1:
            raise ValueError("val_share and test_share leave nothing for training")
        return self


class SteppedBatches(Sampler[list[int]]):
    """Batches that are a pure function of (seed, step), and this process's part of each.

    Every pass over the data is a fresh shuffle; what does not fill a batch is left out of that pass, unless the
    data is smaller than one batch. Iteration starts at the step that ``position`` tells and ends with the pass.

    Args:
        count: Number of items.
        batch_size: Items per step, over all processes and turns.
        seed: Fixes every shuffle.
        position: Tells how many steps have been taken so far.
        division: How a batch is divided.
        order: Tells the items of a pass from one place to another; a shuffle of everything if None.

    Raises:
        ConfigError: A batch does not divide.
        DataError: There are fewer items than parts.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        seed: int,
        position: Callable[[], int],
        division: Division | None = None,
        order: Callable[[int, int, int], list[int]] | None = None,
    ) -> None:
        self.division = division or Division()
        if count < self.division.parts:
            raise DataError(f"{count} faces cannot be divided over {self.division.parts} parts of a batch.")
        self.share = min(self.division.share(batch_size), count // self.division.parts)
        self.count = count
        self.batch_size = self.share * self.division.parts
        self.seed = seed
        self.position = position
        self.order = order or self._shuffled

    @property
    def steps(self) -> int:
        """Steps in one pass."""
        return self.count // self.batch_size

    def __len__(self) -> int:
        return self.steps * self.division.turns

    def __iter__(self) -> Iterator[list[int]]:
        step = self.position()
        for later in range(step, (step // self.steps + 1) * self.steps):
            batch = self.batch(later)
            for turn in range(self.division.turns):
                start = self.division.part(turn) * self.share
                yield batch[start : start + self.share]

    def batch(self, step: int) -> list[int]:
        """Numbers of the items of one step, counted from 0 over all passes, for all processes and turns."""
        turn, place = divmod(step, self.steps)
        start = place * self.batch_size
        return self.order(turn, start, start + self.batch_size)

    def _shuffled(self, turn: int, start: int, stop: int) -> list[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + turn)
        items: list[int] = torch.randperm(self.count, generator=generator)[start:stop].tolist()
        return items


class OrderedBatches(Sampler[list[int]]):
    """All items in order, each in one batch of one process; the batches are the same for every number of processes.

    Args:
        count: Number of items.
        batch_size: As for :class:`SteppedBatches`; a batch here is one part of it.
        division: How a batch is divided.

    Raises:
        ConfigError: A batch does not divide.
        DataError: There are fewer items than processes.
    """

    def __init__(self, count: int, batch_size: int, division: Division) -> None:
        if count < division.processes:
            raise DataError(
                f"{count} faces to validate on cannot be divided over {division.processes} processes.",
                "Raise data.val_share, or use fewer processes.",
            )
        self.division, self.count = division, count
        self.size = min(division.share(batch_size), max(1, count // division.parts))

    def __len__(self) -> int:
        return len(range(self.division.rank * self.size, self.count, self.size * self.division.processes))

    def __iter__(self) -> Iterator[list[int]]:
        for start in range(self.division.rank * self.size, self.count, self.size * self.division.processes):
            yield list(range(start, min(start + self.size, self.count)))


class FaceDataModule(lightning.LightningDataModule):
    """Aligned faces for training, validation and test, with nobody in two of them.

    The state that Lightning saves in a checkpoint is the number of training batches used; a resumed run goes on
    with the batch after it.

    Args:
        config: The data section of a configuration.
        cache: Folder for landmarks and demo faces; the user's cache folder if None.
        progress: Called with (done, total) while faces are looked for.
    """

    def __init__(
        self,
        config: DataConfig,
        cache: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.cache = cache or cache_root()
        self.progress = progress
        self.batches_used = 0
        self._turns_taken = 0
        self.datasets: dict[Split, Faces] = {}

    @property
    def division(self) -> Division:
        """How batches are divided under the trainer at hand; one part without a trainer."""
        return Division() if self.trainer is None else Division.of(self.trainer)

    def prepare_data(self) -> None:
        """Let one process of a machine look for the faces, before all others find them in the cache."""
        self.setup()

    def setup(self, stage: str | None = None) -> None:
        """Find faces and divide people; a second call does nothing.

        Raises:
            DataError: The data is missing or cannot be divided.
        """
        if self.datasets:
            return
        if self.config.kind == "shards":
            self.datasets = dict(self._shards())
            return
        if self.config.kind == "celebahq":
            self.datasets = {split: self._celebahq(split) for split in _SPLITS}
        else:
            self.datasets = {
                split: FaceCrops(samples[: self.config.limit], self.config.size, **self._options())
                for split, samples in self._divided().items()
                if samples
            }
        _refuse_shared_people(self.datasets)

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled batches, from the first batch not yet used."""
        data = self._dataset("train")
        config = self.config
        batches = SteppedBatches(
            len(data), config.batch_size, config.seed, lambda: self.batches_used, self.division, _order(data, config)
        )
        return DataLoader(data, batch_sampler=batches, num_workers=self.config.workers)

    def val_dataloader(self) -> DataLoader[Any]:
        """Validation faces in order."""
        return self._in_order("val")

    def test_dataloader(self) -> DataLoader[Any]:
        """Test faces in order."""
        return self._in_order("test")

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Count the steps whose batches have reached the model."""
        if self.trainer is not None and self.trainer.training:
            self._turns_taken += 1
            if self._turns_taken == self.division.turns:
                self.batches_used, self._turns_taken = self.batches_used + 1, 0
        return batch

    def state_dict(self) -> dict[str, Any]:
        """Number of training batches used."""
        return {"batches_used": self.batches_used}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after the batches used."""
        # Lightning looks for the position in the loader; here the loader asks this module for it.
        warnings.filterwarnings("ignore", "You're resuming from a checkpoint that ended before the epoch")
        self.batches_used = state_dict["batches_used"]

    def _dataset(self, split: Split) -> Faces:
        if split not in self.datasets:
            raise DataError(f"There are no {split} faces.", f"Raise {split}_share, or call setup() first.")
        return self.datasets[split]

    def _in_order(self, split: Split) -> DataLoader[Any]:
        data = self._dataset(split)
        batches = OrderedBatches(len(data), self.config.batch_size, self.division)
        return DataLoader(data, batch_sampler=batches, num_workers=self.config.workers)

    def _options(self) -> dict[str, Any]:
        return {
            "margin": self.config.margin,
            "backend": self.config.backend,
            "cache": self.cache / "landmarks",
            "in_memory": self.config.in_memory,
            "progress": self.progress,
        }

    def _shards(self) -> Iterator[tuple[Split, ShardFaces]]:
        root, config = _given(self.config.root), self.config
        for split in _SPLITS[:2]:
            yield split, ShardFaces(root, split, config.size, config.margin, config.limit)

    def _celebahq(self, split: Split) -> FaceCrops:
        root, limit, group = _given(self.config.root), self.config.limit, self.config.group
        return CelebAHQ(root, split, self.config.size, limit=limit, group=group, **self._options())

    def _divided(self) -> Mapping[Split, list[Sample]]:
        config = self.config
        if config.val_root is not None:
            held_out = list_folder(config.val_root, config.identities, config.group)
            people = {sample.identity for sample in held_out}
            everybody = list_folder(_given(config.root), config.identities, config.group)
            train = [sample for sample in everybody if sample.identity not in people]
            test_share = config.test_share / (config.val_share + config.test_share)
            shares: dict[Split, float] = {"val": 1 - test_share, "test": test_share}
            return {**split_by_identity(held_out, shares, config.seed), "train": train}
        root = config.root
        if root is None:
            root = materialise_demo(self.cache / "demo" / f"{config.demo_faces}-faces", config.demo_faces)
        shares = {
            "train": 1 - config.val_share - config.test_share,
            "val": config.val_share,
            "test": config.test_share,
        }
        return split_by_identity(list_folder(root, config.identities, config.group), shares, config.seed)


def _order(data: Faces, config: DataConfig) -> Callable[[int, int, int], list[int]] | None:
    return WindowedOrder(data.counts, config.seed) if isinstance(data, ShardFaces) else None


def _given(root: Path | None) -> Path:
    if root is None:
        raise DataError("No folder is given.", "Set data.root.")
    return root


def _refuse_shared_people(datasets: Mapping[Split, Faces]) -> None:
    seen: dict[str, Split] = {}
    for split, data in datasets.items():
        assert isinstance(data, FaceCrops)
        for identity in set(data.identities):
            if seen.setdefault(identity, split) != split:
                raise DataError(f"{identity!r} is in the splits {seen[identity]} and {split}.")
