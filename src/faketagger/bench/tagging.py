"""Tag the cut pictures, look again for their faces as the attacker will, and measure what the tag costs."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from faketagger.bench.finding import FacePool, Landmarks
from faketagger.bench.pictures import Cut, Picture, Pixels, load_png, save_png
from faketagger.bench.prepare import CHUNK, ORIGINAL, POINTS, TAGGED, points_of
from faketagger.bench.quality import psnr_db, ssim
from faketagger.bench.records import save_table
from faketagger.bench.subject import Subject, hull

QUALITY = ("psnr_db", "ssim", "psnr_face_db", "ssim_face")
_SCHEMA = pa.schema({"name": pa.string(), "tagged_landmarks": POINTS, **dict.fromkeys(QUALITY, pa.float64())})
MessageOf = Callable[[str], NDArray[np.uint8]]
Progress = Callable[[int, int], None]


class Tagging:
    """Makes the tagged copy of a picture set chunk by chunk in a folder, and remembers it there.

    ``made`` pictures took the tagger ``seconds``; those that lay there already are not among them.

    Args:
        folder: Where the PNGs and what is known of them go.
        subject: The watermark under test.
        message_of: Message of a picture, by its name.
        faces: Finds faces.
        progress: Called with (done, total).
    """

    def __init__(
        self, folder: Path, subject: Subject, message_of: MessageOf, faces: FacePool, progress: Progress
    ) -> None:
        self._folder, self._subject, self._message_of = folder, subject, message_of
        self._faces, self._progress = faces, progress
        self.seconds, self.made = 0.0, 0

    def tag(self, cuts: list[Cut]) -> list[Picture]:
        """Tag the pictures, as far as that is not done.

        Args:
            cuts: By name.

        Returns:
            All pictures, by name.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        pictures: list[Picture] = []
        for start in range(0, len(cuts), CHUNK):
            self._progress(start, len(cuts))
            pictures += self.tag_chunk(start, cuts)
        self._progress(len(cuts), len(cuts))
        return pictures

    def tag_chunk(self, start: int, cuts: list[Cut]) -> list[Picture]:
        """Tag one chunk, unless that is done.

        Args:
            start: Number of its first picture.
            cuts: All pictures.
        """
        path = self._folder / f"tagged-{start:05d}.parquet"
        part = cuts[start : start + CHUNK]
        if not path.is_file():
            began = time.perf_counter()
            tagged = self._tag_some(part)
            self.seconds += time.perf_counter() - began
            self.made += len(part)
            looks = [self._faces.look(image) for image in tagged]
            made = [_described(*one) for one in zip(part, tagged, looks, strict=True)]
            save_table(path, pa.Table.from_pylist(made, schema=_SCHEMA))
        known = pq.read_table(path).to_pylist()
        return [self._picture(cut, facts) for cut, facts in zip(part, known, strict=True)]

    def _tag_some(self, cuts: list[Cut]) -> list[Pixels]:
        images, messages = [load_png(cut.path) for cut in cuts], [self._message_of(cut.name) for cut in cuts]
        tagged = self._subject.embed(images, messages, [cut.landmarks for cut in cuts])
        for cut, image in zip(cuts, tagged, strict=True):
            save_png(self._png(cut), image)
        return tagged

    def _picture(self, cut: Cut, facts: dict[str, Any]) -> Picture:
        return Picture(
            name=cut.name,
            identity=cut.identity,
            original=cut.path,
            tagged=self._png(cut),
            landmarks=cut.landmarks,
            tagged_landmarks=points_of(facts["tagged_landmarks"]),
            quality={name: facts[name] for name in QUALITY},
        )

    def _png(self, cut: Cut) -> Path:
        return self._folder / cut.path.name.replace(ORIGINAL, TAGGED)


def _described(cut: Cut, tagged: Pixels, look: "Future[Landmarks | None]") -> dict[str, Any]:
    original = load_png(cut.path)
    face = hull(cut.landmarks, (original.shape[0], original.shape[1]))
    whole_ssim, face_ssim = ssim(original, tagged, face)
    seen = look.result()
    return {
        "name": cut.name,
        "tagged_landmarks": (np.full(136, np.nan) if seen is None else seen.ravel()).tolist(),
        "psnr_db": psnr_db(original, tagged),
        "ssim": whole_ssim,
        "psnr_face_db": psnr_db(original, tagged, face),
        "ssim_face": face_ssim,
    }
