"""Before any attack: find the faces and cut the pictures. Tools can start on them while the tagger is still loading."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from faketagger.bench.finding import FacePool
from faketagger.bench.pictures import Cut, Pixels, cut_square, save_png
from faketagger.bench.records import save_table
from faketagger.bench.sources import Source
from faketagger.errors import BenchError, ImageError
from faketagger.imaging import read_photo

CHUNK = 8
ORIGINAL, TAGGED = "original", "tagged"
POINTS = pa.list_(pa.float32(), 136)
_CUT = pa.schema(
    {
        "name": pa.string(),
        "identity": pa.string(),
        "index": pa.int32(),
        "skipped": pa.string(),
        "landmarks": POINTS,
    }
)
Progress = Callable[[int, int], None]


class Preparation:
    """Makes a picture set chunk by chunk in a folder, and remembers it there.

    Args:
        folder: Where the PNGs and what is known of them go.
        size: Side of the pictures; None leaves the photographs whole.
        faces: Finds faces.
        progress: Called with (done, total).
        prefix: Begins the names of the PNGs.
    """

    def __init__(
        self, folder: Path, size: int | None, faces: FacePool, progress: Progress, prefix: str = ""
    ) -> None:
        self._folder, self._size, self._faces, self._progress = folder, size, faces, progress
        self._prefix = prefix
        self.skipped: list[dict[str, str]] = []
        self.seconds = 0.0

    def cut(self, sources: list[Source]) -> list[Cut]:
        """Find the faces and cut the pictures, as far as that is not done.

        Args:
            sources: Chosen photographs, by name.

        Returns:
            The usable pictures, by name.

        Raises:
            BenchError: No photograph can be used.
        """
        began = time.perf_counter()
        rows: list[dict[str, Any]] = []
        for start in range(0, len(sources), CHUNK):
            self._progress(start, len(sources))
            rows += self.cut_chunk(start, sources)
        self._progress(len(sources), len(sources))
        skipped = (row for row in rows if row["skipped"] is not None)
        self.skipped = [{"picture": row["name"], "reason": row["skipped"]} for row in skipped]
        usable = [row for row in rows if row["skipped"] is None]
        if not usable:
            raise BenchError(
                f"No usable face in {len(sources)} pictures; the first: {self.skipped[0]['reason']}.",
                "Give photographs that show a face, at least 64 pixels wide.",
            )
        self.seconds += time.perf_counter() - began
        return [Cut(row["name"], row["identity"], self._png(row), points_of(row["landmarks"])) for row in usable]

    def cut_chunk(self, start: int, sources: list[Source]) -> list[dict[str, Any]]:
        """Cut one chunk, unless it is there.

        Args:
            start: Number of its first photograph.
            sources: All chosen photographs.

        Returns:
            What is known of each of its photographs.
        """
        path = self._folder / f"cut-{start:05d}.parquet"
        if not path.is_file():
            made = self._cut_some(start, sources[start : start + CHUNK])
            save_table(path, pa.Table.from_pylist(made, schema=_CUT))
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows

    def _cut_some(self, start: int, sources: list[Source]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [
            {"name": source.name, "identity": source.identity, "index": start + place, "skipped": None}
            for place, source in enumerate(sources)
        ]
        photos: list[Pixels | None] = []
        for source, row in zip(sources, rows, strict=True):
            try:
                photos.append(read_photo(source.path).rgb8)
            except ImageError as error:
                row["skipped"] = error.message.replace(str(source.path), source.name).rstrip(".")
                photos.append(None)
        looks = [None if photo is None else self._faces.look(photo) for photo in photos]
        cuts: list[Pixels | None] = []
        for photo, look, row in zip(photos, looks, rows, strict=True):
            points = look.result() if look else None
            cuts.append(None if photo is None or points is None else self._cut_one(photo, points))
            row["skipped"] = row["skipped"] or ("no face found" if points is None else None)
        looks = [None if cut is None else self._faces.look(cut) for cut in cuts]
        for cut, look, row in zip(cuts, looks, rows, strict=True):
            points = look.result() if look else None
            if cut is None or points is None:
                row["skipped"] = row["skipped"] or f"no face found at {self._size} pixels"
                continue
            save_png(self._png(row), cut)
            row["landmarks"] = points.ravel().tolist()
        return rows

    def _cut_one(self, photo: Pixels, points: np.ndarray) -> Pixels:
        return photo if self._size is None else cut_square(photo, points, self._size)

    def _png(self, row: dict[str, Any]) -> Path:
        return self._folder / f"{self._prefix}{row['index']:05d}-{ORIGINAL}.png"


def points_of(values: list[float]) -> np.ndarray:
    """(68, 2) from the flat list that a table keeps."""
    return np.array(values, dtype=np.float32).reshape(68, 2)
