"""One training run from its configuration to a folder that holds everything about it."""

import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging, RichProgressBar
from pytorch_lightning.loggers import Logger
from pytorch_lightning.strategies import FSDPStrategy
from rich.progress import Progress

from faketagger.config import load_config
from faketagger.data.module import FaceDataModule
from faketagger.errors import ConfigError, FakeTaggerError
from faketagger.training.callbacks import TaggedPictures, Watchdog
from faketagger.training.config import TrainConfig
from faketagger.training.loggers import build_logger, close, log_artifacts
from faketagger.training.modules import build_module, result_path
from faketagger.training.processes import lost_workers_named, own_places, what_is_learnt
from faketagger.training.resumption import LAST, LastCheckpoint, interruptible, read_last

CONFIG, METRICS = "config.yaml", "metrics.json"


@dataclass(frozen=True)
class Outcome:
    """What a call of :func:`train` led to.

    Attributes:
        metrics: The last validation.
        result: A tagger's folder, or an autoencoder's safetensors.
        began_at: The step that this call began at; equal to the length of the run if that was finished before.
        reports: Whether this process is the one that speaks for all.
    """

    metrics: dict[str, float]
    result: Path
    began_at: int
    reports: bool = True


def train(
    config: TrainConfig, out: Path, watchers: Sequence[pl.Callback] = (), logger: Logger | None = None, **places: Any
) -> Outcome:
    """Train, or go on with a run that was stopped, and write the result.

    Args:
        config: What to train.
        out: Folder of the run. If it holds ``last.ckpt``, the run goes on at its next step.
        watchers: Further callbacks.
        logger: Where numbers go, left open; None for a new one, as the configuration says.
        **places: As for :func:`build_trainer`.

    Returns:
        Metrics, result and the step that this call began at.

    Raises:
        ConfigError: The configuration contradicts itself, or ``out`` belongs to another one.
        CheckpointError: ``last.ckpt`` is damaged.
        DataError: The faces cannot be had.
        WorkerLostError: Another process of the run is gone.
        KeyboardInterrupt: It was stopped; ``last.ckpt`` holds the last whole step.
    """
    settings = config.trainer
    last = read_last(out)
    began_at = int(last["global_step"]) if last else 0
    check_same_run(config, out)
    metrics_file = out / METRICS
    if began_at >= settings.max_steps and metrics_file.is_file():
        return Outcome(json.loads(metrics_file.read_text()), result_path(config, out), began_at)
    _hush()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    pl.seed_everything(config.seed, workers=True, verbose=False)
    module = build_module(config)
    trainer = build_trainer(config, out, False, watchers, **places)
    data = FaceDataModule(config.data)
    if trainer.is_global_zero:
        _remember(config, out)
        metrics_file.unlink(missing_ok=True)
        _look_for_faces(data)
    if settings.compile:
        module.compile_networks()
    trainer.logger = used = logger or build_logger(config, out)
    try:
        with interruptible(trainer), lost_workers_named():
            trainer.fit(module, data, ckpt_path=out / LAST if last else None, weights_only=True)
            if isinstance(trainer.strategy, FSDPStrategy):
                module = build_module(config)  # the trained one holds a shard
            # With averaging on, the checkpoint's state is the average; a fit with no step left would not load it.
            module.load_state_dict((read_last(out) or {})["state_dict"])
            found = trainer.validate(module, data, verbose=False)[0]
        metrics = {name: float(value) for name, value in found.items()}
        if trainer.is_global_zero:
            module.write(config, result := result_path(config, out))
            metrics_file.write_text(json.dumps(metrics, indent=1))
            log_artifacts(used, config, data, result, metrics)
    finally:
        if logger is None:
            close(used)
    return Outcome(metrics, result_path(config, out), began_at, reports=trainer.is_global_zero)


def _look_for_faces(data: FaceDataModule) -> None:
    with Progress(transient=True) as bar:
        task = bar.add_task("looking for faces", total=None)
        data.progress = lambda done, total: bar.update(task, completed=done, total=total)
        data.setup()


def build_trainer(
    config: TrainConfig, out: Path, logger: Logger | bool, watchers: Sequence[pl.Callback] = (), **places: Any
) -> pl.Trainer:
    """Lightning's trainer with everything that watches a run.

    Args:
        config: What to train.
        out: Folder of the run.
        logger: Where numbers go; False for nowhere.
        watchers: Further callbacks.
        **places: ``devices``, ``num_nodes``, ``strategy`` and ``plugins`` of an engine that starts the processes.

    Raises:
        ConfigError: The strategy does not fit the machine.
    """
    settings = config.trainer
    callbacks: list[pl.Callback] = [
        RichProgressBar(),
        Watchdog(),
        TaggedPictures(out / "pictures"),
        LastCheckpoint(out, settings.save_every),
        *watchers,
    ]
    if settings.ema:
        callbacks.append(EMAWeightAveraging(decay=settings.ema))
    return pl.Trainer(
        max_steps=settings.max_steps,
        max_epochs=-1,
        accelerator=settings.accelerator,
        accumulate_grad_batches=settings.accumulate_grad_batches,
        use_distributed_sampler=False,
        precision=settings.precision,
        gradient_clip_val=settings.gradient_clip,
        callbacks=callbacks,
        logger=logger,
        val_check_interval=settings.validate_every * settings.accumulate_grad_batches,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        log_every_n_steps=min(10, settings.validate_every),
        **(places or own_places(config)),
    )


def _hush() -> None:
    """Keep Lightning from talking of hardware, of other products, and of what is meant to be so here."""
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
    for sentence in (r".*smaller than the logging interval", r".*`isinstance\(treespec, LeafSpec\)` is deprecated"):
        warnings.filterwarnings("ignore", sentence)


def check_same_run(config: TrainConfig, out: Path) -> None:
    """Refuse to go on with another run; the number of processes may change as long as the parts of a batch stay.

    Raises:
        ConfigError: The folder holds a run that learns something else.
    """
    if not (out / LAST).is_file():
        return
    try:
        before = what_is_learnt(load_config(out / CONFIG, TrainConfig))
    except FakeTaggerError:
        before = None
    if before != what_is_learnt(config):
        raise ConfigError(
            f"{out} holds a run of another configuration.",
            "Choose another --out, or delete its last.ckpt to start anew.",
        )


def _remember(config: TrainConfig, out: Path) -> None:
    """Keep the configuration beside the run."""
    import yaml

    out.mkdir(parents=True, exist_ok=True)
    (out / CONFIG).write_text(yaml.safe_dump(config.plain(), sort_keys=False))
