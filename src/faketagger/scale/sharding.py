"""Aligned faces with their landmarks, cut once from a collection, in files that training streams."""

import hashlib
import io
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from faketagger.data.samples import Split
from faketagger.data.shards import INDEX, ORDER, SCHEMA, ShardFile, ShardIndex
from faketagger.errors import ConfigError, FakeTaggerError
from faketagger.imaging import read_photo
from faketagger.ray_cluster import ScaleError, ray_session
from faketagger.scale.claims import Claims, content_key
from faketagger.scale.engine import result_file, run_batches, unfinished
from faketagger.scale.frozen import FrozenListing, freeze
from faketagger.scale.listing import fetch, list_collection
from faketagger.scale.progress import Advance

WORK, FILES = ".work", "files"


@dataclass(frozen=True)
class CutOrder:
    """How faces are cut.

    Attributes:
        out: Output folder, seen by all workers.
        size: Side of the aligned crop in pixels.
        margin: What is added on every side, as a share of ``size``.
        val_share: Share of the people to validate on.
        test_share: Share of the people to test on.
        seed: Fixes who is in which split.
        jpeg: Quality to keep the crops at; None keeps every pixel (PNG).
        backend: Face finder.
    """

    out: Path
    size: int
    margin: float
    val_share: float
    test_share: float
    seed: int
    jpeg: int | None
    backend: str

    def __call__(self) -> "Cutting":
        import torch

        torch.set_num_threads(1)
        return Cutting(self)

    def split(self, identity: str) -> Split:
        """Which split a person is in: a draw by the name alone, so that no worker needs to know the others."""
        lot = int.from_bytes(hashlib.sha256(f"{self.seed}:{identity}".encode()).digest()[:8]) / 2**64
        return "val" if lot < self.val_share else "test" if lot < self.val_share + self.test_share else "train"


class Cutting:
    """Cuts batches.

    Args:
        order: How.
    """

    def __init__(self, order: CutOrder) -> None:
        self._order, self._claims = order, Claims(order.out / WORK / "claims")

    def __call__(self, rows: pa.Table, first: int) -> pa.Table:
        """Records of a batch, see :data:`faketagger.data.shards.SCHEMA`: faces by split, then what came of the rest."""
        records = []
        for place, row in enumerate(rows.to_pylist()):
            start = time.perf_counter()
            record: dict[str, Any] = {"row": first + place, "uri": row["uri"]}
            try:
                record |= self._one(row["uri"], row["identity"] or row["uri"], first + place)
            except OSError as error:
                record |= {"status": "failed", "error": f"it cannot be read: {(error.strerror or str(error)).lower()}"}
            except FakeTaggerError as error:
                record |= {"status": "failed", "error": error.message}
            records.append(record | {"seconds": time.perf_counter() - start})
        rank = {name: number for number, name in enumerate(ORDER)}
        records.sort(key=lambda record: rank.get(record["status"], len(rank)))
        return pa.Table.from_pylist(records, SCHEMA)

    def _one(self, uri: str, identity: str, row: int) -> dict[str, Any]:
        import torch

        from faketagger.data.crops import cut_crop
        from faketagger.faces import find_faces

        content = fetch(uri)
        key = content_key(content, "")
        owner, _ = self._claims.take(key, row)
        if owner != row:
            return {"key": key, "status": "duplicate", "same_as": owner}
        pixels = read_photo(content).rgb8
        found = find_faces(pixels, backend=self._order.backend, max_faces=1)
        if not found:
            return {"key": key, "status": "failed", "error": "no face was found"}
        points = found[0].landmarks.astype(np.float32)
        photo = torch.from_numpy(read_photo(content).rgb.copy())
        crop, landmarks = cut_crop(photo, torch.from_numpy(points), self._order.size, self._order.margin)
        return {
            "key": key, "status": self._order.split(identity), "identity": identity,
            "image": self._encoded(crop.permute(1, 2, 0).numpy()), "landmarks": landmarks.flatten().tolist(),
        }  # fmt: skip

    def _encoded(self, pixels: np.ndarray) -> bytes:
        file = io.BytesIO()
        if self._order.jpeg is None:
            Image.fromarray(pixels).save(file, "PNG")
        else:
            Image.fromarray(pixels).save(file, "JPEG", quality=self._order.jpeg, subsampling="4:4:4")
        return file.getvalue()


def cut_collection(
    source: str, order: CutOrder, workers: int, address: str | None, batch_rows: int, advance: Advance
) -> dict[str, int]:
    """Cut the faces of a collection, or of what is left of it, and write the index.

    Args:
        source: As for :func:`faketagger.scale.listing.list_collection`; a manifest may have a column ``identity``.
        order: How to cut.
        workers: Processes at a time.
        address: Of a Ray cluster, or None for this machine.
        batch_rows: Pictures of a file.
        advance: Shown what is finished.

    Returns:
        Pictures by status: the splits, ``duplicate``, ``failed``.

    Raises:
        DataError: There is no such collection.
        ScaleError: ``order.out`` belongs to another call, or Ray cannot run.
    """
    if order.val_share + order.test_share >= 1:
        raise ConfigError("The shares of validation and test leave nothing for training.")
    _check_same(source, order)
    listing = freeze(list_collection(source), order.out / WORK / "listing", batch_rows)
    files = order.out / FILES
    files.mkdir(exist_ok=True)
    left = sum(listing.size(int(number)) for number in unfinished(listing, files))
    with advance.of(listing.rows, listing.rows - left):
        if left:
            with ray_session(workers, address) as ray:
                for batch in run_batches(ray, listing, order, files, workers):
                    advance.finished(batch.counts)
    return _index(listing, order)


def _index(listing: FrozenListing, order: CutOrder) -> dict[str, int]:
    total: Counter[str] = Counter()
    files = []
    for number in range(listing.batches):
        path = result_file(order.out / FILES, number)
        counts = Counter(pq.read_table(path, columns=["status"]).column("status").to_pylist())
        total.update(counts)
        splits = {name: counts[name] for name in ORDER}
        files.append(ShardFile(path=path.relative_to(order.out).as_posix(), **splits))
    index = ShardIndex(size=order.size, margin=order.margin, files=files)
    (order.out / INDEX).write_text(json.dumps(index.plain()))
    return dict(total)


def _check_same(source: str, order: CutOrder) -> None:
    path = order.out / WORK / "order.json"
    asked = {"source": source} | {name: value for name, value in asdict(order).items() if name != "out"}
    if path.is_file():
        if json.loads(path.read_text()) != asked:
            raise ScaleError(f"{order.out} holds faces that were cut otherwise.", "Choose another --out.")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked, indent=1))
