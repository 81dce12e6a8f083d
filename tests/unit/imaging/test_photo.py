"""The photograph in memory: rounding, and changes that keep depth, profile, grey and untouched pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from faketagger.errors import ImageError
from faketagger.imaging import Photo, to_float, to_uint8
from faketagger.imaging.colour import load_profile


@given(hnp.arrays(np.uint8, (7, 5, 3)))
def test_bytes_survive_the_way_through_floats(pixels):
    assert np.array_equal(to_uint8(to_float(pixels)), pixels)


def test_rounding_is_half_to_even_and_clips():
    halves = np.array([0.5, 1.5, 2.5, 300.0, -4.0], dtype=np.float64) / 255
    assert to_uint8(halves).tolist() == [0, 2, 2, 255, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_is_refused(bad, scene):
    photo = Photo.from_array(scene)
    poisoned = photo.rgb
    poisoned[3, 3, 1] = bad
    for act in (to_uint8, Photo.from_array, photo.with_rgb):
        with pytest.raises(ImageError, match="NaN"):
            act(poisoned)


@pytest.mark.parametrize("shape", [(4, 4, 2), (0, 4, 3), (3,), (1, 4, 4, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ImageError, match="must be H x W"):
        Photo.from_array(np.zeros(shape, np.uint8))


def test_other_size_or_type_is_refused(scene):
    photo = Photo.from_array(scene)
    for wrong in (photo.rgb[1:], photo.rgb8):
        with pytest.raises(ImageError, match="must be float"):
            photo.with_rgb(wrong)


def test_plain_picture_takes_the_new_bytes_exactly(scene):
    photo = Photo.from_array(scene)
    other = scene[::-1].copy()
    assert np.array_equal(photo.with_rgb(to_float(other)).pixels, other)
    assert np.array_equal(photo.rgb8, scene)


@settings(max_examples=30, deadline=None)
@given(row=st.integers(0, 47), column=st.integers(0, 63), change=st.floats(-0.2, 0.2))
@pytest.mark.parametrize("depth", [8, 16])
def test_only_the_changed_pixel_changes_even_in_a_wide_gamut(depth, row, column, change, scene, p3_icc):
    pixels = scene if depth == 8 else scene.astype(np.uint16) * 257 + 13
    photo = Photo(pixels=pixels, profile=load_profile(p3_icc))
    rgb = photo.rgb
    rgb[row, column] += change
    after = photo.with_rgb(rgb)
    same = np.ones((48, 64), bool)
    same[row, column] = False
    assert np.array_equal(after.pixels[same], photo.pixels[same])
    assert after.depth == depth
    assert after.profile is photo.profile


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("name", ["p3_icc", "adobe_icc"])
def test_a_residual_arrives_through_the_profile(name, depth, request, scene):
    dull = scene // 4 + 80
    pixels = dull if depth == 8 else dull.astype(np.uint16) * 257
    photo = Photo(pixels=pixels, profile=load_profile(request.getfixturevalue(name)))
    wanted = photo.rgb + 0.02 * np.sin(np.arange(64 * 48 * 3)).reshape(48, 64, 3)
    got = photo.with_rgb(wanted.astype(np.float32)).rgb
    error = np.abs(got - wanted) * (2**depth - 1)
    assert error.max() < 2.0  # half a step in each of three channels, spread by the matrix
    assert error.mean() < 0.5


def test_grey_takes_over_the_change_of_luma(scene, grey_icc):
    for profile in (None, load_profile(grey_icc)):
        photo = Photo(pixels=scene[..., :1], profile=profile)
        rgb = photo.rgb
        assert np.array_equal(rgb[..., 0], rgb[..., 2])
        after = photo.with_rgb(np.clip(rgb + np.float32([0.1, 0.0, -0.02]), 0, 1))
        assert after.is_grey
        inside = (rgb.min(2) > 0.05) & (rgb.max(2) < 0.85)
        expected = 0.1 * 0.299 - 0.02 * 0.114
        assert np.abs((after.rgb - rgb)[inside] - expected).max() < 1.2 / 255


def test_floats_become_bytes(scene):
    assert np.array_equal(Photo.from_array(to_float(scene)).pixels, scene)
    assert Photo.from_array(scene[..., 0]).is_grey
    with pytest.raises(ImageError, match="uint8"):
        Photo.from_array(scene.astype(np.int64))
    with pytest.raises(ImageError, match="int64"):
        to_float(scene.astype(np.int64))
