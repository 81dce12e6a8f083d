"""The DCGAN driver: jobs, squares, masks and the search on their own; the real package as a black box."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faketagger.zoo import apply, check_adapter, get_adapter, install

ADAPTER = get_adapter("gan_face_generate")


@pytest.fixture(scope="module")
def driver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gan_face_generate_driver", ADAPTER.driver)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def description(folder: Path, names: list[str], **parameters: object) -> dict[str, object]:
    return {
        "contract": 1,
        "input": str(folder / "in"),
        "output": str(folder / "out"),
        "masks": str(folder / "masks"),
        "install": {"packages": "/packages"},
        "images": [{"name": name, "seed": 3} for name in names],
        "parameters": {"region": "face", "steps": 2, "starts": 2, **parameters},
    }


def box(left: int, top: int, right: int, bottom: int) -> SimpleNamespace:
    """A find as dlib reports it: the right and bottom edges are inside."""
    sides = {"left": left, "top": top, "right": right - 1, "bottom": bottom - 1}
    sides["area"] = (right - left) * (bottom - top)
    return SimpleNamespace(**{name: lambda value=value: value for name, value in sides.items()})


def toy_generator() -> torch.nn.Module:
    """A latent of 100 values to a picture that is smooth in it."""
    torch.manual_seed(0)
    shape = torch.nn.Unflatten(1, (3, 8, 8))
    layers = [torch.nn.Flatten(), torch.nn.Linear(100, 192), shape, torch.nn.Upsample(scale_factor=8), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers).requires_grad_(False)


def test_job(driver: ModuleType, tmp_path: Path) -> None:
    job = driver.Job(description(tmp_path, ["a.png"], region="picture", steps=7, starts=5))
    assert (job.images, job.region, job.steps, job.starts) == ([("a.png", 3)], "picture", 7, 5)
    assert job.weights == Path("/packages/gan_face_generate/weights.tar")


def test_no_picture_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps(description(tmp_path, [])))
    command = [sys.executable, "-S", str(ADAPTER.driver), "apply", str(tmp_path / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"event": "done"}


@given(
    size=st.tuples(st.integers(1, 500), st.integers(1, 500)),
    corner=st.tuples(st.floats(-100, 500), st.floats(-100, 500)),
    face=st.tuples(st.floats(1, 400), st.floats(1, 400)),
)
def test_the_square_lies_in_the_picture(
    driver: ModuleType, size: tuple[int, int], corner: tuple[float, float], face: tuple[float, float]
) -> None:
    left, top, right, bottom = driver.square_around((*corner, corner[0] + face[0], corner[1] + face[1]), size)
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    assert right - left == bottom - top


def test_the_mask_is_soft_inside_and_hard_at_the_pictures_edge(driver: ModuleType) -> None:
    mask = np.asarray(driver.soft_square((100, 80), (0, 20, 50, 70)))
    assert mask.shape == (80, 100)
    assert (mask[:20] == 0).all()
    assert (mask[:, 50:] == 0).all()
    assert mask[45, 0] == mask[45, 25] == 255
    assert 0 < mask[45, 49] < 255
    whole = np.asarray(driver.soft_square((100, 80), (0, 0, 100, 80)))
    assert (whole == 255).all()


def test_the_search_comes_near_and_the_seed_fixes_it(driver: ModuleType) -> None:
    network = toy_generator()
    with torch.no_grad():
        target = network(torch.randn(1, 100, 1, 1))[0]
    near = driver.invert(network, target, 1, 150, 2)
    far = driver.invert(network, target, 1, 1, 2)
    assert (near - target).square().mean() < 0.1 * (far - target).square().mean()
    assert (driver.invert(network, target, 1, 5, 2) == driver.invert(network, target, 1, 5, 2)).all()


@pytest.mark.parametrize("region", ["face", "picture"])
def test_pictures_with_and_without_a_face(
    driver: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, region: str
) -> None:
    """A face is replaced and masked; no face is passed through; a broken file fails with a sentence."""
    (tmp_path / "in").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in" / "face.png")
    Image.fromarray(pixels[:, ::-1]).save(tmp_path / "in" / "none.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    scale = 640 / 120

    def finder(seen: np.ndarray, enlarge: int) -> list[SimpleNamespace]:
        right_one = abs(int(seen[0, 0, 0]) - int(pixels[0, 0, 0])) < 30
        return [box(*(round(scale * edge) for edge in (30, 30, 60, 60)))] if right_one else []

    monkeypatch.setattr(driver, "load_generator", lambda job: toy_generator())
    monkeypatch.setitem(sys.modules, "dlib", SimpleNamespace(get_frontal_face_detector=lambda: finder))
    driver.apply(driver.Job(description(tmp_path, ["face.png", "none.png", "broken.png"], region=region)))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {event["name"]: (event["status"], event["reason"]) for event in events if event["event"] == "image"}
    assert found["face.png"] == ("attacked", None)
    assert found["none.png"] == ("passed_through", "no face was found")
    assert found["broken.png"][0] == "failed"
    assert "UnidentifiedImageError" in found["broken.png"][1]
    made = np.asarray(Image.open(tmp_path / "out" / "face.png"))
    mask = np.asarray(Image.open(tmp_path / "masks" / "face.png"))
    assert made.shape == pixels.shape
    assert (made[mask == 0] == pixels[mask == 0]).all()
    assert (made[mask == 255] != pixels[mask == 255]).mean() > 0.9
    assert (mask == 255).all() == (region == "picture")
    assert (np.asarray(Image.open(tmp_path / "out" / "none.png")) == pixels[:, ::-1]).all()


@pytest.mark.realtool
def test_the_real_tool(tmp_path: Path) -> None:
    """Installed into the user's own cache, where it stays for the next time."""
    from skimage import data

    install("gan_face_generate")
    face = data.astronaut()[:256, 96:352]
    path, empty = tmp_path / "face.png", tmp_path / "empty.png"
    Image.fromarray(face).save(path)
    Image.fromarray(face[200:, :90]).save(empty)
    run = apply("gan_face_generate", [path, empty], tmp_path / "out", {"steps": 30, "starts": 1}, fresh=True)
    assert run.run is not None
    assert run.run.outcome == "finished", run.run.reason
    assert [image.status for image in run.images] == ["attacked", "passed_through"]
    image = run.images[0]
    assert image.output is not None
    assert image.psnr_db is not None
    assert 0.1 < image.changed < 0.95
    # a face that was searched for is nearer than one that was not
    hasty = apply("gan_face_generate", [path], tmp_path / "hasty", {"steps": 1, "starts": 1}, fresh=True).images[0]
    assert hasty.psnr_db is not None
    assert image.psnr_db > hasty.psnr_db + 1


@pytest.mark.realtool
def test_it_keeps_the_contract() -> None:
    install("gan_face_generate")
    assert [result for result in check_adapter("gan_face_generate") if result.verdict == "failed"] == []
