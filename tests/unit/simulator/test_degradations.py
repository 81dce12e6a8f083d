"""Every degradation through the common suite, and what is particular to each."""

import io

import numpy as np
import pytest
import torch
from kornia.enhance import adjust_hue
from kornia.filters import median_blur
from PIL import Image
from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator import build, describe, names
from faketagger.simulator.degradations.video import decode_h264, encode_h264
from tests.unit.simulator.attack_suite import AttackSuite, graded, psnr, scene, strike

DEGRADATIONS = [name for name in names() if describe(name)["family"] == "degradation"]
REMAKING = [name for name in DEGRADATIONS if name != "identity"]
KEEP_COLOUR = [name for name in DEGRADATIONS if name != "hue"]


@pytest.mark.parametrize("name", DEGRADATIONS)
class TestEveryDegradation(AttackSuite):
    pass


def to_bytes(image: Tensor) -> np.ndarray:
    return (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def test_all_that_were_promised_are_there() -> None:
    promised = """identity quantise jpeg jpeg_diff webp h264 blur noise grain resize crop rotation flip
    perspective brightness gain contrast saturation hue gamma haze rain exposure vignette median"""
    assert set(promised.split()) == set(DEGRADATIONS)


@pytest.mark.parametrize("name", REMAKING)
def test_pixels_are_remade(name: str) -> None:
    output = strike(graded(name), scene())
    assert output.status == ["attacked", "attacked"]
    assert bool((output.masks == 1).all())
    assert not torch.equal(output.images, scene())


def test_identity_remakes_nothing() -> None:
    output = strike(graded("identity"), scene())
    assert output.status == ["passed_through", "passed_through"]
    assert bool((output.masks == 0).all())
    assert torch.equal(output.images, scene())


@pytest.mark.parametrize("name", KEEP_COLOUR)
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_colour_order(name: str, channel: int) -> None:
    images = torch.full((1, 3, 48, 48), 0.15)
    images[:, channel] = 0.85
    means = strike(graded(name), images).images[0].mean(dim=(1, 2))
    assert int(means.argmax()) == channel


def test_hue_turns_red_to_green_to_blue() -> None:
    red = torch.zeros(1, 3, 8, 8)
    red[:, 0] = 1
    for degrees, channel in ((120, 1), (-120, 2)):
        turned = strike(graded("hue", degrees), red).images
        expected = torch.zeros(1, 3, 8, 8)
        expected[:, channel] = 1
        torch.testing.assert_close(turned, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("quality", [10, 50, 90])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_jpeg_is_pillows_to_the_byte(quality: int, subsampling: str) -> None:
    images = scene(1, 41, 70)
    file = io.BytesIO()
    Image.fromarray(to_bytes(images[0])).save(file, "JPEG", quality=quality, subsampling=subsampling)
    attack = build("jpeg", quality, subsampling=subsampling)
    output = strike(attack, images).images  # type: ignore[arg-type]
    assert np.array_equal(to_bytes(output[0]), np.asarray(Image.open(file)))
    assert torch.equal(output * 255, (output * 255).round())


def test_webp_is_pillows_to_the_byte() -> None:
    images = scene(1, 41, 70)
    file = io.BytesIO()
    Image.fromarray(to_bytes(images[0])).save(file, "WEBP", quality=30, method=2)
    output = strike(graded("webp", 30), images).images
    assert np.array_equal(to_bytes(output[0]), np.asarray(Image.open(file).convert("RGB")))


@pytest.mark.parametrize("quality", [40, 70, 95])
def test_differentiable_jpeg_is_near_the_real_one(quality: int) -> None:
    images = scene(2, 72, 88)
    real = strike(graded("jpeg", quality), images).images
    soft = strike(graded("jpeg_diff", quality), images).images
    assert psnr(soft, real) > 33
    assert psnr(soft, real) > psnr(real, images)


def test_h264_really_is_h264_by_libx264() -> None:
    picture = to_bytes(scene(1, 64, 96)[0])
    stream = b"".join(bytes(packet) for packet in encode_h264(picture, 32))
    assert stream.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01"))
    assert b"x264 - core" in stream
    assert b"crf=32.0" in stream
    output = strike(graded("h264", 32), scene(1, 64, 96)).images
    assert np.array_equal(to_bytes(output[0]), decode_h264(encode_h264(picture, 32)))
    assert 20 < psnr(output, scene(1, 64, 96)) < 45


def test_h264_of_an_enlarged_picture_spares_more_of_it() -> None:
    images = scene(2, 64, 96).requires_grad_()
    plain, enlarged = (strike(build("h264", 34, enlarge=times), images).images for times in (1, 2))  # type: ignore[arg-type]
    assert enlarged.shape == images.shape
    assert psnr(enlarged, images) > psnr(plain, images) + 1
    (gradient,) = torch.autograd.grad(enlarged.sum(), images)
    assert torch.equal(gradient, torch.ones_like(images))


def test_quantise_gives_the_values_of_an_8_bit_file() -> None:
    images = scene()
    output = strike(graded("quantise"), images).images
    assert torch.equal(output, (images * 255).round() / 255)


def test_quantise_to_one_bit_is_black_and_white() -> None:
    assert set(strike(graded("quantise", 1), scene()).images.unique().tolist()) == {0.0, 1.0}


def test_blur_of_a_point_has_the_stated_width_and_keeps_its_mass() -> None:
    images = torch.zeros(2, 3, 65, 65)
    images[:, :, 32, 32] = 1
    sigma = torch.tensor([2.0, 1.0]) * 256 / 65
    spread = strike(graded("blur", sigma), images).images
    offsets = torch.arange(65.0) - 32
    variance = (spread.sum(dim=2) * offsets**2).sum(dim=-1)[:, 0]
    torch.testing.assert_close(spread.sum(dim=(2, 3)), torch.ones(2, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(variance, torch.tensor([4.0, 1.0]), atol=0, rtol=0.05)


@pytest.mark.parametrize(("name", "tolerance"), [("noise", 0.02), ("grain", 0.02)])
def test_noise_has_the_stated_deviation_in_mid_grey(name: str, tolerance: float) -> None:
    images = torch.full((4, 3, 64, 64), 0.5)
    change = strike(graded(name, 0.05), images).images - images
    assert change.std().item() == pytest.approx(0.05, rel=tolerance)
    assert abs(change.mean().item()) < 0.005


def test_noise_of_two_images_differs() -> None:
    output = strike(graded("noise"), scene(1).expand(2, 3, 48, 48)).images
    assert not torch.equal(output[0], output[1])


@pytest.mark.parametrize("side", [3, 5])
def test_median_agrees_with_kornia(side: int) -> None:
    images = scene(2, 40, 56)
    assert torch.equal(strike(graded("median", side), images).images, median_blur(images, (side, side)))


def test_median_removes_a_speck() -> None:
    images = torch.full((1, 3, 9, 9), 0.5)
    images[..., 4, 4] = 1
    torch.testing.assert_close(strike(graded("median", 3), images).images, torch.full((1, 3, 9, 9), 0.5))


def test_exposure_of_one_stop_doubles_the_light() -> None:
    images = torch.full((1, 3, 4, 4), 0.5)
    brighter = strike(graded("exposure", 1), images).images.mean().item()
    light = [((value + 0.055) / 1.055) ** 2.4 for value in (0.5, brighter)]
    assert light[1] / light[0] == pytest.approx(2, rel=1e-3)


def test_tone_at_one_value() -> None:
    images = torch.tensor([0.8, 0.4, 0.2]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    grey = 0.299 * 0.8 + 0.587 * 0.4 + 0.114 * 0.2
    for name, severity, expected in [
        ("brightness", -0.1, [0.7, 0.3, 0.1]),
        ("gain", 1.5, [1.0, 0.6, 0.3]),
        ("gamma", 2.0, [0.64, 0.16, 0.04]),
        ("saturation", 0.0, [grey] * 3),
        ("contrast", 0.0, [grey] * 3),
    ]:
        result = strike(graded(name, severity), images).images[0, :, 0, 0]
        torch.testing.assert_close(result, torch.tensor(expected), atol=1e-5, rtol=0)
    turned = strike(graded("hue", 30), images).images
    torch.testing.assert_close(turned, adjust_hue(images, torch.tensor([np.pi / 6])), atol=1e-5, rtol=0)


def test_vignette_darkens_corners_and_not_the_centre() -> None:
    result = strike(graded("vignette", 0.5), torch.full((1, 3, 33, 65), 0.8)).images
    corners = [result[0, 0, row, column].item() for row in (0, -1) for column in (0, -1)]
    assert corners == pytest.approx([0.4] * 4)
    assert result[0, 0, 16, 32].item() == pytest.approx(0.8)


def test_haze_gives_the_stated_share_of_light_on_average() -> None:
    dark = torch.zeros(64, 3, 16, 16)
    white_air = strike(graded("haze", 0.4), dark).images.mean().item() / 0.85
    assert white_air == pytest.approx(0.4, rel=0.1)


@pytest.mark.parametrize("share", [0.03, 0.12])
def test_rain_covers_the_stated_share(share: float) -> None:
    streaks = strike(graded("rain", share), torch.zeros(4, 3, 256, 256)).images
    covered = (streaks / (0.6 * 0.9)).mean().item()
    assert covered == pytest.approx(share, rel=0.2)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("jpeg", {"subsampling": "4:1:0"}),
        ("webp", {"effort": 9}),
        ("h264", {"preset": "instant"}),
        ("h264", {"enlarge": 0}),
        ("grain", {"clump": 0}),
        ("rain", {"length": 0}),
        ("rain", {"opacity": 2}),
        ("blur", {"colour": "red"}),
    ],
)
def test_bad_parameters_are_errors(name: str, params: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=name):
        build(name, **params)
