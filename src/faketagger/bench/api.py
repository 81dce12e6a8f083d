"""``faketagger.benchmark``: the benchmark as one call, with a result that can be looked at."""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from faketagger.bench.benchmark import run_benchmark
from faketagger.bench.pictures import save_png
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.table import by_job
from faketagger.bench.wording import of_people
from faketagger.config import check
from faketagger.data.samples import MANIFEST
from faketagger.errors import BenchError
from faketagger.watermarks import CheckedWatermark, Watermark

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from faketagger.tagger import Tagger

ATTACKS = ("jpeg", "webp", "blur", "resize", "crop", "rotation", "synthesis", "reenact", "edit", "swap")
"""What is tried where nothing is asked for."""
_COLUMNS = (
    *("label", "view", "family", "status", "n_images", "n_clusters", "bit_accuracy", "ci_low", "ci_high"),
    *("exact_match", "attacked", "passed_through", "failed", "psnr_db"),
)


@dataclass
class BenchmarkResult:
    """What a benchmark found.

    Attributes:
        summary: What ``summary.json`` holds.
        folder: Every result file; a temporary folder goes with this object.
    """

    summary: dict[str, Any]
    folder: Path
    _keeper: Any = field(default=None, repr=False)

    def __str__(self) -> str:
        model, faces = self.summary["model"], self.summary["faces"]
        rows = [row for row in self.summary["scenarios"] if row["status"] == "run" and row["family"] != "control"]
        worst = min(rows, key=lambda row: row["bit_accuracy"], default=None)
        text = f"{model['name']}: {len(rows)} scenarios on {of_people(faces)}"
        if worst is None:
            return text
        left = f"leaves {100 * worst['bit_accuracy']:.1f} % of the bits"
        return f"{text}; the hardest, {worst['label']} ({worst['view']}), {left}"

    def table(self) -> "pd.DataFrame":
        """One row a scenario: bit accuracy with its interval, payloads read, failures, PSNR of the watermark."""
        import pandas as pd

        scenarios = self.summary["scenarios"]
        found = sorted({fpr for row in scenarios for fpr in row["tpr_at_fpr"]}, key=float)
        rows = [
            {name: row[name] for name in _COLUMNS}
            | {f"found_at_{fpr}": row["tpr_at_fpr"].get(fpr) for fpr in found}
            | {"n_flags": sum(flag["scenario"] == row["scenario"] for flag in self.summary["flags"])}
            for row in scenarios
        ]
        return pd.DataFrame(rows, index=pd.Index([row["scenario"] for row in scenarios], name="scenario"))

    def records(self) -> "pd.DataFrame":
        """One row a picture and scenario."""
        import pandas as pd

        return pd.read_parquet(self.folder / "records.parquet")

    def plot(self, axes: "Axes | None" = None) -> "tuple[Figure, Axes]":
        """Bit accuracy of every attack with its interval; frame filled, face open.

        Args:
            axes: Draw here; a new figure by default.

        Returns:
            The figure and its axes.
        """
        from matplotlib.figure import Figure

        jobs = [views for views in by_job(self.summary["scenarios"]) if next(iter(views.values()))["status"] == "run"]
        if axes is None:
            figure = Figure(figsize=(7, 0.32 * len(jobs) + 1.2), layout="constrained")
            axes = figure.subplots()
        for place, views in enumerate(jobs):
            for view, row in views.items():
                if row["bit_accuracy"] is None:
                    continue
                height = place + (0.14 if view == "face" else -0.14 if len(views) > 1 else 0)
                colour = "0.55" if row["family"] == "control" else "#c2410c" if row["black_box"] else "#0e7c86"
                if row["ci_low"] is not None:
                    axes.plot([100 * row["ci_low"], 100 * row["ci_high"]], [height] * 2, color=colour, lw=2, alpha=0.5)
                inside = "none" if view == "face" else colour
                axes.plot(100 * row["bit_accuracy"], height, "o", color=colour, mfc=inside)
        axes.axvline(50, color="0.6", lw=1, ls="--")
        axes.set_yticks(range(len(jobs)), [next(iter(views.values()))["label"] for views in jobs])
        axes.invert_yaxis()
        axes.set_xlabel("bits right, % (95 % interval over identities)")
        axes.set_title(f"{self.summary['model']['name']}, {self.summary['model']['message_bits']} bits")
        return axes.figure, axes  # type: ignore[return-value]

    def to_parquet(self, path: str | PathLike[str]) -> Path:
        """Keep the records, one row a picture and scenario.

        Args:
            path: New file.
        """
        return self._copy("records.parquet", path)

    def report(self, path: str | PathLike[str]) -> Path:
        """Keep the report: one HTML page that needs no other file.

        Args:
            path: New file.
        """
        return self._copy("report.html", path)

    def _copy(self, name: str, path: str | PathLike[str]) -> Path:
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / name, target)
        except OSError as error:
            raise BenchError(f"{target} cannot be written: {error.strerror}.", "Choose another path.") from error
        return target


