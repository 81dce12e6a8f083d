"""Aligned face crops of a list of pictures, the one dataset that all kinds of data become."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from faketagger.data.landmarks import find_landmarks
from faketagger.data.samples import Sample
from faketagger.data.transforms import Augment
from faketagger.errors import DataError
from faketagger.faces.geometry import crop_matrix, transform_points, warp_crop
from faketagger.imaging import read_photo


class FaceItem(TypedDict):
    """One aligned face.

    Attributes:
        image: (3, S, S) float32 in [0, 1].
        landmarks: (68, 2) float32 pixel coordinates (x, y) in the crop, iBUG order.
        identity: Whose face it is.
        path: The picture that it was cut from.
        attributes: (A,) int8 of -1 and 1, where the dataset has attributes.
    """

    image: Tensor
    landmarks: Tensor
    identity: str
    path: str
    attributes: NotRequired[Tensor]


class FaceCrops(Dataset[FaceItem]):
    """The largest face of every picture, aligned and cut out.

    An index is a number, or a pair (number, draw): the draw seeds the augmentation, so that the same pair
    always gives the same item, whichever process makes it.

    Args:
        samples: Pictures and identities; those without a readable face are left out and counted in
            ``skipped``.
        size: Side of the crop in pixels.
        augment: Random changes for training, or None.
        seed: Mixed into the draws.
        backend: Face finder.
        cache: Folder of the landmark cache; the user's cache folder if None.
        in_memory: Keep every crop, as bytes, once it is cut.
        progress: Called with (done, total) while faces are looked for.

    Raises:
        DataError: No picture has a face.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        size: int,
        *,
        augment: Augment | None = None,
        seed: int = 0,
        backend: str = "auto",
        cache: Path | None = None,
        in_memory: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        found = find_landmarks([sample.path for sample in samples], backend, cache, progress)
        self.size = size
        self.augment = augment
        self.seed = seed
        self.unreadable = found.unreadable
        self.samples: list[Sample] = []
        self.points: list[NDArray[np.float32]] = []
        for sample, points in zip(samples, found.landmarks, strict=True):
            if points is not None:
                self.samples.append(sample)
                self.points.append(points)
        self.skipped = len(samples) - len(self.samples)
        self._crops: dict[int, tuple[Tensor, Tensor]] | None = {} if in_memory else None
        if not self.samples:
            raise DataError(
                f"None of {len(samples)} pictures shows a face that can be found ({len(found.unreadable)} of "
                "them cannot be read).",
                "Use upright portraits with the face at least 80 pixels wide.",
            )

    @property
    def identities(self) -> list[str]:
        """Identity of every item, in order."""
        return [sample.identity for sample in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int | tuple[int, int]) -> FaceItem:
        number, draw = (index, 0) if isinstance(index, int) else index
        pixels, landmarks = self._crop(number)
        image = pixels.float() / 255
        if self.augment is not None:
            generator = torch.Generator().manual_seed(_mix(self.seed, number, draw))
            image, landmarks = self.augment(image, landmarks, generator)
        sample = self.samples[number]
        return {
            "image": image,
            "landmarks": landmarks,
            "identity": sample.identity,
            "path": str(sample.path),
        }

    def _crop(self, number: int) -> tuple[Tensor, Tensor]:
        if self._crops is not None and number in self._crops:
            return self._crops[number]
        picture = torch.from_numpy(read_photo(self.samples[number].path).rgb.copy())
        points = torch.from_numpy(self.points[number])[None]
        matrix = crop_matrix(points, self.size)
        crop = warp_crop(picture.permute(2, 0, 1)[None], matrix, self.size)[0]
        made = (crop.clamp(0, 1).mul(255).round().byte(), transform_points(points, matrix)[0])
        if self._crops is not None:
            self._crops[number] = made
        return made


def _mix(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
