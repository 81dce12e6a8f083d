"""``faketagger sweep`` as people call it: kills, failures, both engines, every shipped file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from faketagger.cli.main import run
from faketagger.config import load_config
from faketagger.places import repository_root
from faketagger.sweep.one import shipped
from faketagger.sweep.schema import load_sweep
from faketagger.sweep.search import Search
from faketagger.sweep.trials import SweepFolder, Trial
from faketagger.sweep.words import trial_words
from faketagger.training.config import TrainConfig
from tests.helpers.toy_sweep import toy_sweep

SHIPPED = sorted((repository_root() / "experiments" / "sweeps").glob("*.yaml"))


def _shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["sweep", "show", str(folder), "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def _what(board: dict[str, Any]) -> list[Any]:
    return [(trial["id"], trial["state"], trial["parameters"], trial["metric"]) for trial in board["trials"]]


def _trial_processes(folder: Path) -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if str(folder).encode() in _environment(path)]


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


@pytest.mark.slow
def test_twenty_trials_with_kills_end_as_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = toy_sweep(tmp_path)
    assert run(["sweep", str(file), "--out", str(tmp_path / "straight")]) == 0
    straight = _shown(tmp_path / "straight", capsys)
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "faketagger.cli.main", "sweep", str(file), "--engine", "local", "--out", str(out)]
    slow = {**os.environ, "TOY_SECONDS": "0.2"}
    for blow, results in ((signal.SIGKILL, 3), (signal.SIGKILL, 8), (signal.SIGTERM, 12), (signal.SIGINT, 15)):
        with subprocess.Popen(command, env=slow, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 120
            while len(list(out.glob("trials/*/result.json"))) < results and time.monotonic() < deadline:
                time.sleep(0.02)
            assert process.poll() is None
            process.send_signal(blow)
            assert process.wait(60) != 0
    while _trial_processes(out) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _trial_processes(out) == []
    unfinished = [trial for trial in SweepFolder(out).trials() if not trial.settled]
    assert len(unfinished) <= 2
    assert run(["sweep", str(file), "--out", str(out)]) == 0
    assert "trials were there already" in capsys.readouterr().out
    killed = _shown(out, capsys)
    assert killed["counts"] == {"finished": 20}
    assert _what(killed) == _what(straight)
    assert killed["best"] == straight["best"]
    assert killed["trials"][0]["metric"] < 0.05
    before = [path.stat().st_mtime_ns for path in sorted(out.glob("trials/*/result.json"))]
    assert run(["sweep", str(file), "--out", str(out)]) == 0
    assert [path.stat().st_mtime_ns for path in sorted(out.glob("trials/*/result.json"))] == before


@pytest.mark.slow
def test_ray_draws_and_ends_as_local_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = toy_sweep(tmp_path, run_cap=3)
    for engine in ("local", "ray"):
        assert run(["sweep", str(file), "--engine", engine, "--out", str(tmp_path / engine)]) == 0
    local, ray = (_shown(tmp_path / engine, capsys) for engine in ("local", "ray"))
    assert local["counts"] == {"finished": 3}
    assert _what(ray) == _what(local)


def test_failed_trials_say_why_and_are_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = {"x": {"values": [0, 1, 2]}, "y": {"value": 0}}
    file = toy_sweep(tmp_path, method="grid", run_cap=None, parameters=parameters)
    monkeypatch.setenv("TOY_BREAKS_ABOVE", "0.5")
    assert run(["sweep", str(file), "--out", str(tmp_path / "out"), "--parallel", "1"]) == 0
    board = _shown(tmp_path / "out", capsys)
    assert [(t["id"], t["state"], t["reason"]) for t in board["trials"]] == [
        ("0000", "finished", None),
        ("0001", "failed", "x is too large"),
        ("0002", "failed", "x is too large"),
    ]
    monkeypatch.delenv("TOY_BREAKS_ABOVE")
    assert run(["sweep", str(file), "--out", str(tmp_path / "out")]) == 0
    board = _shown(tmp_path / "out", capsys)
    assert (board["counts"], board["best"]) == ({"finished": 3}, "0001")


@pytest.mark.parametrize(
    ("changes", "words", "sentence"),
    [
        ({"command": ["/no/such/program"]}, [], "The first 2 trials have failed: /no/such/program cannot be started"),
        ({"metric": {"name": "lose"}}, [], "The metric 'lose' was not measured. Nearest: 'loss'."),
        ({"command": ["faketagger", "sweep", "trail"]}, [], "There is no sweep file trail"),
        ({}, ["--engine", "wandb"], "--engine wandb needs a W&B account and its key"),
    ],
    ids=["no program", "no metric", "no command", "no key"],
)
def test_mistakes_are_one_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    words: list[str],
    sentence: str,
) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("faketagger.sweep.process._PRELOAD", [])
    file = toy_sweep(tmp_path, **changes)
    assert run(["sweep", str(file), "--out", str(tmp_path / "out"), *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told


def test_a_folder_holds_one_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, out = load_sweep(toy_sweep(tmp_path)), tmp_path / "out"
    SweepFolder(out).begin(first, 0, 2)
    for words, what in ((["--seed", "1"], "seed"), (["--parallel", "3"], "parallel")):
        assert run(["sweep", str(tmp_path / "toy.yaml"), "--out", str(out), *words]) == 2
        assert f"holds a sweep with another {what}" in capsys.readouterr().err
    assert run(["sweep", str(toy_sweep(tmp_path, run_cap=3)), "--out", str(out)]) == 2
    assert "another sweep file" in capsys.readouterr().err
    with SweepFolder(out).held():
        assert run(["sweep", str(toy_sweep(tmp_path)), "--out", str(out)]) == 2
    assert "Another call is working on" in capsys.readouterr().err


def _drawn(path: Path, number: int) -> list[str]:
    """Words of a trial of a shipped file, behind ``faketagger``."""
    config = load_sweep(path)
    coordinates, parameters = Search(config, 0).propose(number, [])
    words = trial_words(config, Trial("0", number, parameters, coordinates))
    assert words[:4] == ["/usr/bin/env", "faketagger", "sweep", "trial"]
    return words[2:]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_draws_trainings_that_fit(path: Path) -> None:
    for number in range(min(Search(load_sweep(path), 0).total, 12)):
        words = _drawn(path, number)
        training = shipped(Path(words[words.index("--train") + 1]))
        words = [word for word in words if not word.startswith("tagger.start_from=")]
        overrides = [word.replace("=None", "=null") for word in words if "=" in word]
        assert load_config(training, TrainConfig, overrides).tagger is not None
        assert shipped(Path(words[words.index("--bench") + 1])).is_file()


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in SHIPPED if path.stem != "smoke"], ids=lambda path: path.stem)
def test_every_shipped_file_trains(path: Path, tmp_path: Path, few_faces: list[str]) -> None:
    words = _drawn(path, Search(load_sweep(path), 0).total - 1)
    words = [word for word in words if not word.startswith("tagger.start_from=")]
    place = words.index("--bench")
    brief = ["data.batch_size=2", "trainer.max_steps=1", "trainer.validate_every=1"]
    assert run([*words[:place], *words[place + 2 :], *few_faces, *brief, "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "metrics.json").read_text())["val/psnr_db"] > 5


@pytest.mark.slow
def test_a_trial_of_the_smoke_sweep_on_ray_is_one_wandb_run_with_its_checkpoint_and_its_benchmark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository_root() / "experiments" / "sweeps" / "smoke.yaml").read_text()
    file = tmp_path / "smoke.yaml"
    file.write_text(text.replace("run_cap: 20", "run_cap: 2"))
    assert run(["sweep", str(file), "--engine", "ray", "--out", str(tmp_path / "out")]) == 0
    trial, other = _shown(tmp_path / "out", capsys)["trials"]
    assert trial["state"] == other["state"] == "finished"
    assert trial["metric"] >= other["metric"]
    assert trial["parameters"] != other["parameters"]
    assert trial["metric"] == trial["metrics"]["bench/bit_accuracy"]
    assert {"val/bits/none", "bench/psnr_db", "bench/jpeg-50/frame/bit_accuracy"} <= set(trial["metrics"])
    folder = Path(trial["folder"])
    (offline,) = folder.glob("**/offline-run-*")
    command = [Path(sys.executable).with_name("wandb"), "leet", "inspect", "--summary", "--json", offline]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout)
    assert told["state"] == "finished"
    assert told["config"]["trial"] == trial["parameters"]
    assert told["summary"]["bench/bit_accuracy"] == pytest.approx(trial["metric"])
    recorded = b"".join(path.read_bytes() for path in offline.glob("*.wandb"))
    for name in (b"bench-faketagger-sweep-smoke-v1", b"model.safetensors", b"records.parquet"):
        assert name in recorded
    assert run(["sweep", "show", str(tmp_path / "out")]) == 0
    assert "<svg" in (tmp_path / "out" / "sweep.html").read_text()


@pytest.mark.slow
def test_a_trial_that_falls_behind_is_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], few_faces: list[str]
) -> None:
    file = tmp_path / "stops.yaml"
    values = {
        "name": "stops",
        "method": "grid",
        "metric": {"name": "val/psnr_db", "goal": "maximize"},
        "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 2},
        "parameters": {"tagger.curriculum.start_psnr": {"values": [24.0, 14.0]}},
        "command": [
            "faketagger", "sweep", "trial", "--train", "experiments/train/smoke.yaml", "${args_no_hyphens}",
            *few_faces, "trainer.max_steps=3", "trainer.validate_every=1", "data.batch_size=2",
        ],
    }  # fmt: skip
    file.write_text(json.dumps(values))
    assert run(["sweep", str(file), "--out", str(tmp_path / "out"), "--parallel", "1"]) == 0
    good, behind = _shown(tmp_path / "out", capsys)["trials"]
    assert (good["state"], behind["state"]) == ("finished", "stopped")
    assert good["metric"] > 22 > 16 > behind["metric"]
    assert [len(SweepFolder(tmp_path / "out").trials()[n].iterations) for n in (0, 1)] == [3, 1]
