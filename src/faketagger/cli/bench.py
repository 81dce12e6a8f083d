"""``faketagger bench``: tag, attack, read back, print the honest table."""

import shlex
from pathlib import Path
from typing import Annotated

import typer


def bench(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG...", help="Benchmark files (YAML).")],
    model: Annotated[str | None, typer.Option(help="Tagger to test: a folder name in checkpoints/, or a path.")] = None,
    faces: Annotated[Path | None, typer.Option(help="Folder of photographs instead of the file's faces.")] = None,
    others: Annotated[
        Path | None, typer.Option(help="Folder of further people, for the facesets that tools learn from.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the results; one below it for each file where several are given."),
    ] = None,
) -> None:
    """Tag faces, attack them, read the tags back, print the honest table.

    Writes summary.json, records.parquet, timings.json, report.html and an offline W&B run into the output
    folder. An interrupted run goes on where it stopped; a finished one is only printed again.

    \b
    Examples:
      faketagger bench experiments/bench/demo.yaml --out runs/demo
      faketagger bench experiments/bench/*.yaml
      faketagger bench experiments/bench/demo.yaml --model my/checkpoint --faces ~/portraits
      faketagger bench experiments/bench/zoo-smoke.yaml --faces ~/portraits --others ~/somebody
    """
    from rich.console import Console

    from faketagger.bench.benchmark import run_benchmark
    from faketagger.bench.protocol import BenchConfig
    from faketagger.config import load_config

    console = Console()
    checked = [load_config(path, BenchConfig).with_choices(model, faces, others) for path in configs]
    for path, config in zip(configs, checked, strict=True):
        folder = out / path.stem if out and len(configs) > 1 else out
        options = {"--model": model, "--faces": faces, "--others": others, "--out": folder}
        words = [word for name, value in options.items() if value is not None for word in (name, str(value))]
        command = shlex.join(["faketagger", "bench", str(path), *words])
        root, _ = run_benchmark(config, folder, console, command)
        console.print(f"report: {root / 'report.html'}", soft_wrap=True, highlight=False)
