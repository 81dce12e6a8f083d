"""What ``tag`` does with a collection."""

import os
from pathlib import Path

from faketagger.errors import ConfigError, FakeTaggerError


def tag_one(
    sources: list[str],
    out: Path,
    model: str,
    key: str | None,
    payload: str,
    psnr: float | None,
    again: bool,
    workers: int | None,
    address: str | None,
    batch: int,
    gpus: float,
) -> None:
    """Tag one collection and say what became of it.

    Args:
        sources: The collection, and nothing beside it.
        out: Output folder.
        model: Tagger.
        key: The secret, or None for the environment's.
        payload: For pictures whose row names none.
        psnr: PSNR of the face crop in dB, or None.
        again: Tag what is tagged already.
        workers: Processes that tag; None for one a core.
        address: Of a Ray cluster, or None.
        batch: Pictures that are recorded together.
        gpus: Share of a GPU that each worker gets.

    Raises:
        ConfigError: Something else was given beside it.
        FakeTaggerError: Some pictures were not tagged.
    """
    from rich.console import Console

    from faketagger.scale.collection import RESULTS, tag_collection
    from faketagger.scale.progress import Advance
    from faketagger.scale.tagging import TagOrder
    from faketagger.tagger.checkpoint import load

    if len(sources) != 1:
        raise ConfigError("A collection is tagged alone.", "Give one folder, manifest or address.")
    load(model, key).codec.encode(payload)
    source = sources[0] if "://" in sources[0] else str(Path(sources[0]).expanduser().resolve())
    order = TagOrder(out.resolve(), model, key, payload, psnr, again)
    count = workers or len(os.sched_getaffinity(0))
    done = tag_collection(source, order, count, address, batch, Advance(Console(stderr=True), "tagging"), gpus)
    told = ", ".join(f"{number} {status}" for status, number in sorted(done.counts.items()))
    rate = f"; {done.done_now} of them now, {done.done_now / done.seconds:.2f} a second" if done.done_now else ""
    print(f"{out}: {told} of {done.rows}{rate}")
    if failed := done.counts.get("failed"):
        raise FakeTaggerError(
            f"{failed} of {done.rows} pictures were not tagged.", f"{out / RESULTS} says why, column error."
        )
