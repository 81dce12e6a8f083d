"""The benchmark as offline W&B runs: one of the whole with tables and artifacts, one of every attack beside it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd

from faketagger import tracking
from faketagger.bench.curves import graded_rows
from faketagger.bench.statistics import rate_at
from faketagger.bench.strips import Face
from faketagger.bench.table import by_job
from faketagger.bench.wandb_tables import charts, picture_table, scenario_table

_METRICS = ("bit_accuracy", "ci_low", "ci_high", "exact_match", "attack_psnr_db")
_OF_ATTACK = (*_METRICS, "psnr_db", "attacked", "passed_through", "failed", "no_face", "moved", "n_images")
_FACTS = ("attack", "version", "family", "role", "black_box", "severity", "params", "preset", "pin")
_RATES = 10.0 ** np.arange(-9, 0)
"""False positive rates of the curve of an attack."""


@dataclass(frozen=True)
class Logged:
    """What goes into the runs.

    Attributes:
        root: Output folder; ``records.parquet``, ``summary.json`` and the strips are there.
        summary: Of the benchmark.
        records: All records.
        faces: The shown ones.
        timings: As in ``timings.json``.
        model_files: Configuration and weights of the tagger; none for a watermark that is code only.
    """

    root: Path
    summary: dict[str, Any]
    records: pd.DataFrame
    faces: list[Face]
    timings: dict[str, Any]
    model_files: list[Path]


class RunWriter:
    """Writes the runs below ``OUT/wandb``; earlier ones there are replaced.

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
        """Start the run of the benchmark."""
        folder = self._root / "wandb"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with _environment(folder):
            name = f"{self._model} {self._protocol}"
            self._run = tracking.start("bench", self._model, name, [self._protocol], self._config, self._root)

    def write(self, logged: Logged) -> None:
        """Fill the run, write those of the attacks, and finish them.

        Args:
            logged: What goes into them.
        """
        with _environment(self._root / "wandb"):
            run, summary = self._run, logged.summary
            _curves(run, summary)
            run.log(
                {
                    "tables/scenarios": scenario_table(summary),
                    "tables/pictures": picture_table(logged.root, logged.faces, summary, logged.records),
                    **charts(summary),
                }
            )
            _headline(run, logged)
            self._artifacts(run, logged)
            run.finish()
            self._run = None
            for views in by_job(summary["scenarios"]):
                self._attack(views, logged)

    def _artifacts(self, run: Any, logged: Logged) -> None:
        summary, root = logged.summary, logged.root
        model, faces = summary["model"], summary["faces"]
        results = [path for name in ("records.parquet", "summary.json") if (path := root / name).is_file()]
        people = logged.records[["picture", "identity"]].drop_duplicates().astype(str)
        facts = {key: value for key, value in faces.items() if key != "skipped"}
        bench = tracking.benchmark_artifact(self._protocol, results, summary["protocol"])
        run.log_artifact(tracking.model_artifact(self._model, logged.model_files, model), aliases=["latest"])
        dataset = tracking.dataset_artifact(faces["source"], people.itertuples(index=False, name=None), facts)
        run.log_artifact(dataset, aliases=["latest", f"{faces['size']}px"])
        run.log_artifact(bench, aliases=["latest", self._model])

    def _attack(self, views: dict[str, dict[str, Any]], logged: Logged) -> None:
        """The run of one attack: how often the tag is found at every false positive rate, and the scores."""
        first = next(iter(views.values()))
        p_values = {view: _p_values(logged.records, row["scenario"]) for view, row in views.items()}
        if first["status"] != "run" or not all(len(found) for found in p_values.values()):
            return
        box = "control" if first["family"] == "control" else "black box" if first["black_box"] else "white box"
        tags = [self._protocol, str(first["family"]), box, first["role"]]
        config = {**{key: first[key] for key in _FACTS}, "protocol": self._protocol, "label": first["label"]}
        run = tracking.start("attack", self._model, f"{first['label']} {self._model}", tags, config, self._root)
        for rate in _RATES:
            found = {f"roc/{view}": rate_at(values, rate) for view, values in p_values.items()}
            run.log({"roc/fpr": float(rate), **found})
        for view, row in views.items():
            run.summary.update({f"{view}/{key}": row[key] for key in _OF_ATTACK if row[key] is not None})
        run.finish()


def _p_values(records: pd.DataFrame, scenario: str) -> pd.Series:
    return records.loc[(records["scenario"] == scenario) & (records["kind"] == "tagged"), "p_value"]


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


def _curves(run: Any, summary: dict[str, Any]) -> None:
    graded = graded_rows(summary)
    tracking.define_axes(run, {f"severity/{attack}/*": f"severity/{attack}/severity" for attack in graded})
    for place, row in enumerate(summary["scenarios"]):
        if row["n_images"]:
            measured = {f"bench/{metric}": row[metric] for metric in _METRICS if row[metric] is not None}
            run.log({"bench/scenario": place, **measured})
    for attack, rows in graded.items():
        for row in sorted(rows, key=lambda row: row["severity"]):
            values = {f"severity/{attack}/{metric}": row[metric] for metric in _METRICS}
            run.log({f"severity/{attack}/severity": row["severity"], **values})


def _headline(run: Any, logged: Logged) -> None:
    for row in logged.summary["scenarios"]:
        if row["n_images"]:
            run.summary[f"{row['view']}/{row['label']}/bit_accuracy"] = row["bit_accuracy"]
    run.summary["flags"] = len(logged.summary["flags"])
    run.summary["wall_seconds"] = logged.timings["wall_seconds"]
