"""How figures look: inline SVG that takes the page's own text colour, so that it reads in light, dark and print."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHITE, BLACK, CONTROL = "#0e7c86", "#c2410c", "#8a8f98"
INK, RULE = "#010203", "#040506"
"""Stand for the page's text colour and for its rules."""
MANY = ("#0e7c86", "#c2410c", "#7c6ad6", "#b08415", "#c0428a", "#3f8f4f", "#4b78c9", "#8a6a4f")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "faketagger",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": RULE,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw without a display and in the colours of the page."""
    import matplotlib

    matplotlib.use("Agg")
    with matplotlib.rc_context(_STYLE):
        yield


def colour(row: dict[str, Any]) -> str:
    """Colour of a scenario: control, white box or black box.

    Args:
        row: Of the summary.
    """
    return CONTROL if row["family"] == "control" else BLACK if row["black_box"] else WHITE


def small_plots(count: int) -> "tuple[Figure, list[Axes]]":
    """A grid of small plots that share their vertical axis.

    Args:
        count: How many.
    """
    from matplotlib.pyplot import subplots

    columns = min(3, count)
    rows = -(-count // columns)
    figure, grid = subplots(rows, columns, figsize=(max(4.6, 2.5 * columns), 2.6 * rows), squeeze=False, sharey=True)
    for axes in grid.ravel()[count:]:
        axes.set_visible(False)
    for row in grid:
        row[0].set_ylabel("bit accuracy, %")
    return figure, list(grid.ravel()[:count])


def to_svg(figure: "Figure", title: str) -> str:
    """The figure as an SVG element; the figure is closed.

    Args:
        figure: Drawn in :func:`house_style`.
        title: What a screen reader says.
    """
    from html import escape

    from matplotlib.pyplot import close

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor").replace(RULE, "var(--rule)")
    head, rest = text.split(">", 1)
    width = re.search(r'width="([\d.]+)pt"', head)
    head = re.sub(r' (height|width)="[^"]*"', "", head)
    widest = f"max-width:{float(width[1]) * 1.4:.0f}px" if width else ""
    label = escape(title, quote=True)
    return head.replace("<svg", f'<svg role="img" aria-label="{label}" style="{widest}"', 1) + ">" + rest
