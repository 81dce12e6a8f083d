"""The framing in which a decoder is surest: landmarks of a remade face are not quite those of the face that was tagged.

The choice looks at how sure the bits are, never at the key or a message. So p-values, which are over random messages,
hold for the chosen framing as for any other, and nothing has to be paid for it.
"""

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor

SURE = 0.97
"""Mean confidence of the bits from which no better framing is looked for."""

BELIEVED = 0.85
"""Mean confidence from which a moved or mirrored view is believed; below, the surest of a hundred is the luckiest."""

_SPREAD = (0.024, 0.024, 0.04, 0.04)
"""Standard deviations of the first moves: right and down (shares of the side), logarithm of the magnification, angle
(radians). Where a tool paints a blurred face, landmarks are off by up to a sixth of the distance of the eyes."""

_ROUNDS = (
    *((0, 16, 1.0, 0.53), (16, 64, 1.0, 0.66)),
    *((0, 24, 0.5, 0.66), (0, 24, 0.3, 0.7), (0, 24, 0.18, 0.72), (0, 16, 0.1, 0.75)),
)
"""First and last of the moves of a round, their spread, and the confidence below which nothing is to be found.

The first two look around the view as it is, the others around the best so far. A tag whose framing is off shows within
sixteen moves; where there is none the surest of them has 0.63, seldom 0.71, and nothing more is looked at."""


_IN_FACE = ((0, 8, 1.0), (8, 16, 0.5), (0, 8, 0.25))
"""First and last of the moves of a face, and their spread."""
_HOPE = 0.76
"""Mean confidence of a face's bits below which no framing is likely to be better: of faces without a tag it is seldom
more."""
_TRUST = 40.0
"""What a surer framing counts more. The surest alone misleads where the first is right, all alike where it is not."""


def confidence(logits: Tensor) -> Tensor:
    """(...,) mean chance of the bits of logits (..., L) to be what they seem to be, in [0.5, 1]."""
    return torch.sigmoid(logits.abs()).mean(-1)


def turned(poses: Tensor) -> Tensor:
    """(N,) True where mirror images are believed, from logits (2, N, L) of views and of their mirror images."""
    straight, mirrored = confidence(poses)
    return (mirrored > straight) & (mirrored >= BELIEVED)


def agreed(look: Callable[[Tensor], Tensor], logits: Tensor) -> Tensor:
    """What a face says whose framing may be off: an expression moves landmarks as a turn of the head would.

    Args:
        look: Moves (K, 4), as for :func:`surest`, to logits (K, L).
        logits: Logits (L,) of the face as it is framed.

    Returns:
        Logits (L,): the mean over some moved framings, each weighed by how sure it is; the same where the bits are sure
        or hopeless.
    """
    if not _HOPE <= confidence(logits) < SURE:
        return logits
    read = look(torch.cat([spread * _cloud(first, last) for first, last, spread in _IN_FACE]))
    read = torch.cat([logits[None], read])
    return torch.softmax(_TRUST * confidence(read), 0) @ read


def surest(look: Callable[..., Tensor]) -> Tensor:
    """Logits in the framing of the surest bits: of a view or its mirror image, by a search around the best so far.

    Args:
        look: Moves (K, 4), as shift right and down (shares of the side), logarithm of the magnification and angle in
            radians, and whether the view is ``mirrored`` first, to logits (K, L).

    Returns:
        Logits (2, L), twice the same where one framing is believed; else those of the view and of its mirror image.
    """
    still = torch.zeros(1, 4)
    straight = look(still, False)
    if confidence(straight) >= SURE:
        return straight.expand(2, -1)
    poses = torch.cat([straight, look(still, True)])
    found = [_searched(partial(look, mirrored=bool(pose)), logits) for pose, logits in enumerate(poses)]
    logits, sure = max(found, key=lambda one: float(one[1]))
    return logits.expand(2, -1) if sure >= BELIEVED else poses


def _searched(look: Callable[[Tensor], Tensor], logits: Tensor) -> tuple[Tensor, Tensor]:
    """Surest logits (L,) and their confidence, from those without a move on."""
    best, sure = torch.zeros(4), confidence(logits)
    for first, last, spread, hope in _ROUNDS:
        if not hope <= sure < SURE:
            break
        trials = spread * _cloud(first, last) + (best if spread < 1 else 0)
        read = look(trials)
        found = confidence(read)
        place = int(found.argmax())
        if found[place] > sure:
            best, logits, sure = trials[place], read[place], found[place]
    return logits, sure


@cache
def _cloud(first: int, last: int) -> Tensor:
    """Moves (last - first, 4), normal around none, evenly spread and always the same."""
    even = torch.quasirandom.SobolEngine(4).draw(last + 1)[first + 1 :]  # type: ignore[no-untyped-call]
    return torch.special.ndtri(even) * torch.tensor(_SPREAD)


def moved(moves: Tensor, size: int, margin: int) -> Tensor:
    """Matrices (K, 2, 3) that cut moved views of a side out of a canvas with a margin around the view.

    Args:
        moves: (K, 4), as for :func:`surest`.
        size: Side of the views.
        margin: Pixels of the canvas on every side of the view that is not moved.
    """
    cosine, sine = moves[:, 2].exp() * moves[:, 3].cos(), moves[:, 2].exp() * moves[:, 3].sin()
    linear = torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], 1)
    centre = torch.full((len(moves), 2, 1), (size - 1) / 2).to(moves)
    shift = moves[:, :2, None] * size
    return torch.cat([linear, centre + shift - linear @ (centre + margin)], 2)
