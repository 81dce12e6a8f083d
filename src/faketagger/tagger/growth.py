"""Where a training begins: a trained tagger's weights, grown to larger networks where that is wanted."""

from itertools import chain

import torch
from torch import Tensor

from faketagger.errors import CheckpointError
from faketagger.tagger.decoder import TagDecoder
from faketagger.tagger.encoder import TagEncoder
from faketagger.tagger.networks import TaggerNetworks

_INPUTS = {"encoder.stem.1.0.weight", "decoder.body.1.0.weight"}
_OUTPUTS = ("encoder.out.0.weight", "encoder.out.0.bias")
_GROUP = 16
"""Channels that are normalised together; a decoder grows by whole groups, or its old channels would change."""


def grow(small: TaggerNetworks, large: TaggerNetworks) -> None:
    """Give larger networks the knowledge of smaller ones, as the start of a training.

    Of a larger native size, both have the same grid of cells, only that each cell holds more pixels. What comes in is
    averaged over the pixels that the small networks had as one, what goes out is repeated over them. So the grown
    networks read a picture that was enlarged by repetition exactly as the small ones read the original.

    A wider or deeper decoder reads exactly as the smaller one, a deeper encoder writes what the shallower one does:
    nothing that was there listens to the channels that are new, and new residual blocks add zero (Chen et al.,
    Net2Net, ICLR 2016).

    Args:
        small: Trained networks.
        large: Networks whose size and patch are the same whole multiple (1 or more) of those of ``small``, whose
            encoder and decoder have at least its depths, and whose decoder has at least, in whole groups of 16
            channels, its width; overwritten.

    Raises:
        CheckpointError: The shapes do not fit.
    """
    factor = large.size // small.size
    state = small.state_dict()
    try:
        for name in state.keys() & _INPUTS:
            state[name] = _spread(state[name], factor, 1) / factor**2
        for name in _OUTPUTS:
            state[name] = _spread(state[name], factor, 0)
        if isinstance(small.decoder, TagDecoder) and isinstance(large.decoder, TagDecoder):
            state |= _extended(state, small.decoder, large)
            state = {name: tensor for name, tensor in state.items() if name in large.state_dict()}
        state |= _deepened(small.encoder, large.encoder)
        large.load_state_dict(state)
    except RuntimeError:
        raise CheckpointError(
            "the networks to start from have another shape",
            "size and patch must be the same whole multiple of theirs, encoder and decoder as deep as theirs or more, "
            f"the decoder as wide or wider (in steps of {_GROUP}), all else as in their config.yaml",
        ) from None


def _spread(weight: Tensor, factor: int, dim: int) -> Tensor:
    """Repeat each pixel of a cell of channels (3 * patch * patch of them along ``dim``) factor * factor times."""
    patch = round((weight.shape[dim] / 3) ** 0.5)
    cell = weight.unflatten(dim, (3, patch, patch))
    cell = cell.repeat_interleave(factor, dim + 1).repeat_interleave(factor, dim + 2)
    return cell.flatten(dim, dim + 2)


def _deepened(small: TagEncoder, large: TagEncoder) -> dict[str, Tensor]:
    """What an encoder of more residual blocks has beyond another one, begun so that it adds nothing."""
    if any(new < old for old, new in zip(small.depth, large.depth, strict=True)):
        raise RuntimeError
    known = small.state_dict()
    return {
        f"encoder.{name}": _silenced(name, fresh) for name, fresh in large.state_dict().items() if name not in known
    }


def _silenced(name: str, fresh: Tensor) -> Tensor:
    """A weight of a residual block that adds zero: its last convolution is zero, all else as drawn."""
    return torch.zeros_like(fresh) if ".body.1." in name else fresh


def _extended(state: dict[str, Tensor], small: TagDecoder, large: TaggerNetworks) -> dict[str, Tensor]:
    """The decoder's part of ``state``, extended to the depth and width of the decoder of ``large``."""
    decoder = large.decoder
    assert isinstance(decoder, TagDecoder)
    old, new = _blocks(small.depth), _blocks(decoder.depth)
    if old.keys() - new.keys():
        raise RuntimeError
    names = {f"decoder.body.{new[block]}.": f"decoder.body.{old[block]}." for block in new.keys() & old.keys()}
    grown = {}
    for name, fresh in large.state_dict().items():
        if not name.startswith("decoder.body."):
            continue
        prefix = ".".join(name.split(".")[:3]) + "."
        if prefix in names:
            grown[name] = _within(state[names[prefix] + name.removeprefix(prefix)], fresh)
        else:
            grown[name] = _silenced(name.removeprefix(prefix[:-1]), fresh)
    return grown


def _blocks(depth: tuple[int, ...]) -> dict[tuple[int, int], int]:
    """Where in a decoder's body its blocks are: (scale, number within it) -> index."""
    scales = chain.from_iterable([(scale, number) for number in range(1 + count)] for scale, count in enumerate(depth))
    return {block: index for index, block in enumerate([*scales, (len(depth), 0)], start=1)}


def _within(old: Tensor, fresh: Tensor) -> Tensor:
    """A weight of the shape of ``fresh``, whose first outputs are those of ``old`` and hear nothing else."""
    widened = fresh.shape[0] - old.shape[0]
    if widened < 0 or (widened and old.shape[0] % _GROUP):
        raise RuntimeError
    grown = fresh.clone()
    grown[: len(old)] = 0
    grown[tuple(slice(length) for length in old.shape)] = old
    return grown
