"""Find the faces of a picture and their 68 landmarks, with the best backend that works here."""

from __future__ import annotations

import logging
import threading
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from faketagger.errors import FaceError
from faketagger.faces.face import Face

if TYPE_CHECKING:
    from faketagger.faces.dlib_backend import DlibBackend

_log = logging.getLogger(__name__)

BACKENDS = ("auto", "dlib", "face_alignment")

_SMALLEST = 16
"""Pixels; nothing is looked for in a picture with a shorter side."""

_local = threading.local()


class _Finder(Protocol):
    name: str

    def find(self, image: np.ndarray) -> list[Face]: ...


def find_faces(
    image: np.ndarray, backend: str = "auto", max_faces: int | None = None, *, guess: bool = False
) -> list[Face]:
    """Find faces and landmarks.

    Args:
        image: (H, W, 3) or (H, W) uint8 sRGB, upright.
        backend: ``"dlib"`` (models come with the installed packages), ``"face_alignment"`` (downloads its weights at
            first use) or ``"auto"``: face_alignment if its weights are on this machine already, otherwise dlib.
        max_faces: At most so many, the largest.
        guess: Where there is none, take what looks most like one: a reader loses nothing by looking there, and a tool
            that paints a face badly leaves one that no detector is sure of. dlib guesses, whatever the backend.

    Returns:
        Faces with landmarks in the picture's pixels, largest first; empty if there is none.

    Raises:
        FaceError: If the array is no picture or the backend cannot run.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise FaceError(f"Faces are looked for in H x W x 3 uint8 pictures, not {image.dtype} {image.shape}.")
    if min(image.shape[:2]) < _SMALLEST:
        return []
    image = np.ascontiguousarray(image)
    found = _finder(_choose(backend)).find(image)
    if guess and not found:
        found = _dlib().guess(image)
    return sorted(found, key=lambda face: -face.area)[:max_faces]


def backend_in_use(backend: str = "auto") -> str:
    """The backend that ``find_faces`` uses for this argument: what a benchmark or a log should record."""
    return _choose(backend)


@cache
def _choose(backend: str) -> str:
    if backend not in BACKENDS:
        raise FaceError(f"There is no face backend {backend!r}.", f"Choose one of {', '.join(BACKENDS)}.")
    if backend == "auto":
        from faketagger.faces.fan_backend import weights_present

        backend = "face_alignment" if weights_present() else "dlib"
        _log.info("Faces are found with %s.", backend)
    return backend


def _finder(backend: str) -> _Finder:
    """One finder a thread: dlib's detector is not safe to share."""
    if backend == "dlib":
        return _dlib()
    if "fan" not in _local.__dict__:
        from faketagger.faces.fan_backend import FanBackend

        _local.fan = FanBackend()
    fan: _Finder = _local.fan
    return fan


def _dlib() -> DlibBackend:
    if "dlib" not in _local.__dict__:
        from faketagger.faces.dlib_backend import DlibBackend

        _local.dlib = DlibBackend()
    finder: DlibBackend = _local.dlib
    return finder
