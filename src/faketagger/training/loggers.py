"""Where the numbers of a run go: Weights & Biases offline, TensorBoard, or a CSV file."""

import os
from pathlib import Path

from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from faketagger.errors import ConfigError
from faketagger.training.config import TrainConfig


def build_logger(config: TrainConfig, out: Path) -> Logger:
    """The logger that a configuration names, writing below ``out``; W&B stays offline unless WANDB_MODE says otherwise.

    Raises:
        ConfigError: Its package is not installed.
    """
    if config.trainer.logger == "csv":
        return CSVLogger(out, name="csv")
    if config.trainer.logger == "tensorboard":
        try:
            return TensorBoardLogger(out, name="tensorboard", version="")
        except ModuleNotFoundError as error:
            raise ConfigError("The logger 'tensorboard' is not installed.", "pip install tensorboard") from error
    import wandb

    logger = WandbLogger(
        name=config.name,
        save_dir=out,
        project="faketagger",
        group=config.name,
        job_type="train",
        tags=["train"],
        mode=os.environ.get("WANDB_MODE", "offline"),
        settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True),
    )
    logger.log_hyperparams(config.plain())
    return logger


def close(logger: Logger) -> None:
    """Write out what a logger still holds, so that the next run in this process starts its own."""
    logger.finalize("success")
    if isinstance(logger, WandbLogger):
        logger.experiment.finish()
