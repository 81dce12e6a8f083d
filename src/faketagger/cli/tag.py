"""``faketagger tag``: write a payload into the faces of photographs."""

from pathlib import Path
from typing import Annotated

import typer

from faketagger.errors import FakeTaggerError


def tag(
    paths: Annotated[list[Path], typer.Argument(help="Photographs, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the tagged photographs.")],
    payload: Annotated[str, typer.Option(help="0x-hex, a number, or a short text.")] = "0x000001",
    model: Annotated[str, typer.Option(help="Name of a shipped tagger, or the folder of a checkpoint.")] = "face-128",
    key: Annotated[str | None, typer.Option(help="The secret; $FAKETAGGER_KEY if left out.")] = None,
    psnr: Annotated[float | None, typer.Option(help="PSNR of the face crop in dB; less is stronger.")] = None,
) -> None:
    """Write a payload into every face of every photograph; the originals stay as they are.

    \b
    Examples:
      faketagger tag holiday.jpg --payload 0x00c0de --out tagged
      faketagger tag photos/ --payload 4711 --key "our secret" --out tagged
    """
    from rich.progress import track

    from faketagger.imaging import find_images, output_path, read_photo, write_photo
    from faketagger.tagger.checkpoint import load

    files = find_images(paths)
    tagger = load(model, key)
    tagger.codec.encode(payload)
    failures = []
    for file in track(files, "tagging", disable=len(files) < 2):
        try:
            photo = read_photo(file)
            written = write_photo(tagger.embed(photo, payload, psnr), output_path(photo, file, out))
        except FakeTaggerError as error:
            failures.append(f"{file}: {error.message}")
        else:
            print(written)
    if failures:
        listed = "; ".join(failures[:5]) + ("; …" if len(failures) > 5 else "")
        raise FakeTaggerError(f"{len(failures)} of {len(files)} photographs were not tagged: {listed}")
