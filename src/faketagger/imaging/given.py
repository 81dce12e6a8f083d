"""Whatever a caller gives as a photograph."""

from os import PathLike
from pathlib import Path

import numpy as np

from faketagger.imaging.photo import Photo
from faketagger.imaging.read import read_photo

Image = str | PathLike[str] | bytes | Photo | np.ndarray


def as_photo(image: Image) -> Photo:
    """A photograph in memory.

    Args:
        image: A path, the bytes of a file, a :class:`Photo`, or an array as for :meth:`Photo.from_array`.

    Raises:
        ImageError: It is no usable picture.
    """
    if isinstance(image, Photo):
        return image
    if isinstance(image, np.ndarray):
        return Photo.from_array(image)
    return read_photo(image if isinstance(image, bytes) else Path(image))
