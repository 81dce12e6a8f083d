"""The layout that all runs share.

A run's *group* is the tagger it is about, so that its training, the attacks on it and its benchmarks stand together;
its *job type* says which of the three it is; its *tags* say what else it can be filtered by. Nothing is logged against
W&B's own step: every curve has an axis of its own.
"""

import os
from pathlib import Path
from typing import Any, Literal

from faketagger.errors import FakeTaggerError

PROJECT = "faketagger"
JobType = Literal["train", "attack", "bench"]

AXES: dict[JobType, dict[str, str]] = {
    "train": {
        "train/*": "trainer/global_step",
        "val/*": "trainer/global_step",
        "pictures": "trainer/global_step",
        "epoch": "trainer/global_step",
    },
    "attack": {"roc/*": "roc/fpr"},
    "bench": {"bench/*": "bench/scenario"},
}
"""By job type: the axis of every curve. ``*`` at the end stands for anything."""


def start(job: JobType, tagger: str, name: str, tags: list[str], config: dict[str, Any], folder: Path) -> Any:
    """Begin a run beside the others of its tagger.

    Args:
        job: What is done.
        tagger: Name of the tagger or watermark; the group.
        name: Of the run.
        tags: What it can be filtered by, beside tagger and job.
        config: Plain values.
        folder: The run is written below ``folder/wandb``.

    Returns:
        The run, with its axes defined; offline unless ``WANDB_MODE`` says otherwise.

    Raises:
        FakeTaggerError: ``WANDB_MODE`` asks for a server, and it cannot be reached.
    """
    import wandb

    try:
        run = wandb.init(
            mode=os.environ.get("WANDB_MODE", "offline"),  # type: ignore[arg-type]
            project=PROJECT,
            dir=str(folder),
            name=name,
            group=tagger,
            job_type=job,
            tags=list(dict.fromkeys([tagger, job, *tags])),
            config=config,
            reinit="create_new",
            settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True),
        )
    except wandb.errors.Error as error:
        raise FakeTaggerError(
            f"W&B could not start a run: {' '.join(str(error).split())[:200]}",
            "Unset WANDB_MODE: runs are then kept offline, and `wandb sync` sends them later.",
        ) from error
    define_axes(run, AXES[job])
    return run


def define_axes(run: Any, axes: dict[str, str]) -> None:
    """Tell a run what its curves are drawn against.

    Args:
        run: Of :func:`start`.
        axes: Axis by name of the metric.
    """
    for axis in dict.fromkeys(axes.values()):
        run.define_metric(axis)
    for metric, axis in axes.items():
        run.define_metric(metric, step_metric=axis)
