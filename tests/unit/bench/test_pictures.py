"""Choosing, cutting and comparing pictures."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faketagger.bench.pictures import choose, cut_square
from faketagger.bench.quality import PSNR_CAP_DB, changed_mask, changed_share, psnr_db, ssim
from faketagger.bench.sources import Source


def sources(people: int, each: int) -> list[Source]:
    return [Source(f"{p}-{i}", f"person {p}", Path(f"{p}-{i}")) for p in range(people) for i in range(each)]


@given(st.randoms(use_true_random=False), st.integers(1, 20), st.integers(0, 5))
def test_choice_is_even_over_people_and_ignores_the_order(rng, count: int, seed: int) -> None:  # type: ignore[no-untyped-def]
    everything = sources(5, 4)
    shuffled = everything.copy()
    rng.shuffle(shuffled)
    chosen = choose(everything, count, seed)
    assert chosen == choose(shuffled, count, seed)
    counts = [sum(source.identity == f"person {p}" for source in chosen) for p in range(5)]
    assert len(chosen) == count
    assert max(counts) - min(counts) <= 1


def test_another_seed_chooses_others_and_there_may_be_fewer() -> None:
    assert choose(sources(9, 3), 9, 0) != choose(sources(9, 3), 9, 1)
    assert len(choose(sources(9, 3), None, 0)) == 27
    assert len(choose(sources(9, 3), 28, 0)) == 27


@given(st.integers(40, 200), st.integers(40, 200), st.floats(0, 1), st.floats(0, 1), st.floats(4, 150))
def test_the_square_stays_inside_and_holds_the_face(height: int, width: int, x: float, y: float, extent: float) -> None:
    box = min(extent, min(height, width) - 1)
    low = np.array([x * (width - 1 - box), y * (height - 1 - box)])
    landmarks = low + box * np.random.default_rng(0).random((68, 2))
    image = np.zeros((height, width, 3), np.uint8)
    for px, py in landmarks.round().astype(int):
        image[py, px] = 255
    square = cut_square(image, landmarks, 64)
    assert square.shape == (64, 64, 3)
    assert square.any()


def test_psnr_and_ssim_agree_with_what_they_are_defined_by() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(20, 230, (48, 48, 3)).astype(np.uint8)
    moved = (image + 4).astype(np.uint8)
    assert psnr_db(image, moved) == pytest.approx(20 * np.log10(255 / 4))
    assert psnr_db(image, image) == PSNR_CAP_DB
    whole = np.ones((48, 48))
    assert ssim(image, image, whole) == pytest.approx((1.0, 1.0))
    noisy = np.clip(image + rng.normal(0, 30, image.shape), 0, 255).astype(np.uint8)
    assert ssim(image, noisy, whole)[0] < ssim(image, moved, whole)[0] < 1


def test_weights_look_only_where_they_are() -> None:
    image = np.full((40, 40, 3), 100, np.uint8)
    half = image.copy()
    half[:20] += 10
    weight = np.zeros((40, 40))
    weight[20:] = 1
    assert psnr_db(image, half, weight) == PSNR_CAP_DB
    assert psnr_db(image, half, 1 - weight) == pytest.approx(20 * np.log10(25.5))
    assert changed_share(image, half) == 0.5
    assert ssim(image, half, np.pad(weight[26:], ((26, 0), (0, 0))))[1] == pytest.approx(1.0)


def test_the_mask_of_a_silent_tool_closes_chance_hits_but_not_the_background() -> None:
    rng = np.random.default_rng(2)
    before = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    after = before.copy()
    after[16:48, 16:48] ^= 1
    after[rng.integers(18, 46, 60), rng.integers(18, 46, 60)] = before[20, 20]
    after[30, 30] = before[30, 30]
    mask = changed_mask(before, after)
    assert mask[18:46, 18:46].all()
    assert mask.sum() <= 32 * 32
