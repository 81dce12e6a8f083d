"""The command line: quick help, one sentence for every failure."""

import errno
import resource
import subprocess
import sys
import types

import pytest

from faketagger.cli.lazy import CommandSource, LazyCommand, LazyGroup
from faketagger.cli.main import run
from faketagger.errors import DataError

COMMANDS = dict(LazyGroup.sources)
HEAVY = {"torch", "pytorch_lightning", "pandas", "matplotlib", "numpy", "PIL"}


def test_help_takes_less_than_a_second() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "faketagger.cli.main", "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 1.0


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from faketagger.cli.main import run; code = run(['--help']);"
        f"heavy = {HEAVY!r} & set(sys.modules); sys.exit(code or ' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_answers_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"faketagger {name}" in capsys.readouterr().out


def _failing(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> int:
    module = types.ModuleType("failing_command")

    def fail() -> None:
        raise failure

    module.fail = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "failing_command", module)
    monkeypatch.setattr(LazyGroup, "sources", {"fail": CommandSource("failing_command:fail", "Fails.")})
    monkeypatch.delenv("FAKETAGGER_DEBUG", raising=False)
    return run(["fail"])


def test_own_errors_give_sentence_and_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _failing(monkeypatch, DataError("The folder is empty.", "Put pictures there.")) == 2
    assert capsys.readouterr().err == "error: The folder is empty.\ntry: Put pictures there.\n"


def test_own_errors_are_found_behind_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrapped = RuntimeError("worker died")
    wrapped.__cause__ = DataError("The folder is empty.")
    assert _failing(monkeypatch, wrapped) == 2
    assert capsys.readouterr().err == "error: The folder is empty.\n"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "The disk is full: out.png."), (errno.EROFS, "The file system is read-only: out.png.")],
)
def test_disk_trouble_is_one_sentence(
    number: int, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _failing(monkeypatch, OSError(number, "x", "out.png")) == 1
    assert capsys.readouterr().err.startswith(f"error: {sentence}\ntry: ")


def test_interruption_exits_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _failing(monkeypatch, KeyboardInterrupt()) == 130
    assert "what was finished is kept" in capsys.readouterr().err


def test_unexpected_errors_show_no_traceback_unless_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _failing(monkeypatch, ZeroDivisionError("by zero")) == 1
    err = capsys.readouterr().err
    assert "error: unexpected ZeroDivisionError: by zero" in err
    assert "FAKETAGGER_DEBUG=1" in err
    assert "Traceback" not in err
    monkeypatch.setenv("FAKETAGGER_DEBUG", "1")
    assert run(["fail"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_unknown_commands_and_options_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tagg"]) == 2
    assert run(["--nonsense"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_command_is_imported_only_when_it_runs() -> None:
    command = LazyCommand("gone", CommandSource("no_such_module:gone", "Not there."))
    assert command.help == "Not there."
    with pytest.raises(ModuleNotFoundError):
        command.load()
