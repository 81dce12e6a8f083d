"""Tools that learn: what they are prepared with, and a tag that goes through them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from faketagger.zoo import install
from tests.helpers.rogue_adapters import make_adapter
from tests.helpers.toy_tagger import toy_faces

Bench = Callable[..., dict[str, Any]]
Tool = Callable[..., Path]
REPEATING = """
if sys.argv[1] == "prepare":
    print("prepared with", {name: len(os.listdir(folder)) for name, folder in job["facesets"].items()})
    (target / "attributes.json").write_text(json.dumps(job.get("attributes")))
    for name in sorted(os.listdir(job["facesets"]["src"])):
        shutil.copy(Path(job["facesets"]["src"], name), target / name)
    say("progress", done=1, total=1)
    say("done")
else:
    learnt = sorted(Path(job["model"]).glob("*.png"))
    for image in images:
        shutil.copy(learnt[image["seed"] % len(learnt)], target / image["name"])
        say("image", name=image["name"], status="attacked")
    say("done")
"""
"""A tool that has learnt its donor by heart."""

UNTEACHABLE = "if sys.argv[1] == 'prepare':\n    raise RuntimeError('not enough faces')\n"
LEARNS: dict[str, Any] = {"family": "swap", "roles": ["carrier", "donor"], "facesets": ["src", "dst"], "donor": "src"}
DONOR = {"attack": "learner", "box": "black", "role": "donor", "view": "frame"}
CARRIER = {"attack": "learner", "box": "black", "view": "frame"}


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Makes and installs an adapter called ``learner``."""
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKETAGGER_ADAPTERS", str(tmp_path / "adapters"))

    def make(driver: str = REPEATING, **changes: Any) -> Path:
        folder = make_adapter(tmp_path / "adapters" / "learner", driver, name="learner", **{**LEARNS, **changes})
        install(folder)
        return folder

    return make


@pytest.fixture
def few(tmp_path: Path) -> dict[str, Any]:
    """Four people are benchmarked, two are left for the tool to learn from."""
    return {"source": str(tmp_path / "faces"), "size": 96, "count": 4}


def row(summary: dict[str, Any], scenario: str) -> dict[str, Any]:
    return next(row for row in summary["scenarios"] if row["scenario"] == scenario)


def flags(summary: dict[str, Any], scenario: str) -> dict[str, str]:
    return {flag["flag"]: flag["message"] for flag in summary["flags"] if flag["scenario"] == scenario}


def test_a_tag_goes_through_a_tool_that_learnt_from_it(
    bench: Bench, tool: Tool, few: dict[str, Any], tmp_path: Path
) -> None:
    tool()
    summary = bench(faces=few, scenarios=[DONOR, {"attack": "noise", "view": "frame"}])
    found = row(summary, "learner-donor/frame")
    assert (found["status"], found["role"], found["donors"], found["n_images"], found["n_clusters"]) == (
        *("run", "donor", 1),
        *(4, 1),
    )
    assert found["bit_accuracy"] > 0.9
    assert (found["ci_low"], found["ci_high"]) == (None, None)
    assert found["pooled_bits"] == 64
    assert found["pooled_p_value"] < 1e-9
    assert found["null_pooled_p_value"] > 1e-3
    assert "pooled p-value is valid" in flags(summary, "learner-donor/frame")["few_clusters"]
    assert "null_above_nominal" not in flags(summary, "learner-donor/frame")
    assert found["donor_distance"] < found["donor_distance_before"]
    assert row(summary, "untagged_null/frame")["n_null"] == 4
    records = pq.read_table(tmp_path / "out" / "records.parquet").to_pandas()
    tagged = records[(records.scenario == "learner-donor/frame") & (records.kind == "tagged")]
    assert set(tagged.cluster) == {"donor 0000"}
    assert len(tagged.identity.unique()) == 4
    timings = json.loads((tmp_path / "out" / "timings.json").read_text())["jobs"]["learner-donor"]
    assert (timings["prepared"], timings["prepare"] > 0) == (2, True)


def test_several_donors_have_several_messages_and_one_control(
    bench: Bench, tool: Tool, few: dict[str, Any], tmp_path: Path
) -> None:
    tool()
    summary = bench(faces=few, scenarios=[{**DONOR, "donors": 3}])
    found = row(summary, "learner-donor/frame")
    assert (found["n_images"], found["n_clusters"], found["n_null"], found["pooled_bits"]) == (12, 3, 12, 192)
    assert found["ci_low"] <= found["bit_accuracy"] <= found["ci_high"]
    assert "3 messages" in flags(summary, "learner-donor/frame")["few_clusters"]
    assert json.loads((tmp_path / "out" / "timings.json").read_text())["jobs"]["learner-donor"]["prepared"] == 4


def test_in_the_carrier_role_a_tool_learns_once_for_all_taggers(
    bench: Bench, tool: Tool, few: dict[str, Any], tmp_path: Path
) -> None:
    tool()
    first = row(bench("one", faces=few, scenarios=[CARRIER]), "learner/frame")
    assert first["attacked"] == 4
    assert first["ci_low"] < 0.6
    (tmp_path / "toy" / "config.yaml").write_text("toy: 2\n")
    bench("two", faces=few, scenarios=[CARRIER])
    spent = [json.loads((tmp_path / out / "timings.json").read_text())["jobs"]["learner"] for out in ("one", "two")]
    assert spent[0]["prepared"] == 1
    assert "prepared" not in spent[1]


