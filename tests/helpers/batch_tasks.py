"""What tests do to a batch instead of tagging it; Ray's workers import it from here."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from faketagger.errors import FaceError
from faketagger.imaging import Photo
from faketagger.scale.tagging import Tagging, TagOrder


@dataclass(frozen=True)
class Trivial:
    """Records every row as done."""

    def __call__(self) -> "Trivial._Task":
        return self._Task()

    class _Task:
        def __call__(self, rows: pa.Table, first: int) -> pa.Table:
            return pa.table({"row": range(first, first + len(rows)), "status": ["tagged"] * len(rows)})


class Painter:
    """Stands in for a tagger: makes every picture a little darker, and sees no face in a flat one."""

    def embed(self, image: Photo, payload: str, psnr_db: float | None = None, *, again: bool = False) -> Photo:
        if image.rgb.std() < 0.01:
            raise FaceError("no face was found, so there is nothing to tag")
        return image.with_rgb(np.clip(image.rgb * 0.9, 0, 1))


@dataclass(frozen=True)
class Mortal:
    """Tags, and dies by SIGKILL once, in the middle of a batch, with a picture written and nothing recorded.

    Attributes:
        order: What to do.
        grave: File that says it died before.
        at: Number of the row at which it dies.
    """

    order: TagOrder
    grave: Path
    at: int

    def __call__(self) -> Tagging:
        made, grave, at = Tagging(self.order, Painter()), self.grave, self.at
        one = made._one

        def mortal(uri: str, payload: str, row: int) -> dict[str, object]:
            with (grave.parent / "calls.txt").open("a") as file:
                file.write(f"{row} {os.getpid()} {time.time()}\n")
            record = one(uri, payload, row)
            if row == at and not grave.exists():
                grave.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return record

        made._one = mortal  # type: ignore[method-assign]
        return made
