"""``wandb sync`` sends what a benchmark left offline; a double of the server, which is not W&B's, says what arrived."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faketagger.bench.page import load_run
from faketagger.bench.strips import Face
from faketagger.bench.wandb_log import Logged, RunWriter
from tests.helpers.made_runs import make_run
from tests.helpers.wandb_double import ENTITY, KEY, Artifact, WandbDouble, wandb_double


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark's folder with its offline runs."""
    root = make_run(tmp_path_factory.mktemp("runs") / "one", "ours", pictures=4)
    source = load_run(root)
    faces = [Face(**face) for face in json.loads((root / "state.json").read_text())["shown"]]
    weights = root / "model.safetensors"
    weights.write_bytes(b"weights")
    with RunWriter(root, "made-v1", "ours", {"made": True}) as writer:
        writer.open()
        writer.write(Logged(root, source.summary, source.records, faces, source.timings, [weights]))
    return root


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WandbDouble]:
    """After everything was sent with the installed client."""
    with wandb_double() as double:
        home = tmp_path_factory.mktemp("home")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
        environment |= {"WANDB_BASE_URL": double.url, "WANDB_API_KEY": KEY, "HOME": str(home)}
        command = [Path(sys.executable).with_name("wandb"), "sync", *sorted((root / "wandb").glob("offline-run-*"))]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        yield double


def of_type(server: WandbDouble, kind: str) -> list[Artifact]:
    return [one for one in server.artifacts.values() if one.told["artifactTypeName"] == kind]


def test_nothing_is_asked_that_the_double_cannot_answer(server: WandbDouble) -> None:
    assert not server.unknown
    assert not server.refused


def test_all_runs_arrive_with_group_kind_and_tags(server: WandbDouble) -> None:
    bench = [run for run in server.runs.values() if run.told["jobType"] == "bench"]
    attacks = [run for run in server.runs.values() if run.told["jobType"] == "attack"]
    assert (len(bench), len(attacks)) == (1, 7)
    assert {run.told["groupName"] for run in server.runs.values()} == {"ours"}
    assert bench[0].config["made"] is True
    assert all({"ours", "attack", "made-v1"} <= set(run.told["tags"]) for run in attacks)
    assert all(run.exit_code == 0 for run in server.runs.values())


def test_curves_arrive_whole_and_on_their_own_axes(server: WandbDouble) -> None:
    bench = next(run for run in server.runs.values() if run.told["jobType"] == "bench")
    severities = [row["severity/jpeg/severity"] for row in bench.history if "severity/jpeg/severity" in row]
    assert severities == [30, 50, 90]
    assert bench.axes["severity/jpeg/*"] == "severity/jpeg/severity"
    assert bench.summary


def test_artifacts_arrive_committed_with_the_bytes_of_the_folder(server: WandbDouble, root: Path) -> None:
    results, model = of_type(server, "benchmark"), of_type(server, "model")
    assert len(results) == len(model) == 1
    assert all(one.committed for one in server.artifacts.values())
    assert results[0].files["records.parquet"] == (root / "records.parquet").read_bytes()
    assert model[0].files["model.safetensors"] == b"weights"
    assert set(results[0].aliases) == {"latest", "ours"}


def test_tables_arrive_with_their_pictures(server: WandbDouble) -> None:
    tables = [one for one in of_type(server, "run_table") if "tables/pictures.table.json" in one.files]
    assert len(tables) == 1
    rows = json.loads(tables[0].files["tables/pictures.table.json"])["data"]
    pictures = {cell["path"] for row in rows for cell in row if isinstance(cell, dict)}
    assert pictures
    assert pictures <= set(tables[0].files)


def test_the_workspace_is_saved_or_one_sentence_says_why_not(server: WandbDouble, tmp_path: Path) -> None:
    pytest.importorskip("wandb_workspaces", reason="pip install 'faketagger[dashboard]'")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    environment |= {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY, "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "faketagger.tracking.workspace"]
    options = {"env": environment, "capture_output": True, "text": True, "check": False, "timeout": 300}
    saved = subprocess.run([*command, ENTITY], **options)
    assert saved.returncode == 0, saved.stderr
    assert server.url in saved.stdout
    (view,) = server.views
    assert view["projectName"] == "faketagger"
    assert "val/" in view["spec"]
    refused = subprocess.run([*command, "another"], **options)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: W&B does not save the workspace: ")
    assert "Traceback" not in refused.stderr
