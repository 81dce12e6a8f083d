"""The closed-form parts of the face-swap autoencoder."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from faketagger.simulator.autoencoders import SharedAutoencoder
from faketagger.simulator.eigenfaces import discriminant, principal_axes


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_principal_axes_are_those_of_the_full_decomposition() -> None:
    data = torch.randn(60, 40, generator=rng()) * torch.linspace(5, 0.01, 40).square()
    mean, axes = principal_axes(data, 8, rng(1))
    exact = torch.linalg.svd(data - data.mean(0), full_matrices=False)[2][:8]
    torch.testing.assert_close(mean, data.mean(0))
    torch.testing.assert_close((axes * exact).sum(1).abs(), torch.ones(8), atol=1e-3, rtol=0)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 30), st.integers(1, 12))
def test_axes_are_orthonormal_up_to_the_rank_of_the_data(examples: int, count: int) -> None:
    axes = principal_axes(torch.randn(examples, 20, generator=rng(examples)), count, rng())[1]
    rank = min(count, examples - 1)
    gram = axes @ axes.T
    torch.testing.assert_close(gram[:rank, :rank], torch.eye(rank), atol=1e-4, rtol=0)
    assert not axes[rank:].any()


def test_discriminant_scores_the_means_at_minus_and_plus_one() -> None:
    groups = (torch.rand(200, generator=rng(1)) < 0.4).long()
    codes = torch.randn(200, 6, generator=rng()) + 3 * groups[:, None] * torch.tensor([1.0, 0, 0, -1, 0, 0])
    centre, axis, probe = discriminant(codes, groups)
    scores = (codes - centre) @ probe
    assert float(scores[groups == 0].mean()) == pytest.approx(-1, abs=1e-3)
    assert float(scores[groups == 1].mean()) == pytest.approx(1, abs=1e-3)
    assert ((scores > 0).long() == groups).float().mean() > 0.95
    assert float(axis @ probe) == pytest.approx(1, abs=1e-4)


def test_one_group_alone_has_no_axis() -> None:
    _, axis, probe = discriminant(torch.randn(10, 4, generator=rng()), torch.zeros(10).long())
    assert not axis.any()
    assert not probe.any()


def two_peoples(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth random pictures of two groups that differ by one pattern."""
    groups = torch.arange(count) % 2
    coarse = torch.rand(count, 3, 4, 4, generator=rng())
    pictures = torch.nn.functional.interpolate(coarse, (128, 128), mode="bilinear")
    pattern = torch.zeros(1, 3, 128, 128)
    pattern[:, 0, 40:80, 40:80] = 0.3
    return 0.6 * pictures + groups.view(-1, 1, 1, 1) * pattern, groups


def test_prepared_decoders_show_their_own_group_only() -> None:
    pictures, groups = two_peoples(80)
    network = SharedAutoencoder()
    for head in network.heads:
        torch.nn.init.zeros_(head[-2].weight)
        torch.nn.init.zeros_(head[-2].bias)
    network.prepare(pictures, groups, rng())
    with torch.no_grad():
        latent = network.encode(pictures)
        for identity in (0, 1):
            made = network.decode(latent, identity)
            inside = made[:, 0, 50:70, 50:70].mean((1, 2)) - made[:, 1, 50:70, 50:70].mean((1, 2))
            own = pictures[groups == identity]
            wanted = (own[:, 0, 50:70, 50:70] - own[:, 1, 50:70, 50:70]).mean()
            assert float(inside[groups != identity].mean()) == pytest.approx(float(wanted), abs=0.1)


def test_prepare_leaves_a_prepared_network_alone() -> None:
    pictures, groups = two_peoples(12)
    network = SharedAutoencoder()
    network.prepare(pictures, groups, rng())
    basis = network.basis.clone()
    network.prepare(1 - pictures, groups, rng())
    assert torch.equal(network.basis, basis)
