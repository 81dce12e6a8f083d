"""Whatever a tool does, the runner names it, nothing of it stays, and the caller goes on."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faketagger.zoo import AttackRun, apply
from faketagger.zoo.watch import marked

Make = Callable[..., Path]


def attack(folder: Path, pictures: list[Path], out: Path, walls: str) -> AttackRun:
    run = apply(folder, pictures, out, seed=1, sandbox=walls)  # type: ignore[arg-type]
    assert run.run is not None
    assert run.run.sandbox.kind == walls
    return run


def test_well_behaved(adapter: Make, pictures: list[Path], tmp_path: Path, walls: str) -> None:
    run = attack(adapter("well_behaved"), pictures, tmp_path / "out", walls)
    assert run.run is not None
    assert (run.run.outcome, run.run.reason) == ("finished", None)
    for image in run.images:
        assert image.status == "attacked"
        assert image.output is not None
        assert image.psnr_db is not None
        before, after = np.asarray(Image.open(image.input)), np.asarray(Image.open(image.output))
        assert before.shape == after.shape
        assert image.changed == pytest.approx((before != after).any(axis=2).mean())


@pytest.mark.parametrize(
    ("behaviour", "limits", "outcome", "words"),
    [
        ("hanging", {"silence_s": 1}, "silent", "said nothing for 1 s"),
        ("chattering", {"wall_s": 1}, "wall_limit", "longer than 1 s"),
        ("killed", {}, "crashed", "SIGSEGV"),
        ("silent_liar", {}, "incomplete", "exit code 0 without having said done"),
        ("flooding", {}, "flooded", "printed more than 16 MB"),
        ("eating_memory", {}, "memory_limit", "memory"),
        ("grabbing_memory", {}, "memory_limit", "memory"),
        ("fork_bomb", {}, "process_limit", "more than 12 processes"),
        ("filling_disk", {}, "disk_limit", "disk"),
        ("filling_slowly", {}, "disk_limit", "more than 20 MB"),
        ("trespassing", {}, "trespass", "outside its folder"),
        ("changing_inputs", {}, "trespass", "outside its folder"),
        ("asking", {}, "crashed", "asked a question"),
        ("asking_the_terminal", {}, "crashed", "asked a question"),
        ("dead_helpers", {"silence_s": 2}, "silent", "said nothing for 2 s"),
    ],
)
def test_named(
    adapter: Make,
    pictures: list[Path],
    tmp_path: Path,
    walls: str,
    behaviour: str,
    limits: dict[str, float],
    outcome: str,
    words: str,
) -> None:
    started = time.monotonic()
    run = attack(adapter(behaviour, limits=limits), pictures, tmp_path / "out", walls)
    assert run.run is not None
    assert run.run.outcome == outcome
    assert words in (run.run.reason or "")
    assert all(image.status == "failed" and words in (image.reason or "") for image in run.images)
    assert not list((tmp_path / "out").glob("*.png"))
    assert time.monotonic() - started < 25
    assert run.log is not None
    assert run.log.stat().st_size < 2**21


@pytest.mark.parametrize(
    ("behaviour", "status", "words"),
    [
        ("lying", "failed", "says attacked, but its output is missing"),
        ("copying", "passed_through", "equals the input"),
        ("garbage_output", "failed", "cannot be decoded"),
        ("flat_output", "failed", "one flat colour"),
        ("white_garbage", "failed", "nearly all white"),
        ("doing_nothing", "failed", "never reported on it"),
        ("wrong_size", "failed", "2x2 pixels instead of"),
        ("linking", "failed", "cannot be opened"),
    ],
)
def test_word_against_file(
    adapter: Make, pictures: list[Path], tmp_path: Path, walls: str, behaviour: str, status: str, words: str
) -> None:
    run = attack(adapter(behaviour), pictures, tmp_path / "out", walls)
    assert run.run is not None
    assert run.run.outcome == "finished"
    for image in run.images:
        assert image.status == status
        assert words in (image.reason or "")


def test_a_tool_whose_helpers_have_died_is_seen_to_wait(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    run = apply(adapter("dead_helpers", limits={"silence_s": 2}), pictures, tmp_path / "out")
    assert run.run is not None
    found = re.search(r"\((\d+) processes alive, (\d\.\d) s of CPU meanwhile\)", run.run.reason or "")
    assert found
    assert int(found[1]) >= 2
    assert float(found[2]) < 0.5
    assert run.log is not None
    assert "ZeroDivisionError" in run.log.read_text()


def test_crash_keeps_what_was_finished(adapter: Make, pictures: list[Path], tmp_path: Path, walls: str) -> None:
    run = attack(adapter("crashing"), pictures, tmp_path / "out", walls)
    assert [image.status for image in run.images] == ["attacked", "failed", "failed"]
    assert "RuntimeError: the model fell over" in (run.images[1].reason or "")


def test_network(adapter: Make, pictures: list[Path], tmp_path: Path, walls: str) -> None:
    run = attack(adapter("phoning_home"), pictures, tmp_path / "out", walls)
    assert run.run is not None
    assert run.run.outcome == "crashed"
    assert run.run.sandbox.network_blocked == (walls == "bubblewrap")
    if walls == "bubblewrap":
        assert "asked for the network" in (run.run.reason or "")


def test_garbage_between_events(adapter: Make, pictures: list[Path], tmp_path: Path, walls: str) -> None:
    run = attack(adapter("babbling"), pictures, tmp_path / "out", walls)
    assert [image.status for image in run.images] == ["attacked"] * 3
    assert run.run is not None
    assert run.run.outcome == "finished"


@pytest.mark.parametrize("behaviour", ["leaving_children", "fork_bomb"])
def test_nothing_outlives_the_run(
    adapter: Make, pictures: list[Path], tmp_path: Path, walls: str, behaviour: str
) -> None:
    folder = adapter(behaviour, environment={"variables": {"FAKETAGGER_TEST": tmp_path.name}})
    attack(folder, pictures, tmp_path / "out", walls)
    deadline = time.monotonic() + 3
    while marked(f"FAKETAGGER_TEST={tmp_path.name}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(f"FAKETAGGER_TEST={tmp_path.name}") == []


def test_no_secret_reaches_the_tool(
    cache: Path, adapter: Make, pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_TOKEN", "secret")
    folder = adapter("well_behaved")
    (folder / "driver.py").write_text("import os\nprint(sorted(os.environ))\n")
    run = apply(folder, pictures, tmp_path / "out")
    assert run.log is not None
    text = run.log.read_text()
    assert "FAKETAGGER_JOB" in text
    assert "MY_API_TOKEN" not in text
