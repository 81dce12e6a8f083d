"""Aligned face crops with some margin, of a list of pictures: the one dataset that all kinds of data become.

Nothing is changed at random here; training frames, flips and attacks the pictures itself and needs the margin for it.
"""

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
from faketagger.errors import DataError
from faketagger.faces.geometry import crop_matrix, transform_points, warp_crop
from faketagger.imaging import read_photo
from faketagger.parallel import in_threads


class FaceItem(TypedDict):
    """One aligned face.

    Attributes:
        image: (3, S, S) uint8: the aligned crop and its margin. In a batch that a trainer hands on it is float32 in
            [0, 1]; bytes travel to the device in a quarter of the time.
        landmarks: (68, 2) float32 pixel coordinates (x, y) in ``image``, iBUG order.
        identity: Whose face it is.
        group: 0 or 1, as for :class:`faketagger.data.samples.Sample`.
        path: The picture that it was cut from.
        attributes: (A,) int8 of -1 and 1, where the dataset has attributes.
    """

    image: Tensor
    landmarks: Tensor
    identity: str
    group: int
    path: str
    attributes: NotRequired[Tensor]


class FaceCrops(Dataset[FaceItem]):
    """The largest face of every picture, aligned and cut out with a margin.

    Args:
        samples: Pictures and identities; those without a readable face are left out and counted in
            ``skipped``.
        size: Side of the aligned crop in pixels.
        margin: What is added on every side, as a share of ``size``.
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
        margin: float = 0.0,
        backend: str = "auto",
        cache: Path | None = None,
        in_memory: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        found = find_landmarks([sample.path for sample in samples], backend, cache, progress)
        self.size = size
        self.margin = margin
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

    def __getitem__(self, number: int) -> FaceItem:
        pixels, landmarks = self._crop(number)
        sample = self.samples[number]
        return {
            "image": pixels,
            "landmarks": landmarks,
            "identity": sample.identity,
            "group": sample.group,
            "path": str(sample.path),
        }

    def __getitems__(self, numbers: list[int]) -> list[FaceItem]:
        """The items of one batch, cut by several threads."""
        return in_threads(self.__getitem__, numbers)

    def _crop(self, number: int) -> tuple[Tensor, Tensor]:
        if self._crops is not None and number in self._crops:
            return self._crops[number]
        picture = torch.from_numpy(read_photo(self.samples[number].path).rgb.copy())
        made = cut_crop(picture, torch.from_numpy(self.points[number]), self.size, self.margin)
        if self._crops is not None:
            self._crops[number] = made
        return made


def cut_crop(picture: Tensor, landmarks: Tensor, size: int, margin: float) -> tuple[Tensor, Tensor]:
    """Align a face and cut it out.

    Args:
        picture: (H, W, 3) float in [0, 1].
        landmarks: (68, 2) pixel coordinates in it.
        size: Side of the aligned crop in pixels.
        margin: What is added on every side, as a share of ``size``.

    Returns:
        The crop (3, S, S) uint8 and the landmarks (68, 2) in it.
    """
    side = canvas_side(size, margin)
    matrix = crop_matrix(landmarks[None], size)
    matrix[:, :, 2] += (side - size) / 2
    crop = warp_crop(picture.permute(2, 0, 1)[None], matrix, side)[0]
    return crop.clamp(0, 1).mul(255).round().byte(), transform_points(landmarks[None], matrix)[0]


def to_floats(images: Tensor) -> Tensor:
    """Bytes (N, 3, S, S) as float32 in [0, 1], on their device."""
    return images.float() / 255


def canvas_side(size: int, margin: float) -> int:
    """Side in pixels, even, of an aligned crop of ``size`` pixels with ``margin`` (a share of it) on every side."""
    return 2 * round(size * (1 + 2 * margin) / 2)
