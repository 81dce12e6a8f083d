"""What is written around a face: where, how strongly, and that reading it never looks at the face."""

import pytest
import torch
from torch import Tensor

from faketagger.simulator.landmarks import mirror_order
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.place import blanked
from faketagger.tagger.surround import Surround, around, nearest, outside, visible
from tests.helpers.points import template_landmarks

BITS, DB = 24, 40.0


@pytest.fixture(scope="module")
def surround() -> Surround:
    torch.manual_seed(0)
    return Surround(TaggerNetworks(BITS, 64, 8, 16), 0.6, DB).eval().requires_grad_(False)


def picture(height: int = 160, width: int = 240) -> Tensor:
    coarse = torch.rand(1, 3, 10, 15, generator=torch.Generator().manual_seed(1))
    return 0.2 + 0.6 * torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")


def faces(*places: tuple[float, float, float]) -> Tensor:
    """(1, F, 68, 2) landmarks of faces of a side, moved by (x, y)."""
    return torch.stack([template_landmarks(1, side) + torch.tensor([x, y]) for side, x, y in places], 1)


def inside(landmarks: Tensor) -> Tensor:
    """(1, 1, 160, 240): the face (1, 68, 2) without its edge, where resampling mixes in and out."""
    return outside(landmarks, (160, 240), 0.85) == 0


def message() -> Tensor:
    return torch.randint(0, 2, (1, BITS), generator=torch.Generator().manual_seed(2)).float()


def written(surround: Surround, images: Tensor, faces: Tensor) -> Tensor:
    for number in range(faces.shape[1]):
        place = surround.place(images, message(), faces, number, DB)
        images = place.write(images, place.held(place.raw))
    return images


def test_no_face_is_touched(surround: Surround) -> None:
    image, two = picture(), faces((70, 30, 40), (50, 150, 60))
    change = (written(surround, image, two) - image).abs().amax(1, keepdim=True)
    assert change.amax() > 1 / 255
    for face in two.unbind(1):
        assert change[inside(face)].max() < 1e-5


@pytest.mark.parametrize("db", [36.0, 44.0])
def test_the_pixels_that_are_written_to_pay_exactly(surround: Surround, db: float) -> None:
    views = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    where = (torch.arange(64) < torch.tensor([[16], [60]]))[:, None, None].expand(2, 1, 64, 64).float()
    residual = around(surround.networks, views, message().expand(2, -1), where, db)
    for part, place in zip(residual, where, strict=True):
        cost = part[:, place[0] == 1].square().mean()
        assert -10 * cost.log10() == pytest.approx(db, abs=1e-3)
        assert (part[:, place[0] == 0] == 0).all()


def test_nothing_is_read_from_the_face(surround: Surround) -> None:
    image, one = picture(), faces((70, 60, 40))
    other = torch.where(inside(one[:, 0]), 1 - image, image)
    torch.testing.assert_close(surround.read(image, one), surround.read(other, one), atol=1e-3, rtol=0)
    changed = image.clone()
    changed[:, :, :30] = 0.9
    assert (surround.read(image, one) - surround.read(changed, one)).abs().max() > 1e-2


def test_a_mirror_image_reads_as_the_mirrored_view(surround: Surround) -> None:
    image, one = picture(), faces((70, 80, 40))
    turned = one[:, :, mirror_order()]
    turned[..., 0] = 239 - turned[..., 0]
    _, mirrored = surround.read(image, one, mirrored=True).unbind(0)
    torch.testing.assert_close(surround.read(image.flip(3), turned)[0], mirrored, atol=2e-2, rtol=0)


def test_faces_share_the_picture_by_distance_in_their_own_sizes() -> None:
    large, small = template_landmarks(1, 40) + torch.tensor([0.0, 12.0]), template_landmarks(1, 20) + 40.0
    mine, theirs = (nearest([large, small], number, 64)[0, 0] for number in (0, 1))
    assert (mine + theirs == 1).all()
    for landmarks, part in ((large, mine), (small, theirs)):
        x, y = landmarks[0].mean(0).round().long().tolist()
        assert part[y, x] == 1
    between = (large.mean(1) + small.mean(1))[0] / 2
    x, y = between.round().long().tolist()
    assert mine[y, x] == 1, "half way belongs to the larger face"
    assert (nearest([large], 0, 64) == 1).all()


def test_what_lies_beyond_the_picture_is_not_written_to() -> None:
    moved = torch.tensor([[[1.0, 0.0, 10.0], [0.0, 1.0, 4.0]]])
    seen = visible(moved, 32, (20, 12))[0, 0]
    assert seen.sum() == 12 * 20
    assert (seen[4:24, 10:22] == 1).all()


def test_a_face_that_fills_its_picture_leaves_nothing_to_write_to(surround: Surround) -> None:
    image = picture(40, 40)
    tight = faces((90, -25, -22))
    tagged = written(surround, image, tight)
    assert torch.isfinite(tagged).all()
    assert (tagged - image).square().mean() < 10 ** (-DB / 10)
    assert torch.isfinite(surround.read(image, tight)).all()


def test_a_larger_growth_hides_more() -> None:
    landmarks = template_landmarks(1, 40) + 12
    near, far = outside(landmarks, (64, 64), 1.0), outside(landmarks, (64, 64), 1.4)
    assert (far <= near).all()
    assert far.sum() < near.sum()
    grey = blanked(torch.ones(1, 3, 64, 64), near)
    x, y = landmarks[0].mean(0).round().long().tolist()
    assert (grey[0, :, y, x] == 0.5).all()
    assert (grey[0, :, 0, 0] == 1).all()
