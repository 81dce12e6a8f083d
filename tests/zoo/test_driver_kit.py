"""The driver's side of the contract: the kit, and that every adapter of this repository speaks it."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zoo_driver

from faketagger.zoo import Adapter, find_adapters
from faketagger.zoo.manifest import KIT

ADAPTERS = find_adapters()


def _run(adapter: Adapter, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(adapter.driver), *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_driver_says_how_it_is_called(name: str, tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"contract": 1}))
    for arguments in ([], ["apply"], ["train", str(tmp_path / "job.json")]):
        done = _run(ADAPTERS[name], *arguments)
        assert done.returncode != 0
        assert "usage: driver.py" in done.stderr
    assert ("prepare|apply" in done.stderr) == bool(ADAPTERS[name].manifest.facesets)


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_driver_refuses_another_contract(name: str, tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"contract": 2}))
    phase = "apply" if ADAPTERS[name].manifest.kind == "attack" else "embed"
    done = _run(ADAPTERS[name], phase, str(tmp_path / "job.json"))
    assert done.returncode != 0
    assert "contract 2 is not spoken here" in done.stderr
    assert done.stdout == ""


def test_a_job_goes_to_its_phase_and_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = {"contract": 1, "seed": 3}
    (tmp_path / "job.json").write_text(json.dumps(job))
    seen = []
    zoo_driver.run(["apply", str(tmp_path / "job.json")], apply=seen.append)
    assert seen == [job]
    assert json.loads(capsys.readouterr().out) == {"event": "done"}


def test_a_phase_that_fails_is_not_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"contract": 1}))

    def fail(job: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        zoo_driver.run(["apply", str(tmp_path / "job.json")], apply=fail)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7)])
def test_pictures_come_back_as_they_were(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    zoo_driver.write_png(pixels, tmp_path / "b.png")
    (tmp_path / "notes.txt").touch()
    zoo_driver.write_png(pixels, tmp_path / "a.PNG")
    assert [path.name for path in zoo_driver.pictures_in(tmp_path)] == ["a.PNG", "b.png"]
    read = zoo_driver.read_rgb(tmp_path / "b.png")
    assert (read == (pixels if pixels.ndim == 3 else pixels[..., None])).all()


def test_threads_are_what_the_runner_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert zoo_driver.threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert zoo_driver.threads() == 1


@pytest.mark.parametrize("path", sorted(KIT.glob("*.py")), ids=lambda path: path.stem)
def test_the_kit_needs_nothing_of_faketagger(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not any(name.startswith("faketagger") for name in names)