def test_facesets_are_drawn_as_the_file_says(bench: Bench, tool: Tool, few: dict[str, Any], tmp_path: Path) -> None:
    tool()
    folder = toy_faces(tmp_path / "stars", people=3, each=3)
    sets = {"src": {"source": str(folder), "identity": "person 1"}, "dst": {"source": "others", "count": 3}}
    bench(faces=few, scenarios=[{**CARRIER, "facesets": sets}])
    logs = list((tmp_path / "out" / "work").rglob("*-prepare.log"))
    assert any("'src': 3, 'dst': 3" in log.read_text() for log in logs)
    names = {path.name.split("-")[0] for path in (tmp_path / "out" / "facesets").glob("*-*") if path.is_dir()}
    assert names == {"src", "dst"}
    sides = {Image.open(path).size for path in (tmp_path / "out" / "facesets").rglob("*.png")}
    assert sides == {(96, 96)}


@pytest.mark.parametrize(
    ("changes", "scenario", "says"),
    [
        ({"driver": UNTEACHABLE}, CARRIER, "not enough faces"),
        ({}, {**CARRIER, "facesets": {"scr": {"source": "bench"}}}, "no faceset 'scr'"),
        ({}, {**CARRIER, "facesets": {"src": {"source": "bench", "identity": "nobody"}}}, "no picture of 'nobody'"),
        ({"attributes": True}, CARRIER, "lists no attribute"),
        ({"roles": ["carrier"], "donor": None}, DONOR, "no donor role"),
    ],
)
def test_what_cannot_be_prepared_is_a_row_and_the_others_go_on(
    bench: Bench, tool: Tool, few: dict[str, Any], changes: dict[str, Any], scenario: dict[str, Any], says: str
) -> None:
    tool(**changes)
    summary = bench(faces=few, scenarios=[scenario, {"attack": "noise", "view": "frame"}])
    missed = next(row for row in summary["scenarios"] if row["attack"] == "learner")
    assert missed["status"] == "not run"
    assert says in missed["reason"]
    assert missed["pin"] == "none==1.0"
    assert row(summary, "noise/frame")["bit_accuracy"] > 0.9


def test_without_other_people_there_is_a_reason_and_a_way_out(bench: Bench, tool: Tool, tmp_path: Path) -> None:
    tool()
    missed = row(bench(scenarios=[CARRIER]), "learner/frame")
    assert "no pictures of others" in missed["reason"]
    assert "--others" in missed["command"]
    others = toy_faces(tmp_path / "strangers", people=2, each=2)
    (others / "manifest.csv").write_text((others / "manifest.csv").read_text().replace("person ", "stranger "))
    faces = {"source": str(tmp_path / "faces"), "size": 96, "others": str(others)}
    assert row(bench("again", faces=faces, scenarios=[CARRIER]), "learner/frame")["status"] == "run"


def test_attributes_reach_the_tool_under_its_own_file_names(
    bench: Bench, tool: Tool, few: dict[str, Any], tmp_path: Path
) -> None:
    tool(attributes=True, roles=["carrier"], facesets=["src"], donor=None)
    manifest = tmp_path / "faces" / "manifest.csv"
    head, *lines = manifest.read_text().splitlines()
    told = [f"{line},{1 if index % 2 else -1},text" for index, line in enumerate(lines)]
    manifest.write_text("\n".join([f"{head},Smiling,note", *told]) + "\n")
    bench(faces=few, scenarios=[{**CARRIER, "facesets": {"src": {"source": "others"}}}])
    (model,) = (tmp_path / "cache" / "zoo" / "prepared" / "learner").glob("*/attributes.json")
    learnt = json.loads(model.read_text())["src"]
    assert len(learnt) == 4
    assert sorted(facts["Smiling"] for facts in learnt.values()) == [False, False, True, True]
    assert all(set(facts) == {"Smiling"} for facts in learnt.values())


MASKING = """
for image in images:
    width, height = size(image["name"])
    half = bytes([255 if x < width // 2 else 0 for x in range(width)]) * height
    rows = b"".join(b"\\0" + half[row * width:(row + 1) * width] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    Path(job["masks"], image["name"]).write_bytes(b"\\x89PNG\\r\\n\\x1a\\n" + data)
    paint(image)
say("done")
"""


def test_the_face_view_shows_what_the_tools_own_mask_shows(bench: Bench, tool: Tool, tmp_path: Path) -> None:
    tool(MASKING, masks=True, roles=["carrier"], facesets=[], donor=None)
    bench(scenarios=[{**CARRIER, "view": "face"}], strips=1)
    (strip,) = (tmp_path / "out" / "strips" / "learner").glob("*-face.png")
    seen = np.asarray(Image.open(strip)).astype(int)
    assert (seen[:, 48:] == 128).all()
    assert (seen[:, :47] != 128).mean() > 0.2
