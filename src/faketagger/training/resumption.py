"""``last.ckpt``: written every so often, at the end and on Ctrl-C, always between two steps."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from faketagger.errors import CheckpointError

LAST = "last.ckpt"


def read_last(out: Path) -> dict[str, Any] | None:
    """The checkpoint of a run's folder, memory-mapped; None where there is none.

    Raises:
        CheckpointError: It is damaged.
    """
    path = out / LAST
    if not path.is_file():
        return None
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch.load raises whatever the damage leads to
        raise CheckpointError(f"{path} is damaged.", "Delete it to start anew.") from error
    return checkpoint


class LastCheckpoint(pl.callbacks.Checkpoint):
    """Saves after every ``every`` steps, after the last one, and on Ctrl-C after the step at hand.

    A second Ctrl-C stops at once, without saving.

    Args:
        out: Folder of the run.
        every: Steps between checkpoints.
    """

    def __init__(self, out: Path, every: int) -> None:
        self.path, self.every = out / LAST, every
        self.asked = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("stopping after this step; once more to stop at once", file=sys.stderr)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if self.asked or step % self.every == 0 or step == trainer.max_steps:
            trainer.save_checkpoint(self.path)
        if self.asked:
            raise KeyboardInterrupt


@contextmanager
def interruptible(trainer: pl.Trainer) -> Iterator[None]:
    """Raise KeyboardInterrupt where Lightning exits with code 1, and give the signal's handler back."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as stop:
        if trainer.interrupted:
            raise KeyboardInterrupt from stop
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)
