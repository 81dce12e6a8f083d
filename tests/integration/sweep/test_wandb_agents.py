"""``--engine wandb``: a double of the server, which is not W&B's, hands real trials to W&B's own agent."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from faketagger.places import repository_root
from tests.helpers.wandb_double import ENTITY, KEY, WandbDouble, wandb_double

SMOKE = repository_root() / "experiments" / "sweeps" / "smoke.yaml"


def _sweep(file: Path, out: Path, double: WandbDouble, home: Path) -> subprocess.CompletedProcess[str]:
    """The command as a user types it, with the double in W&B's place."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    environment |= {"WANDB_BASE_URL": double.url, "WANDB_API_KEY": KEY, "HOME": str(home), "NO_COLOR": "1"}
    environment |= {"FAKETAGGER_CACHE": os.environ.get("FAKETAGGER_CACHE", str(Path.home() / ".cache" / "faketagger"))}
    command = [sys.executable, "-m", "faketagger.cli.main", "sweep", str(file), "--engine", "wandb", "--out", str(out)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600, cwd=home)


def test_an_agent_runs_the_trials_that_the_server_draws(tmp_path: Path) -> None:
    values = {**yaml.safe_load(SMOKE.read_text()), "method": "grid"}
    del values["run_cap"]
    values["parameters"] = {"tagger.network.decoder_width": {"values": [8, 16]}}
    file, out = tmp_path / "grid.yaml", tmp_path / "out"
    file.write_text(yaml.safe_dump(values))
    with wandb_double() as double:
        done = _sweep(file, out, double, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"wandb agent {ENTITY}/faketagger/sweep0" in done.stdout
    assert list(double.sweeps) == ["sweep0"]
    assert not double.unknown
    assert not double.refused
    assert sorted(run.config["tagger"]["network"]["decoder_width"] for run in double.runs.values()) == [8, 16]
    for run in double.runs.values():
        assert (run.told["sweep"], run.told["jobType"], run.exit_code) == ("sweep0", "trial", 0)
        assert run.summary["bench/bit_accuracy"] > 0
        assert any("val/bits/none" in row for row in run.history)
    kinds = sorted(one.told["artifactTypeName"] for one in double.artifacts.values() if one.committed)
    assert kinds.count("model") == kinds.count("benchmark") == 2
    command = [sys.executable, "-m", "faketagger.cli.main", "sweep", "show", str(out), "--json"]
    shown = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert [trial["state"] for trial in shown["trials"]] == ["finished", "finished"]


def test_a_server_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    with wandb_double() as double:
        done = _sweep(SMOKE, tmp_path / "out", double, tmp_path)
    assert done.returncode != 0
    assert "W&B does not take the sweep" in done.stderr
    assert "Traceback" not in done.stderr
    assert "draws grids only" in double.refused[0]
