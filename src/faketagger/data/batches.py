"""Which faces are in a batch: a pure function of seed and step, so that a run resumes at the very next one."""

from collections.abc import Callable, Iterator

import torch
from torch.utils.data import Sampler

from faketagger.data.division import Division
from faketagger.errors import DataError


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
