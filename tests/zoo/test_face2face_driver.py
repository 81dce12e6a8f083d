"""The Face2Face driver on faces made by code: rasteriser, mouth, fit, job handling. The tool itself is not needed."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from faketagger.zoo.manifest import load_manifest

FOLDER = Path(__file__).parents[2] / "adapters" / "face2face"
MODULES = ("driver", "render", "reenact", "candide", "surrey", "models")


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The adapter's modules under their own short names, gone again after the test."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES if name != "models"})
    for name in MODULES:
        sys.modules.pop(name, None)


def face_mesh(left: float = 20, top: float = 20, step: float = 8) -> tuple[np.ndarray, np.ndarray]:
    """A flat grid of 6 x 6 vertices whose middle cell is open like a mouth: (3, 36) and its triangles."""
    rows, columns = np.mgrid[0:6, 0:6]
    placed = np.stack([left + step * columns, top + step * rows, np.zeros((6, 6))]).reshape(3, -1)
    cells = [(row, column) for row in range(5) for column in range(5) if (row, column) != (2, 2)]
    corners = [
        [6 * row + column, 6 * row + column + 1, 6 * row + column + 7, 6 * row + column + 6] for row, column in cells
    ]
    return placed, np.array([part for a, b, c, d in corners for part in ((a, b, c), (a, c, d))])


def noise(height: int = 80, width: int = 90) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_the_manifest_fits() -> None:
    manifest = load_manifest(FOLDER).manifest
    assert manifest.facesets == ("driver",)
    assert manifest.masks
    assert manifest.companions["candide"].commit.startswith("1fdbd28")


def test_rasterise_interpolates_and_the_nearer_triangle_wins(modules: SimpleNamespace) -> None:
    far = np.array([[0, 10, 0], [0, 0, 10], [0, 0, 0]], float)
    near = np.array([[0, 4, 0], [0, 0, 4], [1, 1, 1]], float)
    source = np.c_[far[:2] + 100, near[:2] + 200]
    field, covered = modules.render.rasterise(
        np.c_[near, far][:, [3, 4, 5, 0, 1, 2]], np.array([[0, 1, 2], [3, 4, 5]]), source, (12, 12)
    )
    assert np.allclose(field[1, 1], (201, 201))
    assert np.allclose(field[1, 7], (107, 101))
    assert covered[0, 10]
    assert not covered[6, 6]


def test_rasterise_leaves_no_gap_between_triangles_and_ignores_what_is_outside(modules: SimpleNamespace) -> None:
    placed, triangles = face_mesh(-9.3, 4.6)
    field, covered = modules.render.rasterise(placed, triangles, placed[:2], (30, 25))
    rows, columns = np.nonzero(covered)
    assert np.allclose(field[covered], np.stack([columns, rows], axis=1), atol=1e-3)
    inside = np.zeros_like(covered)
    inside[5:30, 0:25] = True
    inside[21:29, 7:15] = False  # the open cell spans 6.7..14.7 and 20.6..28.6
    assert (covered == inside).all()


def test_rasterise_in_batches_is_the_same(modules: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    placed, triangles = face_mesh()
    placed[2] = np.random.default_rng(1).random(36)
    whole = modules.render.rasterise(placed, triangles, placed[:2] * 2, (80, 90))
    monkeypatch.setattr(modules.render, "BATCH", 100)
    parts = modules.render.rasterise(placed, triangles, placed[:2] * 2, (80, 90))
    assert (whole[0] == parts[0]).all()
    assert (whole[1] == parts[1]).all()


def test_holes_are_the_outline_then_the_mouth(modules: SimpleNamespace) -> None:
    outline, mouth = modules.render.holes(face_mesh()[1])
    assert len(outline) == 20
    assert sorted(mouth) == [14, 15, 20, 21]


def test_an_unmoved_face_stays_bit_exact(modules: SimpleNamespace) -> None:
    placed, triangles = face_mesh()
    picture = noise()
    made, mask = modules.reenact.reenact(picture, placed, placed, triangles, [14, 15, 21, 20], None)
    assert (made == picture).all()
    assert mask[40, 40] == 255
    assert mask[0, 0] == 0


def test_a_moved_face_moves_its_pixels_and_nothing_outside_the_mask(modules: SimpleNamespace) -> None:
    placed, triangles = face_mesh()
    after = placed + np.array([[3], [0], [0]])
    picture = noise()
    made, mask = modules.reenact.reenact(picture, placed, after, triangles, [14, 15, 21, 20], None)
    assert (made[25:35, 30:50] == picture[25:35, 27:47]).all()
    changed = (made != picture).any(axis=2)
    assert changed.any()
    assert not (changed & (mask == 0)).any()
    assert (mask == 0).mean() > 0.3


@pytest.mark.parametrize(("closed", "filled"), [(True, True), (False, False)])
def test_the_mouth_of_the_driver_fills_a_closed_one_only(modules: SimpleNamespace, closed: bool, filled: bool) -> None:
    after, triangles = face_mesh()
    before, mouth = after.copy(), [14, 15, 21, 20]
    if closed:
        before[1, mouth] = after[1, mouth].mean()
    red = np.zeros((30, 30, 3), np.uint8)
    red[..., 0] = 255
    ring = np.array([[5.0, 25, 25, 5], [5, 5, 25, 25]])
    made, _ = modules.reenact.reenact(np.zeros((80, 90, 3), np.uint8), before, after, triangles, mouth, (ring, red))
    assert (made[40, 40, 0] == 255) == filled
    assert made[25, 25, 0] == 0


CAMERA = '''
import cv2
import numpy as np


class OrthographicProjectionBlendshapes:
    """A camera like upstream's, written for this test."""

    def __init__(self, count):
        self.count = count

    def fun(self, x, p):
        shape = x[0] + np.tensordot(p[6:], x[1], axes=1)
        return p[0] * (cv2.Rodrigues(p[1:4])[0][:2] @ shape) + p[4:6, None]

    def residual(self, p, x, y):
        return (y - self.fun(x, p)).flatten()

    def jacobian(self, p, x, y):
        step = np.eye(len(p)) * 1e-5
        return np.stack([(self.fun(x, p + s) - self.fun(x, p)).flatten() / 1e-5 for s in step], axis=1)

    def getInitialParameters(self, x, y):
        p = np.zeros(6 + self.count)
        p[0] = np.linalg.norm(y - y.mean(1, keepdims=True)) / np.linalg.norm((x - x.mean(1, keepdims=True))[:2])
        p[4:6] = y.mean(1)
        return p
