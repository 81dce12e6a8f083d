"""Before any attack: find the faces and cut the pictures, then tag them and look again as the attacker will.

The two halves are separate because tools can start on the untagged pictures while the tagger is still loading.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from faketagger.bench.finding import FacePool, Landmarks
from faketagger.bench.messages import MessageSource
from faketagger.bench.pictures import Picture, Pixels, cut_square, load_png, save_png
from faketagger.bench.quality import psnr_db, ssim
from faketagger.bench.records import save_table
from faketagger.bench.sources import Source
from faketagger.bench.subject import Subject, hull
from faketagger.errors import BenchError, ImageError
from faketagger.imaging import read_photo

CHUNK = 8
_POINTS = pa.list_(pa.float32(), 136)
_QUALITY = ("psnr_db", "ssim", "psnr_face_db", "ssim_face")
_CUT = pa.schema(
    {
        "name": pa.string(),
        "identity": pa.string(),
        "index": pa.int32(),
        "skipped": pa.string(),
        "landmarks": _POINTS,
    }
)
_TAGGED = pa.schema({"name": pa.string(), "tagged_landmarks": _POINTS, **dict.fromkeys(_QUALITY, pa.float64())})
Progress = Callable[[int, int], None]


class Preparation:
    """Makes the picture set chunk by chunk in a folder, and remembers it there.

    Args:
        folder: Where the PNGs and what is known of them go.
        size: Side of the pictures.
        faces: Finds faces.
        progress: Called with (done, total) for both halves together.
    """

    def __init__(self, folder: Path, size: int, faces: FacePool, progress: Progress) -> None:
        self._folder, self._size, self._faces, self._progress = folder, size, faces, progress
        self._rows: list[dict[str, Any]] = []
        self.skipped: list[dict[str, str]] = []
        self.seconds = 0.0

    def cut(self, sources: list[Source]) -> list[Path]:
        """Find the faces and cut the pictures, as far as that is not done.

        Args:
            sources: Chosen photographs, by name.

        Returns:
            PNGs of the usable pictures, by name.

        Raises:
            BenchError: No photograph can be used.
        """
        began = time.perf_counter()
        rows: list[dict[str, Any]] = []
        for start in range(0, len(sources), CHUNK):
            self._progress(start, 2 * len(sources))
            path = self._folder / f"cut-{start:05d}.parquet"
            if not path.is_file():
                part = sources[start : start + CHUNK]
                made = self._cut_some(start, part)
                save_table(path, pa.Table.from_pylist(made, schema=_CUT))
            rows += pq.read_table(path).to_pylist()
        self._rows = [row for row in rows if row["skipped"] is None]
        skipped = (row for row in rows if row["skipped"] is not None)
        self.skipped = [{"picture": row["name"], "reason": row["skipped"]} for row in skipped]
        if not self._rows:
            raise BenchError(
                f"No usable face in {len(sources)} pictures; the first: {self.skipped[0]['reason']}.",
                "Give photographs that show a face, at least 64 pixels wide.",
            )
        self.seconds += time.perf_counter() - began
        return [self._png(row, "original") for row in self._rows]

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
            cuts.append(None if photo is None or points is None else cut_square(photo, points, self._size))
            row["skipped"] = row["skipped"] or ("no face found" if points is None else None)
        looks = [None if cut is None else self._faces.look(cut) for cut in cuts]
        for cut, look, row in zip(cuts, looks, rows, strict=True):
            points = look.result() if look else None
            if cut is None or points is None:
                row["skipped"] = row["skipped"] or f"no face found at {self._size} pixels"
                continue
            save_png(self._png(row, "original"), cut)
            row["landmarks"] = points.ravel().tolist()
        return rows

    def tag(self, subject: Subject, messages: MessageSource) -> list[Picture]:
        """Tag the cut pictures, as far as that is not done.

        Args:
            subject: The tagger under test.
            messages: Source of the embedded messages.

        Returns:
            All pictures, by name.
        """
        began = time.perf_counter()
        pictures: list[Picture] = []
        for start in range(0, len(self._rows), CHUNK):
            self._progress(len(self._rows) + start, 2 * len(self._rows))
            path = self._folder / f"tagged-{start:05d}.parquet"
            part = self._rows[start : start + CHUNK]
            if not path.is_file():
                tagged = [self._tag_one(row, subject, messages) for row in part]
                looks = [self._faces.look(image) for image in tagged]
                made = [self._described(*one) for one in zip(part, tagged, looks, strict=True)]
                save_table(path, pa.Table.from_pylist(made, schema=_TAGGED))
            known = pq.read_table(path).to_pylist()
            pictures += [self._picture(row, facts) for row, facts in zip(part, known, strict=True)]
        self._progress(2 * len(self._rows), 2 * len(self._rows))
        self.seconds += time.perf_counter() - began
        return pictures

    def _tag_one(self, row: dict[str, Any], subject: Subject, messages: MessageSource) -> Pixels:
        original, points = load_png(self._png(row, "original")), _points(row["landmarks"])
        tagged = subject.embed([original], [messages.message("tagged", row["name"])], [points])[0]
        save_png(self._png(row, "tagged"), tagged)
        return tagged

    def _described(self, row: dict[str, Any], tagged: Pixels, look: "Future[Landmarks | None]") -> dict[str, Any]:
        original = load_png(self._png(row, "original"))
        face = hull(_points(row["landmarks"]), (original.shape[0], original.shape[1]))
        whole_ssim, face_ssim = ssim(original, tagged, face)
        seen = look.result()
        return {
            "name": row["name"],
            "tagged_landmarks": (np.full(136, np.nan) if seen is None else seen.ravel()).tolist(),
            "psnr_db": psnr_db(original, tagged),
            "ssim": whole_ssim,
            "psnr_face_db": psnr_db(original, tagged, face),
            "ssim_face": face_ssim,
        }

    def _picture(self, row: dict[str, Any], facts: dict[str, Any]) -> Picture:
        return Picture(
            name=row["name"],
            identity=row["identity"],
            original=self._png(row, "original"),
            tagged=self._png(row, "tagged"),
            landmarks=_points(row["landmarks"]),
            tagged_landmarks=_points(facts["tagged_landmarks"]),
            quality={name: facts[name] for name in _QUALITY},
        )

    def _png(self, row: dict[str, Any], what: str) -> Path:
        return self._folder / f"{row['index']:05d}-{what}.png"


def _points(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float32).reshape(68, 2)
