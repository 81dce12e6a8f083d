"""The machine's cores, shared out first come, first served."""

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


class Cores:
    """Hands out cores in the order in which they are asked for, so that a large wish is not starved by small ones.

    Args:
        total: How many there are.
    """

    def __init__(self, total: int) -> None:
        self._total = self._free = max(1, total)
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._closed = False

    @contextmanager
    def take(self, count: int) -> Iterator[bool]:
        """Wait for cores, hold them, give them back.

        Args:
            count: How many; more than there are means all of them.

        Yields:
            Whether they were given; False once the cores are closed.
        """
        wish, ticket = min(max(1, count), self._total), object()
        with self._changed:
            self._queue.append(ticket)
            self._changed.wait_for(lambda: self._closed or (self._queue[0] is ticket and self._free >= wish))
            self._queue.remove(ticket)
            given = not self._closed
            if given:
                self._free -= wish
            self._changed.notify_all()
        try:
            yield given
        finally:
            if given:
                with self._changed:
                    self._free += wish
                    self._changed.notify_all()

    def close(self) -> None:
        """Let everybody who waits go home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
