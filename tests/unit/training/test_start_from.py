"""A run may begin with the weights of a tagger that is there already."""

from typing import Any

import pytest
import torch

import faketagger
from faketagger.config import check
from faketagger.errors import CheckpointError
from faketagger.training import run
from faketagger.training.config import TrainConfig


def _config(start_from: str, width: int = 32) -> TrainConfig:
    values: dict[str, Any] = {
        "name": "continued",
        "tagger": {"start_from": start_from, "network": {"encoder_width": width}, "attacks": {"jpeg": 1}},
    }
    return check(values, TrainConfig, "test")


def test_begins_with_the_weights_of_the_shipped_tagger() -> None:
    module = run.build_module(_config("face-128"))
    shipped = faketagger.load("face-128").networks.state_dict()
    begun = module.networks.state_dict()  # type: ignore[operator,union-attr]
    assert all(torch.equal(begun[name], tensor) for name, tensor in shipped.items())
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_refuses_a_tagger_of_another_shape() -> None:
    with pytest.raises(CheckpointError, match="another shape"):
        run.build_module(_config("face-128", width=16))


def test_says_which_taggers_there_are() -> None:
    with pytest.raises(CheckpointError, match="face-127"):
        run.build_module(_config("face-127"))
