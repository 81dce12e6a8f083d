"""The LightningDataModule: kind of data, split by person, and batches that resume at the very next step."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from faketagger.data.batches import OrderedBatches, SteppedBatches
from faketagger.data.celebahq import CelebAHQ
from faketagger.data.config import DataConfig
from faketagger.data.crops import FaceCrops, to_floats
from faketagger.data.demo import demo_place, materialise_demo
from faketagger.data.division import Division
from faketagger.data.samples import Sample, Split, list_folder, split_by_identity
from faketagger.data.shards import ShardFaces, WindowedOrder
from faketagger.errors import DataError
from faketagger.places import cache_root
from faketagger.torch_compat import ensure_torchvision

ensure_torchvision()
import pytorch_lightning as lightning  # noqa: E402

Faces = FaceCrops | ShardFaces
_SPLITS: tuple[Split, ...] = ("train", "val", "test")


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
        """Pictures as float32 in [0, 1]; counts the steps whose batches have reached the model."""
        batch["image"] = to_floats(batch["image"])
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
            root = materialise_demo(demo_place(config.demo_faces, self.cache), config.demo_faces)
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
