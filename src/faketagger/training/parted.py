"""What a LightningModule needs so that its run does not depend on how batches are divided over processes."""

from abc import ABC, abstractmethod
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import FSDPStrategy
from torch import Tensor

from faketagger.data.division import Division, part_rng
from faketagger.training.config import TrainConfig


class PartedModule(pl.LightningModule, ABC):
    """Draws by (seed, step, part), counts over all parts of a step. Subclasses keep ``seed`` in their hparams."""

    def __init__(self) -> None:
        super().__init__()
        self.division = Division()
        self._sum: Tensor | None = None

    def on_fit_start(self) -> None:
        self.division = Division.of(self.trainer)

    @abstractmethod
    def compile_networks(self) -> None:
        """Compile the networks in place, under the names that checkpoints know; they stay as they are elsewhere."""

    @abstractmethod
    def write(self, config: TrainConfig, path: Path) -> None:
        """Write what others load.

        Args:
            config: The configuration of the run.
            path: A tagger's checkpoint folder, or an autoencoder's safetensors.
        """

    def step_rng(self, index: int) -> torch.Generator:
        """Source of every draw of one training batch.

        Args:
            index: Lightning's number of the batch.
        """
        return part_rng(self.hparams["seed"], self.global_step, self.division.part(index))

    def validation_number(self, index: int) -> int:
        """Number of a validation batch over all processes, from this process's own."""
        return index * self.division.processes + self.division.rank

    def tell(self, name: str, value: Tensor, count: int, prog_bar: bool = False) -> None:
        """Log the mean of a validation batch, weighed by its pictures over all processes.

        Args:
            name: Of the number.
            value: Mean over the batch.
            count: Pictures of the batch.
            prog_bar: Show it in the bar.
        """
        # Lightning averages the weights over processes in whole numbers, so they are multiples of that many.
        weight = count * self.division.processes
        self.log(name, value, prog_bar=prog_bar, batch_size=weight, sync_dist=True)

    def summed(self, counts: Tensor, index: int) -> list[int] | None:
        """Add up integers over the parts of a step.

        Args:
            counts: (K,) int64 of one part.
            index: Lightning's number of the batch.

        Returns:
            The K sums with the last part of a step, the same in every process; None before.
        """
        self._sum = counts if self._sum is None else self._sum + counts
        if (index + 1) % self.division.turns:
            return None
        total, self._sum = self._sum, None
        if self.division.processes > 1:
            total = self.trainer.strategy.reduce(total, reduce_op="sum")
        sums: list[int] = total.tolist()
        return sums

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by the norm over all shards where the network is sharded."""
        if isinstance(self.trainer.strategy, FSDPStrategy) and gradient_clip_val:
            self.trainer.model.clip_grad_norm_(gradient_clip_val)  # type: ignore[union-attr,operator]
        else:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
