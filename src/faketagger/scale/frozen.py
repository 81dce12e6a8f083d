"""A listing laid down once, cut into batches that have a number for ever: what resuming and exactly-once rest on."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from faketagger.scale.listing import SCHEMA
from faketagger.scale.tables import write_table

_ABOUT = "listing.json"


@dataclass(frozen=True)
class FrozenListing:
    """Rows of a collection in Parquet files; batch ``n`` is row group ``n % groups`` of file ``n // groups``.

    Attributes:
        folder: Where the files are.
        rows: Pictures in all.
        batch_rows: Pictures of a batch; the last one may have fewer.
        groups: Batches in a file; the last one may have fewer.
    """

    folder: Path
    rows: int
    batch_rows: int
    groups: int

    @property
    def batches(self) -> int:
        """Number of batches."""
        return -(-self.rows // self.batch_rows)

    def size(self, batch: int) -> int:
        """Pictures of one batch."""
        return min(self.batch_rows, self.rows - batch * self.batch_rows)

    def read(self, batch: int) -> pa.Table:
        """The rows of one batch; its first row has number ``batch * batch_rows`` in the collection."""
        with pq.ParquetFile(_file(self.folder, batch // self.groups)) as file:
            return file.read_row_group(batch % self.groups)


def freeze(tables: Iterable[pa.Table], folder: Path, batch_rows: int, groups: int = 256) -> FrozenListing:
    """Lay a listing down, or open the one that was laid down before.

    Args:
        tables: Tables of :data:`faketagger.scale.listing.SCHEMA`; not touched if the listing is there.
        folder: Where to.
        batch_rows: Pictures of a batch.
        groups: Batches in a file.

    Returns:
        The listing; an older one keeps its own batches.
    """
    about = folder / _ABOUT
    if about.is_file():
        return FrozenListing(folder, **json.loads(about.read_text()))
    folder.mkdir(parents=True, exist_ok=True)
    rows = 0
    for number, table in enumerate(_cut(tables, batch_rows * groups)):
        rows += table.num_rows
        write_table(table, _file(folder, number), row_group_size=batch_rows)
    listing = FrozenListing(folder, rows, batch_rows, groups)
    partial = about.with_suffix(".tmp")
    partial.write_text(json.dumps({"rows": rows, "batch_rows": batch_rows, "groups": groups}))
    partial.replace(about)
    return listing


def _file(folder: Path, number: int) -> Path:
    return folder / f"part-{number:06d}.parquet"


def _cut(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of exactly ``rows``, the last one perhaps shorter."""
    waiting: list[pa.Table] = []
    have = 0
    for table in tables:
        waiting.append(table)
        have += table.num_rows
        while have >= rows:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, rows)
            waiting, have = [whole.slice(rows)], have - rows
    if have:
        yield pa.concat_tables([SCHEMA.empty_table(), *waiting])
