"""Weight files by their hash: checked, fetched, taken from the user, recorded."""

import hashlib
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from faketagger.errors import AdapterError
from faketagger.zoo.installation import Installation, install_command
from faketagger.zoo.manifest import Adapter, Weight
from faketagger.zoo.upstream import POINTER


def weight_problem(place: Installation, weight: Weight) -> str | None:
    """What is wrong with a weight file where it is installed, or None.

    A file whose hash nobody knows beforehand is held to the hash that was recorded when it was brought.

    Args:
        place: The installation.
        weight: One of its manifest's weight files.
    """
    known = weight.sha256 or place.record.get("weights", {}).get(weight.path, {}).get("sha256")
    return check_file(place.weight_path(weight), weight.bytes, known)


def check_file(path: Path, size: int | None, sha256: str | None) -> str | None:
    """What is wrong with a file, or None.

    Args:
        path: Where it should be.
        size: Its bytes, if known.
        sha256: Its hash, if known.
    """
    if not path.is_file():
        return "is missing"
    if size is not None and path.stat().st_size != size:
        return f"has {path.stat().st_size:,} bytes instead of {size:,}"
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            return "is only a pointer to large file storage"
    found = file_sha256(path)
    return None if sha256 in (None, found) else f"has the wrong sha256 {found[:12]}…"


def file_sha256(path: Path) -> str:
    """sha256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def take_weights(
    adapter: Adapter, place: Installation, given: Path | None, progress: Callable[[str], None]
) -> tuple[list[str], dict[str, dict[str, str | int]]]:
    """Bring every weight file into place.

    Args:
        adapter: The adapter.
        place: Where it is being installed.
        given: Folder with files that the user brings.
        progress: Told what happens.

    Returns:
        Paths of optional files that are not there, and size and hash of those that are.

    Raises:
        AdapterError: A needed file is missing, or a file is another one than expected.
    """
    if given is not None:
        _expect_files(adapter, given)
    missing: list[str] = []
    found: dict[str, dict[str, str | int]] = {}
    for weight in adapter.manifest.weights:
        path = place.weight_path(weight)
        problem = weight_problem(place, weight)
        brought = _brought(given, weight)
        if brought is not None and (problem or (weight.sha256 is None and file_sha256(brought) != file_sha256(path))):
            if wrong := check_file(brought, weight.bytes, weight.sha256):
                raise AdapterError(f"{brought} {wrong}.", "It is another file than the adapter was made for.")
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(brought, path)
            problem = None
        if problem and weight.origin == "url":
            _download(weight, path, progress)
            problem = None
        if problem and weight.required:
            where = f" It can be had from {weight.url}." if weight.url else ""
            raise AdapterError(
                f"The weight file {weight.path} {problem}; without it: {weight.without}.",
                f"Give the folder that holds it: {install_command(adapter, brings=True)}.{where}",
            )
        if problem:
            missing.append(weight.path)
            progress(f"{weight.path} {problem}; without it: {weight.without}")
        else:
            found[weight.path] = {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
            progress(f"{weight.path}: sha256 is {'right' if weight.sha256 else 'recorded'}")
    return missing, found


def _brought(given: Path | None, weight: Weight) -> Path | None:
    """The user's file for a weight: at its path below their folder, or by its name alone."""
    places = [] if given is None else [given / weight.path, given / Path(weight.path).name]
    return next((path for path in places if path.is_file()), None)


def _expect_files(adapter: Adapter, given: Path) -> None:
    weights = adapter.manifest.weights
    if not given.is_dir():
        raise AdapterError(f"There is no folder {given} with weight files.")
    if not any(_brought(given, weight) for weight in weights):
        names = ", ".join(Path(weight.path).name for weight in weights) or "none"
        raise AdapterError(f"{given} holds no weight file of {adapter.name}.", f"It knows: {names}.")


def _download(weight: Weight, target: Path, progress: Callable[[str], None]) -> None:
    """Fetch a weight file and keep it only if its hash is right."""
    size = weight.bytes or 0
    progress(f"fetching {weight.path} ({size / 2**20:.0f} MB)")
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(str(weight.url), timeout=60) as answer, part.open("wb") as file:
            while (block := answer.read(2**20)) and file.tell() <= size:
                file.write(block)
    except (urllib.error.URLError, OSError, ValueError) as error:
        part.unlink(missing_ok=True)
        raise AdapterError(
            f"{weight.path} cannot be fetched: {error}.", "Get it by hand and give its folder with --weights."
        ) from error
    if problem := check_file(part, weight.bytes, weight.sha256):
        part.unlink()
        raise AdapterError(f"The fetched {weight.path} {problem}.", "The link serves another file than it did.")
    os.replace(part, target)
