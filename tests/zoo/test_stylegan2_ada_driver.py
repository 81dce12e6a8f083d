"""The StyleGAN2-ADA driver: jobs, training pictures, options, resuming and samples, against stand-ins for upstream."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from faketagger.zoo import get_adapter

ADAPTER = get_adapter("stylegan2_ada")
PARAMETERS = ADAPTER.manifest.resolve("smoke", None)


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"stylegan2_ada_{name}", ADAPTER.folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def driver() -> Iterator[ModuleType]:
    path = list(sys.path)
    yield load("driver")
    sys.path[:] = path


@pytest.fixture(scope="module")
def run() -> ModuleType:
    return load("training_run")


class Options(dict):
    """Upstream's dictionary with attributes."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


def upstream_options(batch: int = 64) -> Options:
    """What upstream's train.py gives for a base configuration, as far as the adapter touches it."""
    return Options(
        G_kwargs=Options(z_dim=512, w_dim=512, synthesis_kwargs=Options(channel_base=16384, channel_max=512)),
        D_kwargs=Options(channel_base=16384, channel_max=512, epilogue_kwargs=Options(mbstd_group_size=32)),
        G_opt_kwargs=Options(lr=0.0025),
        D_opt_kwargs=Options(lr=0.0025),
        ema_kimg=20,
        ema_rampup=0.05,
        batch_size=batch,
        batch_gpu=batch // 8,
        total_kimg=25000,
    )


def description(folder: Path, phase: str, names: tuple[str, ...] = (), model: Path | None = None) -> dict[str, object]:
    common = {"contract": 1, "phase": phase, "output": str(folder / "out"), "work": str(folder / "work"), "seed": 5}
    common |= {"install": {"upstream": "/upstream"}, "parameters": PARAMETERS, "device": "cpu"}
    if phase == "prepare":
        return common | {"facesets": {"faces": str(folder / "faces")}}
    images = [{"name": name, "seed": index + 2**33} for index, name in enumerate(names)]
    return common | {"input": str(folder / "in"), "images": images, "model": str(model) if model else None}


def test_jobs(driver: ModuleType, tmp_path: Path) -> None:
    job = driver.Job(description(tmp_path, "prepare"))
    assert job.faces == tmp_path / "faces"
    assert job.parameters["kimg"] == PARAMETERS["kimg"]
    job = driver.Job(description(tmp_path, "apply", ("a.png",), tmp_path))
    assert job.images == [("a.png", 2**33)]
    assert job.model == tmp_path


def test_no_picture_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps(description(tmp_path, "apply")))
    command = [sys.executable, "-S", str(ADAPTER.driver), "apply", str(tmp_path / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"event": "done"}


def test_training_pictures_are_central_squares(driver: ModuleType, tmp_path: Path) -> None:
    faces, data = tmp_path / "faces", tmp_path / "data"
    faces.mkdir()
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, 10:50] = 200
    Image.fromarray(pixels).save(faces / "wide.png")
    Image.fromarray(pixels.transpose(1, 0, 2)).save(faces / "high.png")
    (faces / "notes.txt").write_text("no picture")
    assert driver.stage(faces, data, 16) == 2
    for name in ("wide.png", "high.png"):
        made = np.asarray(Image.open(data / name))
        assert made.shape == (16, 16, 3)
        assert (made == 200).all()
    assert sorted(path.name for path in data.iterdir()) == ["high.png", "wide.png"]


