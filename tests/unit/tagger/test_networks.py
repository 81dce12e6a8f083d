"""The raw pair: shapes, ranges, power, gradients, any size."""

import pytest
import torch

from faketagger.coding import Codec
from faketagger.errors import ConfigError, ImageError, PayloadError
from faketagger.tagger.attenuation import hold_power, just_noticeable_difference, luma
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.tagger import Tagger

BITS = 40


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    torch.manual_seed(0)
    networks = TaggerNetworks(BITS, size=64, encoder_width=16, decoder_width=16)
    return Tagger(networks, Codec(BITS, 16, 12), psnr_db=36.0).eval().requires_grad_(False)


def _message(n: int) -> torch.Tensor:
    return torch.randint(0, 2, (n, BITS), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(64, 64), (128, 96), (33, 257)])
def test_any_size_in_and_out(tagger: Tagger, size: tuple[int, int]) -> None:
    images = torch.rand(3, 3, *size, generator=torch.Generator().manual_seed(0))
    tagged = tagger.embed_message(images, _message(3))
    assert tagged.shape == images.shape
    assert tagged.min() >= 0
    assert tagged.max() <= 1
    assert tagger.read_message(tagged).shape == (3, BITS)


@pytest.mark.parametrize("psnr", [30.0, 36.0, 42.0])
@pytest.mark.parametrize("size", [64, 200])
def test_power_is_held_at_every_size(tagger: Tagger, psnr: float, size: int) -> None:
    images = 0.3 + 0.4 * torch.rand(4, 3, size, size, generator=torch.Generator().manual_seed(0))
    tagged = tagger.embed_message(images, _message(4), psnr)
    measured = -10 * (tagged - images).square().mean((1, 2, 3)).log10()
    assert torch.allclose(measured, torch.full((4,), psnr), atol=0.02)


def test_power_may_differ_by_picture() -> None:
    residual = torch.randn(2, 3, 8, 8)
    held = hold_power(residual, torch.tensor([20.0, 40.0]))
    assert torch.allclose(held.square().mean((1, 2, 3)).sqrt(), torch.tensor([0.1, 0.01]), rtol=1e-4)


def test_every_bit_moves_the_picture_and_the_picture_matters(tagger: Tagger) -> None:
    images = torch.rand(1, 3, 64, 64)
    base = torch.zeros(1, BITS)
    reference = tagger.embed_message(images, base)
    for bit in range(0, BITS, 7):
        changed = base.clone()
        changed[0, bit] = 1
        assert not torch.equal(tagger.embed_message(images, changed), reference)


def test_gradients_reach_encoder_decoder_and_picture() -> None:
    networks = TaggerNetworks(BITS, size=64, encoder_width=16, decoder_width=16)
    images = torch.rand(2, 3, 64, 64, requires_grad=True)
    networks.read(networks.embed(images, _message(2).float(), 30.0)).square().mean().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    for part in (networks.encoder, networks.decoder):
        gradients = [parameter.grad for parameter in part.parameters()]
        assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
        assert sum(float(gradient.abs().sum()) for gradient in gradients if gradient is not None) > 0


def test_mask_attenuates() -> None:
    networks = TaggerNetworks(BITS, size=64, encoder_width=16, decoder_width=16)
    images = torch.full((1, 3, 64, 64), 0.5)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32] = 1
    with torch.no_grad():
        half = networks.encoder(images, _message(1).float(), mask)
        full = networks.encoder(images, _message(1).float())
    assert torch.allclose(half[..., :32], full[..., :32])
    assert torch.allclose(half[..., 32:], 0.4 * full[..., 32:], atol=1e-6)


def test_jnd_is_larger_on_texture_and_in_the_dark() -> None:
    flat = torch.full((1, 3, 32, 32), 0.5)
    dark = torch.full((1, 3, 32, 32), 0.02)
    texture = 0.5 + 0.3 * torch.sign(torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)))
    grey = just_noticeable_difference(flat).mean()
    assert just_noticeable_difference(dark).mean() > 2 * grey
    assert just_noticeable_difference(texture.expand(1, 3, 32, 32)).mean() > 1.5 * grey


def test_colour_order_is_rgb() -> None:
    green = torch.zeros(1, 3, 4, 4)
    green[:, 1] = 1
    assert torch.allclose(luma(green), torch.full((1, 1, 4, 4), 0.587))


def test_timm_backbone_reads() -> None:
    networks = TaggerNetworks(BITS, size=64, encoder_width=16, backbone="resnet18").eval()
    assert networks.read(torch.rand(2, 3, 64, 64)).shape == (2, BITS)


def test_larger_patches_keep_the_grid_of_a_smaller_picture() -> None:
    networks = TaggerNetworks(BITS, size=128, encoder_width=16, decoder_width=16, patch=8).eval()
    images = torch.rand(2, 3, 128, 128)
    tagged = networks.embed(images, _message(2).float(), 36.0)
    assert tagged.shape == images.shape
    assert networks.read(tagged).shape == (2, BITS)
    grid = networks.encoder.message2.spread
    assert grid.out_features == 8 * 16 * 16
    with pytest.raises(ConfigError, match="multiple of 32"):
        TaggerNetworks(BITS, size=112, patch=8)


def test_smoothing_leaves_what_is_coarse_and_takes_what_is_fine() -> None:
    torch.manual_seed(0)
    plain = TaggerNetworks(BITS, size=64, encoder_width=16, decoder_width=16)
    smooth = TaggerNetworks(BITS, size=64, encoder_width=16, decoder_width=16, smooth=2.0)
    smooth.load_state_dict(plain.state_dict())
    grey = torch.full((1, 3, 64, 64), 0.5)
    with torch.no_grad():
        before, after = (one.residual(grey, _message(1).float(), 36.0) for one in (plain, smooth))
    frequency = torch.fft.rfftfreq(64)[None, :] ** 2 + torch.fft.fftfreq(64)[:, None] ** 2
    fine = frequency > (1 / 6) ** 2
    for residual, least, most in ((before, 0.5, 1.0), (after, 0.0, 0.1)):
        power = torch.fft.rfft2(residual).abs().square().sum((0, 1))
        assert least < power[fine].sum() / power.sum() < most
    assert torch.allclose(before.square().mean(), after.square().mean(), rtol=1e-4)
    constant = torch.ones(1, 3, 64, 64)
    assert torch.allclose(smooth.encoder._smoothed(constant), constant, atol=1e-5)


def test_wrong_input_is_one_sentence(tagger: Tagger) -> None:
    good = torch.rand(2, 3, 64, 64)
    with pytest.raises(ImageError, match="N x 3 x H x W"):
        tagger.embed_message(good[0], _message(2))
    with pytest.raises(ImageError, match="NaN"):
        tagger.read_message(good * float("nan"))
    with pytest.raises(PayloadError, match="shape"):
        tagger.embed_message(good, _message(3))
    with pytest.raises(PayloadError, match="0 and 1"):
        tagger.embed_message(good, _message(2) * 2)
    with pytest.raises(ConfigError, match="multiple of 16"):
        TaggerNetworks(BITS, size=100)
    with pytest.raises(PayloadError, match="bits"):
        Tagger(tagger.networks, Codec(64), 36.0)
