"""The leaderboard's own protocol as it is shipped: two faces, our watermark that needs no training."""

import json
from pathlib import Path

import pytest
from PIL import Image

from faketagger.cli.main import run
from faketagger.data.demo import demo_faces
from faketagger.places import repository_root

V1 = repository_root() / "experiments" / "bench" / "faketagger-v1.yaml"


def test_it_runs_whole_but_for_the_tool_that_is_not_installed_and_is_no_entry_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    for name, _, pixels in demo_faces(4)[:3:2]:
        Image.fromarray(pixels).save(faces / f"{name}.png")
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    assert run(["bench", str(V1), "--model", "spread", "--faces", str(faces), "--out", str(out)]) == 0
    rows = json.loads((out / "summary.json").read_text())["scenarios"]
    assert {row["attack"] for row in rows if row["status"] != "run"} == {"realesrgan"}
    measured = [row for row in rows if row["status"] == "run" and row["family"] != "control"]
    assert len({row["scenario"].rsplit("/", 1)[0] for row in measured}) == 17
    assert all(row["n_images"] == 2 and row["failed"] == 0 for row in measured)
    capsys.readouterr()
    assert run(["leaderboard", "add", str(out), "--results", str(tmp_path / "results")]) != 0
    assert "Real-ESRGAN x4 was not run" in capsys.readouterr().err
    assert not list(tmp_path.glob("results/*.json"))
