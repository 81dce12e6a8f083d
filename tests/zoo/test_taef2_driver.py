"""The TAEF2 driver: jobs, batches and noise with a stand-in network; the real one against the simulator's twin."""

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

from faketagger.zoo import apply, check_adapter, get_adapter
from faketagger.zoo.installer import installation

ADAPTER = get_adapter("taef2")
INSTALLED = installation(ADAPTER)
installed = pytest.mark.skipif(not INSTALLED.complete, reason="faketagger zoo install taef2")


@pytest.fixture(scope="module")
def driver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("taef2_driver", ADAPTER.driver)
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
        "install": {"upstream": "/upstream"},
        "images": [{"name": name, "seed": index} for index, name in enumerate(names)],
        "parameters": {"resolution": "full", "noise": 0.0, "batch": 8, **parameters},
        "device": "cpu",
    }


def shrinking_network() -> SimpleNamespace:
    """Keeps every eighth pixel and repeats it; refuses sides that are no multiples of 8."""

    def encode(pixels: torch.Tensor) -> torch.Tensor:
        assert pixels.shape[2] % 8 == pixels.shape[3] % 8 == 0
        return pixels[:, :, ::8, ::8]

    return SimpleNamespace(
        encoder=encode, decoder=lambda latent: latent.repeat_interleave(8, 2).repeat_interleave(8, 3)
    )


def test_job(driver: ModuleType, tmp_path: Path) -> None:
    job = driver.Job(description(tmp_path, ["a.png", "b.png"], resolution="half", noise=0.4, batch=3))
    assert job.images == [("a.png", 0), ("b.png", 1)]
    assert (job.factor, job.noise, job.batch, job.device) == (2, 0.4, 3, "cpu")


def test_no_picture_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps(description(tmp_path, [])))
    command = [sys.executable, "-S", str(ADAPTER.driver), "apply", str(tmp_path / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"event": "done"}


@given(
    sizes=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=20),
    most=st.integers(1, 5),
    pixels=st.integers(1, 20),
)
def test_batches(driver: ModuleType, sizes: list[tuple[int, int]], most: int, pixels: int) -> None:
    by_name = {f"{index}.png": size for index, size in enumerate(sizes)}
    made = driver.batches(by_name, most, pixels)
    assert sorted(name for names in made for name in names) == sorted(by_name)
    for names in made:
        (size,) = {by_name[name] for name in names}
        assert len(names) <= most
        assert len(names) == 1 or len(names) * size[0] * size[1] <= pixels


def test_odd_sides_and_noise_that_knows_no_batch(driver: ModuleType) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 13, 17, 3), dtype=np.uint8)
    network = shrinking_network()
    plain = driver.resynthesise(network, pictures, [1, 2, 3], 0.0, "cpu")
    assert plain.shape == pictures.shape
    assert (plain[:, :8, :8] == pictures[:, :1, :1]).all()
    noisy = driver.resynthesise(network, pictures, [1, 2, 3], 0.5, "cpu")
    assert (noisy != plain).mean() > 0.5
    alone = driver.resynthesise(network, pictures[1:2], [2], 0.5, "cpu")
    assert (alone[0] == noisy[1]).all()
    other = driver.resynthesise(network, pictures[1:2], [3], 0.5, "cpu")
    assert (other != alone).any()


@pytest.mark.parametrize("resolution", ["full", "half"])
def test_pictures_come_back_in_their_size(
    driver: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, resolution: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    sizes = {"a.png": (31, 22), "b.png": (8, 8), "c.png": (31, 22)}
    for name, size in sizes.items():
        Image.effect_noise(size, 90).convert("RGB").save(tmp_path / "in" / name)
    monkeypatch.setattr(driver, "load", lambda job: shrinking_network())
    driver.apply(driver.Job(description(tmp_path, list(sizes), resolution=resolution)))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["name"]: event["status"] for event in events if event["event"] == "image"} == dict.fromkeys(
        sizes, "attacked"
    )
    for name, size in sizes.items():
        assert Image.open(tmp_path / "out" / name).size == size


def test_one_bad_batch_does_not_end_the_job(
    driver: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name, size in (("a.png", (16, 16)), ("b.png", (8, 8))):
        Image.effect_noise(size, 90).convert("RGB").save(tmp_path / "in" / name)
    network = shrinking_network()
    good = network.encoder

    def encode(pixels: torch.Tensor) -> torch.Tensor:
        if pixels.shape[3] == 16:
            raise RuntimeError("not enough memory\nsecond line")
        return good(pixels)

    network.encoder = encode
    monkeypatch.setattr(driver, "load", lambda job: network)
    driver.apply(driver.Job(description(tmp_path, ["a.png", "b.png"])))
    images = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["status"], event["reason"]) for event in images if event["event"] == "image"] == [
        ("failed", "RuntimeError: not enough memory"),
        ("attacked", None),
    ]


@pytest.mark.realtool
@installed
@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_the_real_tool_is_the_simulators_twin(tmp_path: Path, noise: float) -> None:
    """The external program and the differentiable network of the simulator make the same pixels within rounding."""
    from skimage import data

    from faketagger.simulator.taef2 import load_taef2

    face = data.astronaut()[:256, 96:352]
    Image.fromarray(face).save(tmp_path / "face.png")
    run = apply(ADAPTER, [tmp_path / "face.png"], tmp_path / "out", {"noise": noise}, fresh=True)
    (image,) = run.images
    assert image.status == "attacked", image.reason
    assert image.output is not None
    made = np.asarray(Image.open(image.output)).astype(int)
    twin = load_taef2(INSTALLED.folder / "upstream")
    with torch.no_grad():
        pixels = torch.from_numpy(face.copy()).permute(2, 0, 1)[None].float() / 255
        clean = twin.decode(twin.encode(pixels)).clamp(0, 1)[0].permute(1, 2, 0).mul(255).round().numpy()
    if noise:
        assert np.abs(made - clean).mean() > 2
    else:
        assert np.abs(made - clean).max() <= 1


@pytest.mark.realtool
@installed
def test_it_keeps_the_contract() -> None:
    assert [result for result in check_adapter("taef2") if result.verdict == "failed"] == []
