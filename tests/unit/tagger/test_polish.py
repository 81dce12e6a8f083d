"""Polishing changes where a residual's power goes, never how much there is or where it may be."""

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from faketagger.coding import Codec
from faketagger.errors import ConfigError
from faketagger.faces.geometry import face_mask
from faketagger.simulator.interface import AttackBatch
from faketagger.simulator.pool import AttackPool
from faketagger.tagger import Tagger, polish
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.polish import polished
from faketagger.tagger.surround import Surround, outside
from tests.helpers.points import template_landmarks

BITS, SIDE, DB = 24, 64, 38.0


@pytest.fixture(scope="module")
def networks() -> TaggerNetworks:
    torch.manual_seed(0)
    return TaggerNetworks(BITS, SIDE, 8, 16).eval().requires_grad_(False)


@pytest.fixture(autouse=True)
def mild(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = AttackPool.from_spec({"identity": 1, "brightness": 1, "jpeg": 1})
    monkeypatch.setattr(polish, "_pool", lambda part, device: pool)


def picture(side: int = SIDE) -> Tensor:
    coarse = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return 0.3 + 0.4 * functional.interpolate(coarse, (side, side), mode="bilinear")


def message() -> Tensor:
    return torch.randint(0, 2, (1, BITS), generator=torch.Generator().manual_seed(2)).float()


def face(networks: TaggerNetworks, rounds: int) -> Tensor:
    points = template_landmarks(1, SIDE)
    mask = face_mask(points, (SIDE, SIDE))
    return polished(networks, AttackBatch(picture(), points), message(), mask, DB, rounds)


def misread(networks: TaggerNetworks, residual: Tensor) -> float:
    return float(functional.binary_cross_entropy_with_logits(networks.read(picture() + residual), message()))


def test_no_round_gives_the_encoders_residual(networks: TaggerNetworks) -> None:
    mask = face_mask(template_landmarks(1, SIDE), (SIDE, SIDE))
    torch.testing.assert_close(face(networks, 0), networks.residual(picture(), message(), DB, mask))


def test_rounds_make_the_message_surer_at_the_same_price(networks: TaggerNetworks) -> None:
    plain, better = face(networks, 0), face(networks, 30)
    assert misread(networks, better) < misread(networks, plain) - 0.05
    assert -10 * float(better.square().mean().log10()) == pytest.approx(DB, abs=1e-3)


def test_the_same_picture_is_polished_alike_in_every_mode_and_the_networks_stay(networks: TaggerNetworks) -> None:
    before = {name: tensor.clone() for name, tensor in networks.state_dict().items()}
    first = face(networks, 3)
    with torch.inference_mode():
        second = face(networks, 3)
    torch.testing.assert_close(second, first, rtol=0, atol=0)
    assert not first.requires_grad
    assert all(torch.equal(tensor, before[name]) for name, tensor in networks.state_dict().items())


def test_around_a_face_nothing_is_written_where_nothing_may_be(networks: TaggerNetworks) -> None:
    points = template_landmarks(1, SIDE // 2) + SIDE / 4
    where, readable = outside(points, (SIDE, SIDE), 1.1), outside(points, (SIDE, SIDE), 1.0)
    view = AttackBatch(picture(), points)
    residual = polished(networks, view, message(), where, torch.tensor([DB]), 3, readable)
    assert (residual[(where == 0).expand_as(residual)] == 0).all()
    assert -10 * float(residual.square().mean().log10()) == pytest.approx(DB, abs=1e-3)


def test_a_tagger_polishes_both_its_tags_and_keeps_its_key(networks: TaggerNetworks) -> None:
    plain = Tagger(networks, Codec(BITS, 8, 8, b"k"), DB, surround=Surround(networks, 0.6, DB))
    image, faces = picture(160), template_landmarks(1, 60)[:, None] + 50
    before, after = (one.embed_faces(image, message(), faces) for one in (plain, plain.with_polish(4)))
    inside = outside(faces[:, 0], (160, 160), 0.8) == 0
    beyond = outside(faces[:, 0], (160, 160), 1.3) == 1
    for part in (inside, beyond):
        part = part.expand_as(image)
        assert (after[part] - before[part]).abs().max() > 1e-4
    assert plain.with_polish(4).with_key("other").polish == 4
    with pytest.raises(ConfigError, match="-1 rounds"):
        plain.with_polish(-1)
