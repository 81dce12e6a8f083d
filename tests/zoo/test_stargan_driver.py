"""The StarGAN driver: lists, command lines, resuming, squares and edits, against stand-ins for upstream's files."""

import importlib
import json
import random
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from faketagger.zoo.manifest import load_manifest

FOLDER = Path(__file__).parents[2] / "adapters" / "stargan"
MODULES = ("driver", "squares", "lesson", "training", "network")
NAMES = ["Black_Hair", "Blond_Hair", "Male"]

# stands for upstream's main.py: prints what it printed and leaves the checkpoints that it left
MAIN = """
import sys, pathlib, zipfile
words = sys.argv[1:]
names = words[words.index("--selected_attrs") + 1:]
options = dict(zip(words[0::2], words[1::2]))
folder, every = pathlib.Path(options["--model_save_dir"]), int(options["--model_save_step"])
folder.mkdir(parents=True, exist_ok=True)
start = int(options.get("--resume_iters", 0))
for step in range(start + 1, min(int(options["--num_iters"]), start + {at_most}) + 1):
    if step % 10 == 0:
        print(f"Elapsed [0:00:01], Iteration [{{step}}/{{options['--num_iters']}}], D/loss_real: -1.5")
    if step % every == 0:
        for net in "GD":
            with zipfile.ZipFile(folder / f"{{step}}-{{net}}.ckpt", "w") as file:
                file.writestr("seed", __import__("os").environ["STARGAN_SEED"])
        print("Saved model checkpoints into x...")
print("the last line")
"""

# stands for upstream's model.py: layers of the right shapes, edits by adding a channel of the label to red
MODEL = """
import torch
class Generator(torch.nn.Module):
    def __init__(self, conv_dim, c_dim, repeat_num):
        super().__init__()
        assert (conv_dim, c_dim, repeat_num) == (4, 3, 1)
        self.main = torch.nn.Sequential(torch.nn.Conv2d(3 + c_dim, conv_dim, 1), torch.nn.Module())
        self.main[1].main = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1))
    def forward(self, pixels, label):
        self.seen = label
        return torch.stack([label[:, i].view(-1, 1, 1).expand(-1, *pixels.shape[2:]) for i in range(3)], 1)
class Discriminator(torch.nn.Module):
    def __init__(self, image_size, conv_dim, c_dim, repeat_num):
        super().__init__()
        assert (image_size, conv_dim, c_dim, repeat_num) == (64, 4, 3, 1)
        self.main = torch.nn.Sequential(torch.nn.Conv2d(3, conv_dim, 1))
        self.conv2 = torch.nn.Conv2d(conv_dim, c_dim, 32)
    def forward(self, pixels):
        assert pixels.shape == (1, 3, 64, 64)
        return None, torch.tensor([[0.5, 0.7, float(pixels.mean())]])
"""


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in (*MODULES, "model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    for name in (*MODULES, "model"):
        sys.modules.pop(name, None)


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "main.py").write_text(MAIN.format(at_most=10**9))
    (folder / "model.py").write_text(MODEL)
    return folder


def parameters(**given: Any) -> dict[str, Any]:
    manifest = load_manifest(FOLDER).manifest
    return manifest.resolve("smoke", given)


