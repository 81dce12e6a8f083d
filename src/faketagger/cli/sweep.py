"""``faketagger sweep``: one search file, several engines."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class Engine(StrEnum):
    """Who runs the trials."""

    wandb = "wandb"
    local = "local"
    ray = "ray"


class _FileFirst(TyperGroup):
    """``faketagger sweep FILE`` is short for ``faketagger sweep run FILE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_FileFirst, add_completion=False, no_args_is_help=True, rich_markup_mode=None)

Out = Annotated[Path | None, typer.Option(help="Folder of the sweep; runs/sweeps/NAME if left out.")]


@app.callback()
def sweep() -> None:
    """Search over trainings: each trial trains a tagger, benchmarks it, and is a W&B run.

    A sweep file has W&B's schema, whatever runs it: W&B's agents, this machine, or a Ray cluster. The same call
    again goes on where it stopped.

    \b
    Examples:
      faketagger sweep experiments/sweeps/smoke.yaml --engine local --out runs/smoke
      faketagger sweep experiments/sweeps/strength-length-mix.yaml --engine ray --address auto
      faketagger sweep experiments/sweeps/triggers.yaml --engine wandb
      faketagger sweep show runs/smoke
    """


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file such as experiments/sweeps/smoke.yaml.")],
    engine: Annotated[Engine, typer.Option(help="wandb: a server and its agents; local; ray.")] = Engine.local,
    out: Out = None,
    seed: Annotated[int, typer.Option(min=0, help="Fixes what is tried (local and ray).")] = 0,
    parallel: Annotated[
        int | None, typer.Option(min=1, help="Trials side by side, 2 if left out; part of what the seed fixes.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="wandb: trials that this agent runs.")] = None,
    address: Annotated[
        str | None, typer.Option(help="ray: of a cluster ('auto' on one of its machines); none is started then.")
    ] = None,
    cpus: Annotated[float | None, typer.Option(min=0, help="ray: cores of a trial.")] = None,
    gpus: Annotated[float, typer.Option(min=0, help="ray: graphics cards of a trial; 0.5 puts two on one.")] = 0,
) -> None:
    """Run a sweep, or what is left of it. 'run' may be left out.

    \b
    Examples:
      faketagger sweep experiments/sweeps/smoke.yaml --engine local --out runs/smoke
      faketagger sweep experiments/sweeps/pareto.yaml --engine ray --parallel 8 --gpus 1 --address auto
      WANDB_MODE=online faketagger sweep experiments/sweeps/triggers.yaml --engine local
    """
    from rich.console import Console

    from faketagger.sweep.driver import run_sweep
    from faketagger.sweep.schema import load_sweep

    config = load_sweep(file)
    folder = out or Path("runs/sweeps") / config.name
    console = Console()
    if engine is Engine.wandb:
        from faketagger.sweep.agents import run_agents

        run_agents(config, folder, count, console)
        return
    if engine is Engine.ray:
        from faketagger.sweep.cluster import Cluster

        runner: Any = Cluster(address, cpus, gpus).run
    else:
        from faketagger.sweep.local import run_local as runner
    driver = run_sweep(config, folder, seed, parallel, console, runner)
    best = driver.best()
    if best is not None:
        console.print(f"best: trial {best.id}", best.parameters, highlight=False, soft_wrap=True)
    console.print(f"faketagger sweep show {folder}", highlight=False, soft_wrap=True)


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a sweep, under way or finished.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and write no page.")] = False,
    page: Annotated[Path | None, typer.Option(help="The page; DIR/sweep.html if left out.")] = None,
) -> None:
    """Print the leaderboard; write it as a page with parallel coordinates, importance and, for two objectives, the front.

    \b
    Examples:
      faketagger sweep show runs/smoke
      faketagger sweep show runs/smoke --json
    """
    from rich.console import Console

    from faketagger.sweep.board import Board

    board = Board.of(folder)
    if as_json:
        print(json.dumps(board.plain(), indent=1))
        return
    from faketagger.sweep.page import render_page

    Console().print(board.table())
    path = page or folder / "sweep.html"
    path.write_text(render_page(board), encoding="utf-8")
    print(path)


@app.command()
def trial(
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value pairs laid over the training file.")] = None,
    train: Annotated[Path, typer.Option(help="Training file.")] = ...,  # type: ignore[assignment]
    bench: Annotated[Path | None, typer.Option(help="Benchmark file for what was trained.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; $FAKETAGGER_TRIAL, which engines set, if left out.")] = None,
) -> None:
    """One trial: train, benchmark, log both in one W&B run. The command that sweep files name.

    \b
    Example:
      faketagger sweep trial --train experiments/train/smoke.yaml --bench experiments/bench/smoke.yaml seed=3
    """
    from rich.console import Console

    from faketagger.sweep.one import run_trial, trial_folder

    folder = out or trial_folder()
    if not run_trial(train, bench, overrides or [], folder, Console()):
        print("stopped early: other trials were better at this point")
        return
    print(f"written to {folder}")
