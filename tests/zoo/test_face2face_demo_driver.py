"""The face2face-demo driver: drawings, windows, command lines and resuming, against recorded output. No TensorFlow."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faketagger.zoo.manifest import load_manifest

FOLDER = Path(__file__).parents[2] / "adapters" / "face2face_demo"
MODULES = ("driver", "sketch", "training", "network")

RECORDED = """examples count = 100
parameter_count = 3582388
progress  epoch 1  step 10  image/sec 1.3  remaining 0m
discrim_loss 0.12325395
gen_loss_GAN 0.069662765
gen_loss_L1 0.038306303
progress  epoch 1  step 20  image/sec 1.9  remaining 0m
"""

# stands for upstream's script: prints what it printed and leaves the checkpoint that it left
PIX2PIX = """
import sys, pathlib
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
folder = pathlib.Path(arguments["--output_dir"])
folder.mkdir(exist_ok=True)
start = 0
if "--checkpoint" in arguments:
    start = int((folder / "checkpoint").read_text().split("model-")[1].split('"')[0])
step = start + min(int(arguments["--max_steps"]), {at_most})
print({text!r}, end="")
for end in ("index", "data-00000-of-00001", "meta"):
    (folder / f"model-{{step}}.{{end}}").write_text("weights")
(folder / "checkpoint").write_text(f'model_checkpoint_path: "{{folder}}/model-{{step}}"\\n')
"""


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def sketch_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("face2face_demo_sketch", FOLDER / "sketch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def landmarks(left: float = 40, top: float = 30, side: float = 100) -> np.ndarray:
    """68 points that fill a square."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return np.stack([left + side * (0.5 + 0.5 * np.cos(turn)), top + side * (0.5 + 0.5 * np.sin(turn))], axis=1)


def test_the_manifest_fits() -> None:
    manifest = load_manifest(FOLDER).manifest
    assert manifest.roles == ("donor",)
    assert manifest.donor == "person"
    assert manifest.presets["paper"] == {"steps": 80000, "filters": 64}


def test_a_sketch_shows_landmarks_and_nothing_of_the_picture(modules: SimpleNamespace) -> None:
    points = landmarks()
    black, white = (np.full((160, 200, 3), value, np.uint8) for value in (0, 255))
    one, other = modules.sketch.pair(black, points), modules.sketch.pair(white, points)
    assert one.shape == (256, 512, 3)
    assert (one[:, :256] == other[:, :256]).all()
    assert (other[:, 256:] == 255).all()
    assert 0.005 < (one[:, :256] > 64).mean() < 0.2
    # the rightmost point, at x = 140 of the square 20..180
    line = np.nonzero(one[:, :256].max(axis=(0, 2)) > 64)[0]
    assert abs(line.max() - (140 - 20) * 256 / 160) < 3


@given(width=st.integers(1, 700), height=st.integers(1, 700))
def test_what_is_generated_covers_a_picture_of_any_shape(sketch_module: ModuleType, width: int, height: int) -> None:
    left, top, side = sketch_module.smallest_square(width, height)
    assert left <= 0 <= width <= left + side
    assert top <= 0 <= height <= top + side
    assert sketch_module.lay_over(np.full((256, 256, 3), 7, np.uint8), width, height).shape == (height, width, 3)


def test_what_is_generated_lies_where_it_was_drawn(modules: SimpleNamespace) -> None:
    drawn = modules.sketch.sketch(landmarks(100, 20, 60), modules.sketch.smallest_square(300, 120))
    laid = modules.sketch.lay_over(drawn, 300, 120)
    rows, columns = np.nonzero(laid.max(axis=2) > 64)
    assert abs(columns.min() - 100) < 4
    assert abs(columns.max() - 160) < 4
    assert abs(rows.min() - 20) < 4


def checkpoint(folder: Path, step: int, whole: bool = True) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "checkpoint").write_text(
        f'model_checkpoint_path: "/elsewhere/model-{step}"\nall_model_checkpoint_paths: "x/model-1"\n'
    )
    if whole:
        (folder / f"model-{step}.index").write_text("")


def test_steps_done(modules: SimpleNamespace, tmp_path: Path) -> None:
    assert modules.training.steps_done(tmp_path / "nothing") == 0
    checkpoint(tmp_path, 300)
    assert modules.training.steps_done(tmp_path) == 300
    checkpoint(tmp_path / "torn", 400, whole=False)
    assert modules.training.steps_done(tmp_path / "torn") == 0


def test_command_line(modules: SimpleNamespace, tmp_path: Path) -> None:
    parameters = {"steps": 1000, "filters": 16}
    fresh = modules.training.command("/up/pix2pix.py", "/pairs", tmp_path / "model", parameters, 5)
    assert fresh[1:4] == ["/up/pix2pix.py", "--mode", "train"]
    options = dict(zip(fresh[2::2], fresh[3::2], strict=True))
    assert options["--max_steps"] == "1000"
    assert options["--ngf"] == options["--ndf"] == "16"
    assert options["--input_dir"] == "/pairs"
    assert "--checkpoint" not in fresh
    checkpoint(tmp_path / "model", 700)
    again = modules.training.command("/up/pix2pix.py", "/pairs", tmp_path / "model", parameters, 5)
    options = dict(zip(again[2::2], again[3::2], strict=True))
    assert (options["--max_steps"], options["--checkpoint"]) == ("300", str(tmp_path / "model"))
    assert (
        modules.training.command("/up/pix2pix.py", "/pairs", tmp_path / "model", {**parameters, "steps": 700}, 5)
        is None
    )


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Path]:
    def make(at_most: int = 10**9, text: str = RECORDED) -> Path:
        folder = tmp_path / "pix2pix"
        folder.mkdir(exist_ok=True)
        (folder / "pix2pix.py").write_text(PIX2PIX.format(at_most=at_most, text=text))
        return folder / "pix2pix.py"

    return make


