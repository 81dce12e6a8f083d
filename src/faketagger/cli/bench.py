"""``faketagger bench``: tag, attack, read back, print the honest table."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from faketagger.bench.protocol import BenchConfig


def bench(
    configs: Annotated[
        list[Path] | None, typer.Argument(metavar="CONFIG...", help="Benchmark files (YAML).")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="What to test: a tagger, a checkpoint folder or a watermark by name; repeatable."),
    ] = None,
    faces: Annotated[
        str | None, typer.Option(help="Folder of photographs, manifest or object store instead of the file's faces.")
    ] = None,
    others: Annotated[
        Path | None, typer.Option(help="Folder of further people, for the facesets that tools learn from.")
    ] = None,
    match_psnr: Annotated[
        float | None, typer.Option(metavar="DB", help="Set each watermark's strength to this mean PSNR.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the results; one below it for each file and each watermark of several."),
    ] = None,
    watermarks: Annotated[
        bool, typer.Option("--watermarks", help="List every watermark, what it lacks and the next command.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Ray processes that share the pictures.")] = None,
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster, e.g. auto.")] = None,
) -> None:
    """Tag faces, attack them, read the tags back, print the honest table.

    Writes summary.json, records.parquet, timings.json, report.html and an offline W&B run into the output
    folder. An interrupted run goes on where it stopped; a finished one is only printed again. Of several watermarks
    one that fails is named, the others go on, and the exit code is 1. With --workers or
    --address Ray shares out the chunks of pictures; the results are the same.

    \b
    Examples:
      faketagger bench experiments/bench/demo.yaml --out runs/demo
      faketagger bench experiments/bench/*.yaml
      faketagger bench experiments/bench/demo.yaml --model my/checkpoint --faces ~/portraits
      faketagger bench experiments/bench/demo.yaml --model face-128 --model dwtDctSvd --match-psnr 40 --out runs/rivals
      faketagger bench experiments/bench/zoo-smoke.yaml --faces ~/portraits --others ~/somebody
      faketagger bench --watermarks
      faketagger bench experiments/bench/card.yaml --faces s3://bucket/portraits --workers 16
    """
    from rich.console import Console

    from faketagger.bench.benchmark import run_benchmark
    from faketagger.bench.compare import run_all
    from faketagger.bench.protocol import BenchConfig
    from faketagger.config import load_config
    from faketagger.errors import ConfigError

    if watermarks:
        _list()
        return
    if not configs:
        raise ConfigError("No benchmark file was given.", "Try: faketagger bench experiments/bench/demo.yaml")
    console = Console()
    loaded = [load_config(path, BenchConfig) for path in configs]
    checked = [one.with_choices(model, _folder(faces, one), others, match_psnr) for one in loaded]
    failed = False
    for path, config in zip(configs, checked, strict=True):
        folder = out / path.stem if out and len(configs) > 1 else out
        options = {"--faces": faces, "--others": others, "--match-psnr": match_psnr, "--out": folder}
        words = [word for name, value in options.items() if value is not None for word in (name, str(value))]

        def command(name: str, words: list[str] = words, path: Path = path) -> str:
            return shlex.join(["faketagger", "bench", str(path), "--model", name, *words])

        if workers or address:
            folder = _fill(config, folder, workers, address, console)
        if len(config.models) > 1:
            failed |= any(one.summary is None for one in run_all(config, folder, console, command))
            continue
        chosen = [word for name in model or [] for word in ("--model", name)]
        typed = shlex.join(["faketagger", "bench", str(path), *chosen, *words])
        root, _ = run_benchmark(config, folder, console, typed)
        console.print(f"report: {root / 'report.html'}", soft_wrap=True, highlight=False)
    if failed:
        raise typer.Exit(1)


def _list() -> None:
    from faketagger.watermarks import listed

    rows = listed()
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.name:{width}}  {row.kind:11}  {'lacks: ' + row.missing if row.missing else 'ready'}")
        print(f"{'':{width}}  {row.summary}" + (f"; next: {row.command}" if row.command else ""))


def _folder(faces: str | None, config: "BenchConfig") -> Path | None:
    """Where the faces are; a collection's drawn pictures are brought to this machine first."""
    from faketagger.scale.listing import is_collection

    if faces is not None and is_collection(faces):
        from faketagger.scale.gathering import gather_faces

        return gather_faces(faces, config.faces.count, config.seed)
    return None if faces is None else Path(faces)


def _fill(
    config: "BenchConfig", out: Path | None, workers: int | None, address: str | None, console: "Console"
) -> Path:
    from faketagger.bench.benchmark import default_out
    from faketagger.bench.fingerprint import inputs_digests
    from faketagger.bench.progress import BenchProgress
    from faketagger.bench.scenario import plan
    from faketagger.bench.sources import find_sources
    from faketagger.scale.benching import fill

    root = out or default_out(config, inputs_digests(config, find_sources(config.faces), plan(config)))
    with BenchProgress(console) as progress:
        fill(config, root, workers or len(os.sched_getaffinity(0)), address, progress.show)
    return root
