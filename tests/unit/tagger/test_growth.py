"""Networks grown to a larger native size begin where the small ones ended."""

from typing import Any

import pytest
import torch

from faketagger.errors import CheckpointError
from faketagger.tagger.growth import grow
from faketagger.tagger.networks import TaggerNetworks

SMALL = {"message_bits": 36, "size": 64, "encoder_width": 8, "decoder_width": 8}


def enlarged(pictures: torch.Tensor, factor: int) -> torch.Tensor:
    return pictures.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


@pytest.mark.parametrize("factor", [1, 2])
def test_grown_networks_read_an_enlarged_picture_as_the_small_ones_read_the_original(factor: int) -> None:
    torch.manual_seed(0)
    small, large = TaggerNetworks(**SMALL), TaggerNetworks(**SMALL | {"size": 64 * factor}, patch=4 * factor)
    pictures = torch.rand(2, 3, 64, 64)
    before = large.read(enlarged(pictures, factor))
    grow(small, large)
    after = large.read(enlarged(pictures, factor))
    torch.testing.assert_close(after, small.read(pictures), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(before, after, atol=1e-2)


def test_the_residual_before_attenuation_is_the_small_one_enlarged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "faketagger.tagger.encoder.just_noticeable_difference", lambda images: torch.full_like(images[:, :1], 6.0)
    )
    torch.manual_seed(0)
    small, large = TaggerNetworks(**SMALL), TaggerNetworks(**SMALL | {"size": 128}, patch=8)
    grow(small, large)
    pictures, message = torch.rand(2, 3, 64, 64), torch.randint(0, 2, (2, 36)).float()
    wanted = enlarged(small.encoder(pictures, message), 2)
    torch.testing.assert_close(large.encoder(enlarged(pictures, 2), message), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depth", [(1, 2, 2), (2, 3, 2)])
@pytest.mark.parametrize("width", [16, 48])
def test_a_wider_or_deeper_decoder_reads_as_before_and_can_learn(width: int, depth: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    small = TaggerNetworks(**SMALL | {"decoder_width": 16})
    large = TaggerNetworks(**SMALL | {"decoder_width": width}, decoder_depth=depth)
    pictures = torch.rand(3, 3, 64, 64)
    grow(small, large)
    torch.testing.assert_close(large.read(pictures), small.read(pictures), rtol=1e-4, atol=1e-4)
    message = torch.randint(0, 2, (3, 36)).float()
    torch.nn.functional.binary_cross_entropy_with_logits(large.read(pictures), message).backward()
    silent = [name for name, weight in large.decoder.named_parameters() if weight.grad is None]
    assert not silent
    assert large.decoder.body[-2].weight.grad.abs().amax((0, 2, 3)).min() > 0, "what is new at the end is heard of"


@pytest.mark.parametrize("factor", [1, 2])
def test_a_deeper_encoder_writes_as_before_and_can_learn(factor: int) -> None:
    torch.manual_seed(0)
    small = TaggerNetworks(**SMALL | {"encoder_width": 16})
    shape = SMALL | {"encoder_width": 16, "size": 64 * factor, "patch": 4 * factor}
    alike, deep = TaggerNetworks(**shape), TaggerNetworks(**shape, encoder_depth=(2, 3, 2))
    pictures, message = torch.rand(2, 3, 64 * factor, 64 * factor), torch.randint(0, 2, (2, 36)).float()
    before = deep.encoder(pictures, message)
    grow(small, alike)
    grow(small, deep)
    after = deep.encoder(pictures, message)
    torch.testing.assert_close(after, alike.encoder(pictures, message), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(before, after, atol=1e-2)
    after.square().mean().backward()
    heard = [
        weight.grad.abs().max() > 0
        for name, weight in deep.encoder.named_parameters()
        if name.endswith(".body.1.weight")
    ]
    assert len(heard) == 14
    assert all(heard), "the last convolution of every block moves at the first step"


@pytest.mark.parametrize(
    "other",
    [
        {"message_bits": 40},
        {"size": 128},
        {"encoder_width": 16},
        {"decoder_width": 32},
        {"decoder_depth": (1, 1, 2)},
        {"encoder_depth": (1, 0, 1)},
    ],
)
def test_what_cannot_be_grown_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="another shape"):
        grow(TaggerNetworks(**SMALL), TaggerNetworks(**SMALL | other))
