"""Sub commands that are imported when they run, not when help is printed."""

import importlib
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class CommandSource:
    """Where a sub command lives.

    Attributes:
        target: ``module:attribute``; the attribute is a function or a ``typer.Typer`` application.
        summary: The line shown by ``faketagger --help``.
    """

    target: str
    summary: str


class LazyCommand(TyperCommand):
    """Stands in for a sub command until its arguments are to be parsed."""

    def __init__(self, name: str, source: CommandSource) -> None:
        super().__init__(name, help=source.summary)
        self.source = source

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return self.load().make_context(info_name, args, parent=parent, **extra)

    def load(self) -> Any:
        """Import the real command.

        Returns:
            The command or group that typer builds from the target.
        """
        module, attribute = self.source.target.split(":")
        target = getattr(importlib.import_module(module), attribute)
        if not isinstance(target, typer.Typer):
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(self.name)(target)
            target = app
        return typer.main.get_command(target)


class LazyGroup(TyperGroup):
    """A group whose members are named in :attr:`sources`."""

    sources: dict[str, CommandSource] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.sources)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        source = self.sources.get(cmd_name)
        return LazyCommand(cmd_name, source) if source else None