def test_training_tells_its_progress_and_goes_on(
    modules: SimpleNamespace, tmp_path: Path, script: Callable[..., Path]
) -> None:
    said: list[tuple[str, dict[str, object]]] = []
    parameters, model = {"steps": 30, "filters": 16}, tmp_path / "model"

    def say(event: str, **facts: object) -> None:
        said.append((event, facts))

    with pytest.raises(SystemExit, match=r"ended after 10 of 30 steps: progress  epoch 1  step 20"):
        modules.training.train(script(at_most=10), tmp_path, model, parameters, 0, say)
    modules.training.train(script(), tmp_path, model, parameters, 0, say)
    progress = [facts["done"] for event, facts in said if event == "progress"]
    assert progress == [10, 20, 20, 30]
    assert modules.training.steps_done(model) == 30
    said.clear()
    modules.training.train(script(), tmp_path, model, parameters, 0, say)
    assert said == []


@pytest.fixture
def staged(modules: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A finder that sees a face in whatever is not black, a generator that answers with green."""

    class Finder:
        def __init__(self, packages: str) -> None:
            pass

        def find(self, picture: np.ndarray) -> np.ndarray | None:
            return landmarks(5, 5, 20) if picture.any() else None

    class Generator:
        def __init__(self, upstream: str, folder: Path, filters: int, seed: int) -> None:
            assert filters == 16

        def make(self, drawn: np.ndarray) -> np.ndarray:
            assert drawn.shape == (256, 256, 3)
            return np.full((256, 256, 3), (0, 200, 0), np.uint8)

    monkeypatch.setattr("zoo_landmarks.Finder", Finder)
    monkeypatch.setattr(modules.network, "Generator", Generator)
    driver: ModuleType = modules.driver
    return driver


def job(tmp_path: Path, phase: str, **facts: object) -> list[str]:
    install = {"packages": "/none", "upstream": "/none", "companions": {"pix2pix": str(tmp_path / "pix2pix")}}
    parameters = {"steps": 20, "filters": 16}
    folders = {name: str(tmp_path / phase / name) for name in ("output", "work", "masks")}
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    plain = {"contract": 1, "install": install, "parameters": parameters, "seed": 1, **folders, **facts}
    (tmp_path / "job.json").write_text(json.dumps(plain))
    return [phase, str(tmp_path / "job.json")]


def people(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    for index in range(count):
        Image.new("RGB", (40, 30), (index + 1, 9, 9)).save(folder / f"{index}.png")
    return folder


def test_prepare_then_apply(
    staged: ModuleType, tmp_path: Path, script: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    script()
    faces = people(tmp_path / "faces", 8)
    Image.new("RGB", (40, 30)).save(faces / "black.png")
    (faces / "broken.png").write_bytes(b"")
    staged.main(job(tmp_path, "prepare", facesets={"person": str(faces)}))
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"event": "done"}
    model = tmp_path / "prepare" / "output"
    kept = {"model-20.index", "model-20.data-00000-of-00001", "checkpoint", "trained.json"}
    assert {path.name for path in model.iterdir()} == kept
    assert (model / "checkpoint").read_text() == 'model_checkpoint_path: "model-20"\n'
    assert len(list((tmp_path / "prepare" / "work" / "pairs").iterdir())) == 8

    given = people(tmp_path / "in", 1)
    Image.new("RGB", (40, 30)).save(given / "1.png")
    images = [{"name": f"{index}.png", "seed": index} for index in range(3)]
    staged.main(job(tmp_path, "apply", images=images, input=str(given), model=str(model)))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [(event["name"], event["status"]) for event in events if event["event"] == "image"]
    assert said == [("0.png", "attacked"), ("1.png", "passed_through"), ("2.png", "failed")]
    made = np.asarray(Image.open(tmp_path / "apply" / "output" / "0.png"))
    assert (made == (0, 200, 0)).all()
    assert made.shape == (30, 40, 3)
    masks = [np.asarray(Image.open(tmp_path / "apply" / "masks" / f"{index}.png")) for index in range(2)]
    assert (masks[0] == 255).all()
    assert not masks[1].any()


def test_too_few_pictures_are_one_sentence(staged: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="only 3 of 3 pictures"):
        staged.main(job(tmp_path, "prepare", facesets={"person": str(people(tmp_path / "faces", 3))}))


def test_apply_without_preparation_and_without_pictures(
    staged: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"input": str(tmp_path), "model": None}
    with pytest.raises(SystemExit, match="run prepare"):
        staged.main(job(tmp_path, "apply", images=[{"name": "a.png", "seed": 0}], **facts))
    staged.main(job(tmp_path, "apply", images=[], **facts))
    assert json.loads(capsys.readouterr().out) == {"event": "done"}
