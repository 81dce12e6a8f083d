"""Pictures for people: original, tagged, ten times the difference, and what every attack made of it."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from faketagger.bench.pictures import Picture, Pixels, load_png
from faketagger.bench.scenario import NO_ATTACK
from faketagger.bench.table import by_job, job_of

RESIDUAL_GAIN = 10
FOUND_AT = 1e-3
"""p-value up to which a tag counts as found where its payload is lost."""
MOST_PIXELS = 512
"""Longest side of a picture in the page."""


@dataclass(frozen=True)
class Face:
    """A face whose pictures are shown; its files are relative to the benchmark's folder.

    Attributes:
        name: Of the picture.
        original: Its untagged PNG.
        tagged: Its tagged PNG.
        psnr_db: Tagged against original.
    """

    name: str
    original: str
    tagged: str
    psnr_db: float


@dataclass(frozen=True)
class Tile:
    """One picture of a strip.

    Attributes:
        caption: What it is.
        image: As a data URI; empty where the attack failed.
        note: What was read from it, or its distance.
        tone: ``plain``, ``good``, ``weak`` or ``lost``.
        face: What the reader saw in the face view, as a data URI; empty where there is none.
        change: Ten times what the attack changed, as a data URI; empty where there was none.
    """

    caption: str
    image: str
    note: str
    tone: str = "plain"
    face: str = ""
    change: str = ""


@dataclass(frozen=True)
class Strip:
    """One face through everything; the first three tiles are original, tagged and residual."""

    name: str
    tiles: list[Tile]


def residual(original: Pixels, tagged: Pixels) -> Pixels:
    """Ten times the difference, around mid grey.

    Args:
        original: (H, W, 3) uint8.
        tagged: (H, W, 3) uint8.
    """
    difference = tagged.astype(np.float32) - original.astype(np.float32)
    return np.clip(128 + RESIDUAL_GAIN * difference, 0, 255).astype(np.uint8)


def data_uri(image: Pixels, quality: int = 82) -> str:
    """A picture as a WebP data URI, at most :data:`MOST_PIXELS` wide and high.

    Args:
        image: (H, W, 3) uint8.
        quality: Of WebP.
    """
    picture = Image.fromarray(image)
    picture.thumbnail((MOST_PIXELS, MOST_PIXELS), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def as_face(picture: Picture, root: Path) -> Face:
    """What a page needs to know of a prepared picture.

    Args:
        picture: The picture.
        root: Folder of the benchmark.
    """
    original, tagged = (path.relative_to(root).as_posix() for path in (picture.original, picture.tagged))
    return Face(picture.name, original, tagged, picture.quality["psnr_db"])


def strip_file(root: Path, job: str, face: Face, view: str) -> Path:
    """Where :meth:`faketagger.bench.store.Store.save_strip` has put a shown picture.

    Args:
        root: Folder of the benchmark.
        job: Id of the attack job.
        face: The shown face.
        view: Frame or face.
    """
    return root / "strips" / job / f"{Path(face.tagged).stem}-{view}.png"


def cut_strips(root: Path, faces: list[Face], summary: dict[str, Any], records: pd.DataFrame) -> list[Strip]:
    """Strips of the shown faces.

    Args:
        root: Folder of the benchmark, with the attacked pictures of the shown faces.
        faces: The shown faces.
        summary: Its jobs are shown in the order of the table.
        records: All records.
    """
    reads = first_reads(records[records["picture"].isin([face.name for face in faces])])
    jobs = [next(iter(views.values())) for views in by_job(summary["scenarios"])]
    attacked = [row for row in jobs if row["attack"] != NO_ATTACK]
    return [Strip(face.name, [*_before(root, face), *_after(root, face, attacked, reads)]) for face in faces]


def first_reads(records: pd.DataFrame) -> dict[tuple[str, str], Any]:
    """The read of every tagged picture by scenario and picture; of several donors the first.

    Args:
        records: In the order of ``records.parquet``.
    """
    tagged = records[records["kind"] == "tagged"].drop_duplicates(["scenario", "picture"])
    return {(row.scenario, row.picture): row for row in tagged.itertuples()}


def _before(root: Path, face: Face) -> list[Tile]:
    original, tagged = load_png(root / face.original), load_png(root / face.tagged)
    return [
        Tile("original", data_uri(original), "untagged"),
        Tile("tagged", data_uri(tagged, 90), f"{face.psnr_db:.1f} dB to the original"),
        Tile("residual × 10", data_uri(residual(original, tagged)), "tagged minus original"),
    ]


def _after(root: Path, face: Face, jobs: list[dict[str, Any]], reads: dict[tuple[str, str], Any]) -> list[Tile]:
    tagged = load_png(root / face.tagged)
    tiles = []
    for job in jobs:
        row = reads.get((job["scenario"], face.name))
        if row is None:
            continue
        path, seen = (strip_file(root, job_of(job["scenario"]), face, view) for view in ("frame", "face"))
        if not path.is_file():
            tiles.append(Tile(job["label"], "", f"failed: {row.reason}", "lost"))
            continue
        image = load_png(path)
        carried = job["role"] == "carrier" and image.shape == tagged.shape
        tiles.append(
            Tile(
                job["label"],
                data_uri(image),
                "no face found" if row.read_status == "no_face" else f"{row.matched}/{row.bits} bits",
                "good" if row.exact else "weak" if row.p_value <= FOUND_AT else "lost",
                data_uri(load_png(seen)) if seen.is_file() else "",
                data_uri(residual(tagged, image), 60) if carried else "",
            )
        )
    return tiles
