"""Tag one batch of a collection: fetch, claim, tag, write; whatever goes wrong with a picture is its record."""

import errno
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from faketagger.errors import FakeTaggerError
from faketagger.imaging import Photo, output_path, read_photo, write_photo
from faketagger.scale.claims import Claims, content_key
from faketagger.scale.listing import fetch

RECORD = pa.schema(
    {
        "row": pa.int64(),
        "uri": pa.string(),
        "key": pa.string(),
        "status": pa.string(),
        "output": pa.string(),
        "same_as": pa.int64(),
        "error": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "seconds": pa.float64(),
    }
)
"""``status`` is tagged, duplicate (of the content of row ``same_as``) or failed; ``output`` is relative."""
_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp"} | {
    "HEIF": ".heic", "AVIF": ".avif",
}  # fmt: skip
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True)
class TagOrder:
    """What is to be done to every picture.

    Attributes:
        out: Output folder, seen by all workers.
        model: Tagger.
        key: The secret, or None for the environment's.
        payload: For pictures whose row names none.
        psnr: PSNR of the face crop in dB, or None.
        again: Tag what is tagged already.
    """

    out: Path
    model: str
    key: str | None
    payload: str
    psnr: float | None
    again: bool = False

    def __call__(self) -> "Tagging":
        """What a worker makes of it: the tagger on this worker's GPU if it was given one, else on one thread."""
        import torch

        from faketagger.tagger.checkpoint import load

        torch.set_num_threads(1)
        return Tagging(self, load(self.model, self.key, device="cuda" if torch.cuda.is_available() else "cpu"))


class Embeds(Protocol):
    """The part of a tagger that is needed here."""

    def embed(self, image: Any, payload: str, psnr_db: float | None = None, *, again: bool = False) -> Photo:
        """Tag every face of a photograph."""


class Tagging:
    """A tagger at work on batches.

    Args:
        order: What to do.
        tagger: Who does it.
    """

    def __init__(self, order: TagOrder, tagger: Embeds) -> None:
        self._order, self._tagger = order, tagger
        self._claims = Claims(order.out / ".work" / "claims")

    def __call__(self, rows: pa.Table, first: int) -> pa.Table:
        """Records of a batch, see :data:`RECORD`."""
        records = []
        for place, row in enumerate(rows.to_pylist()):
            start = time.perf_counter()
            record: dict[str, Any] = {"row": first + place, "uri": row["uri"]}
            try:
                record |= self._one(row["uri"], row["payload"] or self._order.payload, first + place)
            except OSError as error:
                record |= {"status": "failed", "error": f"it cannot be read: {(error.strerror or str(error)).lower()}"}
            except FakeTaggerError as error:
                if getattr(error.__cause__, "errno", None) in _DISK:
                    raise  # every other picture would fail as well
                record |= {"status": "failed", "error": error.message}
            records.append(record | {"seconds": time.perf_counter() - start})
        return pa.Table.from_pylist(records, RECORD)

    def _one(self, uri: str, payload: str, row: int) -> dict[str, Any]:
        content = fetch(uri)
        key = content_key(content, payload)
        owner, fresh = self._claims.take(key, row)
        if owner != row:
            return {"key": key, "status": "duplicate", "same_as": owner}
        folder = self._order.out / key[:2] / key[2:4]
        if not fresh and (made := sorted(folder.glob(f"{key}.*"))):  # by a worker that did not live to record it
            return {"key": key, "status": "tagged", "output": str(made[0].relative_to(self._order.out))}
        photo = read_photo(content)
        tagged = self._tagger.embed(photo, payload, self._order.psnr, again=self._order.again)
        folder.mkdir(parents=True, exist_ok=True)
        target = output_path(photo, f"{key}{_SUFFIXES.get(photo.format, '.png')}", folder)
        write_photo(tagged, target)
        height, width = photo.pixels.shape[:2]
        output = str(target.relative_to(self._order.out))
        return {"key": key, "status": "tagged", "output": output, "width": width, "height": height}
