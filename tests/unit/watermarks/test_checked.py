"""Anyone's watermark: what it does wrong is named in one sentence, and any size will do."""

from typing import Any

import numpy as np
import pytest

from faketagger.errors import WatermarkError
from faketagger.watermarks import CheckedWatermark, check_watermark
from faketagger.watermarks.objects import object_digest
from tests.helpers.plug_ins import MODULE, smooth_pictures

MARKS: dict[str, Any] = {}
exec(MODULE, MARKS)
MESSAGES = np.random.default_rng(3).integers(0, 2, (3, 8)).astype(np.uint8)


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("WrongShape", r"The watermark wrong_shape returned pictures of shape \(3, 95, 96, 3\) for \(3, 96, 96, 3\)"),
        ("NotANumber", "The watermark not_a_number returned NaN or infinite pixels"),
        ("Unchanged", "The watermark unchanged left 3 of 3 pictures unchanged, so nothing was embedded"),
    ],
)
def test_an_embedder_that_breaks_the_protocol_is_named(member: str, words: str) -> None:
    with pytest.raises(WatermarkError, match=words):
        CheckedWatermark(MARKS[member]()).embed(smooth_pictures(), MESSAGES)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.zeros((3, 7)), r"soft bits of shape \(3, 7\) instead of \(3, 8\)"),
        (np.full((3, 8), np.nan), "soft bits that are NaN"),
        (np.full((3, 8), "1"), "soft bits that are NaN"),
    ],
)
def test_a_reader_that_breaks_the_protocol_is_named(answer: np.ndarray, words: str) -> None:
    mark = MARKS["Good"]()
    mark.read = lambda images: answer
    with pytest.raises(WatermarkError, match=f"The watermark good returned {words}"):
        CheckedWatermark(mark).read(smooth_pictures())


def test_what_it_raises_is_said_with_its_name() -> None:
    with pytest.raises(WatermarkError, match="raising could not read: RuntimeError: the decoder fell over"):
        CheckedWatermark(MARKS["Raising"]()).read(smooth_pictures())


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64])
def test_hard_bits_are_taken_as_such(kind: type) -> None:
    mark = MARKS["Good"]()
    mark.read = lambda images: MESSAGES.astype(kind)
    assert np.array_equal(CheckedWatermark(mark).read(smooth_pictures()) > 0, MESSAGES == 1)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("message_bits", 0, "good has message_bits 0"),
        ("message_bits", True, "good has message_bits True"),
        ("native_size", "big", "good has native_size 'big'"),
    ],
)
def test_wrong_members_are_refused(name: str, value: object, words: str) -> None:
    mark = MARKS["Good"]()
    setattr(mark, name, value)
    with pytest.raises(WatermarkError, match=words):
        check_watermark(mark)
    with pytest.raises(WatermarkError, match="object has no name"):
        check_watermark(object())


@pytest.mark.parametrize("size", [(96, 96), (160, 130), (64, 200)])
def test_a_network_of_one_size_marks_pictures_of_any(size: tuple[int, int]) -> None:
    mark = MARKS["Good"]()
    mark.native_size = 128
    images = smooth_pictures(3, *size)
    checked = CheckedWatermark(mark)
    tagged = checked.embed(images, MESSAGES)
    assert tagged.shape == images.shape
    assert tagged.dtype == np.uint8
    assert np.mean((checked.read(tagged) > 0) == (MESSAGES == 1)) > 0.9


def test_without_a_knob_of_its_own_the_residual_is_scaled() -> None:
    images, checked = smooth_pictures(), CheckedWatermark(MARKS["Good"]())
    assert checked.knob == "residual"
    usual = np.abs(checked.embed(images, MESSAGES).astype(int) - images).mean()
    stronger = np.abs(checked.with_strength(2.0).embed(images, MESSAGES).astype(int) - images).mean()
    assert stronger == pytest.approx(2 * usual, rel=0.05)


def test_landmarks_are_handed_on_in_the_pixels_that_it_sees() -> None:
    seen: list[np.ndarray] = []

    class Faces(MARKS["Good"]):  # type: ignore[misc, name-defined]
        native_size = 48
        uses_landmarks = True

        def read(self, images: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
            seen.append(landmarks)
            return np.ones((len(images), 8))

    checked = CheckedWatermark(Faces())
    with pytest.raises(WatermarkError, match="where the faces are"):
        checked.read(smooth_pictures())
    checked.read(smooth_pictures(), np.full((3, 68, 2), 95.5, np.float32))
    assert seen[0] == pytest.approx(np.full((3, 68, 2), 47.5))


def test_the_digest_of_an_object_follows_what_is_in_it() -> None:
    good = MARKS["Good"]
    assert object_digest(good(), "a") == object_digest(good(), "a")
    assert object_digest(good(), "a") != object_digest(good(push=7.0), "a")
    assert CheckedWatermark(good()).digest != CheckedWatermark(MARKS["Raising"]()).digest
