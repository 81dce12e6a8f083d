"""Training what is around faces in scenes: tagged as a whole tagger tags, asked together with the face."""

from pathlib import Path
from typing import Any

import pytest
import torch

import faketagger
from faketagger.config import check
from faketagger.faces.geometry import crop_matrix, warp_crop
from faketagger.tagger.checkpoint import checkpoint_config
from faketagger.training import modules
from faketagger.training.config import TrainConfig
from faketagger.training.scene_around import lose, read_around
from faketagger.training.scene_module import SIDE
from faketagger.training.surround_scene_module import SurroundSceneModule
from tests.unit.training.test_module import loader, trainer


def config(**around: Any) -> TrainConfig:
    shapes = checkpoint_config("portrait-256")
    assert shapes.surround is not None
    tagger = {
        "start_from": "portrait-256",
        "scenes": True,
        "surround": {"of": "face-256", "zoom": shapes.surround.zoom, "psnr_db": shapes.psnr_db, **around},
        "payload_bits": 32,
        "attacks": {"jpeg": 1, "rotation": 1},
        "curriculum": {
            **dict.fromkeys(("start_psnr", "attack_psnr", "target_psnr"), shapes.surround.psnr_db),
            **dict.fromkeys(("message_done", "attacks_done", "hold"), 0.51),
            "ramp": 1,
        },
        "image_weight": 0.0,
        "face_only": 0.0,
        "warmup": 1,
    }
    return check({"name": "wide", "tagger": tagger, "trainer": {"max_steps": 4}}, TrainConfig, "test")


def build(settings: TrainConfig) -> SurroundSceneModule:
    module = modules.build_module(settings)
    assert isinstance(module, SurroundSceneModule)
    return module


@pytest.fixture(scope="module")
def module() -> SurroundSceneModule:
    return build(config())


@pytest.fixture(scope="module")
def scenes(module: SurroundSceneModule) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Views, landmarks, messages and tagged views."""
    batch = next(iter(loader()))
    images, landmarks = module._views(batch, torch.Generator().manual_seed(1))
    message = torch.randint(0, 2, (len(images), 64), generator=torch.Generator().manual_seed(2)).float()
    views, tagged = module._tag(images, landmarks, message, None)
    return views, landmarks, message, tagged


def test_scenes_are_tagged_as_the_whole_tagger_does_it(scenes: Any) -> None:
    views, landmarks, message, tagged = scenes
    assert views.shape[2:] == (SIDE, SIDE)
    wanted = faketagger.load("portrait-256").embed_aligned(views, message, landmarks)
    torch.testing.assert_close(tagged, wanted, atol=1.1 / 255, rtol=0)
    torch.testing.assert_close(tagged * 255, (tagged * 255).round(), atol=1e-3, rtol=0)


def test_what_is_asked_is_what_face_and_surround_say_together(module: SurroundSceneModule, scenes: Any) -> None:
    views, landmarks, message, tagged = scenes
    shipped = faketagger.load("portrait-256")
    face = shipped.networks.read(warp_crop(tagged, crop_matrix(landmarks, shipped.size), shipped.size))
    around = read_around(module.networks, tagged, landmarks, module._framed(landmarks, None), None)
    answer = module._read(tagged, landmarks, views, None)
    torch.testing.assert_close(answer, face + around, atol=1e-3, rtol=1e-3)
    assert ((answer > 0) == (message > 0.5)).float().mean() > 0.95
    assert ((around > 0) == (message > 0.5)).float().mean() > 0.95


def test_a_lost_surround_is_asked_alone(scenes: Any) -> None:
    views, landmarks, _, tagged = scenes
    lost = build(config(lost=0.999))
    answer = lost._read(tagged, landmarks, views, torch.Generator().manual_seed(0))
    rng = torch.Generator().manual_seed(0)
    matrix = lost._framed(landmarks, rng)
    lost._read_face(tagged, landmarks, rng)
    seen, gone = lose(tagged, views, 0.999, rng)
    assert gone.all()
    torch.testing.assert_close(seen, views)
    torch.testing.assert_close(answer, read_around(lost.networks, views, landmarks, matrix, rng))


def test_a_run_changes_the_surround_and_leaves_the_face(tmp_path: Path) -> None:
    settings = config()
    module = build(settings)
    before = {name: tensor.clone() for name, tensor in module.networks.state_dict().items()}
    trainer(tmp_path, 2).fit(module, loader())
    after = module.networks.state_dict()
    moved = {name.split(".")[0] for name, tensor in before.items() if not torch.equal(after[name], tensor)}
    assert moved == {"encoder", "decoder"}
    module.write(settings, tmp_path / "new")
    new, face = faketagger.load(tmp_path / "new"), faketagger.load("face-256")
    assert new.surround is not None
    assert (new.psnr_db, new.surround.psnr_db) == (39.46, 43.62)
    for name, tensor in face.networks.state_dict().items():
        assert torch.equal(tensor, new.networks.state_dict()[name]), name
