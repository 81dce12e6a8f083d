"""``faketagger train``: a run from a configuration file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Engine(StrEnum):
    """What starts the processes."""

    lightning = "lightning"
    ray = "ray"


def train(
    config: Annotated[Path, typer.Argument(help="A file such as experiments/train/face-128.yaml.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value pairs laid over the file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; runs/train/NAME if left out.")] = None,
    engine: Annotated[Engine, typer.Option(help="Who starts a run's processes.")] = Engine.lightning,
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster, for --engine ray.")] = None,
) -> None:
    """Train a tagger or a simulator's autoencoder; the same call again goes on where it stopped.

    \b
    Examples:
      faketagger train experiments/train/smoke.yaml
      faketagger train experiments/train/face-128.yaml data.root=photos trainer.max_steps=8000
      faketagger train experiments/train/face-128.yaml trainer.devices=4 trainer.precision=bf16-mixed
      faketagger train experiments/train/face-128.yaml trainer.devices=8 --engine ray --address auto
    """
    from faketagger.config import load_config
    from faketagger.training.config import TrainConfig
    from faketagger.training.run import train as run

    settings = load_config(config, TrainConfig, overrides)
    folder = out or Path("runs/train") / settings.name
    if engine is Engine.ray:
        from faketagger.training.ray_engine import train_on_ray

        outcome = train_on_ray(settings, folder, address)
    else:
        outcome = run(settings, folder)
    if not outcome.reports:
        return
    for name, value in sorted(outcome.metrics.items()):
        print(f"{name} {value:.4f}")
    if outcome.began_at >= settings.trainer.max_steps:
        print(f"{folder} was finished before; choose another --out to train again")
    elif outcome.began_at:
        print(f"went on after step {outcome.began_at}")
    print(f"written to {outcome.result}")
