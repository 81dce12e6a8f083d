"""One at a time: installations and trainings that several calls, threads or machines on one disk may ask for."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from faketagger.errors import AdapterError


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Wait until nobody else holds the lock that belongs to a folder, then hold it.

    Args:
        folder: What is being made; the lock lies beside it and is let go also by a process that is killed.

    Raises:
        AdapterError: The cache cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = folder.with_name(folder.name + ".lock").open("w")
    except OSError as error:
        raise AdapterError(
            f"The cache {folder.parent} cannot be written: {error.strerror}.",
            "Set FAKETAGGER_CACHE elsewhere.",
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
