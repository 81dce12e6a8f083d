"""The STGAN driver: lists, command lines, stopping and going on, strips and edits, against stand-ins for upstream."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from faketagger.zoo.manifest import KIT, load_manifest

FOLDER = Path(__file__).parents[2] / "adapters" / "stgan"
MODULES = ("driver", "squares", "lesson", "training", "sight", "editing")
NAMES = ["Black_Hair", "Blond_Hair", "Male"]

# stands for upstream's train.py: goes on where its folder was left, saves every save_freq and when it is interrupted
TRAIN = """
import json, os, pathlib, sys, time, traceback
words = sys.argv[1:]
assert words[0] == "--use_cropped_img"
atts = words[words.index("--atts") + 1:]
options = dict(zip(words[1:words.index("--atts"):2], words[2:words.index("--atts"):2]))
run = pathlib.Path("output") / options["--experiment_name"]
(run / "checkpoints").mkdir(parents=True, exist_ok=True)
settings = {name[2:]: int(value) if value.isdigit() else value for name, value in options.items()}
(run / "setting.txt").write_text(json.dumps({**settings, "atts": atts, "use_cropped_img": True}))
rows = (pathlib.Path(options["--dataroot"]) / "list_attr_celeba.txt").read_text().splitlines()
assert len(rows) == 2 + 182637
length = 182000 // (int(options["--batch_size"]) * (int(options["--n_d"]) + 1))
count = run / "count"
def save(it):
    name = f"Epoch_({it // length})_({it % length + 1}of{length}).ckpt"
    for end in (".index", ".data-00000-of-00001"):
        (run / "checkpoints" / (name + end)).write_text(f"{it + 1} " + os.environ["STGAN_SEED"])
    state = f'model_checkpoint_path: "{name}"\\nall_model_checkpoint_paths: "x"'
    (run / "checkpoints" / "checkpoint").write_text(state)
    count.write_text(str(it + 1))
    print(f"Model is saved at ./output/run/checkpoints/{name}!", flush=True)
