"""What watches a run: a watchdog that speaks up early, and pictures of what the tag looks like."""

from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.strategies import FSDPStrategy
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor

from faketagger.imaging import to_uint8
from faketagger.training.loggers import log_pictures
from faketagger.training.tagger_module import TaggerModule


class Watchdog(pl.Callback):
    """Says in words when the message is not being learnt, instead of training on for hours.

    Args:
        patience: Steps in the message stage after which bit accuracy must have left chance.
        chance: Bit accuracy that still counts as chance.
    """

    def __init__(self, patience: int = 300, chance: float = 0.55) -> None:
        self.patience, self.chance = patience, chance
        self.spoken = False

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if not isinstance(pl_module, TaggerModule) or self.spoken or trainer.global_step < self.patience:
            return
        curriculum = pl_module.curriculum
        if curriculum.stage == "message" and curriculum.clean < self.chance:
            self.spoken = True
            rank_zero_warn(
                f"After {trainer.global_step} steps bit accuracy is still {curriculum.clean:.3f}, chance is 0.5: the "
                "message is not being learnt. Lower tagger.curriculum.start_psnr by 4 dB, or halve learning_rate, or "
                "shorten the message (tagger.network.message_bits)."
            )


class TaggedPictures(pl.Callback):
    """After each validation, writes a sheet: original, tagged, residual x10, one row a face.

    Args:
        folder: Where the sheets go.
        faces: Rows of a sheet.
    """

    def __init__(self, folder: Path, faces: int = 6) -> None:
        self.folder, self.faces = folder, faces

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if batch_idx or trainer.sanity_checking or not isinstance(pl_module, TaggerModule):
            return
        if not trainer.is_global_zero or isinstance(trainer.strategy, FSDPStrategy):  # a shard shows nothing alone
            return
        images, tagged = pl_module.show(batch, self.faces)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"step-{trainer.global_step:06d}.png"
        pixels = sheet(images, tagged)
        Image.fromarray(pixels).save(path)
        for logger in trainer.loggers:
            log_pictures(logger, path, pixels, trainer.global_step)


def sheet(images: Tensor, tagged: Tensor) -> np.ndarray:
    """One row a face: original, tagged, residual x10 around mid-grey.

    Args:
        images: (N, 3, S, S) in [0, 1].
        tagged: The same pictures with a tag.

    Returns:
        (N * S, 3 * S, 3) uint8.
    """
    columns = torch.stack([images, tagged, (0.5 + 10 * (tagged - images)).clamp(0, 1)], 1)
    n, _, channels, side, _ = columns.shape
    rows = columns.permute(0, 3, 1, 4, 2).reshape(n * side, 3 * side, channels)
    return to_uint8(rows.cpu().numpy())
