"""Bits of a lattice in a face whose exact framing is not known: the mean over framings, weighed by what each explains.

A lattice needs the framing to a third of a pixel; landmarks found again after an attack give it to one. So many
framings near them are looked at. Each explains what is found in its waves more or less well (how near they are to
points of the lattice, whichever bits these stand for), and what it says counts by that. No message is known to it, so
a p-value over random messages holds as for a single look.

Source: J. Hoeting et al., "Bayesian model averaging", Statistical Science 1999; the second looks, around the best of
    the first, are weighed as in O. Cappé et al., "Adaptive importance sampling in general mixture classes", Statistics
    and Computing 2008.
"""

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from faketagger.faces.geometry import sampled, softened
from faketagger.tagger.framing import moved
from faketagger.watermarks.face_waves import SIDE

_SPREAD = (0.3 / SIDE, 0.4 / SIDE, 0.017, 0.0095)
"""Standard deviation of framings: right and down (shares of the side), logarithm of the size, angle (radians)."""
_FIRST, _BEST, _EACH, _NEAR = 256, 12, 16, 0.3
"""First looks; how many of them are looked around; looks around each; their spread relative to the first."""
_CLOSE = (-0.06, -0.03, 0.0, 0.03, 0.06)
_FAR = tuple(0.025 * step for step in range(-18, 13) if abs(step) > 3)
_FAR_SHARE = 0.2
"""Logarithms of what undoes a loss or gain of contrast, and how likely it is one of the far ones."""
_PRECISIONS = (0.3, 0.7, 1.3, 2.2, 4.0, 8.0, 16.0)
"""Concentrations of the von Mises density of a wave around its point."""
_NOTHING = 0.05
"""How likely it is beforehand that there is no lattice."""
_MIRRORED, _ENOUGH = 0.05, 5.0
"""How likely a mirror image is beforehand, and the evidence for a picture as it is from which none is looked at."""
_KEPT = 256
"""Likeliest hypotheses that are averaged; the rest says nothing."""
_CHUNK = 32


def averaged(look: Callable[[Tensor, bool], Tensor], dither: Tensor, pilots: int) -> Tensor:
    """Logits of the bits of one face.

    Args:
        look: Framings (K, 4), in standard deviations from where the landmarks say, and whether the picture is
            ``mirrored`` first, to what it holds in each wave, (K, L + pilots) in steps of the lattice.
        dither: (L + pilots,) where the points of a zero are, in steps.
        pilots: How many of the waves, the last ones, are known to hold a zero.

    Returns:
        (L,) positive for 1.
    """
    found, evidence = _weighed(lambda moves: look(moves, False), dither, pilots)
    if torch.logsumexp(evidence.flatten(), 0) < _ENOUGH:
        mirrored, more = _weighed(lambda moves: look(moves, True), dither, pilots)
        evidence = torch.cat([evidence + math.log1p(-_MIRRORED), more + math.log(_MIRRORED)])
        found = torch.cat([found, mirrored])
    shares, places = _shares(evidence.flatten()).topk(_KEPT)
    framing, gain, precision = torch.unravel_index(places, evidence.shape)
    near = _near(found[framing] * _gains()[0][gain][:, None], dither)[:, : found.shape[1] - pilots]
    ones = torch.sigmoid(-2 * torch.tensor(_PRECISIONS)[precision][:, None] * near)
    return torch.logit(0.5 + (shares[:, None] * (ones - 0.5)).double().sum(0), eps=1e-9).float()


def _weighed(look: Callable[[Tensor], Tensor], dither: Tensor, pilots: int) -> tuple[Tensor, Tensor]:
    """Positions (K, L + pilots) in framings all around and around the best of these, and the logarithm of how likely
    each (K, gains, precisions) is, relative to there being no lattice."""
    first = _cloud(_FIRST, 0)
    found = look(first)
    best = first[_explained(found, dither, pilots).amax((1, 2)).topk(_BEST).indices]
    second = (best[:, None] + _NEAR * _cloud(_BEST * _EACH, 1).view(_BEST, _EACH, 4)).flatten(0, 1)
    moves, found = torch.cat([first, second]), torch.cat([found, look(second)])
    evidence = _explained(found, dither, pilots) + (_rarity(moves, best) - math.log(len(moves)))[:, None, None]
    return found, evidence + _gains()[1][:, None] - math.log(len(_PRECISIONS))


