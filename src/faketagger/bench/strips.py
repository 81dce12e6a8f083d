"""Pictures for people: original, tagged, ten times the difference, and what every attack made of it."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from faketagger.bench.pictures import Picture, Pixels, load_png
from faketagger.bench.protocol import View
from faketagger.bench.scenario import NO_ATTACK, Job
from faketagger.bench.store import Store

RESIDUAL_GAIN = 10
VIEWS: tuple[View, View] = ("frame", "face")


@dataclass(frozen=True)
class Tile:
    """One picture of a strip.

    Attributes:
        caption: What it is.
        image: As a data URI.
        note: What was read from it, or its distance.
        tone: ``plain``, ``good``, ``weak`` or ``lost``.
        face: What the reader saw in the face view, as a data URI; empty where there is none.
    """

    caption: str
    image: str
    note: str
    tone: str = "plain"
    face: str = ""


@dataclass(frozen=True)
class Strip:
    """One face through everything."""

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
    """A picture as a WebP data URI.

    Args:
        image: (H, W, 3) uint8.
        quality: Of WebP.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def cut_strips(store: Store, pictures: list[Picture], jobs: list[Job], records: pd.DataFrame) -> list[Strip]:
    """Strips of the shown faces.

    Args:
        store: Output folder, with the attacked pictures of the shown faces.
        pictures: The shown faces.
        jobs: In the order of the table.
        records: All records.
    """
    reads = first_reads(records[records["picture"].isin([p.name for p in pictures])])
    return [Strip(picture.name, _tiles(store, picture, jobs, reads)) for picture in pictures]


def first_reads(records: pd.DataFrame) -> dict[tuple[str, str], Any]:
    """The read of every tagged picture by scenario and picture; of several donors the first.

    Args:
        records: In the order of ``records.parquet``.
    """
    tagged = records[records["kind"] == "tagged"].drop_duplicates(["scenario", "picture"])
    return {(row.scenario, row.picture): row for row in tagged.itertuples()}


def _tiles(store: Store, picture: Picture, jobs: list[Job], reads: dict) -> list[Tile]:  # type: ignore[type-arg]
    original, tagged = load_png(picture.original), load_png(picture.tagged)
    tiles = [
        Tile("original", data_uri(original), "untagged"),
        Tile("tagged", data_uri(tagged, 90), f"{picture.quality['psnr_db']:.1f} dB to the original"),
        Tile("residual × 10", data_uri(residual(original, tagged)), "tagged minus original"),
    ]
    for job in jobs:
        path, face = (store.strip(job, picture.tagged.stem, view) for view in VIEWS)
        row = reads.get((job.scenario_id(job.views[0]), picture.name))
        if row is None or job.attack == NO_ATTACK:
            continue
        if not path.is_file():
            tiles.append(Tile(job.label, "", f"failed: {row.reason}", "lost"))
            continue
        tone = "good" if row.exact else "weak" if row.p_value <= 1e-3 else "lost"
        note = "no face found" if row.read_status == "no_face" else f"{row.matched}/{row.bits} bits"
        beside = data_uri(load_png(face)) if face.is_file() else ""
        tiles.append(Tile(job.label, data_uri(load_png(path)), note, tone, beside))
    return tiles
