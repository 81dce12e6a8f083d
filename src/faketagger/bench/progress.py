"""Progress on the terminal: one bar for the pictures, one for the attacks here, one for the tools outside."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class BenchProgress:
    """Bars that appear when their first step is announced.

    Args:
        console: Where to draw; nothing is drawn on what is no terminal.
    """

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description:<34}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, bar: str, done: int, total: int) -> None:
        """Set a bar, from any thread.

        Args:
            bar: Its text.
            done: Steps done.
            total: Steps in all.
        """
        if bar not in self._tasks:
            self._tasks[bar] = self._progress.add_task(bar, total=total)
        self._progress.update(self._tasks[bar], completed=done, total=total)
