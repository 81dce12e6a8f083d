"""``faketagger compare``: two finished benchmarks of the same pictures, attack by attack."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="Output folder of faketagger bench.")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="Another, of the same benchmark file and faces.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Say where the second watermark reads more or less than the first: bits right in percent, payloads in brackets.

    Differences are taken picture by picture, with 95 % intervals over people, so that far smaller ones show than
    where two intervals are laid side by side.

    \b
    Examples:
      faketagger bench experiments/bench/card.yaml --model face-256 --model portrait-256 --out runs/two
      faketagger compare runs/two/face-256 runs/two/portrait-256
      faketagger compare runs/before runs/after --markdown > difference.md
    """
    from rich.console import Console

    from faketagger.bench import differences

    names, found = differences.find_differences(first, second)
    if markdown:
        print(differences.markdown(names, found))
    else:
        Console().print(differences.render(names, found))
