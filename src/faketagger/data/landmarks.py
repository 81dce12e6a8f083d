"""Landmarks found once and kept: one npz per dataset, keyed by the content of the pictures."""

import hashlib
import logging
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faketagger import faces
from faketagger.errors import DataError, ImageError
from faketagger.faces import backend_in_use
from faketagger.imaging import read_photo
from faketagger.places import cache_root

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
SAVE_EVERY = 100


@dataclass(frozen=True)
class Found:
    """What is known about the pictures of a dataset.

    Attributes:
        landmarks: One (68, 2) float32 array of pixel coordinates per picture, None where no face was found.
        unreadable: Path -> reason for pictures that could not be decoded.
    """

    landmarks: list[NDArray[np.float32] | None]
    unreadable: dict[Path, str]


def find_landmarks(
    paths: Sequence[Path], backend: str = "auto", cache: Path | None = None, progress: Progress | None = None
) -> Found:
    """Landmarks of the largest face of every picture, from the cache where it has them.

    What was found is written every hundred pictures, so that an interrupted run goes on where it stopped.

    Args:
        paths: Pictures.
        backend: Face finder, as for :func:`faketagger.faces.find_faces`.
        cache: Folder of the cache; the user's cache folder if None.
        progress: Called with (done, total) after every picture.

    Returns:
        Landmarks and the reasons of failures, in the order of ``paths``.
    """
    backend = backend_in_use(backend)
    store = LandmarkStore((cache or cache_root() / "landmarks") / f"{backend}.npz")
    landmarks: list[NDArray[np.float32] | None] = []
    unreadable: dict[Path, str] = {}
    try:
        for done, path in enumerate(paths, start=1):
            try:
                landmarks.append(store.look_up(path, backend))
            except ImageError as error:
                landmarks.append(None)
                unreadable[path] = error.message
            if progress:
                progress(done, len(paths))
    finally:
        store.save()
    if unreadable:
        path, reason = next(iter(unreadable.items()))
        log.warning("%d of %d pictures cannot be read: %s: %s", len(unreadable), len(paths), path, reason)
    return Found(landmarks, unreadable)


class LandmarkStore:
    """A table of picture digest -> landmarks in one npz file.

    Args:
        path: The npz file; made when something is saved.

    Raises:
        DataError: The file is there and is no such table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known = self._load()
        self._unsaved = 0

    def look_up(self, picture: Path, backend: str) -> NDArray[np.float32] | None:
        """Landmarks of a picture's largest face.

        Args:
            picture: The file.
            backend: Face finder for pictures that the table lacks.

        Returns:
            (68, 2) float32 pixel coordinates, or None where no face is found.

        Raises:
            ImageError: The picture cannot be read.
        """
        try:
            content = picture.read_bytes()
        except OSError as error:
            raise ImageError(f"{picture} cannot be opened: {error.strerror}.") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self.known:
            found = faces.find_faces(read_photo(picture).rgb8, backend=backend, max_faces=1)
            self.known[digest] = found[0].landmarks.astype(np.float32) if found else _no_face()
            self._unsaved += 1
            if self._unsaved >= SAVE_EVERY:
                self.save()
        points = self.known[digest]
        return None if np.isnan(points).any() else points

    def save(self) -> None:
        """Write the table if it has grown; entries that another process wrote meanwhile are kept."""
        if not self._unsaved:
            return
        self.known = self._load() | self.known
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f".{self.path.stem}-{os.getpid()}.npz")
        try:
            np.savez(
                partial,
                digests=np.array(list(self.known), dtype="U64"),
                landmarks=np.stack(list(self.known.values())),
            )
            partial.replace(self.path)
        finally:
            partial.unlink(missing_ok=True)
        self._unsaved = 0

    def _load(self) -> dict[str, NDArray[np.float32]]:
        if not self.path.is_file():
            return {}
        try:
            with np.load(self.path) as table:
                return dict(zip(table["digests"].tolist(), table["landmarks"], strict=True))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"The landmark cache {self.path} is damaged.", "Delete it.") from error


def _no_face() -> NDArray[np.float32]:
    return np.full((68, 2), np.nan, dtype=np.float32)
