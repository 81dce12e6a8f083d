"""The ``faketagger`` command: finds the sub command and turns every failure into one sentence."""

import errno
import os
import sys
import traceback
from typing import Annotated

import typer

from faketagger import __version__
from faketagger.cli.lazy import CommandSource, LazyGroup
from faketagger.errors import FakeTaggerError

INTERRUPTED = 130

LazyGroup.sources = {
    "tag": CommandSource("faketagger.cli.tag:tag", "Write a payload into the faces of photographs."),
    "read": CommandSource("faketagger.cli.read:read", "Read the tags of photographs, with a p-value each."),
    "bench": CommandSource("faketagger.cli.bench:bench", "Tag, attack, read back, print the honest table."),
    "report": CommandSource("faketagger.cli.report:report", "Draw the page of finished benchmarks again."),
    "compare": CommandSource("faketagger.cli.compare:compare", "Compare two finished benchmarks, attack by attack."),
    "leaderboard": CommandSource("faketagger.cli.leaderboard:app", "Compare watermarks measured by one protocol."),
    "train": CommandSource("faketagger.cli.train:train", "Train a tagger from a configuration file."),
    "plan": CommandSource("faketagger.cli.plan:plan", "Say what tagging a collection will cost, from a measurement."),
    "shard": CommandSource("faketagger.cli.shard:shard", "Write aligned faces into shards that training streams."),
    "zoo": CommandSource("faketagger.cli.zoo:app", "Install, check and run external tools."),
    "sweep": CommandSource("faketagger.cli.sweep:app", "Search over trainings: one file, several engines."),
    "export": CommandSource("faketagger.cli.export:export", "Write a tagger's networks as ONNX or pt2."),
}

app = typer.Typer(cls=LazyGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"faketagger {__version__}")
        raise typer.Exit


@app.callback()
def faketagger(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Tag face photographs with a message that survives deepfakes."""


def run(arguments: list[str]) -> int:
    """Run one command line.

    Args:
        arguments: The words after ``faketagger``.

    Returns:
        The exit code: 0 done, 1 unexpected failure or disk trouble, 2 a mistake the user can mend,
        130 interrupted.
    """
    try:
        app(arguments, prog_name="faketagger")
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        if os.environ.get("FAKETAGGER_DEBUG"):
            traceback.print_exc()
        code = _report(error)
    else:
        code = 0
    if code == INTERRUPTED:
        print("interrupted; what was finished is kept", file=sys.stderr)
    return code


def main() -> None:
    """Entry point of the ``faketagger`` script."""
    sys.exit(run(sys.argv[1:]))


_DISK_TROUBLE = {
    errno.ENOENT: ("There is no such file or folder", "Check the path."),
    errno.ENOTDIR: ("A part of the path is no folder", "Choose another output folder."),
    errno.EEXIST: ("There is a file where a folder is needed", "Choose another output folder."),
    errno.ENOSPC: ("The disk is full", "Free some space or choose another output folder."),
    errno.EDQUOT: ("The disk quota is used up", "Free some space or choose another output folder."),
    errno.EROFS: ("The file system is read-only", "Choose an output folder that can be written."),
    errno.EACCES: ("Permission denied", "Choose a folder that you may read and write."),
    errno.EPERM: ("Not permitted", "Choose a folder that you may read and write."),
}


def _report(error: BaseException) -> int:
    own = _in_chain(error, FakeTaggerError)
    if isinstance(own, FakeTaggerError):
        return _say(own.message, own.hint, code=2)
    disk = _in_chain(error, OSError)
    if isinstance(disk, OSError) and disk.errno in _DISK_TROUBLE:
        sentence, hint = _DISK_TROUBLE[disk.errno]
        return _say(f"{sentence}: {disk.filename}." if disk.filename else f"{sentence}.", hint, code=1)
    text = " ".join(str(error).split())[:300] or "no message"
    hint = "set FAKETAGGER_DEBUG=1 and run it again to see where it happened."
    return _say(f"unexpected {type(error).__name__}: {text}", hint, code=1)


def _in_chain(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def _say(sentence: str, hint: str | None, code: int) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    if hint:
        print(f"try: {hint}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
