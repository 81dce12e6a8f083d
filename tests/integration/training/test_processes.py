"""Several processes are one run: what they learn is what one process learns that takes their parts in turns."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from faketagger.cli.main import run
from faketagger.config import load_config
from faketagger.places import repository_root
from faketagger.training.config import TrainConfig
from faketagger.training.ray_engine import train_on_ray
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


def _start(words: list[str], out: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "faketagger.cli.main", *words, "--out", str(out)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, start_new_session=True)


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


def _programs(folder: Path) -> str:
    """A PATH whose ``srun`` starts two tasks as SLURM would, whose ``scontrol`` writes down what it is told."""
    folder.mkdir()
    programs = {
        "srun": """while [[ $1 == --* ]]; do shift; done
for rank in 0 1; do SLURM_PROCID=$rank SLURM_LOCALID=$rank SLURM_NODEID=0 "$@" & tasks+=($!); done
status=0; for task in "${tasks[@]}"; do wait "$task" || status=$?; done; exit $status""",
        "faketagger": f'exec {sys.executable} -m faketagger.cli.main "$@"',
        "scontrol": f'echo "$@" >> {folder}/asked',
    }
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/bash\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_two_processes_under_slurm_equal_one(one_process: Path, words: list[str], tmp_path: Path) -> None:
    job = {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "SLURM_JOB_ID": "7301",
           "SLURM_JOB_NAME": "faketagger", "SLURM_NODELIST": "127.0.0.1"}  # fmt: skip
    job["PATH"] = _programs(tmp_path / "bin")
    script = repository_root() / "experiments" / "train" / "slurm.sbatch"
    command = ["bash", str(script), *words[1:], "--out", str(tmp_path)]
    done = subprocess.run(command, env={**os.environ, **job}, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("written to") == 1
    _assert_same(one_process, tmp_path)
    numbers = [load_metrics(folder) for folder in (one_process, tmp_path)]
    assert numbers[0] == pytest.approx(numbers[1], abs=1e-4)
    assert not (tmp_path / "bin" / "asked").exists()


def _kill_a_worker_of_ray(out: Path, cache: Path, killed: list[int]) -> None:
    """Wait for the first checkpoint, kill one of the processes that train, keep the step that was saved."""
    deadline = time.monotonic() + 300
    while not (out / LAST).is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            training = b"TrainWorker" in (process / "cmdline").read_bytes()
            if training and str(cache).encode() in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
                last = read_last(out)
                killed.append(last["global_step"] if last else 0)
                return
        except OSError:  # it has just ended
            continue


def test_two_workers_of_ray_one_of_them_killed_equal_one_process(
    one_process: Path, words: list[str], tmp_path: Path, cache: Path
) -> None:
    pytest.importorskip("ray")
    killed: list[int] = []
    killer = threading.Thread(target=_kill_a_worker_of_ray, args=(tmp_path, cache, killed))
    killer.start()
    outcome = train_on_ray(load_config(words[1], TrainConfig, [*words[2:], *TWO]), tmp_path)
    killer.join()
    assert len(killed) == 1
    assert killed[0] < STEPS
    assert outcome.metrics == pytest.approx(load_metrics(one_process), abs=1e-4)
    _assert_same(one_process, tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["trainer.strategy=fsdp"], "shards networks"),
        (["trainer.accumulate_grad_batches=3"], "cannot be divided evenly"),
        (["trainer.strategy=horovod"], "'trainer.strategy' is 'horovod'"),
    ],
)
def test_what_cannot_be_divided_is_one_sentence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], sentence: str
) -> None:
    assert run([*words, *changes, "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told


def load_metrics(folder: Path) -> dict[str, float]:
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
