"""The watermarks that come along: what they write is read, stronger costs more, and low frequencies survive."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from faketagger.bench.quality import psnr_db
from faketagger.watermarks.invisible import DwtDct, DwtDctSvd
from faketagger.watermarks.spread import SpreadSpectrum
from tests.helpers.plug_ins import smooth_pictures

MESSAGES = np.random.default_rng(5).integers(0, 2, (3, 32)).astype(np.uint8)
PICTURES = smooth_pictures(3, 256, 256)


def accuracy(mark: Any, images: np.ndarray) -> float:
    return float(np.mean((mark.read(images) > 0) == (MESSAGES == 1)))


def cost(mark: Any) -> float:
    return float(np.mean([psnr_db(*pair) for pair in zip(PICTURES, mark.embed(PICTURES, MESSAGES), strict=True)]))


@pytest.mark.parametrize("make", [SpreadSpectrum, DwtDct, DwtDctSvd])
def test_what_is_written_is_read_and_strength_costs_psnr(make: Callable[[], Any]) -> None:
    if make is not SpreadSpectrum:
        pytest.importorskip("imwatermark")
    mark = make()
    assert accuracy(mark, PICTURES) < 0.75
    assert accuracy(mark, mark.embed(PICTURES, MESSAGES)) > (0.7 if make is DwtDct else 0.99)
    assert cost(mark.with_strength(2.0)) < cost(mark) - 2


def test_spread_spectrum_survives_half_the_size_and_hard_compression() -> None:
    mark = SpreadSpectrum()
    tagged = mark.embed(PICTURES, MESSAGES)
    small = [cv2.resize(one, (128, 128), interpolation=cv2.INTER_AREA) for one in tagged]
    half = [cv2.resize(one, (256, 256)) for one in small]
    assert accuracy(mark, np.stack(half)) > 0.99
    jpeg = [cv2.imdecode(cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1) for one in tagged]
    assert accuracy(mark, np.stack(jpeg)) > 0.95


def test_spread_spectrum_takes_any_size_and_length() -> None:
    mark = SpreadSpectrum(64)
    images = smooth_pictures(2, 300, 220)
    messages = np.random.default_rng(1).integers(0, 2, (2, 64)).astype(np.uint8)
    tagged = mark.embed(images, messages)
    assert np.mean((mark.read(tagged) > 0) == (messages == 1)) > 0.97
