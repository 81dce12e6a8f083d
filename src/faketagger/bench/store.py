"""The output folder of a benchmark: what it was made from, which chunks are done, what is finished."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from faketagger.bench.chunks import Chunks
from faketagger.bench.pictures import Pixels, save_png
from faketagger.bench.protocol import View
from faketagger.bench.records import gather, save_table
from faketagger.bench.scenario import Job
from faketagger.errors import BenchError, FakeTaggerError
from faketagger.imaging import write_atomically

STATE = "state.json"
RESULTS = ("records.parquet", "summary.json", "timings.json", "report.html")
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
        self.chunks = Chunks(root / "parts")
        self.state: dict[str, Any] = {}

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
            for folder in (self.root, self.pictures, self.facesets, self._strips, self.work, self.chunks.root):
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
        view.state, view.chunks = self.state, Chunks(self.chunks.root, first)
        view.work = self.work / f"chunk-{first:05d}"
        return view

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
            records, timings[job.id] = self.chunks.of(job)
            tables += records
        save_table(self.root / "records.parquet", gather(tables))
        return timings

    def records(self) -> pa.Table:
        """The gathered records."""
        return pq.read_table(self.root / "records.parquet")
