"""How strong an attack was: an attack that did nothing must not pass for one that was survived.

The pixel figures are taken of every attacked picture. Faces are described for the tagged half of external tools and of
their white-box twins, where the question is whether the face is still the same person's.
"""

from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from faketagger.bench.finding import Embedding, FacePool, Landmarks
from faketagger.bench.pictures import Cut, Pixels, load_png
from faketagger.bench.quality import changed_share, psnr_db
from faketagger.bench.scenario import Job, Kind
from faketagger.bench.tools import same_size
from faketagger.faces.embedding import face_distance

MOST_FACES = 32


@dataclass(frozen=True)
class Strength:
    """What an attack did to one picture; None where it could not be measured.

    Attributes:
        attack_psnr_db: Output against input.
        changed: Share of pixels that differ.
        moved: Face-embedding distance of output and input.
        donor_distance: Face-embedding distance of the output to the mean of the donor's faceset.
        donor_distance_before: The same of the input.
    """

    attack_psnr_db: float | None = None
    changed: float | None = None
    moved: float | None = None
    donor_distance: float | None = None
    donor_distance_before: float | None = None


class StrengthGauge:
    """Measures strengths with the help of the face finders.

    Args:
        faces: Describes faces in the background.
    """

    def __init__(self, faces: FacePool) -> None:
        self._faces = faces
        self._inputs: dict[str, Future[Embedding]] = {}

    def mean_face(self, cuts: list[Cut]) -> Embedding:
        """Mean embedding of a faceset.

        Args:
            cuts: At least one picture; the first :data:`MOST_FACES` are described.
        """
        promises = [self._faces.embed(load_png(cut.path), cut.landmarks) for cut in cuts[:MOST_FACES]]
        return np.mean([promise.result() for promise in promises], axis=0)

    def begin(self, job: Job, kind: Kind, image: Pixels | None, points: Landmarks | None) -> "Future[Embedding] | None":
        """Start describing an attacked face, where that is wanted.

        Args:
            job: The attack.
            kind: Tagged or null.
            image: What came out.
            points: Its landmarks.
        """
        wanted = kind == "tagged" and (job.box == "black" or job.pair is not None)
        if not wanted or image is None or points is None:
            return None
        return self._faces.embed(image, points)

    def measure(
        self,
        key: str,
        before: Pixels,
        points: Landmarks,
        after: Pixels | None,
        promise: "Future[Embedding] | None",
        donor: Embedding | None,
    ) -> Strength:
        """Everything about one picture.

        Args:
            key: Names the input; it is described once.
            before: (H, W, 3) uint8, what went in.
            points: Its landmarks; NaN where there is no face.
            after: What came out, None where the attack failed.
            promise: Of :meth:`begin`.
            donor: Mean face of the donor's faceset.
        """
        if after is None:
            return Strength()
        compared = same_size(after, before)
        pixels = Strength(psnr_db(before, compared), changed_share(before, compared))
        if promise is None or np.isnan(points).any():
            return pixels
        if key not in self._inputs:
            self._inputs[key] = self._faces.embed(before, points)
        mine, theirs = self._inputs[key].result(), promise.result()
        return Strength(
            pixels.attack_psnr_db,
            pixels.changed,
            face_distance(mine, theirs),
            None if donor is None else face_distance(theirs, donor),
            None if donor is None else face_distance(mine, donor),
        )