def test_an_empty_faceset_is_said(driver: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    with pytest.raises(SystemExit, match="no picture"):
        driver.prepare(driver.Job(description(tmp_path, "prepare")))


def test_sizes_replace_upstreams(run: ModuleType) -> None:
    chosen = upstream_options(batch=12)
    run.resize(chosen, PARAMETERS)
    synthesis = chosen.G_kwargs.synthesis_kwargs
    assert (synthesis.channel_base, synthesis.channel_max, synthesis.use_noise) == (512, 64, False)
    assert (chosen.D_kwargs.channel_base, chosen.D_kwargs.channel_max) == (512, 64)
    assert (chosen.G_kwargs.z_dim, chosen.G_kwargs.w_dim) == (64, 64)
    assert chosen.G_opt_kwargs.lr == chosen.D_opt_kwargs.lr == PARAMETERS["rate"]
    assert chosen.ema_kimg == PARAMETERS["ema"]
    assert chosen.D_kwargs.epilogue_kwargs.mbstd_group_size == 12
    chosen = upstream_options(batch=12)
    chosen.D_kwargs.epilogue_kwargs.mbstd_group_size = 8
    run.resize(chosen, PARAMETERS)
    assert chosen.D_kwargs.epilogue_kwargs.mbstd_group_size == 6


def test_the_papers_sizes_stay(run: ModuleType) -> None:
    chosen = upstream_options()
    chosen.D_kwargs.epilogue_kwargs.mbstd_group_size = 8
    run.resize(chosen, ADAPTER.manifest.resolve("paper", None))
    assert chosen == upstream_options() | {"D_kwargs": chosen.D_kwargs}
    assert chosen.D_kwargs.epilogue_kwargs.mbstd_group_size == 8


def test_options_come_from_upstreams_own_parser(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = {}

    def setup(**given: object) -> tuple[str, Options]:
        asked.update(given)
        return "text", upstream_options(16)

    monkeypatch.setitem(sys.modules, "train", SimpleNamespace(setup_training_loop_kwargs=setup))
    chosen = run.options(PARAMETERS, tmp_path, 3, "cpu")
    assert (asked["cfg"], asked["seed"], asked["aug"], asked["fp32"], asked["batch"]) == ("cifar", 3, "noaug", True, 16)
    assert (chosen.batch_gpu, chosen.network_snapshot_ticks, chosen.data_loader_kwargs) == (16, 1, {"num_workers": 0})
    asked.clear()
    chosen = run.options(ADAPTER.manifest.resolve("paper", None), tmp_path, 3, "cuda")
    assert "batch" not in asked
    assert "gamma" not in asked
    assert asked["mirror"] is True
    assert chosen.batch_gpu == 2


@pytest.fixture
def loop(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """Stands for upstream's loop: leaves the files that the real one was seen to leave, a network every kimg."""
    calls: list[Options] = []

    def training_loop(rank: int, progress_fn: object, **given: object) -> None:
        chosen = Options(given)
        calls.append(chosen)
        for name in ("reals.png", "fakes_init.png", "stats.jsonl"):
            (Path(chosen.run_dir) / name).touch()
        progress_fn(0, chosen.total_kimg)  # type: ignore[operator]
        for kimg in range(chosen.total_kimg + 1):
            (Path(chosen.run_dir) / f"network-snapshot-{kimg:06d}.pkl").touch()
            progress_fn(kimg, chosen.total_kimg)  # type: ignore[operator]

    module = SimpleNamespace(training_loop=training_loop)
    monkeypatch.setitem(sys.modules, "training", SimpleNamespace(training_loop=module))
    monkeypatch.setattr(run, "options", lambda *arguments: Options(upstream_options() | {"seed": arguments[2]}))
    return calls


def test_a_training(run: ModuleType, loop: list[Options], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    snapshot, _ = run.train(PARAMETERS | {"kimg": 3}, "data", tmp_path, 7, "cpu", lambda *at: told.append(at))
    assert snapshot == tmp_path / "00000" / "network-snapshot-000003.pkl"
    assert told == [(0, 3), (0, 3), (1, 3), (2, 3), (3, 3)]
    assert [path.name for path in tmp_path.rglob("*.pkl")] == [snapshot.name]
    assert "resume_pkl" not in loop[0]


def test_a_stopped_training_goes_on(run: ModuleType, loop: list[Options], tmp_path: Path) -> None:
    stopped = tmp_path / "00000"
    stopped.mkdir()
    (stopped / "network-snapshot-000004.pkl").touch()
    (tmp_path / "00001").mkdir()  # stopped before it had saved anything
    told: list[tuple[int, int]] = []
    snapshot, _ = run.train(PARAMETERS | {"kimg": 6}, "data", tmp_path, 7, "cpu", lambda *at: told.append(at))
    assert loop[0].resume_pkl == str(stopped / "network-snapshot-000004.pkl")
    assert loop[0].total_kimg == 2
    assert loop[0].seed == 9
    assert loop[0].ema_rampup is None
    assert told[-1] == (6, 6)
    assert snapshot == tmp_path / "00002" / "network-snapshot-000002.pkl"
    again, _ = run.train(PARAMETERS | {"kimg": 6}, "data", tmp_path, 7, "cpu", lambda *at: None)
    assert again == snapshot
    assert len(loop) == 1


@pytest.mark.parametrize("size", [(64, 64), (50, 90), (90, 50), (1, 7)])
def test_samples_cover_every_size(driver: ModuleType, size: tuple[int, int]) -> None:
    sample = Image.fromarray(np.full((32, 32, 3), 77, np.uint8))
    made = driver.cover(sample, size)
    assert made.size == size
    assert (np.asarray(made) == 77).all()


def test_a_sample_for_each_picture_from_its_seed(
    driver: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name, size in (("a.png", (20, 30)), ("b.png", (40, 40))):
        Image.new("RGB", size).save(tmp_path / "in" / name)

    class Toy:
        z_dim, c_dim = 192, 0

        def __call__(self, latent: torch.Tensor, label: torch.Tensor, **options: object) -> torch.Tensor:
            assert options == {"truncation_psi": 1.0, "noise_mode": "const"}
            return latent.reshape(1, 3, 8, 8).float()

    monkeypatch.setitem(sys.modules, "training_run", SimpleNamespace(restore=lambda *arguments: Toy()))
    job = driver.Job(description(tmp_path, "apply", ("a.png", "b.png", "gone.png"), tmp_path))
    driver.apply(job)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [(event["name"], event["status"]) for event in events if event["event"] == "image"]
    assert found == [("a.png", "attacked"), ("b.png", "attacked"), ("gone.png", "failed")]
    first, second = (np.asarray(Image.open(tmp_path / "out" / name)) for name in ("a.png", "b.png"))
    assert first.shape == (30, 20, 3)
    assert second.shape == (40, 40, 3)
    one, other = driver.make(Toy(), 2**33, 1.0, "cpu"), driver.make(Toy(), 2**33 + 1, 1.0, "cpu")
    assert (one == driver.make(Toy(), 2**33, 1.0, "cpu")).all()
    assert (one != other).any()


def test_no_model_is_said(driver: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="run prepare first"):
        driver.apply(driver.Job(description(tmp_path, "apply", ("a.png",))))


def test_sampling_has_a_second_gradient() -> None:
    """What R1 needs to pass through the augmentation; torch's own has none."""
    modern = load("modern")
    torch.manual_seed(0)
    picture = torch.randn(1, 2, 5, 5, dtype=torch.float64, requires_grad=True)
    grid = torch.rand(1, 4, 4, 2, dtype=torch.float64) * 1.6 - 0.8
    plain = torch.nn.functional.grid_sample(picture, grid, align_corners=False)
    assert torch.equal(modern._Sample.apply(picture, grid), plain)
    assert torch.autograd.gradcheck(lambda seen: modern._Sample.apply(seen, grid), picture)
    assert torch.autograd.gradgradcheck(lambda seen: modern._Sample.apply(seen, grid) ** 2, picture)


def test_cuda_is_the_cpu_once_pretended() -> None:
    """In a process of its own: torch is changed for good."""
    code = (
        "import cpu, torch; cpu.pretend(); device = torch.device('cuda', 0); "
        "assert str(device) == 'cpu' and isinstance(device, torch.device); "
        "event = torch.cuda.Event(enable_timing=True); event.record(torch.cuda.current_stream(device)); "
        "assert torch.ones(2).pin_memory().to(device).sum() == 2; print(event.elapsed_time(event))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ADAPTER.folder)
    assert done.stdout.strip() == "0.0"
