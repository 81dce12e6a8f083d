"""The same run under Ray Train: it places the workers, and starts them again when one is lost."""

from pathlib import Path
from typing import Any

import torch

from faketagger.config import check
from faketagger.errors import ConfigError
from faketagger.ray_cluster import own_errors, ray_session
from faketagger.training.config import TrainConfig
from faketagger.training.modules import build_module
from faketagger.training.processes import strategy
from faketagger.training.run import Outcome, check_same_run, train

FAILURES = 3
"""How often lost workers are started again."""


def train_on_ray(config: TrainConfig, out: Path, address: str | None = None) -> Outcome:
    """Train with ``trainer.devices * trainer.num_nodes`` workers wherever Ray puts them.

    Args:
        config: What to train; the same file as for Lightning alone.
        out: Folder of the run, on a disk that all workers see.
        address: Of a Ray cluster; None starts Ray on this machine.

    Returns:
        As for :func:`faketagger.training.run.train`.

    Raises:
        ConfigError: The strategy is not for Ray.
        ScaleError: Ray is not installed, cannot be reached, or lost its workers too often.
    """
    settings = config.trainer
    if settings.strategy == "fsdp":
        raise ConfigError("The strategy 'fsdp' is for Lightning's own processes.", "trainer.strategy=ddp")
    workers, cores = settings.devices * settings.num_nodes, settings.threads or 1
    gpu = settings.accelerator != "cpu" and torch.cuda.is_available()
    # A cluster's head may have no GPU; who asks for some by name gets them.
    gpu = gpu or settings.accelerator in ("gpu", "cuda")
    place = out.resolve()
    build_module(config)  # a mistake in the file is no lost worker
    check_same_run(config, place)
    each = {"CPU": cores} | ({"GPU": 1} if gpu else {})
    with ray_session(workers * cores, address) as ray, own_errors(ray):
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer

        TorchTrainer(
            _worker,
            train_loop_config={"config": config.plain(), "out": str(place)},
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpu, resources_per_worker=each),
            run_config=RunConfig(
                name="ray", storage_path=str(place), failure_config=FailureConfig(max_failures=FAILURES)
            ),
        ).fit()
    return train(config, place)


def _worker(order: dict[str, Any]) -> None:
    from ray.train.lightning import RayDDPStrategy, RayLightningEnvironment

    config = check(order["config"], TrainConfig, "the run's configuration")
    places: dict[str, Any] = {"devices": 1, "num_nodes": 1, "plugins": [RayLightningEnvironment()]}
    train(config, Path(order["out"]), strategy=strategy(config, RayDDPStrategy), **places)
