"""``faketagger report``: draw the page of finished benchmarks again, several laid over each other."""

from pathlib import Path
from typing import Annotated

import typer

PRICE = 0.045


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Output folders of faketagger bench.")],
    out: Annotated[
        Path | None,
        typer.Option(help="HTML file; by default report.html in the folder, comparison.html for several folders."),
    ] = None,
    price: Annotated[float, typer.Option(min=0, help="US$ for an hour of one core, for the cost table.")] = PRICE,
) -> None:
    """Draw the page of a finished benchmark again, or lay several over each other.

    Several folders give curves of bit accuracy against PSNR and a table side by side: run the same benchmark
    file on the same faces with each watermark, or at each strength.

    \b
    Examples:
      faketagger report runs/demo
      faketagger report runs/demo --price 0.02 --out demo.html
      faketagger report runs/at-36db runs/at-40db runs/rival --out curves.html
    """
    from faketagger.bench.page import write_page

    print(f"report: {write_page(runs, out, price)}")
