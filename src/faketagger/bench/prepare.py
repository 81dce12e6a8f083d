"""Before any attack: read the photographs, find the faces, cut, tag, and look again as the attacker will."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from faketagger.bench.messages import MessageSource
from faketagger.bench.pictures import Picture, cut_square, save_png
from faketagger.bench.quality import psnr_db, ssim
from faketagger.bench.records import save_table
from faketagger.bench.sources import Source
from faketagger.bench.subject import Subject, find_landmarks, hull
from faketagger.errors import ImageError
from faketagger.imaging import read_photo

_POINTS = pa.list_(pa.float32(), 136)
_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("identity", pa.string()),
        ("index", pa.int32()),
        ("skipped", pa.string()),
        ("landmarks", _POINTS),
        ("tagged_landmarks", _POINTS),
        *((name, pa.float64()) for name in ("psnr_db", "ssim", "psnr_face_db", "ssim_face")),
    ],
    metadata={},
)
QUALITY = ("psnr_db", "ssim", "psnr_face_db", "ssim_face")


class Preparation:
    """Makes the tagged set chunk by chunk in a folder, and remembers it there.

    Args:
        folder: Where the PNGs and what is known of them go.
        subject: The tagger under test.
        messages: Source of the embedded messages.
        size: Side of the pictures.
    """

    def __init__(self, folder: Path, subject: Subject, messages: MessageSource, size: int) -> None:
        self._folder, self._subject, self._messages, self._size = folder, subject, messages, size
        self.seconds = 0.0

    def run(self, start: int, sources: list[Source]) -> None:
        """Prepare one chunk unless it is there already.

        Args:
            start: Position of the first source in the set.
            sources: Photographs of the chunk.
        """
        path = self._table(start)
        if path.is_file():
            return
        began = time.perf_counter()
        rows = [self._prepare(start + i, source) for i, source in enumerate(sources)]
        save_table(path, pa.Table.from_pylist(rows, schema=_SCHEMA))
        self.seconds += time.perf_counter() - began

    def _prepare(self, index: int, source: Source) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": source.name,
            "identity": source.identity,
            "index": index,
            "skipped": None,
        }
        try:
            photo = read_photo(source.path).rgb8
        except ImageError as error:
            return row | {"skipped": error.message.replace(str(source.path), source.name)}
        points = find_landmarks(photo)
        if points is None:
            return row | {"skipped": "no face found"}
        original = cut_square(photo, points, self._size)
        points = find_landmarks(original)
        if points is None:
            return row | {"skipped": f"no face found at {self._size} pixels"}
        tagged = self._subject.embed([original], [self._messages.message("tagged", source.name)], [points])[0]
        seen = find_landmarks(tagged)
        save_png(self._png(index, "original"), original)
        save_png(self._png(index, "tagged"), tagged)
        face = hull(points, original.shape[:2])
        return row | {
            "landmarks": points.ravel().tolist(),
            "tagged_landmarks": (np.full(136, np.nan) if seen is None else seen.ravel()).tolist(),
            "psnr_db": psnr_db(original, tagged),
            "ssim": ssim(original, tagged),
            "psnr_face_db": psnr_db(original, tagged, face),
            "ssim_face": ssim(original, tagged, face),
        }

    def result(self) -> tuple[list[Picture], list[dict[str, str]]]:
        """Everything prepared so far.

        Returns:
            Usable pictures by name; and the skipped ones with reasons.
        """
        rows = [row for path in sorted(self._folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
        rows.sort(key=lambda row: row["name"])
        pictures = [
            Picture(
                name=row["name"],
                identity=row["identity"],
                original=self._png(row["index"], "original"),
                tagged=self._png(row["index"], "tagged"),
                landmarks=np.array(row["landmarks"], dtype=np.float32).reshape(68, 2),
                tagged_landmarks=np.array(row["tagged_landmarks"], dtype=np.float32).reshape(68, 2),
                quality={name: row[name] for name in QUALITY},
            )
            for row in rows
            if row["skipped"] is None
        ]
        skipped = [{"picture": row["name"], "reason": row["skipped"]} for row in rows if row["skipped"] is not None]
        return pictures, skipped

    def _table(self, start: int) -> Path:
        return self._folder / f"{start:05d}.parquet"

    def _png(self, index: int, what: str) -> Path:
        return self._folder / f"{index:05d}-{what}.png"
