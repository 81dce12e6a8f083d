"""Where things lie: what comes with the repository, what can be made again, and who is working in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faketagger.errors import FakeTaggerError


def repository_root() -> Path:
    """Folder that holds ``adapters/``, ``checkpoints/`` and ``experiments/`` in a checkout."""
    return Path(__file__).resolve().parents[2]


def cache_root() -> Path:
    """Folder for what can be made again: found landmarks, rendered faces, installed tools, attacked pictures.

    Returns:
        ``$FAKETAGGER_CACHE`` where it is set, else ``faketagger`` in the user's cache folder.
    """
    chosen = os.environ.get("FAKETAGGER_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(chosen or os.path.join(home, "faketagger")).expanduser().resolve()


@contextmanager
def working_alone(folder: Path) -> Iterator[None]:
    """Keep a second call out of an output folder. A process that is killed lets go of it.

    Args:
        folder: Exists.

    Raises:
        FakeTaggerError: Another call is working on it.
    """
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FakeTaggerError(
                f"Another call is working on {folder}.", "Wait for it, or choose another --out."
            ) from None
        yield
