"""How the batch of one optimiser step is divided over processes and turns, so that the outcome knows of neither.

A batch is cut into ``processes * turns`` parts of one size. Every part draws from a generator of its own, seeded with
(seed, step, part), and the gradient of the step is the mean over the parts: two processes give what one gives in two
turns.
"""

from dataclasses import dataclass
from typing import Any

import torch

from faketagger.errors import ConfigError

_SPREAD = 0x9E3779B1
"""2^32 over the golden ratio: keeps the seeds of parts away from those of neighbouring steps."""


@dataclass(frozen=True)
class Division:
    """One process's place in a run.

    Attributes:
        processes: Number of processes that share every batch.
        rank: Number of this process.
        turns: Batches that one process works through before the optimiser steps.
    """

    processes: int = 1
    rank: int = 0
    turns: int = 1

    @classmethod
    def of(cls, trainer: Any) -> "Division":
        """The division that a Lightning trainer works by."""
        return cls(trainer.world_size, trainer.global_rank, trainer.accumulate_grad_batches)

    @property
    def parts(self) -> int:
        """Parts that every batch is cut into."""
        return self.processes * self.turns

    def part(self, turn: int) -> int:
        """Number of the part that this process takes in a turn; turns may be counted on over steps."""
        return (turn % self.turns) * self.processes + self.rank

    def share(self, batch_size: int) -> int:
        """Items in one part of a batch.

        Raises:
            ConfigError: The batch does not divide.
        """
        if batch_size % self.parts:
            raise ConfigError(
                f"A batch of {batch_size} faces cannot be divided evenly over {self.processes} processes and "
                f"{self.turns} accumulated batches.",
                f"Make data.batch_size a multiple of {self.parts}.",
            )
        return batch_size // self.parts


def part_rng(seed: int, step: int, part: int = 0) -> torch.Generator:
    """The source of every random draw of one part of one step, whichever process takes it.

    Args:
        seed: Of the run.
        step: Optimiser step, from 0.
        part: Number of the part, from 0.
    """
    return torch.Generator().manual_seed((seed * 1_000_003 + step + part * _SPREAD) % 2**63)
