"""Profiles agree with Pillow's colour engine and go both ways exactly where it cannot follow."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from faketagger.imaging.colour import load_profile


@pytest.mark.parametrize("name", ["p3_icc", "adobe_icc", "srgb_icc"])
def test_agrees_with_littlecms_inside_the_srgb_gamut(name, request, scene):
    icc = request.getfixturevalue(name)
    dull = (scene // 4 + 80).astype(np.uint8)
    profile = load_profile(icc)
    assert profile is not None
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    reference = ImageCms.profileToProfile(
        Image.fromarray(dull), source, ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    ours = profile.to_srgb(dull) * 255
    assert np.abs(ours - np.asarray(reference)).max() < 1.1
    assert np.abs(ours - np.asarray(reference)).mean() < 0.4


def test_srgb_is_recognised_and_others_are_not(p3_icc, adobe_icc, srgb_icc, grey_icc):
    real = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert [load_profile(icc).is_srgb for icc in (srgb_icc, real)] == [True, True]
    assert [load_profile(icc).is_srgb for icc in (p3_icc, adobe_icc, grey_icc)] == [False, False, False]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 65535), min_size=3, max_size=3), st.sampled_from([2, 1]))
def test_round_trip_at_16_bits(values, softness):
    from tests.unit.imaging.conftest import P3_TO_D50, SRGB_CURVE, parametric, rgb_icc

    profile = load_profile(rgb_icc(P3_TO_D50, parametric(3, *SRGB_CURVE)))
    middle = sum(values) / 3
    pixel = np.array([[round(middle + (v - middle) / (2 * softness)) for v in values]], dtype=np.uint16)
    srgb = profile.to_srgb(pixel)
    if srgb.min() > 0.001 and srgb.max() < 0.999:
        assert np.abs(profile.from_srgb(srgb) * 65535 - pixel).max() < 2.0


def test_grey_curve_brightens_midtones(grey_icc):
    profile = load_profile(grey_icc)
    assert profile.curves.shape == (65536, 1)
    assert profile.to_srgb(np.full((1, 1), 128, np.uint8))[0, 0] > 0.55


@pytest.mark.parametrize("cut", [0, 60, 130, 200, 400])
def test_a_damaged_profile_is_no_profile(p3_icc, cut):
    assert load_profile(p3_icc[:cut]) is None


def test_parametric_curve_kinds_describe_the_same_curve():
    from tests.unit.imaging.conftest import make_icc, parametric

    def curve(tag):
        return load_profile(make_icc(b"GRAY", {b"kTRC": tag})).curves[:, 0]

    plain = curve(parametric(0, 2.2))
    assert np.allclose(plain, curve(parametric(1, 2.2, 1.0, 0.0)), atol=1e-4)
    assert np.allclose(plain, curve(parametric(2, 2.2, 1.0, 0.0, 0.0)), atol=1e-4)
    assert np.allclose(plain, curve(parametric(4, 2.2, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)), atol=1e-4)
    lifted = curve(parametric(2, 2.0, 0.9, 0.1, 0.05))
    assert lifted[0] == pytest.approx(0.05 + 0.01, abs=1e-3)
