"""One tagger from several runs that began with the same weights: the mean of their weights.

``python -m faketagger.tagger.averaging OUT RUN RUN …`` (Wortsman et al., Model soups, ICML 2022). Runs that began with
different weights have no mean that reads anything. What a run began with may be among them, smaller or not, and
whatever is named twice counts twice.
"""

import sys
from pathlib import Path

import torch

from faketagger.config import load_config
from faketagger.errors import CheckpointError, FakeTaggerError
from faketagger.tagger.checkpoint import CONFIG, CheckpointConfig, checkpoint_folder, load, save
from faketagger.tagger.growth import grow


def average_taggers(runs: list[Path], out: Path) -> Path:
    """Average the weights of taggers.

    Args:
        runs: Their folders, at least two. Smaller networks are grown to the shape of the first tagger's.
        out: Folder of the mean; it takes the strength of the first.

    Returns:
        The folder.

    Raises:
        CheckpointError: There is only one, their codes differ, or networks cannot be grown to the shape of the first.
    """
    if len(runs) < 2:
        raise CheckpointError("a mean needs at least two taggers", "give OUT and two or more folders")
    configs = [load_config(checkpoint_folder(run) / CONFIG, CheckpointConfig) for run in runs]
    for run, config in zip(runs[1:], configs[1:], strict=True):
        for name in ("payload_bits", "crc_bits", "surround"):
            if _alike(config, name) != _alike(configs[0], name):
                raise CheckpointError(f"{run} and {runs[0]} cannot be averaged: their {name} differ")
    mean = load(runs[0])
    states = [_grown(run, runs[0]) for run in runs]
    mean.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
    around = configs[0].surround
    return save(mean, out, configs[0].network, around.network if around else None)


def _grown(run: Path, like: Path) -> dict[str, torch.Tensor]:
    """Weights of a tagger in the shape of another one."""
    tagger, wanted = load(run), load(like)
    grow(tagger.networks, wanted.networks)
    if tagger.surround and wanted.surround:
        grow(tagger.surround.networks, wanted.surround.networks)
    return wanted.state_dict()


def _alike(config: CheckpointConfig, name: str) -> object:
    """What has to be equal of one key of a configuration."""
    if name != "surround" or config.surround is None:
        return getattr(config, name)
    return config.surround.zoom


if __name__ == "__main__":
    try:
        print(average_taggers([Path(run) for run in sys.argv[2:]], Path(*sys.argv[1:2])))
    except FakeTaggerError as error:
        sys.exit(f"error: {error}")
