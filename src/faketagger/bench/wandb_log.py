"""The whole benchmark as an offline W&B run: own axes, tables with pictures, charts, one artifact."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from faketagger.bench.pictures import Picture, load_png
from faketagger.bench.scenario import NO_ATTACK, Job
from faketagger.bench.store import Store
from faketagger.bench.strips import first_reads, residual

MOST_PICTURES = 200
_COLUMNS = (
    "scenario", "label", "family", "view", "black_box", "severity", "status", "n_images", "n_clusters",
    "bit_accuracy", "ci_low", "ci_high", "exact_match", "psnr_db", "attack_psnr_db", "attacked",
    "passed_through", "failed", "no_face", "changed_pixels", "moved", "donor_distance", "pooled_p_value",
)  # fmt: skip
_METRICS = ("bit_accuracy", "ci_low", "ci_high", "exact_match", "attack_psnr_db")


@dataclass(frozen=True)
class Logged:
    """What goes into the run.

    Attributes:
        store: Output folder; ``records.parquet`` and ``summary.json`` are there.
        summary: Of the benchmark.
        records: All records.
        pictures: The shown faces.
        jobs: In the order of the table.
        timings: As in ``timings.json``.
    """

    store: Store
    summary: dict[str, Any]
    records: pd.DataFrame
    pictures: list[Picture]
    jobs: list[Job]
    timings: dict[str, Any]


class RunWriter:
    """Writes the run below ``OUT/wandb``; an earlier one there is replaced.

    Opening takes seconds in which little is computed, so it is apart from writing.

    Args:
        root: Output folder of the benchmark.
        protocol: Name and version, as one word.
        model: Name of the tagger.
        config: The benchmark file as plain values.
    """

    def __init__(self, root: Path, protocol: str, model: str, config: dict[str, Any]) -> None:
        self._root, self._protocol, self._model, self._config = root.resolve(), protocol, model, config
        self._run: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._run is not None:
            self._run.finish(exit_code=1)

    def open(self) -> None:
        """Start the run."""
        folder = self._root / "wandb"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with _environment(folder):
            import wandb

            self._run = wandb.init(
                mode=os.environ.get("WANDB_MODE", "offline"),  # type: ignore[arg-type]
                project="faketagger",
                dir=str(self._root),
                name=f"{self._model} {self._protocol}",
                group=self._protocol,
                job_type="bench",
                tags=[self._model, self._protocol],
                config=self._config,
                reinit="create_new",
                settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True),
            )

    def write(self, logged: Logged) -> None:
        """Fill the run and finish it.

        Args:
            logged: What goes into it.
        """
        with _environment(self._root / "wandb"):
            import wandb

            run, summary = self._run, logged.summary
            _axes(run, summary)
            _scenario_metrics(run, summary)
            _tables_and_charts(run, logged)
            _headline(run, logged)
            artifact = wandb.Artifact(f"bench-{self._protocol}", "benchmark", metadata=summary["protocol"])
            for file in ("records.parquet", "summary.json"):
                artifact.add_file(str(self._root / file))
            run.log_artifact(artifact, aliases=["latest", self._model])
            run.finish()
            self._run = None


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    values = {"WANDB_DATA_DIR": folder, "WANDB_CACHE_DIR": folder / "cache"}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update({name: str(value) for name, value in values.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _axes(run: Any, summary: dict[str, Any]) -> None:
    run.define_metric("bench/scenario")
    run.define_metric("bench/*", step_metric="bench/scenario")
    for attack in _graded(summary):
        run.define_metric(f"severity/{attack}/severity")
        run.define_metric(f"severity/{attack}/*", step_metric=f"severity/{attack}/severity")


def _scenario_metrics(run: Any, summary: dict[str, Any]) -> None:
    for place, row in enumerate(summary["scenarios"]):
        if row["n_images"]:
            measured = {f"bench/{metric}": row[metric] for metric in _METRICS if row[metric] is not None}
            run.log({"bench/scenario": place, **measured})
    for attack, rows in _graded(summary).items():
        for row in sorted(rows, key=lambda row: row["severity"]):
            values = {f"severity/{attack}/{metric}": row[metric] for metric in _METRICS}
            run.log({f"severity/{attack}/severity": row["severity"], **values})


def _graded(summary: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    graded: dict[str, list[dict[str, Any]]] = {}
    for row in summary["scenarios"]:
        if row["severity"] is not None and row["view"] == "frame" and row["n_images"]:
            graded.setdefault(row["attack"], []).append(row)
    return {attack: rows for attack, rows in graded.items() if len(rows) > 1}


def _tables_and_charts(run: Any, logged: Logged) -> None:
    import wandb

    rows = logged.summary["scenarios"]
    scenarios = wandb.Table(columns=list(_COLUMNS), data=[[row[name] for name in _COLUMNS] for row in rows])
    frame = [row for row in rows if row["view"] == "frame" and row["n_images"]]
    bars = wandb.Table(columns=["attack", "bit accuracy"], data=[[r["label"], r["bit_accuracy"]] for r in frame])
    points = wandb.Table(
        columns=["attack", "attack dB", "bit accuracy"],
        data=[[r["label"], r["attack_psnr_db"], r["bit_accuracy"]] for r in frame if r["attack_psnr_db"] is not None],
    )
    run.log(
        {
            "tables/scenarios": scenarios,
            "tables/pictures": _picture_table(logged),
            "charts/bit_accuracy": wandb.plot.bar(bars, "attack", "bit accuracy", title="Bit accuracy, frame"),
            "charts/strength": wandb.plot.scatter(
                points, "attack dB", "bit accuracy", title="Bit accuracy against attack strength"
            ),
        }
    )


def _picture_table(logged: Logged) -> Any:
    import wandb

    table = wandb.Table(columns=["picture", "what", "image", "matched", "bits", "p_value", "payload"])
    reads = first_reads(logged.records)
    room = MOST_PICTURES
    for picture in logged.pictures:
        original, marked = load_png(picture.original), load_png(picture.tagged)
        first = {"original": original, "tagged": marked, "residual × 10": residual(original, marked)}
        tiles: list[tuple[str, Any, Any]] = [(what, image, None) for what, image in first.items()]
        for job in (job for job in logged.jobs if job.attack != NO_ATTACK):
            path = logged.store.strip(job, picture.tagged.stem, "frame")
            read = reads.get((job.scenario_id(job.views[0]), picture.name))
            if read is not None and path.is_file():
                tiles.append((job.label, load_png(path), read))
        for what, image, read in tiles[:room]:
            numbers = [None] * 4 if read is None else [read.matched, read.bits, read.p_value, bool(read.exact)]
            table.add_data(picture.name, what, wandb.Image(image), *numbers)
        room = max(0, room - len(tiles))
    return table


def _headline(run: Any, logged: Logged) -> None:
    for row in logged.summary["scenarios"]:
        if row["n_images"]:
            run.summary[f"{row['view']}/{row['label']}/bit_accuracy"] = row["bit_accuracy"]
    run.summary["flags"] = len(logged.summary["flags"])
    run.summary["wall_seconds"] = logged.timings["wall_seconds"]
