"""``faketagger tag``: write a payload into the faces of photographs."""

from pathlib import Path
from typing import Annotated

import typer

from faketagger.errors import FakeTaggerError


def tag(
    sources: Annotated[
        list[str],
        typer.Argument(help="Photographs, folders of them, one video; or one collection: a folder, manifest or URI."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the tagged photographs; for a video its new file.")],
    payload: Annotated[str, typer.Option(help="0x-hex, int:NUMBER or text:WORDS.")] = "int:1",
    model: Annotated[str, typer.Option(help="Name of a shipped tagger, or a checkpoint's folder.")] = "face-128",
    key: Annotated[str | None, typer.Option(help="The secret; $FAKETAGGER_KEY if left out.")] = None,
    psnr: Annotated[float | None, typer.Option(help="PSNR of the face crop in dB; less is stronger.")] = None,
    polish: Annotated[
        int, typer.Option(min=0, help="Rounds that improve each tag first, e.g. 40; seconds a face.")
    ] = 0,
    again: Annotated[bool, typer.Option("--again", help="Replace a tag that is there, instead of refusing.")] = False,
    crf: Annotated[float, typer.Option(help="Of a video: H.264's constant rate factor, 0 best to 51.")] = 18,
    lossless: Annotated[bool, typer.Option("--lossless", help="Of a video: keep every pixel (H.264 4:4:4).")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Of a collection: processes that tag.")] = None,
    address: Annotated[str | None, typer.Option(help="Of a collection: a Ray cluster, e.g. auto.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Of a collection: pictures that are recorded together.")] = 64,
    gpus: Annotated[float, typer.Option(min=0, help="Of a collection: a worker's share of a GPU, e.g. 0.25.")] = 0,
) -> None:
    """Write a payload into every face of every photograph or video frame; the originals stay as they are.

    A collection is a folder given with --workers or --address, a .csv or .parquet manifest with a column uri, path or
    file (and perhaps payload), or the address of an object store. Ray tags it, each content once, and the same call
    again goes on where it stopped; docs/scale.md has the details.

    \b
    Examples:
      faketagger tag holiday.jpg --payload 0x00c0de --out tagged
      faketagger tag photos/ --payload int:4711 --key "our secret" --out tagged
      faketagger tag portrait.jpg --model portrait-256 --polish 40 --out tagged
      faketagger tag talk.mp4 --payload 0x00c0de --out tagged.mp4
      faketagger tag photos/ --workers 8 --out tagged
      faketagger tag manifest.csv --out tagged --address auto
    """
    from rich.progress import track

    from faketagger.imaging import find_images, output_path, read_photo, write_photo
    from faketagger.imaging.video import is_video
    from faketagger.scale.listing import is_collection
    from faketagger.tagger.checkpoint import load

    paths = [Path(source) for source in sources]
    whole = bool(workers or address or any(map(is_collection, sources)))
    if polish and (whole or any(is_video(path) for path in paths)):
        raise FakeTaggerError("only photographs are polished, not videos or collections", "leave --polish out")
    if whole:
        from faketagger.cli.collection import tag_one

        tag_one(sources, out, model, key, payload, psnr, again, workers, address, batch, gpus)
        return
    if any(is_video(path) for path in paths):
        from faketagger.cli.video import tag_video

        tag_video(paths, out, payload, load(model, key), psnr_db=psnr, again=again, crf=crf, lossless=lossless)
        return
    files = find_images(paths)
    tagger = load(model, key).with_polish(polish)
    tagger.codec.encode(payload)
    out.mkdir(parents=True, exist_ok=True)
    written: dict[Path, Path] = {}
    failures = []
    hints = set()
    for file in track(files, "tagging", disable=len(files) < 2):
        try:
            photo = read_photo(file)
            target = output_path(photo, file, out)
            _refuse_overwriting(target, file, written)
            write_photo(tagger.embed(photo, payload, psnr, again=again), target)
        except FakeTaggerError as error:
            failures.append(f"{file}: {error.message}")
            hints.add(error.hint)
        else:
            written[target] = file
            print(target)
    if failures:
        listed = "; ".join(failures[:10]) + ("; …" if len(failures) > 10 else "")
        hint = hints.pop() if len(hints) == 1 else None
        raise FakeTaggerError(f"{len(failures)} of {len(files)} photographs were not tagged: {listed}", hint)


def _refuse_overwriting(target: Path, source: Path, written: dict[Path, Path]) -> None:
    if target.exists() and target.samefile(source):
        raise FakeTaggerError("its tagged version would overwrite it", "choose another --out")
    if target in written:
        raise FakeTaggerError(f"{written[target]} has the same name and is tagged already", "tag it into another --out")
