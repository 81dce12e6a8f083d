"""``faketagger shard``: faces cut once, for training to stream."""

import os
from pathlib import Path
from typing import Annotated

import typer


def shard(
    source: Annotated[str, typer.Argument(help="A folder, a .csv or .parquet manifest, or an object store's address.")],
    out: Annotated[Path, typer.Option(help="Folder for the shards.")],
    size: Annotated[int, typer.Option(min=32, max=1024, help="Side of the aligned crop in pixels.")] = 128,
    margin: Annotated[float, typer.Option(min=0, max=1, help="Added on every side, as a share of the size.")] = 0.1875,
    val_share: Annotated[float, typer.Option(min=0, max=0.9, help="Share of the people to validate on.")] = 0.02,
    test_share: Annotated[float, typer.Option(min=0, max=0.9, help="Share of the people to test on.")] = 0.02,
    seed: Annotated[int, typer.Option(min=0, help="Fixes who is in which split.")] = 0,
    jpeg: Annotated[int | None, typer.Option(min=50, max=100, help="Keep crops as JPEG of this quality.")] = None,
    backend: Annotated[str, typer.Option(help="Face finder: auto, dlib or fan.")] = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that cut; one a core if left out.")] = None,
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster, e.g. auto.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Pictures of a file.")] = 512,
) -> None:
    """Find and align the face of every picture once and write Parquet shards that training streams.

    People are divided by the manifest's column identity, else every picture is another person. The same call again
    goes on where it stopped. Train with data.kind=shards data.root=FOLDER and the same data.size and data.margin.

    \b
    Examples:
      faketagger shard photos/ --out shards
      faketagger shard manifest.parquet --out shards --size 256 --jpeg 95 --address auto
      faketagger train experiments/train/face-128.yaml data.kind=shards data.root=shards
    """
    from rich.console import Console

    from faketagger.scale.progress import Advance
    from faketagger.scale.sharding import CutOrder, cut_collection

    order = CutOrder(out.resolve(), size, margin, val_share, test_share, seed, jpeg, backend)
    place = source if "://" in source else str(Path(source).expanduser().resolve())
    count = workers or len(os.sched_getaffinity(0))
    counts = cut_collection(place, order, count, address, batch, Advance(Console(stderr=True), "cutting"))
    print(f"{out}: {', '.join(f'{number} {status}' for status, number in sorted(counts.items()))}")
