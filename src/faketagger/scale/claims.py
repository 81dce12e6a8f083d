"""Who tags which content: a file that only one can make says so, for this run and every later one."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path


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
        """
        path = self._folder / content[:2] / content[2:4] / content
        if path.is_file():
            return int(path.read_text()), False
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

    def tries(self, content: str) -> int:
        """Note one more try at a content whose worker did not live to finish it; how many there were now."""
        with (self._folder / content[:2] / content[2:4] / f"{content}.tries").open("ab") as file:
            file.write(b".")
            return file.tell()


def content_key(content: bytes, payload: str) -> str:
    """What makes a picture the same work: its bytes and the payload it is to carry; 64 hex digits."""
    return hashlib.sha256(hashlib.sha256(content).digest() + payload.encode()).hexdigest()
