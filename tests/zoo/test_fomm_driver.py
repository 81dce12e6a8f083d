"""The First Order Motion Model driver: crops, checkpoints and jobs, with stand-ins for the networks."""

import importlib
import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faketagger.zoo.manifest import load_manifest

FOLDER = Path(__file__).parents[2] / "adapters" / "fomm"
OWN = ("driver", "crop", "network")
UPSTREAM = (
    "animate",
    "frames_dataset",
    "logger",
    "imageio",
    "modules",
    "modules.generator",
    "modules.keypoint_detector",
)

GENERATOR = """
import torch
class OcclusionAwareGenerator(torch.nn.Module):
    def __init__(self, num_channels, tint):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.zeros(1))
    def forward(self, source, kp_source, kp_driving):
        shift = (kp_driving["value"] - kp_source["value"]).mean()
        return {"prediction": (source * self.gain + shift).clamp(0, 1)}
"""
DETECTOR = """
import torch
class KPDetector(torch.nn.Module):
    def __init__(self, num_channels, temperature):
        super().__init__()
        self.offset = torch.nn.Parameter(torch.zeros(1))
    def forward(self, picture):
        return {"value": picture.mean(dim=(2, 3)) + self.offset}
"""
ANIMATE = """
import imageio
from frames_dataset import PairedDataset
from logger import Logger, Visualizer
def normalize_kp(kp_source, kp_driving, kp_driving_initial, adapt_movement_scale, **use):
    assert use["use_relative_jacobian"] == use["use_relative_movement"]
    if not use["use_relative_movement"]:
        return kp_driving
    return {"value": kp_source["value"] + kp_driving["value"] - kp_driving_initial["value"]}
"""
CONFIG = """
model_params:
  common_params: {num_channels: 3}
  kp_detector_params: {temperature: 0.1}
  generator_params: {tint: 1}
"""


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    kept = {name: sys.modules.pop(name) for name in UPSTREAM if name in sys.modules}
    path = list(sys.path)
    sys.path.insert(0, str(FOLDER))
    for name in OWN:
        sys.modules.pop(name, None)
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in OWN})
    sys.path[:] = path
    for name in (*OWN, *UPSTREAM):
        sys.modules.pop(name, None)
    sys.modules.update(kept)


@pytest.fixture(scope="module")
def crop() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fomm_crop", FOLDER / "crop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def install(tmp_path: Path) -> dict[str, str]:
    """A folder like upstream's and a checkpoint in upstream's format."""
    upstream, weights = tmp_path / "upstream", tmp_path / "weights"
    for folder in (upstream / "modules", upstream / "config", weights):
        folder.mkdir(parents=True)
    (upstream / "modules" / "generator.py").write_text(GENERATOR)
    (upstream / "modules" / "keypoint_detector.py").write_text(DETECTOR)
    (upstream / "animate.py").write_text(ANIMATE)
    for name in ("vox-256.yaml", "vox-adv-256.yaml"):
        (upstream / "config" / name).write_text(CONFIG)
    state = {"generator": {"gain": torch.ones(1)}, "kp_detector": {"offset": torch.zeros(1)}, "epoch": 100}
    torch.save(state, weights / "vox-cpk.pth.tar", _use_new_zipfile_serialization=False)
    return {"upstream": str(upstream), "weights": str(weights), "packages": "/none"}


def flat(value: int) -> np.ndarray:
    return np.full((256, 256, 3), value, np.uint8)


def test_the_manifest_fits() -> None:
    manifest = load_manifest(FOLDER).manifest
    assert [(weight.origin, weight.required) for weight in manifest.weights] == [("user", True), ("user", False)]
    assert manifest.masks


def test_the_window_has_room_for_the_forehead(crop: ModuleType) -> None:
    points = np.stack([np.linspace(100, 180, 68), np.linspace(120, 220, 68)], axis=1)
    left, top, side = crop.window(points)
    assert side == 156  # 1.3 x 100 high, 1.2 times that
    assert (left, top) == (140 - 78, 155 - 78)


@given(left=st.integers(-80, 90), top=st.integers(-80, 70), side=st.integers(1, 200), seed=st.integers(0, 99))
def test_cut_and_paste_leave_the_rest_alone(crop: ModuleType, left: int, top: int, side: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (60, 75, 3), dtype=np.uint8)
    assert crop.cut(picture, (left, top, side)).shape == (256, 256, 3)
    made, mask = crop.paste(picture, flat(9), (left, top, side))
    assert made.shape == picture.shape
    assert (made[mask == 0] == picture[mask == 0]).all()
    assert (made[mask == 255] == 9).all()
    beyond = np.ones(mask.shape, bool)
    beyond[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)] = False
    assert not mask[beyond].any()


