"""Tables and charts of a benchmark's W&B run."""

from pathlib import Path
from typing import Any

import pandas as pd

from faketagger.bench.pictures import load_png
from faketagger.bench.scenario import NO_ATTACK
from faketagger.bench.strips import Face, first_reads, residual, strip_file
from faketagger.bench.table import by_job, job_of

MOST_PICTURES = 200
_COLUMNS = (
    "scenario", "label", "family", "view", "black_box", "severity", "status", "n_images", "n_clusters",
    "bit_accuracy", "ci_low", "ci_high", "exact_match", "psnr_db", "attack_psnr_db", "attacked",
    "passed_through", "failed", "no_face", "changed_pixels", "moved", "donor_distance", "pooled_p_value",
    "bit_accuracy_attacked", "p_survives", "p_holm", "capacity_bits",
)  # fmt: skip


def scenario_table(summary: dict[str, Any]) -> Any:
    """Every row of the summary.

    Args:
        summary: Of the benchmark.
    """
    import wandb

    rows = summary["scenarios"]
    columns: list[str | int] = [*_COLUMNS]
    return wandb.Table(columns=columns, data=[[row[name] for name in _COLUMNS] for row in rows])


def charts(summary: dict[str, Any]) -> dict[str, Any]:
    """Bit accuracy by attack and by how strong it is, frame view.

    Args:
        summary: Of the benchmark.
    """
    import wandb

    frame = [row for row in summary["scenarios"] if row["view"] == "frame" and row["n_images"]]
    bars = wandb.Table(columns=["attack", "bit accuracy"], data=[[r["label"], r["bit_accuracy"]] for r in frame])
    points = wandb.Table(
        columns=["attack", "attack dB", "bit accuracy"],
        data=[[r["label"], r["attack_psnr_db"], r["bit_accuracy"]] for r in frame if r["attack_psnr_db"] is not None],
    )
    return {
        "charts/bit_accuracy": wandb.plot.bar(bars, "attack", "bit accuracy", title="Bit accuracy, frame"),
        "charts/strength": wandb.plot.scatter(
            points, "attack dB", "bit accuracy", title="Bit accuracy against attack strength"
        ),
    }


def picture_table(root: Path, faces: list[Face], summary: dict[str, Any], records: pd.DataFrame) -> Any:
    """The shown faces through every attack, at most :data:`MOST_PICTURES` pictures.

    Args:
        root: Output folder.
        faces: The shown faces.
        summary: Of the benchmark.
        records: All records.
    """
    import wandb

    table = wandb.Table(columns=["picture", "what", "image", "matched", "bits", "p_value", "payload"])
    reads = first_reads(records)
    jobs = [next(iter(views.values())) for views in by_job(summary["scenarios"])]
    room = MOST_PICTURES
    for face in faces:
        original, marked = load_png(root / face.original), load_png(root / face.tagged)
        first = {"original": original, "tagged": marked, "residual × 10": residual(original, marked)}
        tiles: list[tuple[str, Any, Any]] = [(what, image, None) for what, image in first.items()]
        for job in (job for job in jobs if job["attack"] != NO_ATTACK):
            path = strip_file(root, job_of(job["scenario"]), face, "frame")
            read = reads.get((job["scenario"], face.name))
            if read is not None and path.is_file():
                tiles.append((job["label"], load_png(path), read))
        for what, image, read in tiles[:room]:
            numbers = [None] * 4 if read is None else [read.matched, read.bits, read.p_value, bool(read.exact)]
            table.add_data(face.name, what, wandb.Image(image), *numbers)
        room = max(0, room - len(tiles))
    return table
