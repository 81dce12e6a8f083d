"""The records of a benchmark while it runs: one file a chunk of pictures, many finished chunks in one."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from faketagger.bench.records import Record, read_part, save_part, write_part
from faketagger.bench.scenario import KINDS, Job, Kind

MEMORY = "memory_mb"
"""The one figure of a chunk's timings that is no sum: of a job it is the largest."""
BLOCK = 128
"""So many consecutive chunks become one file: opening a file costs more than reading it, and 10,000 pictures through 40
scenarios make 100,000 chunks."""
_CHUNK, _SEALED = re.compile(r"(tagged|null)-(\d{5})\.parquet"), re.compile(r"(tagged|null)-block-\d{5}\.parquet")


class Chunks:
    """Chunks of records in a folder; what is there is done.

    Args:
        root: The folder.
        first: Number of the chunk that is counted as 0.
    """

    def __init__(self, root: Path, first: int = 0) -> None:
        self.root, self._first = root, first

    def part(self, job: Job, kind: Kind, chunk: int) -> Path:
        """File of one chunk of records.

        Args:
            job: The attack.
            kind: Tagged or null.
            chunk: Number of the chunk.
        """
        return self.root / job.id / f"{kind}-{self._first + chunk:05d}.parquet"

    def save(self, job: Job, kind: Kind, chunk: int, records: list[Record], timings: dict[str, Any]) -> None:
        """Write one chunk of records.

        Args:
            job: The attack.
            kind: Tagged or null.
            chunk: Number of the chunk.
            records: Of all pictures of the chunk in all views.
            timings: Seconds spent.
        """
        path = self.part(job, kind, chunk)
        path.parent.mkdir(exist_ok=True)
        write_part(path, records, timings)
        if (chunk + 1) % BLOCK == 0:
            self._seal(job, kind, chunk // BLOCK)

    def block(self, job: Job, kind: Kind, block: int) -> Path:
        """File that the chunks of a block become once they are all there.

        Args:
            job: The attack.
            kind: Tagged or null.
            block: Number of the chunk // :data:`BLOCK`.
        """
        return self.root / job.id / f"{kind}-block-{block:05d}.parquet"

    def _seal(self, job: Job, kind: Kind, block: int) -> None:
        """Make one file of a block whose chunks are all there; stopped at any moment, nothing counts twice."""
        sealed = self.block(job, kind, block)
        chunks = [self.part(job, kind, i) for i in range(block * BLOCK, (block + 1) * BLOCK)]
        if not sealed.is_file():
            if not all(path.is_file() for path in chunks):
                return
            tables, timings = zip(*(read_part(path) for path in chunks), strict=True)
            save_part(sealed, pa.concat_tables(tables), add_up(timings))
        for path in chunks:
            path.unlink(missing_ok=True)

    def missing(self, job: Job, chunks: int) -> list[tuple[Kind, int]]:
        """Chunks still to do.

        Args:
            job: The attack.
            chunks: Number of chunks of the picture set.
        """
        return [(kind, i) for kind in KINDS for i in self.missing_of(job, kind, range(chunks))]

    def missing_of(self, job: Job, kind: Kind, chunks: range) -> list[int]:
        """Numbers of the chunks of one kind still to do.

        Args:
            job: The attack.
            kind: Tagged or null.
            chunks: The numbers that are wanted.
        """
        return [i for i in chunks if not self._held(job, kind, i)]

    def _held(self, job: Job, kind: Kind, chunk: int) -> bool:
        return self.part(job, kind, chunk).is_file() or self.block(job, kind, chunk // BLOCK).is_file()

    def of(self, job: Job) -> tuple[list[pa.Table], dict[str, float]]:
        """The records of a job whose chunks are all there, and what it took.

        Args:
            job: The attack.
        """
        self._seal_all(job)
        read = [read_part(path) for path in self._files(job)]
        return [table for table, _ in read], add_up(spent for _, spent in read)

    def _seal_all(self, job: Job) -> None:
        found = [_CHUNK.fullmatch(path.name) for path in (self.root / job.id).glob("*.parquet")]
        blocks = {(match[1], int(match[2]) // BLOCK) for match in found if match}
        for kind in KINDS:
            for block in sorted(number for one, number in blocks if one == kind):
                self._seal(job, kind, block)

    def _files(self, job: Job) -> Iterator[Path]:
        found = sorted((self.root / job.id).glob("*.parquet"))
        yield from (path for path in found if _CHUNK.fullmatch(path.name) or _SEALED.fullmatch(path.name))


def add_up(timings: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Timings of several chunks as those of one.

    Args:
        timings: As kept with every chunk.
    """
    total: dict[str, float] = {}
    for spent in timings:
        for name, value in spent.items():
            before = total.get(name, 0.0)
            total[name] = max(before, value) if name == MEMORY else before + value
    return total
