"""External tools as black boxes: run beside the white ones, missing ones named, stopped ones gone."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faketagger.zoo import install
from tests.helpers.rogue_adapters import BEHAVIOURS, make_adapter

Bench = Callable[..., dict[str, Any]]
TWINS = [
    {"attack": "noise", "view": "frame", "pair": "twins"},
    {"attack": "rogue", "box": "black", "view": "frame", "pair": "twins"},
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def adapter(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes the adapter ``rogue`` with a behaviour, and lets it be found."""
    monkeypatch.setenv("FAKETAGGER_CACHE", str(cache))
    monkeypatch.setenv("FAKETAGGER_ADAPTERS", str(tmp_path / "adapters"))

    def make(behaviour: str) -> Path:
        return make_adapter(tmp_path / "adapters" / "rogue", BEHAVIOURS[behaviour])

    return make


def row(summary: dict[str, Any], scenario: str) -> dict[str, Any]:
    return next(row for row in summary["scenarios"] if row["scenario"] == scenario)


def test_a_tool_runs_on_the_same_pictures_as_its_twin(bench: Bench, adapter: Callable[[str], Path]) -> None:
    install(adapter("well_behaved"))
    summary = bench(scenarios=TWINS)
    black = row(summary, "rogue/frame")
    assert (black["black_box"], black["attacked"], black["version"], black["family"]) == (True, 12, 1, "synthesis")
    assert black["ci_low"] <= 0.5 <= black["ci_high"] + 0.02
    gap = summary["gaps"][0]
    assert gap["ci_low"] > 0.3
    assert gap["n_images"] == 12


def test_a_tool_that_copies_is_caught(bench: Bench, adapter: Callable[[str], Path]) -> None:
    install(adapter("copying"))
    summary = bench(scenarios=TWINS)
    assert row(summary, "rogue/frame")["passed_through"] == 12
    assert any(f["flag"] == "attack_did_nothing" and f["scenario"] == "rogue/frame" for f in summary["flags"])


def test_a_tool_that_crashes_fails_its_pictures_and_nothing_else(bench: Bench, adapter: Callable[[str], Path]) -> None:
    install(adapter("crashing"))
    summary = bench(scenarios=TWINS)
    crashed = row(summary, "rogue/frame")
    assert crashed["failed"] >= 10
    assert crashed["attacked"] + crashed["failed"] == 12
    assert row(summary, "noise/frame")["bit_accuracy"] > 0.9


def test_a_missing_tool_is_a_row_with_its_command_and_runs_once_installed(
    bench: Bench, adapter: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "empty-cache"))
    folder = adapter("well_behaved")
    missing = row(bench(scenarios=TWINS), "rogue/frame")
    assert missing["status"] == "not run"
    assert missing["command"].startswith("faketagger zoo install")
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "parts").glob("*/*.parquet")}
    install(folder)
    assert row(bench(scenarios=TWINS), "rogue/frame")["attacked"] == 12
    assert parts == {path: path.stat().st_mtime_ns for path in parts}


def test_control_c_stops_the_tool_and_keeps_what_is_done(
    bench: Bench, adapter: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faketagger.bench.runner import Runner

    slow = "for image in images:\n    paint(image)\n    time.sleep(0.4)\nsay('done')\n"
    install(make_adapter(tmp_path / "adapters" / "rogue", slow))
    real, kept = Runner._keep, 0

    def interrupted(self: Runner, *values: Any) -> None:
        nonlocal kept
        if kept == 6:
            raise KeyboardInterrupt
        kept += 1
        real(self, *values)

    monkeypatch.setattr(Runner, "_keep", interrupted)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        bench(scenarios=TWINS)
    assert time.monotonic() - start < 60
    assert len(list((tmp_path / "out" / "parts").glob("*/*.parquet"))) == 6
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"adapters/rogue/driver.py" in _text(path)]


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes() if str(path.parent.name).isdigit() else b""
    except OSError:
        return b""
