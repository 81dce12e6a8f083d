"""Batches through Ray Data: streamed, with back-pressure; a lost worker's batch is simply done again.

A batch counts as done when its file of records is there, and that file appears whole or not at all. So a second call
goes on with what is missing, and a worker that is killed in the middle loses nothing.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from faketagger.ray_cluster import own_errors
from faketagger.scale.frozen import FrozenListing
from faketagger.scale.tables import write_table

_MOST_BLOCKS = 2000
STATUS = "status"


class BatchTask(Protocol):
    """What is done to a batch; made once in every worker."""

    def __call__(self, rows: pa.Table, first: int) -> pa.Table:
        """Records of a batch, one per row, with a column ``status``.

        Args:
            rows: Columns ``uri`` and ``payload``.
            first: Number of the first row in the collection.
        """


@dataclass(frozen=True)
class Need:
    """What one worker takes of the machine.

    Attributes:
        cpus: Cores.
        gpus: Share of a GPU; a worker without one does not see any.
    """

    cpus: float = 1
    gpus: float = 0

    def options(self) -> dict[str, float]:
        """As Ray names it."""
        return {"num_cpus": self.cpus} | ({"num_gpus": self.gpus} if self.gpus else {})


@dataclass(frozen=True)
class BatchDone:
    """One finished batch.

    Attributes:
        number: Which.
        counts: Rows by status.
        seconds: Time that the worker spent on it.
    """

    number: int
    counts: dict[str, int]
    seconds: float


def result_file(folder: Path, batch: int) -> Path:
    """Where the records of a batch go: a thousand files a folder."""
    return folder / f"{batch // 1000:05d}" / f"batch-{batch:08d}.parquet"


def unfinished(listing: FrozenListing, folder: Path) -> np.ndarray:
    """Numbers of the batches whose records are not there, (K,) int64."""
    done: set[int] = set()
    for name in (entry.name for shelf in folder.glob("[0-9]*") for entry in os.scandir(shelf)):
        if name.startswith("batch-") and name.endswith(".parquet"):
            done.add(int(name[6:-8]))
    return np.array([number for number in range(listing.batches) if number not in done], dtype=np.int64)


def run_batches(
    ray: Any,
    listing: FrozenListing,
    make: Callable[[], BatchTask],
    folder: Path,
    workers: int,
    need: Need = Need(),
) -> Iterator[BatchDone]:
    """Work through all unfinished batches of a listing.

    Args:
        ray: From :func:`faketagger.ray_cluster.ray_session`.
        listing: The collection.
        make: Makes what is done to a batch; sent to the workers.
        folder: Folder for the records, seen by all workers.
        workers: How many processes work at a time.
        need: What each of them takes.

    Yields:
        What has been finished, as it comes.

    Raises:
        FakeTaggerError: A worker met something that more tries would not mend.
    """
    todo = unfinished(listing, folder)
    if not len(todo):
        return
    _quiet(ray)
    numbers = ray.data.range(len(todo), override_num_blocks=min(len(todo), _MOST_BLOCKS))
    finished = numbers.map_batches(
        BatchWorker,
        fn_constructor_args=(make, listing, folder, todo),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(todo)), max_tasks_in_flight_per_actor=2),
        **need.options(),
    )
    with own_errors(ray):
        for row in finished.iter_rows():
            counts = dict(zip(row["names"], (int(count) for count in row["counts"]), strict=True))
            yield BatchDone(int(row["number"]), counts, float(row["seconds"]))


class BatchWorker:
    """Works through batches; Ray runs one in each process of the pool.

    Args:
        make: Makes what is done to a batch.
        listing: The collection.
        folder: For the records.
        todo: Numbers of the batches, (K,) int64.
    """

    def __init__(self, make: Callable[[], BatchTask], listing: FrozenListing, folder: Path, todo: np.ndarray) -> None:
        self._task, self._listing, self._folder, self._todo = make(), listing, folder, todo

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[Any]]:
        """Work through one batch.

        Args:
            batch: ``id``: its place in ``todo``.

        Returns:
            One row of :class:`BatchDone`, by columns.
        """
        number = int(self._todo[int(batch["id"][0])])
        path = result_file(self._folder, number)
        start = time.perf_counter()
        records = self._task(self._listing.read(number), number * self._listing.batch_rows)
        write_table(records, path)
        counted = records.column(STATUS).value_counts().to_pylist()
        return {
            "number": [number],
            "names": [[one["values"] for one in counted]],
            "counts": [[one["counts"] for one in counted]],
            "seconds": [time.perf_counter() - start],
        }


def _quiet(ray: Any) -> None:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = False
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