def views(grey: Tensor, matrix: Tensor, moves: Tensor, mirrored: bool = False) -> Tensor:
    """Crops of one picture in many framings.

    Args:
        grey: (1, 1, H, W).
        matrix: (1, 2, 3) picture -> crop.
        moves: (K, 4) in standard deviations.
        mirrored: Whether crops are mirrored.

    Returns:
        (K, SIDE * SIDE).
    """
    soft, matrix = softened(grey, matrix, SIDE)
    move = moved(moves * torch.tensor(_SPREAD), SIDE, 0)
    matrices = torch.cat([move[:, :, :2] @ matrix[:, :, :2], move[:, :, :2] @ matrix[:, :, 2:] + move[:, :, 2:]], 2)
    parts = [sampled(soft.expand(len(part), -1, -1, -1), part, SIDE) for part in matrices.split(_CHUNK)]
    crops = torch.cat(parts)
    return (crops.flip(3) if mirrored else crops).flatten(1)


def _explained(found: Tensor, dither: Tensor, pilots: int) -> Tensor:
    """(K, gains, precisions) log likelihood of positions (K, L + pilots), relative to a picture without a lattice."""
    near = _near(found[:, None] * _gains()[0][:, None], dither)
    precisions = torch.tensor(_PRECISIONS)
    bits = near.shape[-1] - pilots
    known = near[..., bits:].sum(-1, keepdim=True) * precisions
    pull = (precisions[:, None] * near[:, :, None, :bits]).abs()
    unknown = (pull + torch.nn.functional.softplus(-2 * pull) - math.log(2)).sum(-1)
    return known + unknown - near.shape[-1] * (torch.special.i0e(precisions).log() + precisions)


def _shares(evidence: Tensor) -> Tensor:
    """How likely each of some hypotheses (H,) is, given their logarithms; what lacks to 1 is that there is none."""
    there, nothing = evidence + math.log1p(-_NOTHING), evidence.new_tensor(math.log(_NOTHING))
    return (there - torch.logaddexp(torch.logsumexp(there, 0), nothing)).exp()


def _near(positions: Tensor, dither: Tensor) -> Tensor:
    """1 on a point of a zero, -1 on one of a one."""
    return torch.cos(2 * math.pi * (positions - dither))


@cache
def _gains() -> tuple[Tensor, Tensor]:
    """What positions are multiplied by, (G,), and the logarithms of how likely each is."""
    shares = [(1 - _FAR_SHARE) / len(_CLOSE)] * len(_CLOSE) + [_FAR_SHARE / len(_FAR)] * len(_FAR)
    return torch.tensor(_CLOSE + _FAR).exp(), torch.tensor(shares).log()


@cache
def _cloud(count: int, seed: int) -> Tensor:
    """(count, 4) normal around none, evenly spread and always the same."""
    even = torch.quasirandom.SobolEngine(4, scramble=True, seed=seed).draw(count)  # type: ignore[no-untyped-call]
    return torch.special.ndtri(even.clamp(1e-4, 1 - 1e-4))


def _rarity(moves: Tensor, best: Tensor) -> Tensor:
    """(K,) logarithm of how much likelier a framing is beforehand than it is to be looked at."""
    near = _BEST * _EACH
    prior = _log_normal(moves, moves.new_zeros(1, 4), 1.0)
    around = torch.logsumexp(_log_normal(moves, best, _NEAR), 1, keepdim=True) - math.log(len(best))
    shares = moves.new_tensor([_FIRST, near]).log() - math.log(_FIRST + near)
    return (prior - torch.logaddexp(shares[0] + prior, shares[1] + around))[:, 0]


def _log_normal(moves: Tensor, centres: Tensor, spread: float) -> Tensor:
    return -0.5 * ((moves[:, None] - centres) / spread).square().sum(-1) - 4 * math.log(spread)
