"""Polishing changes where a residual's power goes, never how much there is or where it may be."""

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from faketagger.coding import Codec
from faketagger.errors import ConfigError
from faketagger.faces.geometry import scale_of
from faketagger.simulator.pool import AttackPool
from faketagger.tagger import Tagger, polish
from faketagger.tagger.attenuation import luma, no_more_colourful
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.place import Place
from faketagger.tagger.polish import polished
from faketagger.tagger.surround import Surround, outside
from tests.helpers.points import template_landmarks

BITS, SIDE, DB = 24, 64, 38.0


@pytest.fixture(scope="module")
def networks() -> TaggerNetworks:
    torch.manual_seed(0)
    return TaggerNetworks(BITS, SIDE, 8, 16).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def tagger(networks: TaggerNetworks) -> Tagger:
    return Tagger(networks, Codec(BITS, 8, 8, b"k"), DB, surround=Surround(networks, 0.6, DB))


@pytest.fixture(autouse=True)
def mild(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = AttackPool.from_spec({"identity": 1, "brightness": 1, "jpeg": 1})
    monkeypatch.setattr(polish, "_pool", lambda device: pool)


def picture() -> Tensor:
    coarse = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return 0.3 + 0.4 * functional.interpolate(coarse, (160, 160), mode="bilinear")


def landmarks() -> Tensor:
    return template_landmarks(1, 60) + 50


def message() -> Tensor:
    return torch.randint(0, 2, (1, BITS), generator=torch.Generator().manual_seed(2)).float()


def places(tagger: Tagger) -> list[Place]:
    assert tagger.surround is not None
    faces = landmarks()[:, None]
    return [
        tagger._in_face(picture(), message(), faces, 0, DB),
        tagger.surround.place(picture(), message(), faces, 0, DB),
    ]


def residuals(tagger: Tagger, rounds: int) -> list[Tensor]:
    return polished(picture(), landmarks(), places(tagger), message(), rounds)


def misread(tagger: Tagger, tagged: Tensor) -> float:
    return float(functional.binary_cross_entropy_with_logits(tagger.read_aligned(tagged, landmarks()), message()))


def test_no_round_gives_the_encoders_residuals(tagger: Tagger) -> None:
    for place, residual in zip(places(tagger), residuals(tagger, 0), strict=True):
        torch.testing.assert_close(residual, place.held(place.raw))


def test_rounds_make_the_message_surer_at_the_same_price(tagger: Tagger) -> None:
    plain, better = (one.embed_faces(picture(), message(), landmarks()[:, None]) for one in _both(tagger, 30))
    assert misread(tagger, better) < misread(tagger, plain) - 0.05
    price = [-10 * float((tagged - picture()).square().mean().log10()) for tagged in (plain, better)]
    assert price[1] == pytest.approx(price[0], abs=0.05)


def test_a_polished_tag_is_no_more_colourful(tagger: Tagger) -> None:
    for place, residual in zip(places(tagger), residuals(tagger, 8), strict=True):
        assert colourfulness(residual) <= colourfulness(place.raw) * 1.001


def test_colour_goes_and_luma_stays() -> None:
    wild, tame = torch.rand(2, 3, 8, 8) - 0.5, (torch.rand(2, 1, 8, 8) - 0.5).expand(2, 3, 8, 8)
    torch.testing.assert_close(luma(no_more_colourful(wild, tame)), luma(wild))
    assert colourfulness(no_more_colourful(wild, tame)) < 1e-6
    torch.testing.assert_close(no_more_colourful(tame, wild), tame)


def colourfulness(residual: Tensor) -> float:
    grey = luma(residual)
    return float((residual - grey).square().mean() / grey.square().mean())


def test_the_same_picture_is_polished_alike_in_every_mode_and_the_networks_stay(tagger: Tagger) -> None:
    before = {name: tensor.clone() for name, tensor in tagger.state_dict().items()}
    first = residuals(tagger, 3)
    with torch.inference_mode():
        second = residuals(tagger, 3)
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=0)
        assert not one.requires_grad
    assert all(torch.equal(tensor, before[name]) for name, tensor in tagger.state_dict().items())


def test_around_a_face_nothing_is_written_where_nothing_may_be(tagger: Tagger) -> None:
    _, around = places(tagger)
    _, residual = residuals(tagger, 3)
    forbidden = (around.strength == 0).expand_as(residual)
    assert forbidden.any()
    assert (residual[forbidden] == 0).all()


@pytest.mark.parametrize(("face", "corner"), [(60, (200, 130)), (150, (90, 40)), (150, (-20, 180))])
def test_the_scene_is_of_the_pictures_own_pixels_where_its_blocks_begin(face: int, corner: tuple[int, int]) -> None:
    images, points = torch.rand(1, 3, 401, 390), template_landmarks(1, face) + torch.tensor(corner)
    scene = polish._scene(images, points, 0.6)
    left, top = (points - scene.landmarks)[0, 0].round().long().tolist()
    height, width = scene.images.shape[2:]
    assert left % 16 == top % 16 == 0
    assert torch.equal(scene.images, images[:, :, top : top + height, left : left + width])
    for start, side, all_of_it in ((left, width, 390), (top, height, 401)):
        assert side % 16 == 0 or start + side == all_of_it
    view = polish.crop_matrix(points, 100, 0.6)
    assert polish.covered_box(view, 100, (401, 390), 0)[0] >= left
    assert min(height, width) >= 100


def test_a_large_scene_is_reduced_with_its_landmarks() -> None:
    points = template_landmarks(1, 700) + 100
    scene = polish._scene(torch.rand(1, 3, 800, 900), points, 0.6)
    height, width = scene.images.shape[2:]
    assert max(height, width) == 384
    ratio = [float(scale_of(polish.crop_matrix(one, 100))[0]) for one in (points, scene.landmarks)]
    assert ratio[1] / ratio[0] == pytest.approx(900 / 384, rel=0.01)


def test_a_tagger_polishes_both_its_tags_and_keeps_its_key(tagger: Tagger) -> None:
    faces = landmarks()[:, None]
    before, after = (one.embed_faces(picture(), message(), faces) for one in _both(tagger, 4))
    inside = outside(faces[:, 0], (160, 160), 0.8) == 0
    beyond = outside(faces[:, 0], (160, 160), 1.3) == 1
    for part in (inside, beyond):
        part = part.expand_as(before)
        assert (after[part] - before[part]).abs().max() > 1e-4
    assert tagger.with_polish(4).with_key("other").polish == 4
    with pytest.raises(ConfigError, match="-1 rounds"):
        tagger.with_polish(-1)


def _both(tagger: Tagger, rounds: int) -> tuple[Tagger, Tagger]:
    return tagger, tagger.with_polish(rounds)
