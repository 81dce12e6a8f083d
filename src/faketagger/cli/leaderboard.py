"""``faketagger leaderboard``: entries in, tables out."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
Results = Annotated[Path, typer.Option(help="Folder of the entries.")]


@app.callback()
def leaderboard() -> None:
    """Make entries of finished benchmarks, and the leaderboard of all entries.

    \b
    Examples:
      faketagger bench experiments/bench/faketagger-v1.yaml --model dwtDctSvd --out runs/v1/dwtDctSvd
      faketagger leaderboard add runs/v1/dwtDctSvd
      faketagger leaderboard build
    """


@app.command()
def add(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Output folders of faketagger bench.")],
    name: Annotated[str | None, typer.Option(help="Name of the entry; by default WATERMARK--FACES.")] = None,
    results: Results = Path("results"),
) -> None:
    """Make an entry of a finished benchmark; a result of another protocol is refused.

    \b
    Examples:
      faketagger leaderboard add runs/v1/face-128
      faketagger leaderboard add runs/v1/mine --name mine-at-40dB
    """
    from faketagger.bench.entries import add_entry
    from faketagger.errors import ConfigError

    if name is not None and len(runs) > 1:
        raise ConfigError("One name cannot serve several entries.", "Give --name with one RUN.")
    for run in runs:
        print(f"entry: {add_entry(run, results, name)}")


@app.command()
def build(
    results: Results = Path("results"),
    markdown: Annotated[Path, typer.Option(help="Page of the documentation.")] = Path("docs/leaderboard.md"),
    html: Annotated[Path, typer.Option(help="Page that stands alone.")] = Path("results/leaderboard.html"),
) -> None:
    """Write the leaderboard of all entries, as Markdown and as a page that sorts.

    \b
    Examples:
      faketagger leaderboard build
      faketagger leaderboard build --results my/results --markdown board.md --html board.html
    """
    from faketagger.bench.entries import load_entries
    from faketagger.bench.leaderboard import make_boards
    from faketagger.bench.leaderboard_page import markdown as as_markdown
    from faketagger.bench.leaderboard_page import page
    from faketagger.imaging import write_atomically

    boards = make_boards(load_entries(results))
    for path, text in ((markdown, as_markdown(boards)), (html, page(boards))):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(text.encode(), path)
        print(f"leaderboard: {path}")
