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

LAST, TURNS = "last.ckpt", "turns"
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""Ctrl-C, and what SLURM sends before it takes a machine away."""


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
    """Saves after every ``every`` steps, after the last one, and when asked to stop after the step at hand.

    Ctrl-C, SIGTERM and SIGUSR1 ask, to whichever process of a run they come; a second time stops at once, without
    saving. The number of processes and of accumulated batches may be another one when the run goes on.

    Args:
        out: Folder of the run.
        every: Steps between checkpoints.
    """

    def __init__(self, out: Path, every: int) -> None:
        self.path, self.every = out / LAST, every
        self.asked = False
        self._step = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._step = trainer.global_step
        if threading.current_thread() is threading.main_thread():
            for number in ASKING:
                signal.signal(number, self._ask)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint[TURNS] = trainer.accumulate_grad_batches

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Count Lightning's batches anew if a step takes another number of them now."""
        before, now = checkpoint.get(TURNS, 1), trainer.accumulate_grad_batches
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        for counts in (progress["total"], progress["current"]):
            counts.update({name: count // before * now for name, count in counts.items()})

    def _ask(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("stopping after this step; once more to stop at once", file=sys.stderr)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        step = trainer.global_step
        if step == self._step:
            return
        self._step = step
        if trainer.world_size > 1:
            self.asked = trainer.strategy.reduce_boolean_decision(self.asked, all=False)
        if self.asked or step % self.every == 0 or step == trainer.max_steps:
            trainer.save_checkpoint(self.path)
        if self.asked:
            raise KeyboardInterrupt


@contextmanager
def interruptible(trainer: pl.Trainer) -> Iterator[None]:
    """Raise KeyboardInterrupt where Lightning exits with code 1, and give the signals' handlers back."""
    before = {number: signal.getsignal(number) for number in ASKING}
    try:
        yield
    except SystemExit as stop:
        if trainer.interrupted:
            raise KeyboardInterrupt from stop
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)
