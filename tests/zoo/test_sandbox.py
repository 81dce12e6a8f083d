"""Which walls are chosen, and what is said when the good ones are not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faketagger.errors import AdapterError
from faketagger.zoo.sandbox import _bubblewrap_problem, choose


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    _bubblewrap_problem.cache_clear()
    yield
    _bubblewrap_problem.cache_clear()


def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    walls = choose()
    assert (walls.kind, walls.network_blocked, walls.read_only) == ("rlimits", False, False)
    assert "not installed" in walls.note
    with pytest.raises(AdapterError, match="no bubblewrap sandbox") as caught:
        choose("bubblewrap")
    assert "apt-get install bubblewrap" in (caught.value.hint or "")


def test_installed_but_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose().kind == "rlimits"
    assert "No permissions to create new namespace" in choose().note


def test_asked_for() -> None:
    assert choose("rlimits").note == "asked for"
