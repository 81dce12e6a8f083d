"""The folder of one job: what the tool may read, where it may write, and what must not change."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faketagger.errors import AdapterError
from faketagger.zoo.registry import cache_folder

_WRITABLE = ("out", "masks", "work", "tmp", "shm")


class Job:
    """One job on disk.

    ``in/`` and ``job.json`` are for reading; ``out``, ``masks``, ``work``, ``tmp`` and ``shm`` in ``box/`` for writing.

    Args:
        folder: A folder that belongs to this job, empty but for the ``work`` of an earlier one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = folder / "in"
        self.box = folder / "box"
        self.out = self.box / "out"
        self.masks = self.box / "masks"
        self.work = self.box / "work"
        self.file = folder / "job.json"
        self.inputs.mkdir()
        for name in _WRITABLE:
            (self.box / name).mkdir(parents=True, exist_ok=True)

    def write(self, description: dict[str, Any]) -> None:
        """Write job.json: the description with the job's own folders added."""
        folders = {"input": self.inputs, "output": self.out, "masks": self.masks, "work": self.work}
        full = description | {name: str(path) for name, path in folders.items()}
        self.file.write_text(json.dumps(full, indent=1), encoding="utf-8")

    def fingerprint(self) -> dict[str, tuple[int, int]]:
        """Size and time of everything in the job folder that the tool has no business to change."""
        return fingerprint(self.folder, skip=self.box)


@contextlib.contextmanager
def new_job() -> Iterator[Job]:
    """A job folder that is gone afterwards, whatever happens; those of killed runs are swept first.

    Raises:
        AdapterError: The cache cannot be written.
    """
    home = cache_folder() / "jobs"
    try:
        home.mkdir(parents=True, exist_ok=True)
        _sweep(home)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=home))
    except OSError as error:
        raise AdapterError(
            f"The cache {home} cannot be written: {error.strerror}.",
            "Set FAKETAGGER_CACHE to a folder with room.",
        ) from error
    try:
        yield Job(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def lasting_job(folder: Path) -> Iterator[Job]:
    """A job whose ``work`` stays if the job does not get to its end, however it is stopped, for the next call.

    Its paths are the same every time, so that a tool may write them down. Nobody else may use the folder meanwhile.

    Args:
        folder: Belongs to this task alone.

    Raises:
        AdapterError: The cache cannot be written.
    """
    try:
        _keep_work_alone(folder)
        folder.mkdir(parents=True, exist_ok=True)
        job = Job(folder)
    except OSError as error:
        raise AdapterError(
            f"The cache {folder} cannot be written: {error.strerror}.", "Set FAKETAGGER_CACHE to a folder with room."
        ) from error
    try:
        yield job
    except BaseException:
        _keep_work_alone(folder)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _keep_work_alone(folder: Path) -> None:
    """Remove everything of a job but a real ``work`` folder with something in it."""
    work = folder / "box" / "work"
    if work.is_symlink() or not work.is_dir() or not any(work.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in [*folder.iterdir(), *(folder / "box").iterdir()]:
        if path in (work, folder / "box"):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def fingerprint(folder: Path, skip: Path | None = None) -> dict[str, tuple[int, int]]:
    """Size and modification time in ns of every file below a folder.

    Args:
        folder: Where to look.
        skip: A folder to leave out.
    """
    found = {}
    for root, folders, files in os.walk(folder):
        if skip is not None:
            folders[:] = [name for name in folders if Path(root, name) != skip]
        for name in [*files, *folders]:
            with contextlib.suppress(OSError):
                state = os.lstat(os.path.join(root, name))
                is_file = name in files
                found[os.path.join(root, name)] = (state.st_size, state.st_mtime_ns) if is_file else (0, 0)
    return found


def changes(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> list[str]:
    """Paths that came, went or changed between two fingerprints."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _sweep(home: Path) -> None:
    for folder in home.iterdir():
        pid = folder.name.split("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)
