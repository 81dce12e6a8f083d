"""One training run from its configuration to a folder that holds everything about it."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from faketagger.coding import Codec, key_from
from faketagger.data.module import FaceDataModule
from faketagger.errors import ConfigError
from faketagger.tagger.checkpoint import save
from faketagger.tagger.tagger import Tagger
from faketagger.training.autoencoder import AutoencoderModule
from faketagger.training.callbacks import TaggedPictures, Watchdog
from faketagger.training.config import TrainConfig
from faketagger.training.tagger_module import TaggerModule

LAST = "last.ckpt"


def build_module(config: TrainConfig) -> pl.LightningModule:
    """The LightningModule of a configuration.

    Raises:
        ConfigError: It asks for both a tagger and an autoencoder, or for neither.
    """
    steps = config.trainer.max_steps
    if config.tagger and not config.autoencoder:
        return TaggerModule(**config.tagger.plain(), max_steps=steps, seed=config.seed)
    if config.autoencoder and not config.tagger:
        return AutoencoderModule(**config.autoencoder.plain(), max_steps=steps, seed=config.seed)
    raise ConfigError("a training file needs either 'tagger' or 'autoencoder'", "see experiments/train for examples")


def build_logger(config: TrainConfig, out: Path) -> Logger:
    """The logger a configuration names; W&B stays offline unless WANDB_MODE says otherwise."""
    if config.trainer.logger == "csv":
        return CSVLogger(out, name="csv", version="")
    if config.trainer.logger == "tensorboard":
        return TensorBoardLogger(out, name="tensorboard", version="")
    import os

    os.environ.setdefault("WANDB_MODE", "offline")
    logger = WandbLogger(
        name=config.name, save_dir=out, project="faketagger", group=config.name, job_type="train", tags=["train"]
    )
    logger.log_hyperparams(config.plain())
    return logger


def train(config: TrainConfig, out: Path) -> dict[str, float]:
    """Train, or go on with a run that was stopped, and write the result.

    Args:
        config: What to train.
        out: Folder of the run. If it holds ``last.ckpt``, the run goes on at its next step.

    Returns:
        The last validation metrics.

    Raises:
        ConfigError: The configuration contradicts itself, or ``out`` belongs to another one.
        DataError: The faces cannot be had.
    """
    settings = config.trainer
    if settings.threads:
        torch.set_num_threads(settings.threads)
    pl.seed_everything(config.seed, workers=True, verbose=False)
    module = build_module(config)
    data = FaceDataModule(config.data)
    out.mkdir(parents=True, exist_ok=True)
    _remember(config, out)
    callbacks: list[pl.Callback] = [
        ModelCheckpoint(out, filename="step", every_n_train_steps=settings.save_every, save_last=True, save_top_k=1),
        RichProgressBar(),
        Watchdog(),
        TaggedPictures(out / "pictures"),
    ]
    if settings.ema:
        callbacks.append(EMAWeightAveraging(decay=settings.ema))
    trainer = pl.Trainer(
        max_steps=settings.max_steps,
        max_epochs=-1,
        accelerator=settings.accelerator,
        devices=settings.devices,
        precision=settings.precision,
        gradient_clip_val=settings.gradient_clip,
        callbacks=callbacks,
        logger=build_logger(config, out),
        val_check_interval=settings.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        log_every_n_steps=10,
    )
    last = out / LAST
    trainer.fit(module, data, ckpt_path=last if last.is_file() else None, weights_only=True)
    if trainer.interrupted:
        raise KeyboardInterrupt
    metrics = trainer.validate(module, data, verbose=False)[0]
    write_result(module, config, out)
    return {name: float(value) for name, value in metrics.items()}


def write_result(module: pl.LightningModule, config: TrainConfig, out: Path) -> Path:
    """Write what others load: a tagger's checkpoint folder, or an autoencoder's safetensors.

    Args:
        module: The trained module.
        config: Its configuration.
        out: Folder of the run.

    Returns:
        What was written.
    """
    if isinstance(module, TaggerModule) and config.tagger:
        network = config.tagger.network
        tagger = Tagger(
            module.networks, Codec(network.message_bits, key=key_from()), module.curriculum.psnr, config.name
        )
        return save(tagger, out / config.name, network)
    from safetensors.torch import save_file

    path = out / f"{config.name}.safetensors"
    network_state: dict[str, Any] = module.network.state_dict()  # type: ignore[union-attr,operator]
    save_file({name: tensor.half().contiguous().cpu() for name, tensor in network_state.items()}, path)
    return path


def _remember(config: TrainConfig, out: Path) -> None:
    """Keep the configuration beside the run; refuse to go on with another one."""
    import yaml

    path = out / "config.yaml"
    text = yaml.safe_dump(config.plain(), sort_keys=False)
    if path.is_file() and (out / LAST).is_file() and path.read_text() != text:
        raise ConfigError(
            f"{out} holds a run of another configuration", "choose another --out, or delete its last.ckpt to start anew"
        )
    path.write_text(text)
