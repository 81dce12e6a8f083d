"""The page of a sweep: leaderboard and plots in one file that needs no network."""

from importlib import resources

import yaml

from faketagger.sweep.board import Board
from faketagger.sweep.plots import draw_all


def render_page(board: Board) -> str:
    """Render the page.

    Args:
        board: Of the sweep.

    Returns:
        HTML that needs no other file; it looks as the reports of benchmarks do.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    template = (resources.files("faketagger.sweep") / "templates" / "sweep.html.j2").read_text(encoding="utf-8")
    css = (resources.files("faketagger.bench") / "templates" / "report.css").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        board=board,
        css=Markup(css),
        headline=headline(board),
        cards=_cards(board),
        head=board.header(),
        rows=board.rows(),
        failed=[trial for trial in board.trials if trial.state == "failed"],
        done=board.counts.get("finished", 0),
        plots={name: Markup(svg) for name, svg in draw_all(board).items()},
        file=yaml.safe_dump(board.config.plain(), sort_keys=False),
    )


def headline(board: Board) -> str:
    """The result in one sentence."""
    done = board.counts.get("finished", 0)
    if not done:
        return f"{board.config.name}: no trial has finished yet."
    if board.front:
        return f"{board.config.name}: {len(board.front)} of {done} trials are on the Pareto front."
    metric = board.config.objectives[0]
    how = "highest" if metric.goal == "maximize" else "lowest"
    best = board.trials[0]
    return f"{board.config.name}: the {how} {metric.name} of {done} trials is {best.values[0]:.4g}, in trial {best.id}."


def _cards(board: Board) -> list[tuple[str, str]]:
    hours = sum(trial.seconds for trial in board.trials) / 3600
    spent = f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"
    counted = [(str(count), state) for state, count in board.counts.items()]
    return [*counted, (str(board.total), "trials in all"), (spent, "of all trials together")]
