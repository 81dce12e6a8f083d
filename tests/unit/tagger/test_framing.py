"""The search for the surest framing: it finds a hidden move, stops where it is sure, and never looks at a message."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from faketagger.faces.geometry import transform_points, warp_crop
from faketagger.tagger.framing import _ROUNDS, SURE, agreed, confidence, moved, surest, turned


class Peak:
    """Bits that are surer the nearer a framing is to a hidden one."""

    def __init__(self, hidden: tuple[float, ...], mirrored: bool = False) -> None:
        self.hidden, self.mirrored, self.looks = torch.tensor(hidden), mirrored, 0

    def __call__(self, moves: Tensor, mirrored: bool) -> Tensor:
        self.looks += len(moves)
        if mirrored != self.mirrored:
            return torch.tensor([[0.2, 0.2, 0.2, -0.2]]).expand(len(moves), -1)
        far = ((moves - self.hidden) / torch.tensor([0.03, 0.03, 0.05, 0.05])).square().sum(1)
        signs = torch.tensor([1.0, -1.0, -1.0, 1.0])
        return signs * (6 * torch.exp(-far / 3))[:, None]


@given(st.tuples(*[st.sampled_from([-1.5, -1.0, 0.0, 0.5, 1.0])] * 4), st.booleans())
def test_a_hidden_move_is_found_mirrored_or_not(shares: tuple[float, ...], mirrored: bool) -> None:
    hidden = tuple(share * reach for share, reach in zip(shares, (0.03, 0.03, 0.05, 0.05), strict=True))
    peak = Peak(hidden, mirrored)
    before = confidence(peak(torch.zeros(1, 4), mirrored))[0]
    found = surest(peak)
    assert torch.equal(found[0], found[1])
    assert confidence(found)[0] >= before
    assert confidence(found)[0] > 0.9
    assert peak.looks <= 1 + 2 + 2 * sum(last - first for first, last, _, _ in _ROUNDS)


def test_who_is_sure_looks_once() -> None:
    peak = Peak((0.0, 0.0, 0.0, 0.0))
    assert confidence(surest(peak))[0] > SURE
    assert peak.looks == 1


def test_where_nothing_is_nothing_is_looked_for() -> None:
    looks = []
    surest(lambda moves, mirrored: looks.append(len(moves)) or torch.full((len(moves), 4), 0.1))  # type: ignore[func-returns-value]
    assert looks == [1, 1]


def test_who_is_surer_unmoved_does_not_decide_which_pose_is_searched() -> None:
    class Torn(Peak):
        def __call__(self, moves: Tensor, mirrored: bool) -> Tensor:
            return torch.full((len(moves), 4), 0.6) if mirrored else super().__call__(moves, mirrored)

    torn = Torn((-0.045, -0.045, -0.075, -0.075))
    still = torch.zeros(1, 4)
    assert confidence(torn(still, True)) > confidence(torn(still, False))
    assert torch.equal((surest(torn)[0] > 0), torch.tensor([True, False, False, True]))


def test_luck_is_not_believed() -> None:
    rng = torch.Generator().manual_seed(0)
    read = []

    def look(moves: Tensor, mirrored: bool) -> Tensor:
        read.append(torch.randn(len(moves), 64, generator=rng))
        return read[-1]

    assert torch.equal(surest(look), torch.cat(read[:2]))
    assert len(read) > 2
    assert max(confidence(one).max() for one in read[2:]) > max(confidence(one).max() for one in read[:2])


def test_a_mirror_image_is_read_where_it_is_surer_and_believed() -> None:
    straight, mirrored = torch.tensor([0.5, 3.0, 0.1, 2.0]), torch.tensor([3.0, 2.0, 0.4, -4.0])
    poses = torch.stack([straight, mirrored])[:, :, None].expand(-1, -1, 8)
    assert turned(poses).tolist() == [True, False, False, True]


def test_the_choice_does_not_know_the_message() -> None:
    peak = Peak((0.02, -0.03, 0.05, 0.0))
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0])
    assert torch.equal(surest(lambda moves, mirrored: signs * peak(moves, mirrored)), signs * surest(peak))
    read = partial(peak, mirrored=False)
    alone = read(torch.zeros(1, 4))[0]
    torch.testing.assert_close(agreed(lambda moves: signs * read(moves), signs * alone), signs * agreed(read, alone))


def test_no_move_is_the_middle_of_the_canvas() -> None:
    canvas = torch.rand(1, 3, 48, 48)
    view = warp_crop(canvas, moved(torch.zeros(1, 4), 32, 8), 32)
    torch.testing.assert_close(view, canvas[:, :, 8:40, 8:40])
    assert moved(torch.zeros(1, 4, dtype=torch.float64), 32, 8).dtype == torch.float64


def test_moves_are_what_they_say() -> None:
    middle, right = torch.tensor([[[23.5, 23.5]]]), torch.tensor([[[33.5, 23.5]]])
    matrix = moved(torch.tensor([[0.25, 0.0, math.log(2), math.pi / 2]]), 32, 8)
    assert transform_points(middle, matrix)[0, 0].tolist() == pytest.approx([15.5 + 8, 15.5], abs=1e-4)
    assert transform_points(right, matrix)[0, 0].tolist() == pytest.approx([15.5 + 8, 15.5 + 20], abs=1e-4)


def test_a_face_that_is_off_is_read_where_it_is_surer() -> None:
    peak = Peak((0.03, -0.03, 0.04, -0.04))
    alone = peak(torch.zeros(1, 4), False)[0]
    assert 0.76 < confidence(alone) < 0.95
    found = agreed(lambda moves: peak(moves, False), alone)
    assert torch.equal(found > 0, alone > 0)
    assert confidence(found) > confidence(alone)


def test_framings_of_a_face_outvote_one_that_is_no_surer() -> None:
    wrong, right = torch.full((8,), -2.0), torch.full((8,), 2.0)
    assert (agreed(lambda moves: right.expand(len(moves), -1), wrong) > 0).all()


def test_a_much_surer_framing_outvotes_the_others() -> None:
    unsure, sure = torch.full((8,), -2.0), torch.full((8,), 4.0)

    def look(moves: Tensor) -> Tensor:
        return torch.cat([unsure.expand(len(moves) - 1, -1), sure[None]])

    assert (agreed(look, unsure) > 0).all()


@pytest.mark.parametrize("logit", [0.9, 8.0])
def test_a_face_of_which_bits_are_sure_or_hopeless_is_looked_at_once(logit: float) -> None:
    def look(moves: Tensor) -> Tensor:
        raise AssertionError("looked again")

    logits = torch.full((8,), logit)
    assert torch.equal(agreed(look, logits), logits)
