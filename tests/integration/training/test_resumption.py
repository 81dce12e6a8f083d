"""A run that was stopped between two steps ends with exactly the weights of one that was not."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from faketagger.config import check
from faketagger.training import run
from faketagger.training.config import TrainConfig
from faketagger.training.resumption import LastCheckpoint, read_last
from faketagger.training.run import train

STEPS = 5
TAGGER = {
    "network": {"message_bits": 36, "size": 64, "encoder_width": 8, "decoder_width": 16},
    "attacks": {"jpeg": 1, "noise": 1, "rotation": 1},
    "curriculum": {"message_done": 0.501, "attacks_done": 0.501, "ramp": 2},
    "critic_weight": 0.1,
    "warmup": 2,
}


def _config(subject: dict[str, Any], ema: float | None) -> TrainConfig:
    values = {
        "name": "resumed",
        "seed": 3,
        "data": {"demo_faces": 6, "size": 64, "batch_size": 2, "backend": "dlib", "group": "Male"},
        "trainer": {
            "max_steps": STEPS, "validate_every": 2, "save_every": 100, "logger": "csv", "ema": ema, "threads": 1,
            "accelerator": "cpu",
        },
    }  # fmt: skip
    return check(values | subject, TrainConfig, "test")


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


@pytest.mark.parametrize(
    ("subject", "ema", "stop"),
    [
        ({"tagger": TAGGER}, None, 2),
        ({"tagger": TAGGER}, None, 3),
        ({"tagger": TAGGER}, 0.5, 2),
        ({"tagger": TAGGER}, 0.5, 3),
        ({"autoencoder": {"kind": "latent", "latent_noise": 0.1}}, None, 3),
        ({"autoencoder": {"kind": "shared"}}, 0.5, 3),
    ],
    ids=["tagger-2", "tagger-3", "tagger-ema-2", "tagger-ema-3", "latent-3", "shared-ema-3"],
)
def test_stopped_and_resumed_equals_straight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: dict[str, Any], ema: float | None, stop: int
) -> None:
    config = _config(subject, ema)
    straight = train(config, tmp_path / "straight")

    class CtrlC(LastCheckpoint):
        def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            if trainer.global_step == stop - 1:
                os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(run, "LastCheckpoint", CtrlC)
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path / "parts")
    resumed = train(config, tmp_path / "parts")
    assert (straight.began_at, resumed.began_at) == (0, stop)
    first, second = read_last(tmp_path / "straight"), read_last(tmp_path / "parts")
    assert first is not None
    assert second is not None
    names = {"epoch", "global_step", "state_dict", "optimizer_states", "lr_schedulers", "FaceDataModule"}
    for name in names | ({"current_model_state", "averaging_state"} if ema else set()):
        assert _equal(first[name], second[name]), name
    assert straight.metrics == resumed.metrics
    written = [outcome.result for outcome in (straight, resumed)]
    files = [path / "model.safetensors" if path.is_dir() else path for path in written]
    assert files[0].read_bytes() == files[1].read_bytes()
