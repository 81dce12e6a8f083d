"""The data section of a training file: which faces, how large, how many at a time."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from faketagger.config import Section
from faketagger.data.samples import Identities


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
        in_memory: Keep every crop in memory once it is cut: at 256 px with this margin 0.4 MB each, 5 GB for 13,000.
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
