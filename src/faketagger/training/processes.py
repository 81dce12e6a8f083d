"""Many processes, one run: Lightning's strategies, its environments, and what a lost worker looks like."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.plugins.environments import ClusterEnvironment, SLURMEnvironment
from pytorch_lightning.strategies import DDPStrategy, FSDPStrategy, Strategy

from faketagger.errors import ConfigError, FakeTaggerError
from faketagger.training.config import TrainConfig

_PATIENCE = timedelta(hours=2)
"""How long processes wait for the one that looks for faces."""
_HOW = ("accelerator", "devices", "num_nodes", "strategy", "accumulate_grad_batches", "compile", "threads")


class WorkerLostError(FakeTaggerError):
    """Another process of the run is gone."""


def strategy(config: TrainConfig, distributed: type[DDPStrategy] = DDPStrategy) -> Strategy | str:
    """Lightning's strategy for a configuration.

    Args:
        config: What to train.
        distributed: Data-parallel strategy; Ray brings its own.

    Raises:
        ConfigError: Sharding is asked for where there is no GPU.
    """
    wanted = config.trainer.strategy
    if wanted == "fsdp":
        if not pl.accelerators.CUDAAccelerator.is_available() or config.trainer.accelerator == "cpu":
            raise ConfigError("The strategy 'fsdp' shards networks over GPUs; none is used.", "trainer.strategy=ddp")
        return FSDPStrategy(state_dict_type="full", timeout=_PATIENCE)
    if wanted == "auto" and config.trainer.devices * config.trainer.num_nodes == 1:
        return "auto"
    # The critic and a decoder whose group is not in the batch get no gradient in some steps.
    unused = bool(config.autoencoder or (config.tagger and config.tagger.critic_weight))
    return distributed(find_unused_parameters=unused, broadcast_buffers=False, timeout=_PATIENCE)


def own_places(config: TrainConfig) -> dict[str, Any]:
    """Arguments of Lightning's trainer that say where a run's processes are; it starts them, or SLURM or torchrun did.

    A SLURM job is put back into the queue by its own script, see docs/scale.md.
    """
    plugins: list[ClusterEnvironment] = [SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else []
    settings = config.trainer
    places = {"devices": settings.devices, "num_nodes": settings.num_nodes}
    return places | {"strategy": strategy(config), "plugins": plugins}


def what_is_learnt(config: TrainConfig) -> dict[str, Any]:
    """The configuration without what changes only how it is computed; runs with equal ones continue each other."""
    values = config.plain()
    rest = {name: value for name, value in values["trainer"].items() if name not in _HOW}
    return values | {"trainer": rest | {"parts": config.trainer.parts}}


@contextmanager
def lost_workers_named() -> Iterator[None]:
    """Turn what gloo and NCCL raise when another process is gone into one sentence.

    Raises:
        WorkerLostError: Another process of the run is gone.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if not any(sign in text for sign in ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer")):
            raise
        raise WorkerLostError(
            "Another process of this run is gone.", "The same call again goes on after the last checkpoint."
        ) from error
