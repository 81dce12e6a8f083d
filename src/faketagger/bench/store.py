"""The output folder of a benchmark: what it was made from, which chunks are done, what is finished."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from faketagger.bench.pictures import Pixels, save_png
from faketagger.bench.protocol import View
from faketagger.bench.records import Record, gather, read_part, save_part, save_table, write_part
from faketagger.bench.scenario import KINDS, Job, Kind
from faketagger.errors import BenchError, FakeTaggerError
from faketagger.imaging import write_atomically

STATE = "state.json"
MEMORY = "memory_mb"
"""The one figure of a chunk's timings that is no sum: of a job it is the largest."""
RESULTS = ("records.parquet", "summary.json", "timings.json", "report.html")
BLOCK = 128
"""So many consecutive chunks become one file: opening a file costs more than reading it, and 10,000 pictures through 40
scenarios make 100,000 chunks."""


_CHUNK, _SEALED = re.compile(r"(tagged|null)-(\d{5})\.parquet"), re.compile(r"(tagged|null)-block-\d{5}\.parquet")


class Store:
    """One output folder.

    Args:
        root: The folder; made when it is opened.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pictures = root / "pictures"
        self.facesets = root / "facesets"
        self._strips = root / "strips"
        self.work = root / "work"
        self._parts = root / "parts"
        self.state: dict[str, Any] = {}
        self._first = 0

    def open(self, inputs: dict[str, str]) -> None:
        """Make the folder, or go on with what it holds.

        Args:
            inputs: Digest of everything the records depend on, by name.

        Raises:
            BenchError: The folder was made from other inputs, holds something else, or cannot be written.
        """
        self.state = self._load()
        held = self.state.get("inputs")
        if held is not None and held != inputs:
            changed = sorted(name for name in {*held, *inputs} if held.get(name) != inputs.get(name))
            raise BenchError(
                f"{self.root} holds a benchmark made with another {' and another '.join(changed)}.",
                "Choose another --out, or delete that folder.",
            )
        try:
            for folder in (self.root, self.pictures, self.facesets, self._strips, self.work, self._parts):
                folder.mkdir(parents=True, exist_ok=True)
            if held is None:
                self.save_state(inputs=inputs)
        except (OSError, FakeTaggerError) as error:
            reason = error.strerror if isinstance(error, OSError) else error.message
            raise BenchError(f"{self.root} cannot be written: {reason}.", "Choose another --out.") from error

    def _load(self) -> dict[str, Any]:
        path = self.root / STATE
        if not path.exists():
            if self.root.is_dir() and any(self.root.iterdir()):
                raise BenchError(f"{self.root} is not empty and holds no benchmark.", "Choose another --out.")
            return {}
        try:
            state = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise BenchError(f"{path} cannot be read.", "Delete the folder, or choose another --out.") from error
        return state if isinstance(state, dict) else {}

    def save_state(self, **changes: Any) -> None:
        """Write the state with some keys changed.

        Args:
            **changes: Plain values.
        """
        self.state = {**self.state, **changes}
        self.save_json(STATE, self.state)

    def save_json(self, name: str, value: Any) -> None:
        """Write plain values in the one form that two runs share byte for byte.

        Args:
            name: File in the folder.
            value: Plain values without NaN.
        """
        text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
        write_atomically(text.encode(), self.root / name)

    def load_json(self, name: str) -> Any:
        """Read a file of :meth:`save_json`.

        Args:
            name: File in the folder.
        """
        return json.loads((self.root / name).read_text())

    def finished(self, inputs: dict[str, str], presentation: str) -> bool:
        """Whether everything is there already, made from these inputs and shown by this code.

        Args:
            inputs: As for :meth:`open`.
            presentation: Digest of the code that turns records into reports.
        """
        self.state = self._load() if (self.root / STATE).is_file() else {}
        there = all((self.root / name).is_file() for name in RESULTS)
        return there and self.state.get("inputs") == inputs and self.state.get("finished") == presentation

    def of_chunk(self, first: int) -> "Store":
        """The same folder for a worker that has the chunks from ``first`` on, and counts them from 0."""
        view = Store(self.root)
        view.state, view._first = self.state, first
        view.work = self.work / f"chunk-{first:05d}"
        return view

    def part(self, job: Job, kind: Kind, chunk: int) -> Path:
        """File of one chunk of records.

        Args:
            job: The attack.
            kind: Tagged or null.
            chunk: Number of the chunk.
        """
        return self._parts / job.id / f"{kind}-{self._first + chunk:05d}.parquet"

    def save_part(self, job: Job, kind: Kind, chunk: int, records: list[Record], timings: dict[str, Any]) -> None:
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
        return self._parts / job.id / f"{kind}-block-{block:05d}.parquet"

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

    def strip(self, job: Job, stem: str, view: View) -> Path:
        """Where a shown picture lies, as the reader saw it.

        Args:
            job: The attack.
            stem: Of the prepared picture's file.
            view: Frame or face.
        """
        return self._strips / job.id / f"{stem}-{view}.png"

    def save_strip(self, job: Job, stem: str, view: View, image: Pixels) -> None:
        """Keep a picture for the report.

        Args:
            job: The attack.
            stem: Of the prepared picture's file.
            view: Frame or face.
            image: (H, W, 3) uint8, what the reader saw.
        """
        path = self.strip(job, stem, view)
        path.parent.mkdir(exist_ok=True)
        save_png(path, image)

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

    def finish_records(self, jobs: list[Job]) -> dict[str, dict[str, float]]:
        """Gather the chunks of finished jobs into ``records.parquet``.

        Args:
            jobs: Jobs whose chunks are all there.

        Returns:
            By job: seconds of ``attack``, ``read`` and ``prepare``, number of ``pictures``, those ``cached`` by the zoo
            among them, how often the tool was ``prepared`` afresh, and the largest ``memory_mb``.
        """
        tables: list[pa.Table] = []
        timings: dict[str, dict[str, float]] = {}
        for job in jobs:
            self._seal_all(job)
            read = [read_part(path) for path in self._job_parts(job)]
            tables += [table for table, _ in read]
            timings[job.id] = add_up(spent for _, spent in read)
        save_table(self.root / "records.parquet", gather(tables))
        return timings

    def records(self) -> pa.Table:
        """The gathered records."""
        return pq.read_table(self.root / "records.parquet")

    def _seal_all(self, job: Job) -> None:
        found = [_CHUNK.fullmatch(path.name) for path in (self._parts / job.id).glob("*.parquet")]
        blocks = {(match[1], int(match[2]) // BLOCK) for match in found if match}
        for kind in KINDS:
            for block in sorted(number for one, number in blocks if one == kind):
                self._seal(job, kind, block)

    def _job_parts(self, job: Job) -> Iterator[Path]:
        found = sorted((self._parts / job.id).glob("*.parquet"))
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