'''


def test_candide_finds_pose_and_restrains_twin_units(modules: SimpleNamespace, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    mean = rng.normal(size=(3, 68))
    mean[2, 30] = 3
    mean[2, [0, 16]] = -3
    one = rng.normal(size=(3, 68)) * 0.3
    twins = rng.normal(size=(3, 68)) * 0.3
    blendshapes = np.stack([one, twins, twins * 1.0001])
    folder = tmp_path / "FaceSwap"
    folder.mkdir()
    (folder / "models.py").write_text(CAMERA)
    same = np.arange(68)
    np.savez(
        tmp_path / "candide.npz",
        mean3DShape=mean,
        blendshapes=blendshapes,
        mesh=np.zeros((1, 3), int),
        idxs3D=same,
        idxs2D=same,
    )
    model = modules.candide.Candide(tmp_path)
    pose = np.r_[50.0, 0.1, -0.2, 0.05, 120, 90]
    truth = modules.candide.CandideFit(model, np.r_[pose, 0.8, 0.5, 0.5])
    points = truth.place(truth.expression)[:2].T
    fit = model.fit(points, 256, 256)
    assert np.allclose(fit.expression, [0.8, 0.5, 0.5], atol=0.02)
    assert np.abs(fit.place(fit.expression)[:2].T - points).max() < 1
    placed = fit.place(fit.expression)
    assert placed[2, 30] > placed[2, [0, 16]].mean()


class FakeFit:
    """A face at a fixed place; its one coefficient opens the mouth by that many pixels."""

    def __init__(self, value: float) -> None:
        self.expression = np.array([value])

    def place(self, expression: np.ndarray) -> np.ndarray:
        placed, _ = face_mesh()
        placed[1, [20, 21]] += expression[0]
        return placed


@pytest.fixture
def staged(modules: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The driver with a finder that sees a face in every picture that is not black, and a model that reads its red."""

    class Finder:
        def __init__(self, packages: str) -> None:
            pass

        def find(self, picture: np.ndarray) -> np.ndarray | None:
            return np.full((68, 2), float(picture[0, 0, 0])) if picture.any() else None

    model = SimpleNamespace(triangles=face_mesh()[1], fit=lambda points, width, height: FakeFit(points[0, 0] - 100))
    monkeypatch.setattr("zoo_landmarks.Finder", Finder)
    monkeypatch.setattr(modules.driver, "load_model", lambda name, install: model)
    driver: ModuleType = modules.driver
    return driver


def picture_of(red: int, path: Path) -> None:
    pixels = noise()
    pixels[0, 0] = red
    Image.fromarray(pixels).save(path)


def run(
    driver: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], phase: str, **facts: object
) -> list[dict[str, object]]:
    job = {
        "contract": 1,
        "output": str(tmp_path / phase),
        "install": {"packages": "/none", "upstream": "/none", "companions": {"candide": "/none"}},
        "parameters": {"model": "surrey", "strength": 1.0},
        **facts,
    }
    (tmp_path / phase).mkdir(exist_ok=True)
    (tmp_path / "job.json").write_text(json.dumps(job))
    driver.main([phase, str(tmp_path / "job.json")])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_prepare_then_apply(staged: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faces, given, masks = (tmp_path / name for name in ("faces", "in", "masks"))
    for folder in (faces, given, masks):
        folder.mkdir()
    picture_of(100, faces / "a.png")
    picture_of(104, faces / "b.png")
    Image.new("RGB", (90, 80)).save(faces / "black.png")
    (faces / "broken.jpg").write_bytes(b"no picture")
    events = run(staged, tmp_path, capsys, "prepare", facesets={"driver": str(faces)})
    assert events[-1] == {"event": "done"}
    assert len([event for event in events if "not used" in str(event.get("message"))]) == 2
    kept = json.loads((tmp_path / "prepare" / "drivers.json").read_text())
    assert [(driver["file"], driver["expression"]) for driver in kept["drivers"]] == [
        ("a.png", [0.0]),
        ("b.png", [4.0]),
    ]
    loaded = staged.Driver.load(tmp_path / "prepare", kept["drivers"][1])
    assert (loaded.mouth.shape[1], loaded.mouth.shape[0]) == (17, 21)
    assert loaded.ring.min() == 4

    picture_of(100, given / "0.png")
    Image.new("RGB", (90, 80)).save(given / "1.png")
    (given / "2.png").write_bytes(b"\x89PNG")
    images = [{"name": f"{index}.png", "seed": seed} for index, seed in enumerate((3, 0, 0))] + [
        {"name": "0.png", "seed": 2}
    ]
    events = run(
        staged,
        tmp_path,
        capsys,
        "apply",
        images=images,
        input=str(given),
        masks=str(masks),
        model=str(tmp_path / "prepare"),
    )
    said = [(event["name"], event["status"]) for event in events if event["event"] == "image"]
    assert said == [("0.png", "attacked"), ("1.png", "passed_through"), ("2.png", "failed"), ("0.png", "attacked")]
    assert not np.asarray(Image.open(masks / "1.png")).any()
    # the seed 2 picks the driver whose expression is the face's own: the last run left the picture as it was
    assert (np.asarray(Image.open(tmp_path / "apply" / "0.png")) == np.asarray(Image.open(given / "0.png"))).all()


def test_the_seed_picks_the_driver_and_strength_scales_it(staged: ModuleType, tmp_path: Path) -> None:
    drivers = [{"expression": [value], "ring": None, "mouth": None} for value in (0.0, 4.0)]
    (tmp_path / "drivers.json").write_text(json.dumps({"model": "surrey", "drivers": drivers}))
    job = {"model": str(tmp_path), "install": {"packages": "/none"}, "parameters": {"strength": 1.0}}
    pixels = noise()
    pixels[0, 0] = 100
    studio = staged.Studio(job)
    differences = []
    for strength in (0.0, 0.5, 1.0):
        studio.strength = strength
        differences.append(np.abs(studio.make(pixels, 1)[0].astype(int) - pixels).sum())
    assert differences[0] == 0 < differences[1]
    assert differences[2] != differences[1]
    assert (studio.make(pixels, 2)[0] == pixels).all()


def test_no_usable_driver_is_one_sentence(
    staged: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "faces").mkdir()
    with pytest.raises(SystemExit, match="none of the 0 pictures"):
        run(staged, tmp_path, capsys, "prepare", facesets={"driver": str(tmp_path / "faces")})


def test_apply_without_preparation_and_without_pictures(
    staged: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"input": str(tmp_path), "model": None}
    with pytest.raises(SystemExit, match="run prepare"):
        run(staged, tmp_path, capsys, "apply", images=[{"name": "a.png", "seed": 0}], **facts)
    assert run(staged, tmp_path, capsys, "apply", images=[], **facts) == [{"event": "done"}]
