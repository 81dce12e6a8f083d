"""The half of ``faketagger zoo`` that looks at tools and gets them: ``list``, ``install``, ``doctor``."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

Name = Annotated[str, typer.Argument(metavar="ADAPTER", help="Name from 'zoo list', or the folder of an adapter.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def list_adapters(as_json: AsJson = False) -> None:
    """All adapters: family, roles, weights (and whence), status, licence."""
    from faketagger.zoo.doctor import installed_state, whence_weights
    from faketagger.zoo.installation import installation
    from faketagger.zoo.registry import find_adapters

    rows: list[dict[str, Any]] = []
    for name, adapter in find_adapters().items():
        manifest = adapter.manifest
        row: dict[str, Any] = {"name": name, "family": manifest.family, "roles": list(manifest.roles)}
        row |= {"licence": manifest.licence, "upstream": manifest.pins}
        row |= {"status": installed_state(adapter, installation(adapter)), "weights": whence_weights(manifest)}
        row |= {"weights_mb": round(sum(weight.bytes or 0 for weight in manifest.weights) / 2**20, 1)}
        row |= {"presets": list(manifest.presets), "summary": manifest.summary, "folder": str(adapter.folder)}
        rows.append(row)
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    lines = [("adapter", "family", "roles", "weights", "status", "licence")]
    for row in rows:
        status = row["status"].replace("_", " ")
        lines.append((row["name"], row["family"], "+".join(row["roles"]), row["weights"], status, row["licence"]))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sum(widths) + 2 * len(widths)
    for line in lines:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        print(text if len(text) <= room else text[: room - 1] + "…")


def install(
    name: Name,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]SOURCE",
            help="Git URL or local repository to take the code from; NAME= for a companion; repeatable.",
        ),
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Folder with weight files that you bring.")] = None,
) -> None:
    """Give a tool its own environment, code and weights in the cache; again brings only what is still missing."""
    from rich.console import Console

    from faketagger.zoo import doctor
    from faketagger.zoo import install as install_adapter

    console = Console()
    with console.status("starting") as status:

        def tell(text: str) -> None:
            status.update(text[:100])
            if not text.startswith(" "):
                console.print(text, highlight=False, markup=False)

        install_adapter(name, sources=_sources(source or []), weights=weights, progress=tell)
    print(f"next: {doctor(name).next_command}")


def _sources(given: list[str]) -> dict[str, str]:
    """``NAME=SOURCE`` by name; a source without a name is the tool's own."""
    from faketagger.zoo.installer import MAIN

    split = [re.fullmatch(r"(?:([a-z][a-z0-9_]*)=)?(.+)", text, re.DOTALL) for text in given]
    return {match[1] or MAIN: match[2] for match in split if match}


def doctor(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ADAPTER]...", help="All by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a tool has, what it lacks, what that costs, and the next command. Exit code 1 if one is not ready."""
    from faketagger.zoo import doctor as diagnose
    from faketagger.zoo import find_adapters

    diagnoses = [diagnose(name) for name in names or find_adapters()]
    if as_json:
        print(json.dumps([diagnosis.to_dict() for diagnosis in diagnoses], indent=1))
    for diagnosis in [] if as_json else diagnoses:
        print(f"{diagnosis.name}: {diagnosis.state.replace('_', ' ')}")
        for mark, lines in (("has", diagnosis.present), ("lacks", diagnosis.missing)):
            for line in lines:
                print(f"  {mark:6}{line}")
        print(f"  costs {diagnosis.cost}\n  walls {diagnosis.sandbox.kind}\n  next  {diagnosis.next_command}")
    if any(diagnosis.state != "ready" for diagnosis in diagnoses):
        raise typer.Exit(1)