def checkpoint(folder: Path, step: int, whole: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for net in "GD":
        with zipfile.ZipFile(folder / f"{step}-{net}.ckpt", "w") as file:
            file.writestr("weights", "1")
    if not whole:
        path = folder / f"{step}-D.ckpt"
        path.write_bytes(path.read_bytes()[:30])


def test_the_manifest_fits() -> None:
    manifest = load_manifest(FOLDER).manifest
    assert (manifest.family, manifest.roles, manifest.facesets) == ("edit", ("carrier",), ("faces",))
    assert manifest.attributes
    assert manifest.masks
    assert not any(weight.required for weight in manifest.weights)
    paper = manifest.presets["paper"]
    assert (paper["iterations"], paper["image_size"], paper["filters"], paper["critic"]) == (200000, 128, 64, 5)


def test_only_what_the_list_has_is_learned(modules: SimpleNamespace) -> None:
    labels = {"a.png": {"Male": True, "Young": False}, "b.png": {"Male": False, "Young": True, "Bald": True}}
    assert modules.lesson.chosen("Young, Bald,Male", labels) == (["Young", "Male"], ["Bald"])


@pytest.mark.parametrize("count", [1, 7, 2500])
def test_upstream_trains_on_every_picture(modules: SimpleNamespace, count: int) -> None:
    labels = {f"{index:05d}.png": {"Male": index % 2 == 0, "Young": True} for index in range(count)}
    lines = modules.lesson.list_of(labels, ["Male", "Young"]).splitlines()
    assert (int(lines[0]), lines[1]) == (count + 1999, "Male Young")
    # as in upstream's data_loader.py
    rows = lines[2:]
    random.seed(1234)
    random.shuffle(rows)
    trained = [row.split() for index, row in enumerate(rows) if not (index + 1) < 2000]
    assert sorted(row[0] for row in trained) == sorted(labels)
    assert all((row[1] == "1") == labels[row[0]]["Male"] for row in trained)


@pytest.mark.parametrize("size", [(178, 218), (300, 90), (64, 64), (1024, 700)])
def test_what_is_pasted_is_what_the_mask_says(modules: SimpleNamespace, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(1, 255, (size[1], size[0], 3), np.uint8)
    picture = Image.fromarray(noise)
    assert modules.squares.cut(picture, 64).size == (64, 64)
    result, mask = modules.squares.paste(picture, Image.new("RGB", (64, 64), (0, 255, 0)))
    white = np.asarray(mask) == 255
    assert result.size == mask.size == size
    assert white.sum() == min(size) ** 2
    assert (np.asarray(result)[~white] == noise[~white]).all()
    assert (np.asarray(result)[white] == (0, 255, 0)).all()


def test_the_square_of_a_celeba_picture_is_upstreams_crop(modules: SimpleNamespace) -> None:
    assert modules.squares.centre(178, 218) == (0, 20, 178, 198)


def test_the_last_iteration_is_saved(modules: SimpleNamespace) -> None:
    for iterations in (1, 7, 20, 250, 500, 12345, 200000):
        assert iterations % modules.training.save_every(iterations) == 0
    assert modules.training.save_every(500) == 100
    assert modules.training.save_every(200000) == 1000


def test_torn_checkpoints_do_not_count(modules: SimpleNamespace, tmp_path: Path) -> None:
    assert modules.training.checkpoints(tmp_path / "none") == []
    checkpoint(tmp_path, 100)
    checkpoint(tmp_path, 1000)
    checkpoint(tmp_path, 1100, whole=False)
    assert modules.training.checkpoints(tmp_path) == [100, 1000]


def test_command_line(modules: SimpleNamespace, tmp_path: Path) -> None:
    models, chosen = tmp_path / "models", parameters(iterations=400)
    command = modules.training.command("/up/main.py", tmp_path / "lesson", models, NAMES, chosen)
    assert command[1:3] == ["-u", "/up/main.py"]
    assert command[command.index("--selected_attrs") + 1 :] == NAMES
    options = dict(zip(command[3:-4:2], command[4:-4:2], strict=True))
    assert (options["--c_dim"], options["--num_iters"], options["--model_save_step"]) == ("3", "400", "100")
    assert options["--use_tensorboard"] == "false"
    assert "--resume_iters" not in options
    checkpoint(models, 300)
    again = modules.training.command("/up/main.py", tmp_path / "lesson", models, NAMES, chosen)
    assert again[again.index("--resume_iters") + 1] == "300"
    checkpoint(models, 400)
    assert modules.training.command("/up/main.py", tmp_path / "lesson", models, NAMES, chosen) is None


def test_training_tells_its_progress_and_goes_on(modules: SimpleNamespace, tmp_path: Path, upstream: Path) -> None:
    progress: list[int] = []

    def say(event: str, **facts: Any) -> None:
        if event == "progress":
            progress.append(facts["done"])

    chosen, models = parameters(iterations=40), tmp_path / "work" / "models"
    (upstream / "main.py").write_text(MAIN.format(at_most=25))
    with pytest.raises(SystemExit, match="ended after 20 of 40 iterations: the last line"):
        modules.training.train(upstream / "main.py", tmp_path, models, NAMES, chosen, 7, "cpu", say)
    modules.training.train(upstream / "main.py", tmp_path, models, NAMES, chosen, 7, "cpu", say)
    assert progress == [10, 20, 30, 40]
    assert modules.training.checkpoints(models) == [30, 40]
    with zipfile.ZipFile(models / "40-G.ckpt") as file:
        assert file.read("seed") == b"27"


def test_hair_has_one_colour(modules: SimpleNamespace) -> None:
    network = modules.network
    before = {"Black_Hair": True, "Blond_Hair": False, "Male": True}
    blond = {"Black_Hair": False, "Blond_Hair": True, "Male": False}
    assert network.toggled(before, NAMES, ["Blond_Hair", "Male"]) == blond
    assert network.toggled(before, NAMES, ["Black_Hair"]) == before
    assert network.wanted_edits(" Male,Blond_Hair,Male", NAMES) == ["Male", "Blond_Hair"]
    refused = {"": "no edit is named", "Bald": "was not learned", "Black_Hair,Blond_Hair": "one colour"}
    for text, sentence in refused.items():
        with pytest.raises(SystemExit, match=sentence):
            network.wanted_edits(text, NAMES)


def trained(folder: Path, upstream: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    space: dict[str, Any] = {}
    exec((upstream / "model.py").read_text(), space)
    torch.save(space["Generator"](4, 3, 1).state_dict(), folder / "G.ckpt")
    torch.save(space["Discriminator"](64, 4, 3, 1).state_dict(), folder / "D.ckpt")
    (folder / "attributes.json").write_text(json.dumps(NAMES))
    return folder


def job(tmp_path: Path, phase: str, **facts: Any) -> list[str]:
    install = {"packages": "/none", "upstream": str(tmp_path / "upstream"), "weights": str(tmp_path / "weights")}
    folders = {name: str(tmp_path / phase / name) for name in ("output", "work", "masks")}
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    plain = {"contract": 1, "install": install, "seed": 1, "device": "cpu", **folders, **facts}
    (tmp_path / "job.json").write_text(json.dumps(plain))
    return [phase, str(tmp_path / "job.json")]


def test_prepare(
    modules: SimpleNamespace, tmp_path: Path, upstream: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    for index, size in enumerate([(178, 218), (500, 400), (20, 20)]):
        Image.new("RGB", size, (index, 0, 0)).save(faces / f"{index}.png")
    (faces / "3.png").write_bytes(b"no picture")
    labels = {f"{index}.png": {"Male": index == 0, "Blond_Hair": True} for index in range(4)}
    facts = {"facesets": {"faces": str(faces)}, "parameters": parameters(iterations=20)}
    modules.driver.main(job(tmp_path, "prepare", attributes={"faces": labels}, **facts))
    said = capsys.readouterr().out
    assert "3.png cannot be read" in said
    assert "the list has no Black_Hair, Brown_Hair, Young" in said
    output, lesson = tmp_path / "prepare" / "output", tmp_path / "prepare" / "work" / "lesson"
    assert json.loads((output / "attributes.json").read_text()) == ["Blond_Hair", "Male"]
    assert {path.name for path in output.iterdir()} == {"G.ckpt", "D.ckpt", "attributes.json"}
    sizes = [Image.open(lesson / "images" / f"{index}.png").size for index in range(3)]
    assert sizes == [(178, 218), (222, 178), (178, 178)]
    with pytest.raises(SystemExit, match="the list of attributes has none of"):
        modules.driver.main(job(tmp_path, "prepare", attributes={"faces": {"0.png": {"Bald": True}}}, **facts))


def test_released_weights(modules: SimpleNamespace, tmp_path: Path, upstream: Path) -> None:
    facts = {"facesets": {"faces": "/none"}, "parameters": parameters(weights="released"), "attributes": {}}
    with pytest.raises(SystemExit, match=r"200000-G.ckpt and 200000-D.ckpt is not installed"):
        modules.driver.main(job(tmp_path, "prepare", **facts))
    weights = trained(tmp_path / "weights", upstream)
    for net in "GD":
        (weights / f"{net}.ckpt").rename(weights / f"200000-{net}.ckpt")
    with pytest.raises(SystemExit, match="know 3 attributes"):
        modules.driver.main(job(tmp_path, "prepare", **facts))
    (weights / "200000-G.ckpt").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(SystemExit, match=r"200000-G.ckpt is no file of weights"):
        modules.driver.main(job(tmp_path, "prepare", **facts))


def test_apply(
    modules: SimpleNamespace, tmp_path: Path, upstream: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "in"
    given.mkdir()
    Image.new("RGB", (178, 218), (255, 255, 255)).save(given / "bright.png")
    Image.new("RGB", (90, 64), (0, 0, 0)).save(given / "dark.png")
    Image.new("RGB", (3, 200)).save(given / "thin.png")
    images = [{"name": f"{name}.png", "seed": 0} for name in ("bright", "dark", "thin", "absent")]
    model = trained(tmp_path / "model", upstream)
    facts = {"input": str(given), "model": str(model), "images": images, "parameters": {"edits": "Male"}}
    modules.driver.main(job(tmp_path, "apply", **facts))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = {event["name"]: event["status"] for event in events if event["event"] == "image"}
    assert said == {"bright.png": "attacked", "dark.png": "attacked", "thin.png": "failed", "absent.png": "failed"}
    assert events[-1] == {"event": "done"}
    # the stand-in shows the label as a colour: of two hair colours the likelier was seen, and Male was turned round
    bright, dark = (np.asarray(Image.open(tmp_path / "apply" / "output" / f"{n}.png")) for n in ("bright", "dark"))
    assert bright.shape == (218, 178, 3)
    assert tuple(bright[100, 80]) == (128, 255, 128)
    assert tuple(bright[5, 80]) == (255, 255, 255)
    assert tuple(dark[30, 45]) == (128, 255, 255)
    assert (np.asarray(Image.open(tmp_path / "apply" / "masks" / "bright.png")) == 255).sum() == 178 * 178


def test_apply_without_preparation_and_without_pictures(
    modules: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"input": str(tmp_path), "model": None, "parameters": {"edits": "Male"}}
    with pytest.raises(SystemExit, match="run prepare"):
        modules.driver.main(job(tmp_path, "apply", images=[{"name": "a.png", "seed": 0}], **facts))
    modules.driver.main(job(tmp_path, "apply", images=[], **facts))
    assert json.loads(capsys.readouterr().out) == {"event": "done"}
