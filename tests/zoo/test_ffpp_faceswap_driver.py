"""The driver of FaceForensics++'s FaceSwap: jobs, pairs, masks, and what it makes of a script that misbehaves."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "adapters" / "ffpp_faceswap"

# stands for faceswap.py: same options and file names; behaves by the red value of each target's first pixel
SCRIPT = """
import os, shutil, sys, time
import cv2
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
for name in sorted(os.listdir(options["-i2"])):
    target = cv2.imread(os.path.join(options["-i2"], name))
    wish = int(target[0, 0, 2])
    if wish == 1:
        raise ValueError("zero-size array to reduction operation maximum which has no identity")
    if wish == 2:
        time.sleep(600)
    if wish == 3:
        sys.exit(0)
    face = 0 * target
    if wish != 4:
        face[8:24, 8:24] = cv2.imread(os.path.join(options["-i1"], name))[8:24, 8:24]
    cv2.imwrite(os.path.join(options["-mo"], name), face)
    target[face.any(-1)] = face[face.any(-1)]
    cv2.imwrite(os.path.join(options["-o"], name), target)
"""


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(str(FOLDER))

    def module(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"ffpp_{name}", FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made

    return module


@pytest.fixture
def job(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Writes pictures and describes an apply job on them."""

    def make(wishes: list[int]) -> dict[str, object]:
        for name in ("in", "out", "masks", "work", "model"):
            (tmp_path / name).mkdir()
        for index, wish in enumerate(wishes):
            pixels = np.full((32, 40, 3), 60, np.uint8)
            pixels[0, 0, 2] = wish
            cv2.imwrite(str(tmp_path / "in" / f"{index:05d}.png"), pixels)
        for index in range(3):
            cv2.imwrite(str(tmp_path / "model" / f"{index:05d}.png"), np.full((32, 40, 3), 180 + index, np.uint8))
        folders = {"input": "in", "output": "out", "masks": "masks", "work": "work", "model": "model"}
        return {
            "contract": 1,
            "images": [{"name": f"{index:05d}.png", "seed": index} for index in range(len(wishes))],
            "parameters": {},
            "install": {"packages": "/p", "upstream": "/u", "companions": {"faceswap_kowalski": "/k"}},
            **{key: str(tmp_path / folder) for key, folder in folders.items()},
        }

    return make


