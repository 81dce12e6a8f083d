"""Who tags which content: a file that only one can make says so, for this run and every later one."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from faketagger.ray_cluster import ScaleError

TRIES = 5
"""How often a content is taken up again; one that kills its worker every time would be tried for ever."""


class Claims:
    """Claims on contents, in a folder that all workers see.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, content: str, row: int) -> tuple[int, bool]:
        """Claim a content for a row of the collection.

        Args:
            content: Its key.
            row: Number of the row that wants it.

        Returns:
            The row that has it, this one or an earlier claimant, and whether the claim is new.

        Raises:
            ScaleError: The row has it, and its worker did not live to finish it too often.
        """
        path = self._folder / content[:2] / content[2:4] / content
        if path.is_file():
            owner = int(path.read_text())
            if owner == row:
                self._count_try(path)
            return owner, False
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = path.with_name(f".{content[:16]}.{secrets.token_hex(4)}")
        mine.write_text(str(row))
        try:
            os.link(mine, path)  # all or nothing, and never over another's
        except FileExistsError:
            return int(path.read_text()), False
        finally:
            with contextlib.suppress(FileNotFoundError):
                mine.unlink()
        return row, True

    @staticmethod
    def _count_try(path: Path) -> None:
        with path.with_name(f"{path.name}.tries").open("ab") as file:
            file.write(b".")
            if file.tell() > TRIES:
                raise ScaleError("its worker died or was stopped each time it was tried")


def content_key(content: bytes, payload: str) -> str:
    """What makes a picture the same work: its bytes and the payload it is to carry; 64 hex digits."""
    return hashlib.sha256(hashlib.sha256(content).digest() + payload.encode()).hexdigest()
