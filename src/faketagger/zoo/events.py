"""What a driver says: one JSON object a line, among whatever else the tool prints."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from faketagger.errors import AdapterError

Status = Literal["attacked", "passed_through", "failed"]
Word = Literal["attacked", "passed_through", "failed", "embedded", "read"]
_STATUSES: dict[str, tuple[str, ...]] = {
    "embed": ("embedded", "failed"),
    "read": ("read", "failed"),
}
_ATTACKED = ("attacked", "passed_through", "failed")
_LONGEST_LINE = 65536


@dataclass(frozen=True)
class ImageEvent:
    """The driver's word on one image; the file it speaks of is complete when this is said.

    Attributes:
        name: Of the file.
        status: What became of it.
        reason: Why it failed.
        soft: Of ``read``: what was read.
    """

    name: str
    status: Word
    reason: str | None
    soft: tuple[float, ...] | None = None


class CappedLog:
    """A log file that keeps the first and the last part of an output of any length.

    Args:
        path: File to write.
        cap: Bytes to keep in the file; the newest few kilobytes beyond it are added when it is closed.

    Raises:
        AdapterError: The file cannot be opened.
    """

    def __init__(self, path: Path, cap: int) -> None:
        self.total = 0
        self._cap = cap
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise AdapterError(f"The log {path} cannot be written: {error.strerror}.") from error
        self._tail = b""

    def write(self, data: bytes) -> None:
        """Take more output."""
        room = max(0, self._cap - self.total)
        self._file.write(data[:room])
        self.total += len(data)
        self._tail = (self._tail + data)[-8192:]

    def tail(self) -> str:
        """The last 8 KiB of output."""
        return self._tail.decode("utf-8", "replace")

    def close(self) -> None:
        """Write how much was left out, and the end of it."""
        if self.total > self._cap:
            self._file.write(f"\n... {self.total - self._cap} bytes in all past the cap; the last:\n".encode())
            self._file.write(self._tail)
        self._file.close()


@dataclass
class EventReader:
    """Turns the bytes of a driver's standard output into events; never fails, whatever they are.

    Attributes:
        log: Gets every line that is no event.
        on_image: Called with every image event.
        on_progress: Called with (done, total) of every progress event.
        phase: Which call of the driver; decides what may become of an image.
        done: Whether the driver said ``done``.
    """

    log: CappedLog
    on_image: Callable[[ImageEvent], None]
    on_progress: Callable[[int, int], None]
    phase: str = "apply"
    done: bool = False
    _rest: bytes = field(default=b"", repr=False)

    def feed(self, data: bytes) -> None:
        """Take more output."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line + b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self.finish()

    def finish(self) -> None:
        """Treat what is left as a line."""
        if self._rest:
            self._line(self._rest)
        self._rest = b""

    def _line(self, line: bytes) -> None:
        event = _parse(line)
        kind = event.get("event")
        allowed = _STATUSES.get(self.phase, _ATTACKED)
        if kind == "image" and isinstance(event.get("name"), str) and event.get("status") in allowed:
            reason = event.get("reason")
            said = None if reason is None else str(reason)[:500]
            self.on_image(ImageEvent(event["name"], event["status"], said, _soft(event.get("soft"))))
        elif kind == "progress" and isinstance(event.get("done"), int) and isinstance(event.get("total"), int):
            self.on_progress(event["done"], event["total"])
        elif kind == "done":
            self.done = True
        elif kind == "log":
            self.log.write(str(event.get("message", "")).encode("utf-8", "replace") + b"\n")
        else:
            self.log.write(line)


def _soft(value: Any) -> tuple[float, ...] | None:
    if not isinstance(value, list) or not all(isinstance(one, int | float) for one in value):
        return None
    return tuple(float(one) for one in value)


def _parse(line: bytes) -> dict[str, Any]:
    text = line.strip()
    if not text.startswith(b"{") or len(text) > _LONGEST_LINE:
        return {}
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