def test_paste_back_is_in_register(crop: ModuleType) -> None:
    rows, columns = np.mgrid[0:200, 0:220]
    picture = np.stack([rows, columns, (rows + columns) // 2], axis=-1).astype(np.uint8)
    where = (40, 30, 128)
    made, mask = crop.paste(picture, crop.cut(picture, where), where)
    assert (mask == 255).mean() > 0.2
    assert np.abs(made.astype(int) - picture).max() <= 2


def test_a_checkpoint_moves_a_face(modules: SimpleNamespace, install: dict[str, str]) -> None:
    motion = modules.network.Motion(install, "vox", "cpu")
    relative = motion.move(flat(100), flat(60), flat(40), True, False)
    assert (relative == 120).all()
    absolute = motion.move(flat(100), flat(60), flat(40), False, False)
    assert (absolute == 60).all()


def test_missing_weights_are_one_sentence(modules: SimpleNamespace, install: dict[str, str]) -> None:
    with pytest.raises(SystemExit, match=r"vox-adv-cpk.pth.tar is missing.*--weights DIR"):
        modules.network.Motion(install, "vox_adv", "cpu")


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1/0",)


def test_a_checkpoint_that_would_run_code_is_refused(modules: SimpleNamespace, install: dict[str, str]) -> None:
    torch.save({"generator": Harmful()}, Path(install["weights"]) / "vox-cpk.pth.tar")
    with pytest.raises(pickle.UnpicklingError, match="Weights only"):
        modules.network.Motion(install, "vox", "cpu")


def frames(folder: Path, values: list[int]) -> Path:
    folder.mkdir(exist_ok=True)
    for index, value in enumerate(values):
        Image.new("RGB", (300, 280), (value,) * 3).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def driver(modules: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A finder that sees a face in whatever is not black."""

    class Finder:
        def __init__(self, packages: str) -> None:
            pass

        def find(self, picture: np.ndarray) -> np.ndarray | None:
            square = np.linspace(80, 180, 68)
            return np.stack([square, square], axis=1) if picture.any() else None

    monkeypatch.setattr("zoo_landmarks.Finder", Finder)
    module: ModuleType = modules.driver
    return module


def job(tmp_path: Path, install: dict[str, str], phase: str, **facts: object) -> list[str]:
    parameters = {"checkpoint": "vox", "relative": True, "adapt_scale": True}
    folders = {name: str(tmp_path / phase / name) for name in ("output", "masks")}
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    plain = {"contract": 1, "install": install, "parameters": parameters, "device": "cpu", **folders, **facts}
    (tmp_path / "job.json").write_text(json.dumps(plain))
    return [phase, str(tmp_path / "job.json")]


def test_prepare_then_apply(
    driver: ModuleType, install: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = frames(tmp_path / "faces", [40, 60, 0, 80])
    (faces / "broken.jpg").write_bytes(b"")
    driver.main(job(tmp_path, install, "prepare", facesets={"driver": str(faces)}))
    model = tmp_path / "prepare" / "output"
    assert [np.asarray(Image.open(path)).max() for path in sorted(model.iterdir())] == [40, 60, 80]
    capsys.readouterr()

    source = frames(tmp_path / "in", [100, 0, 100])
    (source / "3.png").write_bytes(b"no picture")
    images = [{"name": f"{index}.png", "seed": seed} for index, seed in enumerate((0, 0, 1, 0))]
    driver.main(job(tmp_path, install, "apply", images=images, input=str(source), model=str(model)))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [(event["name"], event["status"]) for event in events if event["event"] == "image"]
    assert said == [("0.png", "attacked"), ("1.png", "passed_through"), ("2.png", "attacked"), ("3.png", "failed")]
    for name, value in (("0.png", 120), ("2.png", 140)):
        made = np.asarray(Image.open(tmp_path / "apply" / "output" / name))
        mask = np.asarray(Image.open(tmp_path / "apply" / "masks" / name))
        assert made.shape == (280, 300, 3)
        assert (made[mask == 255] == value).all()
        assert (made[mask == 0] == 100).all()
        assert (mask == 255).any()


def test_no_usable_driver_is_one_sentence(driver: ModuleType, install: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="none of the 2 pictures"):
        driver.main(job(tmp_path, install, "prepare", facesets={"driver": str(frames(tmp_path / "faces", [0, 0]))}))


def test_apply_without_preparation_and_without_pictures(
    driver: ModuleType, install: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"input": str(tmp_path), "model": None}
    with pytest.raises(SystemExit, match="run prepare"):
        driver.main(job(tmp_path, install, "apply", images=[{"name": "a.png", "seed": 0}], **facts))
    driver.main(job(tmp_path, install, "apply", images=[], **facts))
    assert json.loads(capsys.readouterr().out) == {"event": "done"}
