"""Training in scenes: tagged as taggers tag, read where landmarks have moved to, encoder and decoder learn together."""

from pathlib import Path
from typing import Any

import pytest
import torch

import faketagger
from faketagger.config import check
from faketagger.errors import ConfigError
from faketagger.faces.geometry import warp_crop
from faketagger.training import modules
from faketagger.training.config import TrainConfig
from faketagger.training.scene_module import SIDE, SceneModule
from tests.unit.training.test_module import loader, trainer


def config(**changes: Any) -> TrainConfig:
    tagger = {
        "start_from": "face-128",
        "scenes": True,
        "attacks": {"jpeg": 1, "flip": 1},
        "curriculum": {"start_psnr": 38.4, "message_done": 0.51, "attacks_done": 0.51, "ramp": 1},
        "image_weight": 0.0,
        "warmup": 1,
        **changes,
    }
    return check({"name": "scene", "tagger": tagger, "trainer": {"max_steps": 4}}, TrainConfig, "test")


def scenes(module: SceneModule) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    batch = next(iter(loader()))
    images, landmarks = module._views(batch, torch.Generator().manual_seed(1))
    return images, landmarks, torch.randint(0, 2, (len(images), 64)).float()


def test_scenes_are_tagged_and_read_as_taggers_do_it() -> None:
    module = modules.build_module(config())
    assert isinstance(module, SceneModule)
    images, landmarks, message = scenes(module)
    assert images.shape[2:] == (SIDE, SIDE)
    views, tagged = module._tag(images, landmarks, message, torch.Generator())
    tagger = faketagger.load("face-128")
    torch.testing.assert_close(tagged, tagger.embed_aligned(views, message, landmarks), atol=1.1 / 255, rtol=0)
    for values in (views, tagged):
        torch.testing.assert_close(values * 255, (values * 255).round(), atol=1e-3, rtol=0)
    read = module._read(tagged, landmarks, views, None)
    torch.testing.assert_close(read, tagger.read_aligned(tagged, landmarks), atol=1e-3, rtol=1e-3)


def test_a_reading_is_a_little_off_in_training() -> None:
    module = modules.build_module(config())
    assert isinstance(module, SceneModule)
    _, landmarks, _ = scenes(module)
    exact, found = module._framed(landmarks, None), module._framed(landmarks, torch.Generator().manual_seed(0))
    shift = (exact - found)[:, :, 2].abs().amax()
    assert 0 < shift < 0.1 * module.networks.size


def test_what_is_read_teaches_encoder_and_decoder(tmp_path: Path) -> None:
    module = modules.build_module(config())
    assert isinstance(module, SceneModule)
    before = {name: tensor.clone() for name, tensor in module.networks.state_dict().items()}
    trainer(tmp_path, 2).fit(module, loader())
    after = module.networks.state_dict()
    moved = {name.split(".")[0] for name, tensor in before.items() if not torch.equal(after[name], tensor)}
    assert moved == {"encoder", "decoder"}


def test_a_reader_needs_no_word_about_scenes() -> None:
    with pytest.raises(ConfigError, match="in scenes anyway"):
        modules.build_module(config(reader={"of": ["face-128"]}))


def test_it_costs_to_be_sure_of_a_mirror_image_and_of_an_untagged_face() -> None:
    module = modules.build_module(config(unsure=0.5, attacks={"jpeg": 1}))
    assert isinstance(module, SceneModule)
    images, landmarks, message = scenes(module)
    _, tagged = module._tag(images, landmarks, message, torch.Generator())
    asked: list[torch.Tensor] = []
    read = module.networks.read

    def listen(views: torch.Tensor) -> torch.Tensor:
        asked.append(views)
        return read(views)

    module.networks.read = listen  # type: ignore[method-assign]
    with torch.no_grad():
        cost = module._unsure_loss(images, landmarks, tagged, landmarks, torch.Generator().manual_seed(2))
    [views] = asked
    count = round(0.5 * len(images))
    assert len(views) == count
    rng = torch.Generator().manual_seed(2)
    half = count // 2
    seen = warp_crop(tagged[:half], module._framed(landmarks[:half], rng), module.networks.size)
    torch.testing.assert_close(views[:half], seen.flip(3))
    seen = warp_crop(images[half:count], module._framed(landmarks[half:count], rng), module.networks.size)
    torch.testing.assert_close(views[half:], seen)
    sure = module.networks.read(views).detach().abs()
    assert cost == pytest.approx(float(0.5 * (sure / 2 + torch.log1p((-sure).exp())).mean()), rel=1e-4)


def test_nothing_is_asked_of_views_without_a_tag_unless_told() -> None:
    module = modules.build_module(config())
    assert isinstance(module, SceneModule)
    images, landmarks, _ = scenes(module)
    assert module._unsure_loss(images, landmarks, images, landmarks, torch.Generator()) == 0.0


def test_a_mirror_image_cannot_both_hold_the_message_and_nothing() -> None:
    with pytest.raises(ConfigError, match="is to say nothing"):
        modules.build_module(config(unsure=0.25))


@pytest.mark.parametrize("changes", [{"scenes": False}, {"reader": {"of": ["face-128"]}, "start_from": None}])
def test_only_faces_in_scenes_learn_to_be_unsure(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        modules.build_module(config(unsure=0.25, attacks={"jpeg": 1}, **changes))
