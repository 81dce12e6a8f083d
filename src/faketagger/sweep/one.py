"""One trial: train, benchmark, write down what was measured, all in one W&B run."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console

from faketagger import tracking
from faketagger.bench.benchmark import run_benchmark
from faketagger.bench.protocol import BenchConfig
from faketagger.config import load_config
from faketagger.data.demo import demo_place
from faketagger.places import cache_root, repository_root
from faketagger.sweep.objectives import bench_metrics
from faketagger.sweep.outcomes import conclude, iterations_of
from faketagger.sweep.search import Search
from faketagger.sweep.space import dimensions, flat
from faketagger.sweep.trials import (
    METRICS,
    REPORTS,
    SPEC,
    VERDICT,
    SweepFolder,
    Trial,
    read_reports,
    read_trial,
    settled_before,
    write_json,
)
from faketagger.torch_compat import ensure_torchvision
from faketagger.training.config import TrainConfig
from faketagger.training.run import train

ensure_torchvision()
import pytorch_lightning as pl  # noqa: E402

_BENCH_FILES = ("summary.json", "records.parquet", "report.html")


class Stopped(Exception):
    """The trial is not among those that go on."""


class Reporter(pl.Callback):
    """Writes each validation into the trial's folder, and stops the training where the sweep says so.

    Args:
        folder: Of the trial.
        trial: None outside a sweep of our own engines.
    """

    def __init__(self, folder: Path, trial: Trial | None) -> None:
        self.folder, self.trial = folder, trial
        self._judge: Search | None = None
        if trial is not None:
            sweep = SweepFolder(folder.parents[1])
            seed, parallel = sweep.choices()
            config = sweep.config()
            if config.early_terminate:
                self._judge = Search(config, seed)
                self._seen = settled_before(sweep.trials(), trial.number, parallel)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        found = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val/")}
        reports = read_reports(self.folder) | {trainer.global_step: found}
        reports = {step: known for step, known in reports.items() if step <= trainer.global_step}
        write_json(self.folder / REPORTS, reports)
        if self._judge is None or self.trial is None or trainer.global_step >= trainer.max_steps:
            return
        values = iterations_of(self._judge.config, reports)
        goes_on, rungs = self._judge.may_go_on(self.trial, self._seen, values)
        write_json(self.folder / VERDICT, {"goes_on": goes_on, "rungs": rungs})
        if not goes_on:
            raise Stopped


def run_trial(training: Path, bench: Path | None, overrides: list[str], folder: Path, console: Console) -> bool:
    """Train and benchmark in one folder; the same call again goes on where it stopped.

    Args:
        training: Training file.
        bench: Benchmark file for the trained tagger; None for no benchmark.
        overrides: ``key=value`` texts laid over the training file.
        folder: Where everything goes.
        console: Where the benchmark's table goes.

    Returns:
        Whether it came to its end; False if the sweep stopped it early.

    Raises:
        ConfigError: A file or an override does not fit.
    """
    # What Python calls None, YAML calls null; W&B's agents hand over the former.
    overrides = [text[:-4] + "null" if text.endswith("=None") else text for text in overrides]
    config = load_config(shipped(training), TrainConfig, overrides)
    protocol = load_config(shipped(bench), BenchConfig) if bench else None
    trial = read_trial(folder) if (folder / SPEC).is_file() else None
    folder.mkdir(parents=True, exist_ok=True)
    with _recorded(folder, overrides), wandb_run(folder, config, trial) as run:
        try:
            logger = pl.loggers.WandbLogger(save_dir=folder, experiment=run)
            outcome = train(config, folder / "train", [Reporter(folder, trial)], logger)
        except Stopped:
            run.summary["stopped_early"] = True
            return False
        metrics = dict(outcome.metrics)
        if protocol is not None:
            # Who trains on the demo faces is measured on those, rather than wait until all of them are rendered.
            demo = config.data.kind == "demo" and protocol.faces.source == "demo"
            faces = demo_place(config.data.demo_faces, cache_root()) if demo else None
            chosen = protocol.with_choices([str(outcome.result)], faces)
            metrics |= bench_metrics(_benchmark(chosen, outcome.result, folder / "bench", console))
            files = [folder / "bench" / name for name in _BENCH_FILES]
            name = f"{protocol.protocol.name}-v{protocol.protocol.version}"
            run.log_artifact(tracking.benchmark_artifact(name, files, {"trial": folder.name}))
        checkpoint = sorted(outcome.result.iterdir()) if outcome.result.is_dir() else [outcome.result]
        run.log_artifact(tracking.model_artifact(config.name, checkpoint, metrics))
        run.summary.update(metrics)
        write_json(folder / METRICS, metrics)
    return True


@contextmanager
def wandb_run(folder: Path, config: TrainConfig, trial: Trial | None) -> Iterator[Any]:
    """The W&B run that training and benchmark write into.

    Offline unless ``WANDB_MODE`` says otherwise or one of W&B's agents has started the trial; an offline run that an
    earlier try has left is replaced.

    Args:
        folder: Of the trial.
        config: Of its training.
        trial: None outside a sweep of our own engines.
    """
    import wandb

    mode = os.environ.get("WANDB_MODE") or ("online" if by_agent() else "offline")
    if mode == "offline":
        shutil.rmtree(folder / "wandb", ignore_errors=True)
    run = wandb.init(
        mode=mode,  # type: ignore[arg-type]
        project=os.environ.get("WANDB_PROJECT", "faketagger"),
        group=None if by_agent() else os.environ.get("WANDB_RUN_GROUP", config.name),
        job_type="trial",
        name=None if by_agent() else folder.name,
        dir=str(folder),
        tags=["sweep"],
        reinit="create_new",
        config={**config.plain(), "trial": trial.parameters if trial else {}},
        settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True),
    )
    for part in ("train/*", "val/*"):
        run.define_metric(part, step_metric="trainer/global_step")
    try:
        yield run
    except BaseException:
        run.finish(exit_code=1)
        raise
    run.finish()


def _benchmark(protocol: BenchConfig, model: Path, out: Path, console: Console) -> dict[str, Any]:
    """Benchmark without W&B runs of its own: a trial is one run."""
    mode = os.environ.get("WANDB_MODE")
    os.environ["WANDB_MODE"] = "disabled"
    try:
        command = f"faketagger bench FILE --model {model} --out {out}"
        return run_benchmark(protocol, out, console, command)[1]
    finally:
        if mode is None:
            del os.environ["WANDB_MODE"]
        else:
            os.environ["WANDB_MODE"] = mode


def shipped(path: Path) -> Path:
    """A file as given, or the one of that name in the repository: agents are started from anywhere."""
    inside = repository_root() / path
    return inside if not path.is_file() and inside.is_file() else path


def trial_folder() -> Path:
    """Where a trial goes if nobody says so: where the engine wants it, or a folder of its own."""
    chosen = os.environ.get("FAKETAGGER_TRIAL")
    if chosen:
        return Path(chosen)
    run = os.environ.get("WANDB_RUN_ID")
    if by_agent() and run:
        sweep = os.environ.get("FAKETAGGER_SWEEP") or Path("runs") / "sweeps" / os.environ["WANDB_SWEEP_ID"]
        return Path(sweep) / "trials" / run
    return Path("runs") / "trial"


def by_agent() -> bool:
    """Whether one of W&B's agents has started this process."""
    return "WANDB_SWEEP_ID" in os.environ


@contextmanager
def _recorded(folder: Path, overrides: list[str]) -> Iterator[None]:
    """Let ``faketagger sweep show`` know of a trial that W&B has drawn and this agent runs."""
    root = folder.resolve().parents[1]
    if not (by_agent() and SweepFolder(root).begun) or (folder / SPEC).is_file():
        yield
        return
    sweep, began = SweepFolder(root), time.time()
    names = {dimension.name for dimension in dimensions(sweep.config().parameters)}
    given = flat(OmegaConf.to_container(OmegaConf.from_dotlist(overrides)))
    sweep.add(len(sweep.trials()), {}, {name: given[name] for name in names & given.keys()}, folder.name)
    failure = "it was stopped"
    try:
        yield
        failure = ""
    except Exception as error:
        failure = str(error)
        raise
    finally:
        conclude(sweep.config(), folder, began, failure or None)
