"""A benchmark's faces from a manifest or an object store: the drawn ones, in a folder of this machine's cache."""

import csv
import hashlib
import io
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faketagger.bench.pictures import choose
from faketagger.bench.sources import Source
from faketagger.data.samples import MANIFEST
from faketagger.errors import DataError
from faketagger.imaging import write_atomically
from faketagger.places import cache_root
from faketagger.scale.listing import fetch, list_collection, suffix

log = logging.getLogger(__name__)
_THREADS = 8


def gather_faces(source: str, count: int | None, seed: int) -> Path:
    """Bring the pictures of a collection that a benchmark would draw.

    Args:
        source: As for :func:`faketagger.scale.listing.list_collection`; the column ``identity`` says who is who.
        count: At most so many, drawn evenly over identities; None for all.
        seed: Fixes the draw.

    Returns:
        A folder with a ``manifest.csv``; the same one for the same call.

    Raises:
        DataError: There is no such collection, or none of its pictures can be read.
    """
    found: list[Source] = []
    uris: dict[str, str] = {}
    for row in (row for table in list_collection(source) for row in table.to_pylist()):
        name = f"{len(found):09d}{suffix(row['uri'])}"
        uris[name] = row["uri"]
        found.append(Source(name, row["identity"] or row["uri"], Path(name)))
    chosen = choose(found, count, seed)
    lines = "\n".join(f"{uris[one.name]}\0{one.identity}" for one in chosen)
    folder = cache_root() / "collections" / hashlib.sha256(f"{source}\n{lines}".encode()).hexdigest()[:16]
    if (folder / MANIFEST).is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)

    def bring(one: Source) -> bool:
        try:
            write_atomically(fetch(uris[one.name]), folder / one.name)
        except OSError as error:
            log.warning("%s cannot be read: %s", uris[one.name], error.strerror or error)
            return False
        return True

    with ThreadPoolExecutor(_THREADS) as threads:
        there = list(threads.map(bring, chosen))
    if not any(there):
        raise DataError(f"None of {len(chosen)} pictures of {source} can be read.")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["file", "identity"])
    writer.writerows([one.name, one.identity] for one, read in zip(chosen, there, strict=True) if read)
    write_atomically(text.getvalue().encode(), folder / MANIFEST)
    return folder
