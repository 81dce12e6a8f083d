"""The watermarks that come along: what they write is read, stronger costs more, and low frequencies survive."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
import pytest

from faketagger.bench.quality import psnr_db
from faketagger.watermarks import lattice
from faketagger.watermarks.invisible import DwtDct, DwtDctSvd
from faketagger.watermarks.lattice import Lattice
from faketagger.watermarks.spread import SpreadSpectrum
from tests.helpers.plug_ins import smooth_pictures

MESSAGES = np.random.default_rng(5).integers(0, 2, (3, 32)).astype(np.uint8)
PICTURES = smooth_pictures(3, 256, 256)


def accuracy(mark: Any, images: np.ndarray) -> float:
    return float(np.mean((mark.read(images) > 0) == (MESSAGES == 1)))


def cost(mark: Any) -> float:
    return float(np.mean([psnr_db(*pair) for pair in zip(PICTURES, mark.embed(PICTURES, MESSAGES), strict=True)]))


@pytest.mark.parametrize("make", [SpreadSpectrum, partial(Lattice, 32), DwtDct, DwtDctSvd])
def test_what_is_written_is_read_and_strength_costs_psnr(make: Callable[[], Any]) -> None:
    if make in (DwtDct, DwtDctSvd):
        pytest.importorskip("imwatermark")
    mark = make()
    assert accuracy(mark, PICTURES) < 0.75
    assert accuracy(mark, mark.embed(PICTURES, MESSAGES)) > (0.7 if make is DwtDct else 0.99)
    assert cost(mark.with_strength(2.0)) < cost(mark) - 2


@pytest.mark.parametrize("mark", [SpreadSpectrum(), Lattice(32)], ids=lambda mark: mark.name)
def test_low_frequencies_survive_half_the_size_and_hard_compression(mark: SpreadSpectrum | Lattice) -> None:
    tagged = mark.embed(PICTURES, MESSAGES)
    small = [cv2.resize(one, (128, 128), interpolation=cv2.INTER_AREA) for one in tagged]
    half = [cv2.resize(one, (256, 256)) for one in small]
    assert accuracy(mark, np.stack(half)) > 0.99
    jpeg = [cv2.imdecode(cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1) for one in tagged]
    assert accuracy(mark, np.stack(jpeg)) > 0.95


@pytest.mark.parametrize("mark", [SpreadSpectrum(64), Lattice()], ids=lambda mark: mark.name)
def test_low_frequencies_take_any_size_and_length(mark: SpreadSpectrum | Lattice) -> None:
    images = smooth_pictures(2, 300, 220)
    messages = np.random.default_rng(1).integers(0, 2, (2, 64)).astype(np.uint8)
    tagged = mark.embed(images, messages)
    assert np.mean((mark.read(tagged) > 0) == (messages == 1)) > 0.97


def test_the_lattice_is_read_at_another_size_and_not_at_another_framing() -> None:
    mark, messages = Lattice(), np.random.default_rng(1).integers(0, 2, (3, 64)).astype(np.uint8)
    tagged = mark.embed(PICTURES, messages)
    larger = np.stack([cv2.resize(one, (420, 310), interpolation=cv2.INTER_CUBIC) for one in tagged])
    assert np.mean((mark.read(larger) > 0) == (messages == 1)) > 0.97
    assert 0.35 < np.mean((mark.read(tagged[:, 20:, :-9]) > 0) == (messages == 1)) < 0.65


def test_the_lattice_never_moves_a_wave_further_than_half_a_step() -> None:
    waves, dither = lattice._waves(64)
    assert np.allclose(np.tensordot(waves, waves, ((1, 2), (1, 2))), np.eye(64))
    assert ((dither >= 0) & (dither < 1)).all()
    assert hashlib.sha256(np.sign(waves).astype(np.int8).tobytes()).hexdigest()[:16] == "ab24a09eb8bfda8f"
    mark = Lattice()
    messages = np.zeros((3, 64), np.uint8)
    spent = ((mark.embed(PICTURES, messages) - PICTURES.astype(float)) ** 2).mean(3).sum((1, 2))
    assert (spent < 64 * (mark._step / 2) ** 2 * 1.1).all()
