"""One record: one picture through one scenario, tagged or untagged. Parquet, in parts that appear whole."""

import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from faketagger.imaging import write_atomically

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Record:
    """One picture through one scenario.

    Attributes:
        scenario: Id of the scenario, job and view.
        job: Id of the attack job.
        label: What tables call the job.
        attack: Name of the attack.
        version: Of the attack.
        family: Of the attack.
        role: Carrier or donor.
        view: Frame or face.
        black_box: The attack is an external tool.
        severity: In the attack's own unit.
        pair: Word shared by scenarios to be compared.
        picture: Name of the picture.
        identity: Whose face it is.
        cluster: What fails and succeeds together: the person, in the donor role the message.
        kind: ``tagged`` or ``null`` (the untagged picture through the same attack).
        attack_status: attacked, passed_through or failed.
        read_status: read, no_face or unread.
        reason: Why an attack failed.
        bits: Bits compared.
        matched: Bits that agree.
        p_value: Exact match p-value.
        exact: The payload came back unharmed.
        attack_psnr_db: Attacked against its own input.
        changed: Share of pixels that the attack changed.
        moved: Face-embedding distance of the attacked picture to the attack's input; None where not measured.
        donor_distance: The same to the mean of the donor's faceset, for a swap.
        donor_distance_before: The same of the attack's input.
        agreement: In the donor role, the soft bits turned towards the message, scaled to a root mean square of 1.
        psnr_db: Tagged against original.
        ssim: Tagged against original.
        psnr_face_db: The same inside the face.
        ssim_face: The same inside the face.
    """

    scenario: str
    job: str
    label: str
    attack: str
    version: int
    family: str
    role: str
    view: str
    black_box: bool
    severity: float | None
    pair: str | None
    picture: str
    identity: str
    cluster: str
    kind: str
    attack_status: str
    read_status: str
    reason: str
    bits: int
    matched: int
    p_value: float
    exact: bool
    attack_psnr_db: float | None
    changed: float | None
    moved: float | None
    donor_distance: float | None
    donor_distance_before: float | None
    agreement: list[float] | None
    psnr_db: float
    ssim: float
    psnr_face_db: float
    ssim_face: float


_ARROW = {
    str: pa.string(),
    str | None: pa.string(),
    int: pa.int32(),
    float: pa.float64(),
    float | None: pa.float64(),
    bool: pa.bool_(),
    list[float] | None: pa.list_(pa.float32()),
}
SCHEMA = pa.schema([(item.name, _ARROW[item.type]) for item in fields(Record)])  # type: ignore[index]
_TIMINGS = b"faketagger.timings"


def write_part(path: Path, records: Iterable[Record], timings: dict[str, Any]) -> None:
    """Write the records of one chunk, whole or not at all.

    Args:
        path: Parquet file; its folder exists.
        records: The chunk.
        timings: Plain values kept in the file's metadata, outside the table.
    """
    save_part(path, pa.Table.from_pylist([asdict(record) for record in records], schema=SCHEMA), timings)


def save_part(path: Path, table: pa.Table, timings: dict[str, Any]) -> None:
    """Write chunks that are a table already, whole or not at all.

    Args:
        path: Parquet file; its folder exists.
        table: Records of one or several chunks.
        timings: Plain values kept in the file's metadata, outside the table.
    """
    save_table(path, table.replace_schema_metadata({_TIMINGS: json.dumps(timings).encode()}))


def read_part(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read a chunk back.

    Args:
        path: A file of :func:`write_part`.

    Returns:
        The table and the timings.
    """
    with pq.ParquetFile(path) as file:
        table = file.read(use_threads=False)
    return table.replace_schema_metadata(None), json.loads((table.schema.metadata or {}).get(_TIMINGS, b"{}"))


def save_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet, whole or not at all.

    Args:
        path: Where to.
        table: Any table.
    """
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomically(buffer.getvalue(), path)


def gather(tables: Iterable[pa.Table]) -> pa.Table:
    """All records in one table, in an order that does not depend on how they were made.

    Args:
        tables: Chunks.

    Returns:
        Sorted by scenario, kind, cluster and picture.
    """
    table = pa.concat_tables([SCHEMA.empty_table(), *tables])
    by = ("scenario", "ascending"), ("kind", "descending"), ("cluster", "ascending"), ("picture", "ascending")
    return table.sort_by(list(by))


def as_frame(table: pa.Table) -> "pd.DataFrame":
    """Records as a pandas frame with text columns as categories.

    Args:
        table: Of :func:`gather`.
    """
    text = [item.name for item in SCHEMA if item.type == pa.string()]
    return table.to_pandas(categories=text)
