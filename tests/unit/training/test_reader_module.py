"""Training a decoder alone: the tags stay as they are, and are looked at where the attack leaves the face."""

from pathlib import Path
from typing import Any

import pytest
import torch

import faketagger
from faketagger.config import check
from faketagger.errors import ConfigError
from faketagger.tagger.checkpoint import checkpoint_config
from faketagger.training import modules
from faketagger.training.config import TrainConfig
from faketagger.training.reader_module import ReaderModule
from faketagger.training.scene_module import SIDE
from tests.unit.training.test_module import Faces, loader, trainer


def config(of: list[str], lost: float | None = None, **changes: Any) -> TrainConfig:
    shapes = checkpoint_config(of[0])
    fine, middle, coarse = (shapes.surround if lost and shapes.surround else shapes).network.decoder_depth
    tagger = {
        "reader": {"of": of, "lost": lost},
        "network": {"decoder_depth": [fine, middle + 1, coarse]},
        "attacks": {"jpeg": 1, "flip": 1},
        "curriculum": {"message_done": 0.51, "ramp": 1, "attacks_done": 0.51},
        "warmup": 2,
        **changes,
    }
    return check({"name": "reader", "tagger": tagger, "trainer": {"max_steps": 4}}, TrainConfig, "test")


def views(one: ReaderModule) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    batch = next(iter(loader()))
    images, landmarks = one._still_views(batch["image"], batch["landmarks"], torch.Generator())
    return images, landmarks, torch.randint(0, 2, (len(images), 64)).float()


def test_begins_with_what_the_first_tagger_reads() -> None:
    module = modules.build_module(config(["face-128"]))
    crops = torch.rand(2, 3, 128, 128)
    read = module.networks.read(crops)  # type: ignore[operator,union-attr]
    torch.testing.assert_close(read, faketagger.load("face-128").networks.read(crops), rtol=1e-3, atol=1e-3)


def test_scenes_are_tagged_as_taggers_tag_them() -> None:
    module = modules.build_module(config(["face-128", "portrait-256"]))
    assert isinstance(module, ReaderModule)
    images, landmarks, message = views(module)
    assert images.shape[2:] == (SIDE, SIDE)
    _, tagged = module._tag(images, landmarks, message, None)
    for number, name in enumerate(("face-128", "portrait-256")):
        rows = slice(number, None, 2)
        rounded = (images[rows] * 255).round() / 255
        wanted = faketagger.load(name).embed_aligned(rounded, message[rows], landmarks[rows])
        torch.testing.assert_close(tagged[rows], (wanted * 255).round() / 255, atol=1.1 / 255, rtol=0)


@pytest.mark.parametrize(("name", "lost"), [("face-128", None), ("portrait-256", 0.1)])
def test_what_is_read_is_what_the_tagger_reads_there(name: str, lost: float | None) -> None:
    module = modules.build_module(config([name], lost))
    assert isinstance(module, ReaderModule)
    images, landmarks, message = views(module)
    _, tagged = module._tag(images, landmarks, message, None)
    right = ((module._read(tagged, landmarks, images, None) > 0) == (message > 0.5)).float().mean()
    assert right > 0.95


def test_a_run_changes_the_decoder_only(tmp_path: Path) -> None:
    settings = config(["face-128"])
    module = modules.build_module(settings)
    trainer(tmp_path, 2).fit(module, loader())
    module.write(settings, tmp_path / "new")
    tagger = faketagger.load(tmp_path / "new")
    before, after = faketagger.load("face-128").networks.encoder, tagger.networks.encoder
    assert all(torch.equal(tensor, after.state_dict()[name]) for name, tensor in before.state_dict().items())
    crops = torch.rand(2, 3, 128, 128)
    assert not torch.allclose(tagger.networks.read(crops), faketagger.load("face-128").networks.read(crops))


def test_a_reader_of_surrounds_becomes_a_whole_tagger(tmp_path: Path) -> None:
    settings = config(["portrait-256"], lost=0.1)
    module = modules.build_module(settings)
    module.write(settings, tmp_path / "new")
    tagger, shipped = faketagger.load(tmp_path / "new"), faketagger.load("portrait-256")
    assert tagger.surround is not None
    assert shipped.surround is not None
    assert (tagger.psnr_db, tagger.surround.psnr_db) == (shipped.psnr_db, shipped.surround.psnr_db)
    crops = torch.rand(1, 3, 128, 128)
    torch.testing.assert_close(
        tagger.surround.networks.read(crops), shipped.surround.networks.read(crops), rtol=1e-2, atol=1e-2
    )


def test_a_lost_surround_teaches_to_say_nothing() -> None:
    module = modules.build_module(config(["portrait-256"], lost=0.5))
    assert isinstance(module, ReaderModule)
    scenes = Faces()[0]["image"][None, :, :64, :64].repeat(100, 1, 1, 1)
    landmarks = Faces()[0]["landmarks"][None].repeat(100, 1, 1)
    seen: list[torch.Tensor] = []
    module.networks.read = lambda images: seen.append(images) or torch.zeros(len(images), 64)  # type: ignore[method-assign]
    module._read((scenes + 0.2).clamp(0, 1), landmarks, scenes, torch.Generator().manual_seed(0))
    brightness = seen[0].mean((1, 2, 3))
    low, high = brightness.min(), brightness.max()
    lost = (brightness < (low + high) / 2).sum().item()
    assert 30 < lost < 70


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"start_from": "face-128"}, "its own taggers"), ({"surround": {"of": "face-128"}}, "its own taggers")],
)
def test_a_reader_begins_with_its_own_taggers(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        modules.build_module(config(["face-128"], **changes))


def test_nothing_is_read_around_where_nothing_is_written() -> None:
    with pytest.raises(ConfigError, match="writes nothing around"):
        modules.build_module(config(["face-128"], lost=0.1))