it = int(count.read_text()) if count.exists() else 0
try:
    for it in range(it, AT_MOST):
        print("Epoch: (%3d) (%5d/%5d) Time: 0.1 s!" % (it // length, it % length + 1, length), flush=True)
        time.sleep(0.02)
except BaseException:
    traceback.print_exc()
finally:
    if AT_MOST > 99:
        save(it)
"""

# stands for upstream's test.py: strips of input, gap and an edit that is one grey; it fails after AT_MOST pictures
TEST = """
import json, pathlib, sys, traceback
import numpy as np
from PIL import Image
words = sys.argv[1:]
images, edits = words[words.index("--img") + 1:words.index("--test_atts")], words[words.index("--test_atts") + 1:]
run = pathlib.Path("output") / "run"
settings = json.loads((run / "setting.txt").read_text())
assert settings["use_cropped_img"] and (run / "checkpoints" / "model.ckpt.index").is_file()
rows = pathlib.Path("pictures/list_attr_celeba.txt").read_text().splitlines()[2:]
assert len(rows) > 1
side = settings["img_size"]
(run / "sample_testing_multi").mkdir()
try:
    for done, number in enumerate(map(int, images)):
        if done == AT_MOST:
            raise ValueError("assertion of upstream")
        given = np.asarray(Image.open(f"pictures/img_crop_celeba_png/{number:06d}.png"))
        assert rows[number - 1].startswith(f"{number:06d}.png ") and given.shape == (side, side, 3)
        strip = np.zeros((side, 2 * side + side // 10, 3), np.uint8)
        strip[:, :side], strip[:, -side:] = given, 100 + number
        Image.fromarray(strip).save(run / "sample_testing_multi" / f"{number:06d}_{edits}.png")
        print(f"{number:06d}.png done!", flush=True)
except Exception:
    traceback.print_exc()
"""


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN.replace("AT_MOST", "10**9"))
    (folder / "test.py").write_text(TEST.replace("AT_MOST", "-1"))
    return folder


def parameters(**given: Any) -> dict[str, Any]:
    return load_manifest(FOLDER).manifest.resolve("smoke", given)


def job(tmp_path: Path, phase: str, **facts: Any) -> list[str]:
    install = {"packages": "/none", "upstream": str(tmp_path / "upstream"), "weights": str(tmp_path / "weights")}
    folders = {name: str(tmp_path / phase / name) for name in ("output", "work", "masks")}
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    plain = {"contract": 1, "install": install, "seed": 1, "device": "cpu", **folders, **facts}
    (tmp_path / "job.json").write_text(json.dumps(plain))
    return [phase, str(tmp_path / "job.json")]


def faceset(tmp_path: Path) -> dict[str, Any]:
    faces = tmp_path / "faces"
    faces.mkdir()
    for index, size in enumerate([(178, 218), (50, 40), (20, 20)]):
        Image.new("RGB", size, (index, 0, 0)).save(faces / f"{index}.png")
    (faces / "3.png").write_bytes(b"no picture")
    labels = {f"{index}.png": {"Male": index == 0, "Blond_Hair": True} for index in range(4)}
    return {"facesets": {"faces": str(faces)}, "attributes": {"faces": labels}}


def test_the_manifest_fits(modules: SimpleNamespace) -> None:
    manifest = load_manifest(FOLDER).manifest
    assert (manifest.family, manifest.roles, manifest.facesets) == ("edit", ("carrier",), ("faces",))
    assert manifest.attributes
    assert manifest.masks
    assert not any(weight.required for weight in manifest.weights)
    paper = manifest.resolve("paper", {})
    # the authors' 200 epochs of 947 iterations, 13 attributes
    assert (paper["iterations"], paper["image_size"], paper["filters"], paper["critic"]) == (200 * 947, 128, 64, 5)
    assert set(paper["attributes"].split(",")) < set(modules.lesson.CELEBA)
    options = modules.training.command("train.py", ["Male", "Young"], paper)
    assert options[options.index("--epoch") + 1] == "200"
    assert options[options.index("--init_epoch") + 1] == "100"
    assert options[options.index("--stu_layers") + 1] == "4"


def test_only_what_the_list_has_is_learned(modules: SimpleNamespace) -> None:
    chosen = modules.lesson.chosen
    labels = {"a.png": {"Male": True, "Young": False}, "b.png": {"Male": False, "Young": True, "Bald": True}}
    assert chosen("Young, Bald,Male,Male", labels) == (["Young", "Male"], ["Bald"])
    with pytest.raises(SystemExit, match="2 attributes or more"):
        chosen("Male,Bald", labels)
    with pytest.raises(SystemExit, match="Moustache is none of the 40 attributes"):
        chosen("Male,Moustache", labels)


@pytest.mark.parametrize("count", [1, 7, 182640])
def test_upstreams_split_always_has_pictures(modules: SimpleNamespace, count: int) -> None:
    rows = modules.lesson.padded([(f"{index}.png", set()) for index in range(count)])
    assert len({file for file, _ in rows[:182000]}) == min(count, 182000)
    assert len(rows[182000:182637]) == 637


def test_the_columns_are_celebas(modules: SimpleNamespace) -> None:
    text = modules.lesson.list_of([("000001.png", {"Male"}), ("000002.png", {"Young", "5_o_Clock_Shadow"})])
    lines = text.splitlines()
    assert (lines[0], len(lines[1].split())) == ("2", 40)
    # as upstream's data.py numbers them
    assert lines[2].split()[20 + 1] == "1"
    assert lines[2].split().count("1") == 1
    assert [index for index, word in enumerate(lines[3].split()[1:]) if word == "1"] == [0, 39]


def test_the_square_of_a_celeba_picture_is_upstreams_crop(modules: SimpleNamespace) -> None:
    assert modules.squares.square_of(178, 218) == (3, 26, 170)
    assert modules.squares.square_of(356, 436) == (6, 52, 340)
    assert modules.squares.square_of(300, 90) == (105, 0, 90)


@pytest.mark.parametrize("size", [(178, 218), (300, 90), (64, 64)])
def test_what_is_pasted_is_what_the_mask_says(modules: SimpleNamespace, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(1, 255, (size[1], size[0], 3), np.uint8)
    assert modules.squares.cut(noise, 64).shape == (64, 64, 3)
    result, mask = modules.squares.paste(noise, np.full((64, 64, 3), (0, 255, 0), np.uint8))
    white = mask == 255
    assert white.sum() == modules.squares.square_of(*size)[2] ** 2
    assert (result[~white] == noise[~white]).all()
    assert (result[white] == (0, 255, 0)).all()


def test_torn_checkpoints_do_not_count(modules: SimpleNamespace, tmp_path: Path) -> None:
    newest = modules.training.newest
    assert newest(tmp_path / "none") == (0, None)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "Epoch_(2)_(30of100).ckpt"\n')
    (tmp_path / "Epoch_(2)_(30of100).ckpt.index").touch()
    assert newest(tmp_path) == (0, None)
    (tmp_path / "Epoch_(2)_(30of100).ckpt.data-00000-of-00001").touch()
    assert newest(tmp_path) == (230, tmp_path / "Epoch_(2)_(30of100).ckpt")
    (tmp_path / "checkpoint").write_text("nonsense")
    assert newest(tmp_path) == (0, None)


def test_prepare(modules: SimpleNamespace, tmp_path: Path, upstream: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = {**faceset(tmp_path), "parameters": parameters(iterations=5)}
    modules.driver.main(job(tmp_path, "prepare", **facts))
    said = capsys.readouterr().out
    assert "3.png cannot be read" in said
    assert "the list has no Black_Hair, Brown_Hair, Young" in said
    assert '"event": "progress", "done": 5, "total": 5' in said
    output, lesson = tmp_path / "prepare" / "output", tmp_path / "prepare" / "work" / "lesson"
    model = {"model.ckpt.index", "model.ckpt.data-00000-of-00001", "checkpoint", "setting.txt"}
    assert {path.name for path in output.iterdir()} == model
    assert json.loads((output / "setting.txt").read_text())["atts"] == ["Blond_Hair", "Male"]
    assert int((output / "model.ckpt.index").read_text().split()[0]) >= 5
    assert {Image.open(path).size for path in (lesson / "img_crop_celeba_png").iterdir()} == {(64, 64)}
    # what is there already is not trained again
    (upstream / "train.py").write_text("raise SystemExit('called again')")
    modules.driver.main(job(tmp_path, "prepare", **facts))


def test_upstream_that_ends_without_its_last_checkpoint(
    modules: SimpleNamespace, tmp_path: Path, upstream: Path
) -> None:
    (upstream / "train.py").write_text(TRAIN.replace("AT_MOST", "3"))
    facts = {**faceset(tmp_path), "parameters": parameters(iterations=5)}
    with pytest.raises(SystemExit, match="ended after 0 of 5 iterations"):
        modules.driver.main(job(tmp_path, "prepare", **facts))


def test_an_interrupted_training_is_saved_and_goes_on(tmp_path: Path, upstream: Path) -> None:
    facts = {**faceset(tmp_path), "parameters": parameters(iterations=150)}
    arguments = [sys.executable, str(FOLDER / "driver.py"), *job(tmp_path, "prepare", **facts)]
    environment = {**os.environ, "PYTHONPATH": str(KIT)}
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as driver:
        assert driver.stdout is not None
        for line in driver.stdout:
            if '"done": 10,' in line:
                driver.send_signal(signal.SIGINT)
                break
        _, said = driver.communicate(timeout=30)
    assert driver.returncode != 0
    assert "of 150 iterations are saved" in said
    count = tmp_path / "prepare" / "work" / "output" / "run" / "count"
    reached = int(count.read_text())
    assert 10 <= reached < 150
    started = time.monotonic()
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment)
    assert f'"done": {reached + 1}, "total": 150' in done.stdout
    assert '"done": 1, "total": 150' not in done.stdout
    assert time.monotonic() - started < 30
    # every stretch has a seed of its own
    weights = (tmp_path / "prepare" / "output" / "model.ckpt.index").read_text()
    assert int(weights.split()[1]) == 1 + reached


def test_hair_has_one_colour(modules: SimpleNamespace) -> None:
    scores = {"Black_Hair": 0.5, "Blond_Hair": 0.7, "Male": 0.1, "Young": -2.0}
    assert modules.sight.seen(scores) == {"Blond_Hair", "Male"}
    assert modules.sight.seen({"Male": -1.0}) == set()
    wanted = modules.editing.wanted_edits
    assert wanted(" Male,Blond_Hair,Male", NAMES) == ["Male", "Blond_Hair"]
    refused = {"": "no edit is named", "Bald": "was not learned", "Black_Hair,Blond_Hair": "one colour"}
    for text, sentence in refused.items():
        with pytest.raises(SystemExit, match=sentence):
            wanted(text, NAMES)


def released(tmp_path: Path) -> Path:
    weights = tmp_path / "weights"
    weights.mkdir()
    settings = {"atts": NAMES, "img_size": 64, "dis_dim": 4, "dis_fc_dim": 8, "dis_layers": 3}
    (weights / "setting.txt").write_text(json.dumps({**settings, "use_cropped_img": False}))
    for end in (".index", ".data-00000-of-00001"):
        (weights / f"released.ckpt{end}").write_text("weights")
    return weights


def test_released_weights(modules: SimpleNamespace, tmp_path: Path) -> None:
    facts = {"facesets": {"faces": "/none"}, "parameters": parameters(weights="released"), "attributes": {}}
    with pytest.raises(SystemExit, match=r"setting\.txt, .* not installed: zoo install stgan --weights DIR"):
        modules.driver.main(job(tmp_path, "prepare", **facts))
    weights = released(tmp_path)
    modules.driver.main(job(tmp_path, "prepare", **facts))
    output = tmp_path / "prepare" / "output"
    assert (output / "model.ckpt.index").read_text() == "weights"
    assert 'model_checkpoint_path: "model.ckpt"' in (output / "checkpoint").read_text()
    for text in ("no json", "[]", '{"atts": ["Male"], "img_size": 64}', '{"img_size": "x"}'):
        (weights / "setting.txt").write_text(text)
        with pytest.raises(SystemExit, match=r"setting\.txt is no record of a training"):
            modules.driver.main(job(tmp_path, "prepare", **facts))


@pytest.fixture
def apply_job(tmp_path: Path, modules: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four pictures, two of which can be edited; the discriminator is a stand-in."""
    released(tmp_path)
    facts = {"facesets": {"faces": "/none"}, "parameters": parameters(weights="released"), "attributes": {}}
    modules.driver.main(job(tmp_path, "prepare", **facts))
    given = tmp_path / "in"
    given.mkdir()
    Image.new("RGB", (178, 218), (255, 255, 255)).save(given / "a b.png")
    Image.new("RGB", (90, 64), (0, 0, 0)).save(given / "dark.png")
    Image.new("RGB", (3, 200)).save(given / "thin.png")
    images = [{"name": f"{name}.png", "seed": 0} for name in ("thin", "a b", "absent", "dark")]

    def look(upstream: Path, model: Path, settings: dict[str, Any], squares: list[Any]) -> list[dict[str, float]]:
        assert model.with_name(model.name + ".index").is_file()
        return [{"Black_Hair": -1.0, "Blond_Hair": 2.0, "Male": float(square.mean() - 100)} for square in squares]

    monkeypatch.setattr(modules.sight, "look", look)
    facts = {"input": str(given), "model": str(tmp_path / "prepare" / "output"), "images": images}
    return job(tmp_path, "apply", parameters={"edits": "Male,Black_Hair"}, **facts)


def statuses(said: str) -> dict[str, tuple[str, str | None]]:
    events = [json.loads(line) for line in said.splitlines() if line.startswith('{"event": "image"')]
    return {event["name"]: (event["status"], event.get("reason")) for event in events}


def test_apply(
    modules: SimpleNamespace,
    tmp_path: Path,
    upstream: Path,
    apply_job: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    modules.driver.main(apply_job)
    said = capsys.readouterr().out
    found = statuses(said)
    assert {name: status for name, (status, _) in found.items()} == {
        **dict.fromkeys(("thin.png", "absent.png"), "failed"),
        **dict.fromkeys(("a b.png", "dark.png"), "attacked"),
    }
    assert said.splitlines()[-1] == '{"event": "done"}'
    assert "a b.png: seen before the edit: Blond_Hair, Male" in said
    assert "dark.png: seen before the edit: Blond_Hair" in said
    # the stand-in's edit of picture n is grey 100 + n
    bright, dark = (np.asarray(Image.open(tmp_path / "apply" / "output" / f"{n}.png")) for n in ("a b", "dark"))
    assert bright.shape == (218, 178, 3)
    assert tuple(bright[100, 80]) == (101, 101, 101)
    assert tuple(bright[5, 80]) == (255, 255, 255)
    assert tuple(dark[30, 45]) == (102, 102, 102)
    assert (np.asarray(Image.open(tmp_path / "apply" / "masks" / "a b.png")) == 255).sum() == 170 * 170


def test_what_upstreams_loop_swallows_is_found(
    modules: SimpleNamespace,
    tmp_path: Path,
    upstream: Path,
    apply_job: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (upstream / "test.py").write_text(TEST.replace("AT_MOST", "1"))
    modules.driver.main(apply_job)
    found = statuses(capsys.readouterr().out)
    assert found["a b.png"][0] == "attacked"
    assert found["dark.png"] == ("failed", "test.py made no edit of it: ValueError: assertion of upstream")
    assert not (tmp_path / "apply" / "output" / "dark.png").exists()


def test_strips_that_are_none(modules: SimpleNamespace, tmp_path: Path) -> None:
    folder = tmp_path / "output" / "run" / "sample_testing_multi"
    folder.mkdir(parents=True)
    strip = np.zeros((64, 134, 3), np.uint8)
    strip[:, -64:] = 7
    Image.fromarray(strip).save(folder / "000001_['Male', 'Young'].png")
    Image.fromarray(strip[:, :128]).save(folder / "000002_['Male'].png")
    (folder / "000003_['Male'].png").write_bytes(b"torn")
    assert (modules.editing.collect(tmp_path, 1, 64) == 7).all()
    assert [modules.editing.collect(tmp_path, number, 64) for number in (2, 3, 4)] == [None] * 3


def test_apply_without_preparation_and_without_pictures(
    modules: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"input": str(tmp_path), "model": None, "parameters": {"edits": "Male"}}
    with pytest.raises(SystemExit, match="run prepare"):
        modules.driver.main(job(tmp_path, "apply", images=[{"name": "a.png", "seed": 0}], **facts))
    modules.driver.main(job(tmp_path, "apply", images=[], **facts))
    assert json.loads(capsys.readouterr().out) == {"event": "done"}
