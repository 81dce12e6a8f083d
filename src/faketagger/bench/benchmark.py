"""A benchmark from its file to its folder. Finished work is recognised before torch is imported."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from faketagger.bench.finding import FacePool
from faketagger.bench.fingerprint import inputs_digests, presentation_digest
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.published import check_published
from faketagger.bench.scenario import Job, plan
from faketagger.bench.sources import check_attacks, find_sources
from faketagger.bench.store import Store
from faketagger.bench.table import print_table
from faketagger.errors import WatermarkError
from faketagger.places import working_alone
from faketagger.watermarks import CheckedWatermark, missing_of


def run_benchmark(
    config: BenchConfig, out: Path | None, console: Console, command: str, watermark: CheckedWatermark | None = None
) -> tuple[Path, dict[str, Any]]:
    """Run a benchmark, or what is left of it.

    Args:
        config: The benchmark.
        out: Output folder; None for ``runs/bench/NAME-vVERSION-DIGEST``.
        console: Where progress and the table go.
        command: What the user typed; the report says how to do it again.
        watermark: Takes the place of ``config.model``.

    Returns:
        The output folder and the summary.

    Raises:
        ConfigError: Unknown attack, or a published protocol that was changed.
        BenchError: No usable faces, or an output folder made from other inputs.
        WatermarkError: The watermark does not exist, cannot run here, or broke its protocol.
    """
    began = time.perf_counter()
    check_published(config)
    lack = missing_of(config.model) if watermark is None else None
    if lack is not None:
        raise WatermarkError(f"The watermark {config.model} cannot run: {lack[0]}.", f"Run: {lack[1]}")
    jobs = plan(config)
    with console.status("looking for the faces; the demo set is rendered the first time"):
        sources = find_sources(config.faces)
    inputs = inputs_digests(config, sources, jobs, None if watermark is None else watermark.digest)
    shown = presentation_digest()
    store = Store(out or default_out(config, inputs))
    if store.finished(inputs, shown) and not worth_another_try(store, jobs):
        summary = store.load_json("summary.json")
        print_table(summary, console)
        console.print(f"[dim]nothing left to do; delete {store.root} to measure again[/]")
        return store.root, summary
    with FacePool() as faces:  # its processes start up while torch is imported
        check_attacks(jobs)
        store.open(inputs)
        from faketagger.bench.measure import measure

        with working_alone(store.root):
            summary = measure(config, jobs, sources, store, console, command, began, faces, watermark)
            store.save_state(finished=shown)
    print_table(summary, console)
    return store.root, summary


def default_out(config: BenchConfig, inputs: dict[str, str]) -> Path:
    """Folder for results when the user names none: one for each set of inputs.

    Args:
        config: The benchmark.
        inputs: Digests of its inputs.
    """
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return Path("runs") / "bench" / f"{config.protocol.name}-v{config.protocol.version}-{digest[:8]}"


def worth_another_try(store: Store, jobs: list[Job]) -> bool:
    """Whether a job that did not run could run now: everything but a tool that is still not installed.

    Args:
        store: A finished folder.
        jobs: Jobs of the benchmark.
    """
    from faketagger.zoo import get_adapter, installation

    missed = store.state.get("not_run", [])
    return any(job.box != "black" or installation(get_adapter(job.attack)).complete for job in jobs if job.id in missed)