def benchmark(
    watermark: "str | Watermark | Tagger",
    faces: "str | PathLike[str] | NDArray[np.uint8] | Sequence[NDArray[np.uint8]]" = "demo",
    attacks: Iterable[str | dict[str, Any]] = ATTACKS,
    *,
    count: int | None = None,
    size: int = 256,
    seed: int = 0,
    match_psnr: float | None = None,
    fpr: Sequence[float] = (0.01, 0.001),
    out: str | PathLike[str] | None = None,
    verbose: bool = False,
) -> BenchmarkResult:
    """Tag faces with a watermark, attack them, read them back.

    The same run as ``faketagger bench``: fresh keyed messages, untagged controls, intervals over identities.

    Args:
        watermark: A name (``face-128``, ``dwtDctSvd``, the path of a checkpoint), an object of the protocol
            :class:`faketagger.watermarks.Watermark`, or a :class:`faketagger.Tagger`.
        faces: ``demo``, a folder of photographs (with a ``manifest.csv`` that says who is who, if there is one), or
            pictures (H, W, 3) uint8, each then a person of its own.
        attacks: Names of simulator attacks or of adapters, or scenarios as a benchmark file has them:
            ``{"attack": "jpeg", "severity": [75, 50]}``.
        count: At most so many pictures.
        size: Side of the square pictures in pixels.
        seed: Fixes messages, attacks and intervals.
        match_psnr: Set the watermark's strength so that it costs this mean PSNR in dB.
        fpr: False positive rates at which detection is reported.
        out: Folder for all result files, where an interrupted run goes on; a temporary one by default.
        verbose: Show progress and the table.

    Returns:
        The result.

    Raises:
        WatermarkError: There is no such watermark, or it breaks the protocol; the message names it.
        ConfigError: There is no such attack, or a scenario has unknown keys.
        BenchError: No usable face, or ``out`` holds another benchmark.
    """
    keeper = None if out is not None else tempfile.TemporaryDirectory(prefix="faketagger-")
    root = Path(keeper.name if keeper is not None else str(out))
    chosen = _chosen(watermark)
    name = watermark if isinstance(watermark, str) else chosen.name if chosen else ""
    with tempfile.TemporaryDirectory(prefix="faketagger-faces-") as folder:
        values = {
            "protocol": {"name": "api", "version": 1},
            "model": name,
            "faces": {"source": _source(faces, Path(folder)), "count": count, "size": size},
            "seed": seed,
            "fpr": [float(rate) for rate in fpr],
            "match_psnr": None if match_psnr is None else float(match_psnr),
            "scenarios": [_scenario(attack) for attack in attacks],
        }
        config = check(values, BenchConfig, "faketagger.benchmark")
        command = f"faketagger.benchmark({name!r}, …)"
        _, summary = run_benchmark(config, root, Console(quiet=not verbose), command, chosen)
    return BenchmarkResult(summary, root, keeper)


def _chosen(watermark: Any) -> CheckedWatermark | None:
    if isinstance(watermark, str):
        return None
    if isinstance(watermark, CheckedWatermark):
        return watermark
    if hasattr(watermark, "embed_aligned"):
        from faketagger.watermarks.taggers import TaggerWatermark

        return CheckedWatermark(TaggerWatermark(watermark), "tagger")
    return CheckedWatermark(watermark)


def _source(faces: Any, folder: Path) -> str:
    if isinstance(faces, str | PathLike):
        return str(faces)
    lines = ["file,identity"]
    for place, picture in enumerate(faces):
        pixels = np.asarray(picture)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            kind = f"{pixels.dtype} of shape {pixels.shape}"
            raise BenchError(f"Picture {place} of faces is {kind}.", "Give (H, W, 3) uint8 pictures.")
        save_png(folder / f"{place:05d}.png", np.ascontiguousarray(pixels))
        lines.append(f"{place:05d}.png,{place}")
    (folder / MANIFEST).write_text("\n".join(lines) + "\n")
    return str(folder)


def _scenario(attack: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(attack, dict):
        severity = attack.get("severity")
        if isinstance(severity, list | tuple):
            return attack | {"severity": [float(one) for one in severity]}
        return attack if severity is None else attack | {"severity": float(severity)}
    from faketagger import simulator, zoo

    tools = zoo.find_adapters()
    black = attack not in simulator.names() and attack in tools and tools[attack].manifest.kind == "attack"
    return {"attack": attack, "box": "black" if black else "white"}
