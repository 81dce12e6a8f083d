"""Where a training begins: a trained tagger's weights, grown to a larger native size where that is wanted."""

from torch import Tensor

from faketagger.errors import CheckpointError
from faketagger.tagger.networks import TaggerNetworks

_INPUTS = {"encoder.stem.1.0.weight", "decoder.body.1.0.weight"}
_OUTPUTS = ("encoder.out.0.weight", "encoder.out.0.bias")


def grow(small: TaggerNetworks, large: TaggerNetworks) -> None:
    """Give networks of a larger native size the knowledge of smaller ones, as the start of a training.

    Both have the same grid of cells, only that each cell holds more pixels. What comes in is averaged over the pixels
    that the small networks had as one, what goes out is repeated over them. So the grown networks read a picture that
    was enlarged by repetition exactly as the small ones read the original.

    Args:
        small: Trained networks.
        large: Networks whose size and patch are the same whole multiple (1 or more) of those of ``small``; overwritten.

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
        large.load_state_dict(state)
    except RuntimeError:
        raise CheckpointError(
            "the networks to start from have another shape",
            "size and patch must be the same whole multiple of theirs, all else as in their config.yaml",
        ) from None


def _spread(weight: Tensor, factor: int, dim: int) -> Tensor:
    """Repeat each pixel of a cell of channels (3 * patch * patch of them along ``dim``) factor * factor times."""
    patch = round((weight.shape[dim] / 3) ** 0.5)
    cell = weight.unflatten(dim, (3, patch, patch))
    cell = cell.repeat_interleave(factor, dim + 1).repeat_interleave(factor, dim + 2)
    return cell.flatten(dim, dim + 2)
