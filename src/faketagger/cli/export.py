"""``faketagger export``: networks for other runtimes."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What can be written."""

    onnx = "onnx"
    pt2 = "pt2"


def export(
    model: Annotated[str, typer.Argument(help="Name of a shipped tagger, or the folder of a checkpoint.")],
    to: Annotated[Format, typer.Option(help="onnx, or pt2 for torch.export.")] = Format.pt2,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("runs/export"),
) -> None:
    """Write a tagger's networks: one file that embeds, one that reads.

    Example: faketagger export face-128 --to onnx --out runs/export
    """
    from faketagger.tagger.checkpoint import load
    from faketagger.tagger.export import export_tagger

    for path in export_tagger(load(model), out, to.value):
        print(path)
