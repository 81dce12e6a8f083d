"""How far a collection is and how fast it goes, on standard error."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_EVERY = 30.0


class Advance:
    """A bar on a terminal; elsewhere a line every half minute.

    Args:
        console: Where to.
        label: What is being done.
    """

    def __init__(self, console: Console, label: str) -> None:
        self._console, self._label = console, label
        self._counts: Counter[str] = Counter()
        self._total, self._before, self._began, self._told = 0, 0, 0.0, 0.0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(
            *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
        )

    @contextmanager
    def of(self, total: int, before: int) -> Iterator[None]:
        """Show the work of a block.

        Args:
            total: Rows in all.
            before: Rows that were finished before.
        """
        self._total, self._before, self._began = total, before, time.monotonic()
        self._told = self._began
        with self._bar:
            self._task = self._bar.add_task(self._label, total=total, completed=before)
            yield

    def finished(self, counts: dict[str, int]) -> None:
        """Rows by status that are done now."""
        self._counts.update(counts)
        done, now = sum(self._counts.values()), time.monotonic()
        line = f"{self._label} {done / (now - self._began):.2f}/s, {self._counts['failed']} failed"
        self._bar.update(self._task, completed=self._before + done, description=line)
        if not self._console.is_terminal and now - self._told > _EVERY:
            self._told = now
            self._console.print(f"{self._before + done} of {self._total}: {line}", soft_wrap=True, highlight=False)
