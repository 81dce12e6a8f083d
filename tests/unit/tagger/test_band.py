"""A held residual has nothing above its band, whoever writes it, and loses nothing of what is below."""

import pytest
import torch
from scipy.fft import dctn
from torch import Tensor

from faketagger.tagger.band import BandLimit
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.place import Place

BITS, SIDE, BELOW = 40, 64, 12.0


def noise() -> Tensor:
    return torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def above(residual: Tensor) -> float:
    """Share of the power at BELOW half cycles a side and more, by another library's transform."""
    power = torch.tensor(dctn(residual.double().numpy(), axes=(2, 3), norm="ortho")).square().sum((0, 1))
    numbers = torch.arange(SIDE)
    fast = numbers[:, None] ** 2 + numbers**2 >= BELOW**2
    return float(power[fast].sum() / power.sum())


def wave(down: int, across: int) -> Tensor:
    """(1, 1, SIDE, SIDE): so many half cycles down and across."""
    middle = (torch.arange(SIDE) + 0.5) * torch.pi / SIDE
    return (torch.cos(down * middle)[:, None] * torch.cos(across * middle))[None, None]


@pytest.mark.parametrize(
    ("down", "across", "passes"), [(0, 0, 1), (11, 4, 1), (4, 11, 1), (0, 12, 0), (9, 9, 0), (40, 3, 0)]
)
def test_a_wave_passes_whole_or_not_at_all(down: int, across: int, passes: int) -> None:
    one = wave(down, across)
    torch.testing.assert_close(BandLimit(SIDE, BELOW)(one), passes * one, atol=1e-5, rtol=0)


def test_what_was_limited_stays_as_it_is() -> None:
    limit = BandLimit(SIDE, BELOW)
    once = limit(noise())
    assert above(noise()) > 0.9
    assert above(once) < 1e-9
    torch.testing.assert_close(limit(once), once, atol=1e-5, rtol=0)


def test_encoders_write_and_polishing_keeps_the_band() -> None:
    torch.manual_seed(0)
    networks = TaggerNetworks(BITS, size=SIDE, encoder_width=16, decoder_width=16, band=BELOW).eval()
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    message = torch.randint(0, 2, (2, BITS), generator=torch.Generator().manual_seed(2)).float()
    with torch.no_grad():
        residual = networks.residual(images, message, 36.0)
        place = Place(networks, torch.eye(2, 3)[None], 1.0, residual, torch.ones(2, 1, SIDE, SIDE), 36.0)
        moved = place.held(residual + 0.1 * noise())
    for one in (residual, moved):
        assert above(one) < 1e-6
        torch.testing.assert_close(one.square().mean((1, 2, 3)).sqrt(), torch.full((2,), 10**-1.8), rtol=1e-4, atol=0)


def test_without_a_band_nothing_is_taken() -> None:
    networks = TaggerNetworks(BITS, size=SIDE, encoder_width=16, decoder_width=16)
    torch.testing.assert_close(networks.encoder.limit(noise()), noise())


def test_weights_fit_with_and_without_a_band() -> None:
    shape = {"message_bits": BITS, "size": SIDE, "encoder_width": 16, "decoder_width": 16}
    limited = TaggerNetworks(**shape, band=BELOW)
    limited.load_state_dict(TaggerNetworks(**shape).state_dict())
