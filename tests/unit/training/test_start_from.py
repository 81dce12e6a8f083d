"""A run may begin with the weights of a tagger that is there already."""

from pathlib import Path
from typing import Any

import pytest
import torch

import faketagger
from faketagger.config import check
from faketagger.errors import CheckpointError, ConfigError
from faketagger.tagger.checkpoint import checkpoint_config
from faketagger.training import modules
from faketagger.training.config import TrainConfig


def _config(start_from: str, **shape: Any) -> TrainConfig:
    return _begun(start_from=start_from, network=shape)


def _begun(**how: Any) -> TrainConfig:
    return check({"name": "continued", "tagger": {"attacks": {"jpeg": 1}, **how}}, TrainConfig, "test")


def test_begins_with_the_weights_of_the_shipped_tagger() -> None:
    module = modules.build_module(_config("face-128"))
    shipped = faketagger.load("face-128").networks.state_dict()
    begun = module.networks.state_dict()  # type: ignore[operator,union-attr]
    assert all(torch.equal(begun[name], tensor) for name, tensor in shipped.items())
    assert all(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.parametrize(
    ("how", "around"),
    [
        ({"start_from": "face-256"}, False),
        ({"start_from": "portrait-256"}, False),
        ({"start_from": "portrait-256", "surround": {"of": "face-256"}}, True),
        ({"start_from": "face-256", "surround": {"of": "face-256"}}, False),
        ({"reader": {"of": ["portrait-256", "face-256"]}}, False),
        ({"reader": {"of": ["portrait-256"], "lost": 0.1}}, True),
    ],
)
def test_has_the_shape_of_what_it_begins_with(how: dict[str, Any], around: bool) -> None:
    config = _begun(**how).tagger
    shapes = checkpoint_config(how["start_from"] if "start_from" in how else how["reader"]["of"][0])
    wanted = shapes.surround if around else shapes
    assert config is not None
    assert wanted is not None
    assert config.network == wanted.network


def test_says_only_what_is_to_differ_and_writes_down_the_whole_shape() -> None:
    config = _config("face-128", encoder_depth=[4, 4, 4])
    assert config.tagger is not None
    shape = config.tagger.network.plain()
    assert shape == checkpoint_config("face-128").network.plain() | {"encoder_depth": [4, 4, 4]}
    written = check(config.plain(), TrainConfig, "a run's own config.yaml")
    assert written == config


def test_refuses_a_tagger_of_another_shape() -> None:
    with pytest.raises(CheckpointError, match="another shape"):
        modules.build_module(_config("face-128", encoder_width=16))


def test_says_which_taggers_there_are() -> None:
    with pytest.raises(CheckpointError, match="face-127"):
        modules.build_module(_config("face-127"))


def test_grows_the_shipped_tagger_to_twice_the_size() -> None:
    module = modules.build_module(_config("face-128", size=256, patch=8))
    small = faketagger.load("face-128").networks
    pictures = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    enlarged = pictures.repeat_interleave(2, 2).repeat_interleave(2, 3)
    read = module.networks.read(enlarged)  # type: ignore[operator,union-attr]
    torch.testing.assert_close(read, small.read(pictures), rtol=1e-3, atol=1e-3)


def _leaving_out(names: list[str]) -> Any:
    values = {"name": "some", "tagger": {"attacks": {"jpeg": 1, "blur": 2, "noise": 1}, "leave_out": names}}
    return modules.build_module(check(values, TrainConfig, "test"))


def test_is_not_trained_against_what_it_leaves_out() -> None:
    assert [entry.attack.name for entry in _leaving_out(["blur"]).pool.entries] == ["jpeg", "noise"]


@pytest.mark.parametrize(
    ("names", "sentence"), [(["jpg"], "'jpg', which is none"), (["jpeg", "blur", "noise"], "at least one attack")]
)
def test_refuses_to_leave_out_what_is_not_there_or_all(names: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        _leaving_out(names)


def _around(of: str, bits: int = 64) -> TrainConfig:
    tagger = {"surround": {"of": of, "psnr_db": 39.5}, "network": {"message_bits": bits}, "attacks": {"jpeg": 1}}
    return check({"name": "wide", "tagger": tagger}, TrainConfig, "test")


def test_a_trained_surround_becomes_a_whole_tagger(tmp_path: Path) -> None:
    config = _around("face-128")
    module = modules.build_module(config)
    module.write(config, tmp_path / "new")
    tagger = faketagger.load(tmp_path / "new")
    face = faketagger.load("face-128").networks.state_dict()
    assert all(torch.equal(face[name], tensor) for name, tensor in tagger.networks.state_dict().items())
    assert tagger.surround is not None
    assert (tagger.psnr_db, tagger.surround.zoom, tagger.surround.psnr_db) == (39.5, 0.6, module.curriculum.psnr)
    trained = module.networks.state_dict()  # type: ignore[operator,union-attr]
    bias = "encoder.out.0.bias"
    assert torch.equal(tagger.surround.networks.state_dict()[bias], trained[bias].half().float())


def test_a_surround_goes_on_from_a_surround(tmp_path: Path) -> None:
    config = _around("face-128")
    module = modules.build_module(config)
    module.write(config, begun := tmp_path / "begun")
    assert config.tagger is not None
    on = config.model_copy(update={"tagger": config.tagger.model_copy(update={"start_from": str(begun)})})
    trained, further = (one.networks.state_dict() for one in (module, modules.build_module(on)))  # type: ignore[operator,union-attr]
    assert all(torch.equal(tensor.half().float(), further[name]) for name, tensor in trained.items())


def test_face_and_surround_have_messages_of_one_length() -> None:
    with pytest.raises(ConfigError, match="writes 64 bits"):
        modules.build_module(_around("face-128", bits=48))
