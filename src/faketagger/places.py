"""Where things lie: what comes with the repository, and what can be made again."""

import os
from pathlib import Path


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
