"""Object stores that Arrow opens: their pictures listed as addresses, and an address opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import pyarrow as pa
import pyarrow.fs as pa_fs

from faketagger.errors import DataError

_BUCKETS = ("s3", "gs", "gcs")
"""Schemes whose paths begin with the bucket."""
_KNOWN = "Known: s3://, gs://, hdfs://, file://."


def is_address(source: str) -> bool:
    """Whether a source is the address of something in a store, and no path."""
    return "://" in source


def open_store(uri: str) -> tuple[Any, str]:
    """The file system that an address is of, kept for the next address of the same bucket, and the path in it.

    Args:
        uri: ``s3://bucket/key?endpoint_override=…``: percent-encoded where a key has ``%``, ``?`` or ``#``; the part
            behind the question mark is Arrow's options.

    Raises:
        DataError: Arrow opens no such address, or it carries a password.
    """
    try:
        parts = urlsplit(uri)
        if parts.password is not None:
            raise DataError(
                "An address with a password in it would stand in every record.",
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead.",
            )
        system = _opened(parts.scheme, parts.netloc, parts.query)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{uri} cannot be opened: {first_line(error)}.", _KNOWN) from error
    return system, _path(parts)


@lru_cache(16)
def _opened(scheme: str, netloc: str, query: str) -> Any:
    """A new one for every picture would look up the bucket's region and shake hands again each time."""
    return pa_fs.FileSystem.from_uri(f"{scheme}://{netloc}/{_behind(query)}")[0]


def _path(parts: SplitResult) -> str:
    path = unquote(parts.path)
    return parts.netloc + path.rstrip("/") if parts.scheme in _BUCKETS else path


def _behind(query: str) -> str:
    return f"?{query}" if query else ""


def list_store(uri: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Addresses below an address, in a fixed order.

    Args:
        uri: As for :func:`open_store`.
        wanted: Whether a file of this name is one.

    Raises:
        DataError: It cannot be listed.
    """
    system, root = open_store(uri)
    parts = urlsplit(uri)
    front = f"{parts.scheme}://" + ("" if parts.scheme in _BUCKETS else parts.netloc)
    waiting = [root]
    while waiting:
        try:
            found = system.get_file_info(pa_fs.FileSelector(waiting.pop()))
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{uri} cannot be listed: {first_line(error)}.") from error
        found.sort(key=lambda info: info.path)
        waiting += [info.path for info in reversed(found) if info.type == pa_fs.FileType.Directory]
        for info in found:
            if info.type == pa_fs.FileType.File and wanted(info.base_name):
                yield f"{front}{quote(info.path)}{_behind(parts.query)}"


def read_store(uri: str) -> bytes:
    """The bytes at an address.

    Raises:
        DataError: Arrow opens no such address.
        OSError: It cannot be read.
    """
    system, path = open_store(uri)
    with system.open_input_stream(path) as stream:
        content: bytes = stream.read()
    return content


def first_line(error: BaseException) -> str:
    """What Arrow says, short."""
    return " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__
