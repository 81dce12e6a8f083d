"""Where the numbers of a run go: Weights & Biases offline, TensorBoard, or a CSV file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from faketagger import tracking
from faketagger.data.crops import FaceCrops
from faketagger.data.module import FaceDataModule
from faketagger.errors import ConfigError
from faketagger.tagger.checkpoint import CONFIG, WEIGHTS
from faketagger.training.config import TrainConfig


def build_logger(config: TrainConfig, out: Path) -> Logger:
    """The logger that a configuration names, writing below ``out``; W&B stays offline unless WANDB_MODE says otherwise.

    Raises:
        ConfigError: Its package is not installed.
        FakeTaggerError: WANDB_MODE asks for a server that cannot be reached.
    """
    if config.trainer.logger == "csv":
        return CSVLogger(out, name="csv")
    if config.trainer.logger == "tensorboard":
        try:
            return TensorBoardLogger(out, name="tensorboard", version="")
        except ModuleNotFoundError as error:
            raise ConfigError("The logger 'tensorboard' is not installed.", "pip install tensorboard") from error
    kind = "tagger" if config.tagger else "autoencoder"
    if _rank():  # of several processes the first one writes the run
        return WandbLogger(save_dir=out, offline=True)
    run = tracking.start("train", config.name, f"train {config.name}", [kind, config.data.kind], config.plain(), out)
    return WandbLogger(experiment=run)


def log_pictures(logger: Logger, path: Path, sheet: np.ndarray, step: int) -> None:
    """Show a sheet of pictures, where the logger shows pictures.

    Args:
        logger: Of :func:`build_logger`.
        path: PNG of the sheet.
        sheet: (H, W, 3) uint8, the same.
        step: Optimiser steps so far.
    """
    if isinstance(logger, WandbLogger):
        logger.log_image("pictures", [str(path)], step=step, caption=["original | tagged | residual x10"])
    elif isinstance(logger, TensorBoardLogger):
        logger.experiment.add_image("pictures", sheet, step, dataformats="HWC")


def log_artifacts(
    logger: Logger, config: TrainConfig, data: FaceDataModule, result: Path, metrics: Mapping[str, float]
) -> None:
    """Leave the model, and a list of the faces it has learnt from, in the W&B run; the pictures stay where they are.

    Args:
        logger: Of :func:`build_logger`; others keep no artifacts.
        config: Of the run.
        data: Its data, set up.
        result: A tagger's folder, or an autoencoder's safetensors.
        metrics: Of the last validation.
    """
    if not isinstance(logger, WandbLogger) or _rank():
        return
    run, kind = logger.experiment, config.data.kind
    faces = data.datasets["train"]
    # shards are too many to list: their number stands for them
    people = [(one.path.name, one.identity) for one in faces.samples] if isinstance(faces, FaceCrops) else []
    facts = {"split": "train", "size": config.data.size, "n_images": len(faces)}
    run.log_artifact(tracking.dataset_artifact(f"{kind}-train", people, facts), aliases=["latest"])
    files = [path for file in (CONFIG, WEIGHTS) if (path := result / file).is_file()] if result.is_dir() else [result]
    model = tracking.model_artifact(config.name, files, dict(metrics))
    run.log_artifact(model, aliases=["latest", f"step-{config.trainer.max_steps}"])


def _rank() -> int:
    """Of this process among those of the run; Lightning keeps it on its decorator."""
    return int(getattr(rank_zero_only, "rank", 0))


def close(logger: Logger) -> None:
    """Write out what a logger still holds, so that the next run in this process starts its own."""
    logger.finalize("success")
    if isinstance(logger, WandbLogger):
        logger.experiment.finish()
