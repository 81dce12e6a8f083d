"""From files and folders to a sorted list of pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from faketagger.errors import ImageError

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
    | {".heic", ".heif", ".hif", ".avif", ".jp2"}
)
"""Names that a folder is searched for. A file given by itself may have any name."""


def find_images(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """List the pictures below some paths.

    Args:
        paths: One path or several. A file is taken as it is; a folder is searched to the bottom for names of
            pictures. Hidden files and folders are left out, links to folders are not followed.

    Returns:
        Each file once, in the order of the arguments, sorted inside each folder.

    Raises:
        ImageError: If a path does not exist, or a folder holds no picture.
    """
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    found: dict[Path, None] = {}
    for path in map(Path, given):
        if path.is_dir():
            inside = _search(path)
            if not inside:
                raise ImageError(
                    f"The folder {path} holds no picture.",
                    f"Looked for {', '.join(sorted(SUFFIXES))} at any depth.",
                )
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            raise ImageError(f"{path} does not exist.")
    if not found:
        raise ImageError("No picture was given.")
    return list(found)


def _search(folder: Path) -> list[Path]:
    inside = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside += [
            Path(root, n) for n in names if not n.startswith(".") and Path(n).suffix.lower() in SUFFIXES
        ]
    return sorted(inside)