@pytest.fixture
def apply(load, job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Runs apply with the stand-in script; returns (status, reason) by picture."""
    import contextlib

    def run(wishes: list[int]) -> list[tuple[str, str | None]]:
        driver = load("driver")
        monkeypatch.setattr(driver, "display", lambda width, height: contextlib.nullcontext(":0"))

        def assemble(folder: Path, *parts: Path) -> None:
            folder.mkdir()
            (folder / "faceswap.py").write_text(SCRIPT)

        monkeypatch.setattr(driver.ffpp_script, "assemble", assemble)
        monkeypatch.setattr(driver.ffpp_script, "STUCK_S", 15)
        driver.apply(driver.Job(job(wishes)))
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        said = {event["name"]: (event["status"], event["reason"]) for event in events if event["event"] == "image"}
        return [said[f"{index:05d}.png"] for index in range(len(wishes))]

    return run


def test_all_pairs_in_one_process(apply, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert apply([9, 9, 9]) == [("attacked", None)] * 3
    for index in range(3):
        made = cv2.imread(str(tmp_path / "out" / f"{index:05d}.png"))
        assert made[16, 16, 0] >= 180
        assert made[2, 2, 0] == 60
        mask = cv2.imread(str(tmp_path / "masks" / f"{index:05d}.png"), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (32, 40)
        assert mask[16, 16] == 255
        assert mask[2, 2] == 0
    assert not list((tmp_path / "work").glob("pairs_*"))


def test_no_face_is_passed_through(apply, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The script gives a picture without a face back byte for byte and exits with 0."""
    (status, reason), after = apply([4, 9])
    assert status == "passed_through"
    assert "no face" in reason
    assert after == ("attacked", None)
    assert not (tmp_path / "masks" / "00000.png").exists()
    assert (cv2.imread(str(tmp_path / "out/00000.png")) == cv2.imread(str(tmp_path / "in/00000.png"))).all()


@pytest.mark.parametrize(("wish", "words"), [(1, "zero-size"), (2, "got stuck"), (3, "without an error")])
def test_it_goes_on_behind_a_bad_pair(apply, wish: int, words: str) -> None:  # type: ignore[no-untyped-def]
    results = apply([9, wish, 9])
    assert [status for status, _ in results] == ["attacked", "failed", "attacked"]
    assert words in results[1][1]


def test_an_unreadable_picture(load, job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    driver = load("driver")
    description = job([9])
    (tmp_path / "in" / "00000.png").write_bytes(b"no picture")
    driver.ffpp_script.assemble = lambda *parts: None
    driver.apply(driver.Job(description))
    assert json.loads(capsys.readouterr().out)["status"] == "failed"


def test_no_picture_needs_nothing(load, job, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    driver = load("driver")
    driver.apply(driver.Job(job([])))
    assert capsys.readouterr().out == ""


def test_the_donor_comes_from_the_picture_alone(load) -> None:  # type: ignore[no-untyped-def]
    choose = load("driver").choose
    donors = [Path(f"{index}.png") for index in range(20)]
    assert choose(donors, 7) == choose(donors, 7)
    assert len({choose(donors, seed) for seed in range(40)}) > 5


def test_the_first_folder_lends_the_face(load) -> None:  # type: ignore[no-untyped-def]
    command = load("ffpp_script").command("donors", "attacked", "out", "masks")
    assert command[1:] == ["faceswap.py", "-i1", "donors", "-i2", "attacked", "-o", "out", "-mo", "masks"]


def test_the_mask_is_the_blending_weight(load) -> None:  # type: ignore[no-untyped-def]
    """Against the script's own rule, point by point: distance to the hull over a fifth of the size."""
    rendered = np.zeros((60, 70, 3), np.uint8)
    cv2.ellipse(rendered, (34, 30), (20, 26), 20, 0, 360, (90, 80, 70), -1)
    cv2.circle(rendered, (34, 40), 4, (0, 0, 0), -1)  # the open mouth is not rendered
    mask = load("driver").soft_mask(rendered)
    rows, columns = np.nonzero(rendered.any(-1))
    points = np.stack([columns, rows], 1)
    hull = cv2.convexHull(points.astype(np.int32))
    feather = 0.2 * (points.max(0) - points.min(0)).max()
    for (column, row) in points[::7]:
        distance = cv2.pointPolygonTest(hull, (float(column), float(row)), True)
        assert abs(int(mask[row, column]) - 255 * min(max(distance / feather, 0), 1)) <= 2
    assert mask[40, 34] == 0
    assert load("driver").soft_mask(np.zeros((8, 8, 3), np.uint8)) is None


def test_prepare_without_a_face_says_so(load, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("dlib")
    (tmp_path / "donor").mkdir()
    cv2.imwrite(str(tmp_path / "donor" / "0.png"), np.full((64, 64, 3), 90, np.uint8))
    driver = load("driver")
    install = {"packages": "/p", "upstream": "/u", "companions": {"faceswap_kowalski": "/k"}}
    facesets = {"donor": str(tmp_path / "donor")}
    description = {"contract": 1, "install": install, "facesets": facesets, "output": str(tmp_path), "work": "/w"}
    with pytest.raises(SystemExit, match="none of the 1 donor pictures"):
        driver.prepare(driver.Job(description))


def test_an_incomplete_installation_is_named(load, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SystemExit, match=r"faceswap\.py is missing"):
        load("ffpp_script").assemble(tmp_path / "tool", tmp_path, tmp_path, tmp_path)


def test_the_display(load, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    display = load("ffpp_display").display
    server = tmp_path / "server"
    server.write_text(
        f"#!{sys.executable}\nimport os, sys, time\nos.write(int(sys.argv[2]), b'17\\n')\n"
        "assert sys.argv[5] == '640x480x24'\ntime.sleep(60)\n"
    )
    dead = tmp_path / "dead"
    dead.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
    for path in (server, dead):
        path.chmod(0o755)
    with display(640, 480, str(server)) as name:
        assert name == ":17"
    with pytest.raises(SystemExit, match="exit code 3"), display(1, 1, str(dead)):
        pass
    with pytest.raises(SystemExit, match="not installed"), display(1, 1, str(tmp_path / "none")):
        pass
