"""``faketagger plan``: what a collection will cost."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from faketagger.scale.plan import CostModel


def plan(
    images: Annotated[str, typer.Option(help="Pictures of the collection: 200000, 30k, 50M, 1.5B.")] = "1M",
    workers: Annotated[int, typer.Option(min=1, help="Processes at a time, one core or one GPU each.")] = 1,
    size: Annotated[float, typer.Option(min=64, help="Mean size: square root of the pixels of a picture.")] = 512,
    faces: Annotated[float, typer.Option(min=0, help="Mean faces a picture.")] = 1,
    efficiency: Annotated[
        float | None,
        typer.Option(min=0.01, max=1, help="Of several workers together against one; the measured one if left out."),
    ] = None,
    model: Annotated[str, typer.Option(help="Name of a shipped tagger, or a checkpoint's folder.")] = "face-128",
    device: Annotated[str, typer.Option(help="cpu or cuda: the measurement to plan with.")] = "cpu",
    measure: Annotated[bool, typer.Option("--measure", help="Measure this machine again first.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Pictures of each kind that are measured.")] = 3,
    table: Annotated[Path | None, typer.Option(help="A measurement of another machine (JSON).")] = None,
    plot: Annotated[Path | None, typer.Option(help="Also draw how the cost grows (PNG, SVG or PDF).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how long a collection will take, from a measurement of this machine, with the error of saying so.

    The first call measures: pictures of 256 to 1024 pixels with one to four faces, on one core or one GPU.

    \b
    Examples:
      faketagger plan --images 50M --workers 64
      faketagger plan --images 30k --workers 2 --size 1024 --faces 1.3 --plot cost.png
      faketagger plan --measure --device cuda
    """
    from faketagger.cli.video import bar
    from faketagger.errors import ConfigError
    from faketagger.scale.cost import load_table, measure_cost, table_path
    from faketagger.scale.plan import CERTAIN, CostModel, Estimate, parse_count
    from faketagger.scale.plan import plan as extrapolate

    if device not in ("cpu", "cuda"):
        raise ConfigError(f"There is no device {device!r} to plan for.", "cpu or cuda.")
    count = parse_count(images)
    path = table or table_path(model, device)
    if table is None and (measure or not path.is_file()):
        with bar("measuring") as advance:
            measure_cost(model, device, rounds, progress=advance).kept_beside(path).save(path)
    fitted = CostModel(load_table(path))
    known = fitted.efficiency()
    share = known or CERTAIN if efficiency is None else Estimate(efficiency, efficiency, efficiency)
    planned = extrapolate(fitted, count, workers, size, faces, share)
    if plot:
        from faketagger.scale.cost_plots import plot_plan

        plot_plan(fitted, plot, count, workers, size, faces, share)
    measured: dict[str, Any] = {
        "file": str(path), "device": fitted.table.device, "machine": fitted.table.machine, "load": fitted.table.load,
        "observations": len(fitted.table.observations), "scatter": fitted.scatter, "seconds": fitted.coefficients,
        "efficiency": known and asdict(known),
    }  # fmt: skip
    other = "cuda" if fitted.table.device == "cpu" else "cpu"
    elsewhere = "measured" if table_path(model, other).is_file() else "not measured"
    if as_json:
        print(json.dumps(planned.plain() | {"measured": measured, other: elsewhere}, indent=1))
        return
    unit = "core" if fitted.table.device == "cpu" else "GPU"
    rows = [
        ("pictures a second and worker", planned.rate, "{:.3g}"),
        (f"pictures per {unit}-hour", planned.per_hour, "{:,.0f}"),
        (f"{unit}-hours", planned.worker_hours, "{:,.4g}"),
        (f"hours on {workers} workers", planned.hours, "{:,.4g}"),
    ]
    for name, estimate, form in rows:
        low, high = form.format(estimate.low), form.format(estimate.high)
        print(f"{name}: {form.format(estimate.value)} (95 % {low} to {high})")
    print(f"{count:,} pictures of {size:g} x {size:g} pixels with {faces:g} faces")
    if workers > 1:
        print(f"efficiency {share.value:.3g}: {_source(efficiency, fitted, workers)}")
    print(
        f"measured: {len(fitted.table.observations)} pictures on one {unit} of {fitted.table.machine}, load "
        f"{fitted.table.load:.1f} of {fitted.table.cores} cores, scatter of single ones {fitted.scatter:.0%}"
    )
    seen = [one.side for one in fitted.table.observations]
    if not min(seen) <= size <= max(seen):
        print(f"beyond what was measured: sizes of {min(seen)} to {max(seen)} pixels")
    print(f"{'GPU' if other == 'cuda' else 'CPU'}: {elsewhere}")


def _source(given: float | None, fitted: "CostModel", workers: int) -> str:
    """Where the efficiency of several workers is from."""
    if given is not None:
        return "as given"
    share, scaling = fitted.efficiency(), fitted.table.scaling
    if share is None or scaling is None:
        return "several workers were not measured (benchmarks/scaling.py --keep)"
    more = "; more workers than that were not" if workers > scaling.workers else ""
    return f"95 % {share.low:.3g} to {share.high:.3g}, measured with {scaling.workers} workers on one machine{more}"
