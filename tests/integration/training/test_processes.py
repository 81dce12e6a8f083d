"""Several processes are one run: what they learn is what one process learns that takes their parts in turns."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from faketagger.config import load_config
from faketagger.errors import ConfigError
from faketagger.training.config import TrainConfig
from faketagger.training.resumption import LAST, read_last
from faketagger.training.run import train

STEPS = 4
TWO = ["trainer.devices=2"]
TURNS = ["trainer.accumulate_grad_batches=2"]


@pytest.fixture
def words(smoke: list[str]) -> list[str]:
    """A short run of every stage whose batches of two faces come in two parts."""
    brief = ["data.batch_size=2", f"trainer.max_steps={STEPS}", "trainer.validate_every=2", "trainer.save_every=1"]
    brief += ["data.val_share=0.34", "data.test_share=0"]
    return [*smoke, *brief, "trainer.logger=csv", "trainer.accelerator=cpu", "tagger.critic_weight=0.1"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alone")


@pytest.fixture
def one_process(alone: Path, words: list[str]) -> Path:
    """Folder of the whole run in one process, two turns a step."""
    if not (alone / LAST).is_file():
        train(load_config(words[1], TrainConfig, [*words[2:], *TURNS]), alone)
    return alone


def _start(words: list[str], out: Path, **environment: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "faketagger.cli.main", *words, "--out", str(out)]
    return subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def _assert_same(one: Path, other: Path, tolerance: float = 1e-5) -> None:
    first: dict[str, Any] | None = read_last(one)
    second: dict[str, Any] | None = read_last(other)
    assert first is not None
    assert second is not None
    assert first["global_step"] == second["global_step"] == STEPS
    assert first["FaceDataModule"] == second["FaceDataModule"] == {"batches_used": STEPS}
    assert first["curriculum"] == pytest.approx(second["curriculum"])
    assert first["curriculum"]["stage"] == "quality"
    for name, tensor in first["state_dict"].items():
        torch.testing.assert_close(tensor, second["state_dict"][name], rtol=0, atol=tolerance, msg=name)


def test_two_processes_equal_one(one_process: Path, words: list[str], tmp_path: Path) -> None:
    process = _start([*words, *TWO], tmp_path)
    told, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors.decode()
    assert told.decode().count("written to") == 1
    _assert_same(one_process, tmp_path)
    assert (tmp_path / "metrics.json").read_text() != ""
    numbers = [load_metrics(folder) for folder in (one_process, tmp_path)]
    assert numbers[0] == pytest.approx(numbers[1], abs=1e-4)


def load_metrics(folder: Path) -> dict[str, float]:
    import json

    values: dict[str, float] = json.loads((folder / "metrics.json").read_text())
    return values


def test_a_lost_worker_loses_no_step(one_process: Path, words: list[str], tmp_path: Path) -> None:
    process = _start([*words, *TWO], tmp_path)
    deadline = time.monotonic() + 600
    while not (tmp_path / LAST).is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    _, errors = process.communicate(timeout=600)
    assert process.returncode != 0
    assert b"Traceback" not in errors
    last = read_last(tmp_path)
    assert last is not None
    assert last["global_step"] < STEPS
    outcome = train(load_config(words[1], TrainConfig, [*words[2:], *TURNS]), tmp_path)
    assert outcome.began_at == last["global_step"]
    _assert_same(one_process, tmp_path)
