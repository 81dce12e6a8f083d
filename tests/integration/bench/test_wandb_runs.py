"""The W&B runs of a benchmark, read back from disk: layout, axes, tables, artifacts, and a workspace that fits them."""

import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import pytest
import wandb

from faketagger import tracking
from faketagger.bench import wandb_tables
from faketagger.bench.page import load_run
from faketagger.bench.strips import Face
from faketagger.bench.wandb_log import Logged, RunWriter
from faketagger.errors import FakeTaggerError
from tests.helpers.made_runs import make_run
from tests.helpers.wandb_runs import OfflineRun, contents, read_runs

OWN = {"_step", "_runtime", "_timestamp"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[OfflineRun]:
    """The benchmark's run and those of its attacks."""
    root = make_run(tmp_path_factory.mktemp("runs") / "one", "ours", pictures=8)
    weights = root / "model.safetensors"
    weights.write_bytes(b"weights")
    source = load_run(root)
    faces = [Face(**face) for face in json.loads((root / "state.json").read_text())["shown"]]
    with RunWriter(root, "made-v1", "ours", {"made": True}) as writer:
        writer.open()
        writer.write(Logged(root, source.summary, source.records, faces, source.timings, [weights]))
    return read_runs(root)


def test_all_runs_share_one_layout(runs: list[OfflineRun]) -> None:
    bench, *attacks = runs
    assert len(attacks) == 7
    assert (bench.header["run_group"], bench.header["job_type"]) == ("ours", "bench")
    assert (bench.told["state"], bench.told["config"]["made"]) == ("finished", True)
    tool = attacks[-1]
    assert (tool.header["run_group"], tool.header["job_type"]) == ("ours", "attack")
    assert set(tool.header["tags"]) == {"ours", "attack", "made-v1", "synthesis", "black box", "carrier"}
    assert tool.told["config"]["attack"] == "realesrgan"
    assert tool.told["summary"]["frame/failed"] == 1


def test_every_curve_has_an_axis_of_its_own(runs: list[OfflineRun]) -> None:
    for run in (runs[0], runs[-1]):
        logged = [set(row) - OWN for row in run.history]
        for row in logged:
            curves = {name for name in row if not name.startswith(("tables/", "charts/"))}
            for name in curves - set(run.axes.values()):
                axis = next(axis for metric, axis in run.axes.items() if fnmatch.fnmatch(name, metric))
                assert axis in row, name
    severities = [row["severity/jpeg/severity"] for row in runs[0].history if "severity/jpeg/severity" in row]
    assert severities == [30, 50, 90]
    found = [row["roc/frame"] for row in runs[-1].history if "roc/frame" in row]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_tables_hold_few_pictures_and_the_artifact_all_records(
    runs: list[OfflineRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = runs[0]
    pictures, files = bench.table("tables/pictures")
    assert [row[1] for row in pictures[:4]] == ["original", "tagged", "residual × 10", "align and warp only"]
    assert {row[2]["path"] for row in pictures} <= set(files)
    assert len(pictures) == 2 * (3 + 6) - 1
    results = contents(bench.artifacts["benchmark"])
    root = bench.folder.parents[1]
    assert results["records.parquet"].read_bytes() == (root / "records.parquet").read_bytes()
    source, faces = load_run(root), [Face(**face) for face in json.loads((root / "state.json").read_text())["shown"]]
    monkeypatch.setattr(wandb_tables, "MOST_PICTURES", 10)
    assert len(wandb_tables.picture_table(root, faces, source.summary, source.records).data) == 10


def test_artifacts_have_types_aliases_and_no_photographs(runs: list[OfflineRun]) -> None:
    artifacts = runs[0].artifacts
    assert set(artifacts) == {"model", "dataset", "benchmark"}
    assert set(artifacts["benchmark"]["aliases"]) == {"latest", "ours"}
    assert contents(artifacts["model"])["model.safetensors"].read_bytes() == b"weights"
    (name, path), *rest = contents(artifacts["dataset"]).items()
    assert (name, rest) == ("faces.csv", [])
    assert path.read_text().splitlines()[:2] == ["picture,identity", "p00000.png,person 0"]
    assert json.loads(artifacts["dataset"]["metadata"])["digest"] == "1" * 64


def test_the_same_weights_are_the_same_version_for_training_and_benchmark(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"w")
    one, other = (tracking.model_artifact("m", [tmp_path / "weights"], facts) for facts in ({"a": 1}, {"b": 2}))
    assert one.digest == other.digest
    assert tracking.model_artifact("m", [], {"a": 1}).digest != one.digest


def test_a_server_that_cannot_be_had_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(**_: Any) -> None:
        raise wandb.errors.CommError("no route to\nhost")

    monkeypatch.setattr(wandb, "init", refuse)
    with pytest.raises(FakeTaggerError, match="no route to host") as told:
        tracking.start("bench", "m", "m", [], {}, tmp_path)
    assert "wandb sync" in str(told.value.hint)


def test_the_workspace_names_what_is_logged(runs: list[OfflineRun]) -> None:
    pytest.importorskip("wandb_workspaces", reason="pip install 'faketagger[dashboard]'")
    from faketagger.tracking.workspace import build_workspace, metrics_of

    workspace = build_workspace("somebody", "faketagger")
    spec = json.loads(workspace._to_model().model_dump_json(by_alias=True))
    assert spec["entity"] == "somebody"
    named = metrics_of(workspace)
    logged = {
        name
        for run in (runs[0], runs[-1])
        for name in [*run.told["summary"], *(key for row in run.history for key in row)]
    }
    bench = {name for name in named if not re.match(r"train|val|pictures", name)}
    assert bench <= logged
    assert {name for name in named if name.startswith(("train", "val"))}
