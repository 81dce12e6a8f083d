"""Parquet files that are there whole or not at all."""

import os
import secrets
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_table(table: pa.Table, path: Path, row_group_size: int | None = None) -> None:
    """Write a table beside its place, then move it there.

    Args:
        table: Any table.
        path: Where to; the folder is made if missing.
        row_group_size: Rows of a row group; Arrow's own choice if None.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        pq.write_table(table, partial, compression="zstd", row_group_size=row_group_size)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
