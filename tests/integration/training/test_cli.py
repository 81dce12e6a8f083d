"""``faketagger train`` as people call it: every experiment file, what a run leaves behind, what is refused."""

import csv
import json
import signal
import subprocess
import sys
import time
from functools import partialmethod
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import faketagger
from faketagger.cli.main import INTERRUPTED, run
from faketagger.config import load_config
from faketagger.data.demo import demo_faces
from faketagger.places import repository_root
from faketagger.simulator.autoencoders import BORROWED, KINDS
from faketagger.training.config import TrainConfig
from tests.helpers.wandb_runs import contents, read_runs

EXPERIMENTS = repository_root() / "experiments" / "train"
TAGGERS = (
    *("face-128", "face-128-continued", "face-128-third", "face-128-reader", "face-128-scene", "face-128-scene-second"),
    *("face-256", "face-256-continued", "face-256-reader"),
    *("face-256-scene", "face-256-scene-second", "portrait-256-scene"),
    *("face-128-deep", "face-256-deep", "face-128-narrow", "face-256-narrow", "face-128-low", "face-256-low"),
    *("portrait-256", "portrait-256-continued", "portrait-256-third", "portrait-256-fourth", "portrait-256-reader"),
)
FILES = sorted(path.name for path in EXPERIMENTS.glob("*.yaml"))
TRAINED = sorted(KINDS.keys() - {BORROWED})
BRIEF = ["data.batch_size=2", "trainer.max_steps=2", "trainer.validate_every=2", "trainer.logger=csv"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("finished")


@pytest.fixture
def trained(finished: Path, smoke: list[str]) -> Path:
    """Folder of a whole run of smoke.yaml, made once."""
    if not (finished / "last.ckpt").is_file():
        assert run([*smoke, "--out", str(finished)]) == 0
    return finished


def test_a_run_leaves_a_tagger_that_loads_and_reads(trained: Path, cache: Path) -> None:
    tagger = faketagger.load(trained / "smoke", key="a test's own key")
    assert (tagger.name, tagger.size, tagger.message_bits) == ("smoke", 64, 36)
    astronaut = demo_faces(6, cache)[-1][2]
    tagged = tagger.embed(astronaut, "0x00c0de")
    assert tagged.rgb8.shape == astronaut.shape
    assert (tagged.rgb8 != astronaut).any()
    assert tagger.read(tagged).faces


def test_a_run_leaves_pictures_metrics_and_its_configuration(trained: Path, smoke: list[str]) -> None:
    sheet = np.asarray(Image.open(trained / "pictures" / "step-000006.png"))
    rows, columns = sheet.shape[0] // 64, sheet.shape[1] // 64
    assert (columns, sheet.shape[0] % 64) == (3, 0)
    assert rows >= 1
    original, tagged = sheet[:, :64].astype(int), sheet[:, 64:128].astype(int)
    assert 0 < np.abs(original - tagged).mean() < 40
    metrics = json.loads((trained / "metrics.json").read_text())
    assert set(metrics) == {"val/psnr_db", *(f"val/bits/{name}" for name in ("none", "jpeg", "resize", "blur"))}
    assert load_config(trained / "config.yaml", TrainConfig) == load_config(smoke[1], TrainConfig, smoke[2:])


def test_the_offline_wandb_run_can_be_read_back(trained: Path) -> None:
    (wandb_run,) = read_runs(trained)
    told = wandb_run.told
    assert (told["state"], told["config"]["trainer"]["max_steps"]) == ("finished", 6)
    assert told["summary"]["trainer/global_step"] == 6
    assert 0 < told["summary"]["train/loss"] < 10
    for name, value in json.loads((trained / "metrics.json").read_text()).items():
        assert told["summary"][name] == pytest.approx(value)
    for name in told["summary"]["pictures"]["filenames"]:
        assert (wandb_run.folder / "files" / name).is_file()


def test_the_wandb_run_has_the_layout_of_all_runs(trained: Path) -> None:
    (wandb_run,) = read_runs(trained)
    header = wandb_run.header
    assert (header["run_group"], header["job_type"]) == ("smoke", "train")
    assert set(header["tags"]) == {"smoke", "train", "tagger", "demo"}
    for row in wandb_run.history:
        assert "trainer/global_step" in row, row
    assert wandb_run.axes["val/*"] == wandb_run.axes["train/*"] == "trainer/global_step"
    model = contents(wandb_run.artifacts["model"])
    assert model["model.safetensors"].read_bytes() == (trained / "smoke" / "model.safetensors").read_bytes()
    assert set(wandb_run.artifacts["model"]["aliases"]) == {"latest", "step-6"}
    assert list(contents(wandb_run.artifacts["dataset"])) == ["faces.csv"]


@pytest.mark.slow
def test_mixed_precision_and_compiled_networks_learn_the_same_under_the_same_names(
    tmp_path: Path, smoke: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Torch's own code generator takes minutes on a CPU; this one traces the networks and runs what was traced.
    monkeypatch.setattr(torch.nn.Module, "compile", partialmethod(torch.nn.Module.compile, backend="eager"))
    graphs, losses, states = [], [], []
    for change in ("precision=32-true", "precision=bf16-mixed", "compile=true"):
        torch._dynamo.utils.counters.clear()
        out = tmp_path / change
        assert run([*smoke, *BRIEF, f"trainer.{change}", "--out", str(out)]) == 0
        graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
        with (out / "csv" / "version_0" / "metrics.csv").open() as file:
            losses += [float(row["train/loss"]) for row in csv.DictReader(file) if row["train/loss"]]
        states.append(torch.load(out / "last.ckpt", weights_only=True)["state_dict"])
        assert faketagger.load(out / "smoke", key="a test's own key").size == 64
    plain, mixed, compiled = losses
    assert compiled == pytest.approx(plain, rel=1e-5)
    assert mixed == pytest.approx(plain, rel=0.03)
    assert mixed != pytest.approx(plain, rel=1e-5)
    assert graphs[:2] == [0, 0]
    assert graphs[2] > 1
    kinds = [{name: tensor.dtype for name, tensor in state.items()} for state in states]
    assert kinds[0] == kinds[1] == kinds[2]


@pytest.mark.parametrize("logger", ["csv", "tensorboard"])
def test_other_loggers_are_one_word_in_the_file(logger: str, tmp_path: Path, smoke: list[str]) -> None:
    arguments = [*smoke, *BRIEF[:-1], f"trainer.logger={logger}", "--out", str(tmp_path)]
    assert run(arguments) == 0
    assert not (tmp_path / "wandb").exists()
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    if logger == "csv":
        with (tmp_path / "csv" / "version_0" / "metrics.csv").open() as file:
            written = {name: float(value) for row in csv.DictReader(file) for name, value in row.items() if value}
    else:
        accumulator = pytest.importorskip(
            "tensorboard.backend.event_processing.event_accumulator", reason="pip install tensorboard"
        )
        events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
        written = {name: events.Scalars(name)[-1].value for name in events.Tags()["scalars"]}
        assert events.Tags()["images"] == ["pictures"]
    assert written["val/psnr_db"] == pytest.approx(metrics["val/psnr_db"], rel=1e-4)
    assert written["train/loss"] > 0


def test_a_finished_run_is_not_trained_again(
    trained: Path, smoke: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (trained / "smoke" / "model.safetensors").stat().st_mtime_ns
    assert run([*smoke, "--out", str(trained)]) == 0
    told = capsys.readouterr().out
    assert "was finished before" in told
    assert "val/psnr_db" in told
    assert (trained / "smoke" / "model.safetensors").stat().st_mtime_ns == before


def test_a_lost_result_is_written_again_from_the_last_checkpoint(trained: Path, smoke: list[str]) -> None:
    weights = trained / "smoke" / "model.safetensors"
    before, metrics = weights.read_bytes(), (trained / "metrics.json").read_text()
    weights.unlink()
    (trained / "metrics.json").unlink()
    assert run([*smoke, "--out", str(trained), "trainer.logger=wandb"]) == 0
    assert weights.read_bytes() == before
    assert (trained / "metrics.json").read_text() == metrics


@pytest.mark.parametrize(
    ("changes", "sentence", "hint"),
    [
        (["seed=7"], "holds a run of another configuration", "--out"),
        (["trainer.max_step=7"], "unknown key 'trainer.max_step'", "'max_steps'"),
        (["tagger.network.message_bits=16"], "A message of 16 bits carries at most", None),
        (["data.group=Mole"], "has no 'Mole'", "'Male'"),
        (["autoencoder.kind=skip"], "either 'tagger' or 'autoencoder'", "experiments/train"),
        (["tagger=null", "autoencoder.kind=spatiel"], "'autoencoder.kind' is 'spatiel'", None),
    ],
)
def test_mistakes_are_one_sentence(
    trained: Path,
    tmp_path: Path,
    smoke: list[str],
    capsys: pytest.CaptureFixture[str],
    changes: list[str],
    sentence: str,
    hint: str | None,
) -> None:
    out = trained if "another" in sentence else tmp_path
    assert run([*smoke, *changes, "--out", str(out)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in told] == (["error", "try"] if hint else ["error"])
    assert sentence in told[0]
    assert hint is None or hint in told[1]
    assert not (tmp_path / "last.ckpt").exists()


def test_a_damaged_checkpoint_is_named(tmp_path: Path, smoke: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_config(smoke[1], TrainConfig, smoke[2:])
    import yaml

    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings.plain(), sort_keys=False))
    (tmp_path / "last.ckpt").write_bytes(b"PK\x03\x04 half a file")
    assert run([*smoke, "--out", str(tmp_path)]) == 2
    assert "last.ckpt is damaged" in capsys.readouterr().err


def test_a_missing_logger_says_what_to_install(
    tmp_path: Path, smoke: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("_TENSORBOARD_AVAILABLE", "_TENSORBOARDX_AVAILABLE"):
        monkeypatch.setattr(f"lightning_fabric.loggers.tensorboard.{package}", False)
    assert run([*smoke, "trainer.logger=tensorboard", "--out", str(tmp_path)]) == 2
    assert "pip install tensorboard" in capsys.readouterr().err


def test_ctrl_c_keeps_the_step_at_hand_and_the_next_call_goes_on(
    tmp_path: Path, smoke: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    long = ["trainer.max_steps=24", "trainer.validate_every=2", "trainer.save_every=24", "trainer.logger=csv"]
    arguments = [*smoke, *long, "--out", str(tmp_path)]
    begun = tmp_path / "pictures" / "step-000002.png"
    with subprocess.Popen([sys.executable, "-m", "faketagger.cli.main", *arguments], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not begun.is_file() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, told.decode()
    assert b"interrupted; what was finished is kept" in told
    assert b"Traceback" not in told
    stopped_at = torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"]
    assert 2 <= stopped_at < 24
    assert not (tmp_path / "smoke").exists()
    handler = signal.getsignal(signal.SIGINT)
    assert run(arguments) == 0
    assert signal.getsignal(signal.SIGINT) is handler
    assert f"went on after step {stopped_at}" in capsys.readouterr().out
    steps = []
    for call in range(2):
        with (tmp_path / "csv" / f"version_{call}" / "metrics.csv").open() as file:
            steps += [int(row["step"]) for row in csv.DictReader(file) if row["train/loss"]]
    assert steps == list(range(1, 24, 2))
    assert faketagger.load(tmp_path / "smoke").size == 64


def test_every_experiment_file_fits_the_schema() -> None:
    names = {name: load_config(EXPERIMENTS / name, TrainConfig).name for name in FILES}
    taggers = {f"{name}.yaml" for name in TAGGERS} | {"leave-one-out.yaml", "smoke.yaml"}
    assert taggers | {f"autoencoder-{kind}.yaml" for kind in TRAINED} == set(names)
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("kind", TRAINED)
def test_every_autoencoder_file_trains(kind: str, tmp_path: Path, few_faces: list[str]) -> None:
    file = EXPERIMENTS / f"autoencoder-{kind}.yaml"
    assert run(["train", str(file), *few_faces, *BRIEF, "--out", str(tmp_path)]) == 0
    network = KINDS[kind]()
    network.load_state_dict(
        {name: tensor.float() for name, tensor in load_file(tmp_path / f"{kind}.safetensors").items()}
    )
    with torch.no_grad():
        assert network(torch.rand(1, 3, 128, 128)).isfinite().all()
    assert json.loads((tmp_path / "metrics.json").read_text())["val/psnr_db"] > 3


@pytest.mark.parametrize("name", TAGGERS)
def test_the_files_of_the_taggers_train(name: str, tmp_path: Path, few_faces: list[str]) -> None:
    assert run(["train", str(EXPERIMENTS / f"{name}.yaml"), *few_faces, *BRIEF, "--out", str(tmp_path)]) == 0
    assert faketagger.load(tmp_path / name).message_bits == 64
