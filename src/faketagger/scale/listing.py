"""What a collection consists of: a folder, a manifest or an object store, listed in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from faketagger.errors import DataError
from faketagger.imaging.find import SUFFIXES
from faketagger.scale.stores import first_line, is_address, list_store, read_store

SCHEMA = pa.schema({"uri": pa.string(), "payload": pa.string(), "identity": pa.string()})
"""One row per picture; payload (of the one picture) and identity (whose face it is) may be null."""
MANIFESTS = (".csv", ".parquet")
NAMES = ("uri", "path", "file")
_MORE = ("payload", "identity")
_BATCH = 10_000


def is_collection(source: str) -> bool:
    """Whether a source can only be a collection: a manifest, or the address of an object store."""
    return is_address(source) or Path(source).suffix.lower() in MANIFESTS


def list_collection(source: str) -> Iterator[pa.Table]:
    """List a collection.

    Args:
        source: A folder; a CSV or Parquet manifest with a column ``uri``, ``path`` or ``file`` and perhaps
            ``payload`` and ``identity``, its relative paths counted from its own folder; or ``s3://bucket/prefix``,
            ``gs://bucket/prefix``, ``file:///folder`` and whatever else Arrow opens.

    Yields:
        Tables of :data:`SCHEMA` of at most 10,000 rows, in a fixed order.

    Raises:
        DataError: The source is missing, is no manifest, or lists nothing.
    """
    if is_address(source):
        tables = _rows(list_store(source, _is_picture))
    elif Path(source).suffix.lower() in MANIFESTS:
        tables = _manifest(Path(source))
    else:
        tables = _rows(_folder(Path(source).expanduser()))
    empty = True
    for table in tables:
        empty = empty and table.num_rows == 0
        yield table
    if empty:
        raise DataError(f"{source} lists no picture.", f"Looked for {', '.join(sorted(SUFFIXES))}.")


def fetch(uri: str) -> bytes:
    """The bytes of one picture.

    Args:
        uri: A path, or an address that Arrow opens.

    Raises:
        OSError: It cannot be read.
    """
    return read_store(uri) if is_address(uri) else Path(uri).read_bytes()


def suffix(uri: str) -> str:
    """A picture's suffix in small letters, e.g. ``.jpg``."""
    return Path(urlsplit(uri).path if is_address(uri) else uri).suffix.lower()


def _folder(root: Path) -> Iterator[str]:
    if not root.is_dir():
        raise DataError(f"There is no folder {root}.", "Give a folder, a .csv or .parquet manifest, or s3://…")
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if _is_picture(name):
                yield os.path.join(folder, name)


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES


def _rows(uris: Iterator[str]) -> Iterator[pa.Table]:
    some: list[str] = []
    for uri in uris:
        some.append(uri)
        if len(some) == _BATCH:
            yield listed(some)
            some = []
    if some:
        yield listed(some)


def listed(uris: list[str], **columns: Any) -> pa.Table:
    """Rows of a listing; columns that are not given are null."""
    empty = pa.nulls(len(uris), pa.string())
    return pa.table({"uri": uris, "payload": empty, "identity": empty} | columns, SCHEMA)


def _manifest(path: Path) -> Iterator[pa.Table]:
    if not path.is_file():
        raise DataError(f"There is no manifest {path}.")
    try:
        for batch in _batches(path):
            names = batch.schema.names
            column = next((name for name in NAMES if name in names), None)
            if column is None:
                raise DataError(
                    f"{path} has the columns {', '.join(names)}.", f"One of them has to be {', '.join(NAMES)}."
                )
            uris = [_from(path.parent, text) for text in batch.column(names.index(column)).to_pylist()]
            given = [name for name in _MORE if name in names]
            yield listed(uris, **{name: batch.column(names.index(name)).cast(pa.string()) for name in given})
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is no readable manifest: {first_line(error)}.") from error


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    if path.suffix.lower() == ".parquet":
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(_BATCH)
        return
    # Payloads such as 0x00c0de and 007 are text, whatever they look like.
    as_text = pa_csv.ConvertOptions(
        column_types={name: pa.string() for name in (*NAMES, *_MORE)}, null_values=[""], strings_can_be_null=True
    )
    blocks = pa_csv.ReadOptions(block_size=1 << 20, use_threads=False)
    with pa_csv.open_csv(path, read_options=blocks, convert_options=as_text) as reader:
        yield from reader


def _from(folder: Path, text: str | None) -> str:
    if not text:
        raise DataError("The manifest has a row without a path.")
    return text if is_address(text) or os.path.isabs(text) else str(folder / text)
