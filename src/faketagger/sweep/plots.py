"""Plots of a sweep as inline SVG: how it went, parallel coordinates, importance, and the front of two objectives."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from faketagger.bench.figures import BLACK, WHITE, house_style, to_svg
from faketagger.sweep.board import Board
from faketagger.sweep.search import Search
from faketagger.sweep.space import shown
from faketagger.sweep.trials import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from optuna.trial import FrozenTrial

_ENOUGH = 8
"""Trials from which importance is estimated."""
_FEW = 5
"""Ticks on an axis of numbers."""
_MANY = 24
"""More values than that on an axis are not written one by one."""


def draw_all(board: Board) -> dict[str, str]:
    """Every plot that the trials give reason for.

    Args:
        board: Of the sweep.

    Returns:
        SVG elements by name: ``history``, ``coordinates``, ``importance``, and for two objectives ``front``.
    """
    done = [trial for trial in board.trials if trial.state == "finished"]
    if not done:
        return {}
    with house_style():
        plots = {"history": history(board, done)}
        if board.columns:
            plots["coordinates"] = coordinates(board, done)
        if found := importance(board, done):
            plots["importance"] = bars(found, board)
        if board.front:
            plots["front"] = front(board, done)
    return plots


def history(board: Board, done: list[Trial]) -> str:
    """The objective of each trial in the order of their numbers, and the best so far."""
    from matplotlib.pyplot import subplots

    metric = board.config.objectives[0]
    in_order = sorted(done, key=lambda trial: trial.number)
    numbers, values = [t.number for t in in_order], [t.values[0] for t in in_order]
    best = (np.maximum if metric.goal == "maximize" else np.minimum).accumulate(values)
    figure, axes = subplots(figsize=(4.8, 3.4))
    axes.plot(numbers, values, "o", color=WHITE, ms=5, label="trial")
    axes.step(numbers, best, where="post", color=BLACK, lw=1.4, label="best so far")
    axes.set(xlabel="trial", ylabel=metric.name)
    axes.locator_params(axis="x", integer=True)
    axes.grid(lw=0.6)
    axes.legend(frameon=False, fontsize=9)
    return to_svg(figure, f"{metric.name} of each trial")


def coordinates(board: Board, done: list[Trial]) -> str:
    """One line a finished trial through the values of its parameters to its objectives, the best ones in colour."""
    from matplotlib.pyplot import subplots

    names = [*board.columns, *(metric.name for metric in board.config.objectives)]
    figure, grid = subplots(1, len(names) - 1, figsize=(max(4.6, 1.9 * len(names)), 4.2), squeeze=False, sharey=False)
    columns = [_column(board, done, place) for place in range(len(names))]
    for place, axes in enumerate(grid[0]):
        for rank, trial in reversed(list(enumerate(done))):
            top = trial.number in board.front if board.front else rank < max(1, len(done) // 5)
            ends = [columns[place][0][rank], columns[place + 1][0][rank]]
            colour, width = (BLACK, 1.8) if top else (WHITE, 0.9)
            axes.plot([0, 1], ends, color=colour, lw=width, alpha=0.95 if top else 0.4)
        _dress(axes, names[place], columns[place][1])
    last = grid[0][-1].twinx()
    _dress(last, "", columns[-1][1])
    grid[0][-1].set_xticks([0, 1], [_broken(names[-2]), _broken(names[-1])])
    figure.subplots_adjust(wspace=0)
    return to_svg(figure, "Parallel coordinates: parameters and objectives of every finished trial")


def _dress(axes: "Axes", name: str, ticks: list[tuple[float, str]]) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.04, 1.04)
    axes.set_xticks([0], [_broken(name)])
    axes.tick_params(axis="x", length=0, labelsize=8.5)
    axes.tick_params(axis="y", labelsize=8)
    axes.set_yticks([place for place, _ in ticks], [text for _, text in ticks])
    for side in ("bottom", "top"):
        axes.spines[side].set_visible(False)


def _column(board: Board, done: list[Trial], place: int) -> tuple[list[float], list[tuple[float, str]]]:
    """Heights in [0, 1] of an axis' values, and its ticks."""
    if place < len(board.columns):
        name = board.columns[place]
        values = [trial.parameters[name] for trial in done]
        dimension = next(d for d in Search(board.config, board.seed).dimensions if d.name == name)
        logarithmic = getattr(dimension.distribution, "log", False)
    else:
        values, logarithmic = [trial.values[place - len(board.columns)] for trial in done], False
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        scaled = np.log(values) if logarithmic else np.asarray(values, float)
        low, high = float(scaled.min()), float(scaled.max())
        span = high - low or 1.0
        kinds = np.unique(scaled)
        ends = kinds if len(kinds) <= _FEW else np.linspace(low, high, _FEW)
        texts = [f"{np.exp(end) if logarithmic else end:.3g}" for end in ends]
        ticks = [(float(end - low) / span, text) for end, text in zip(ends, texts, strict=True)]
        return [float(value) for value in (scaled - low) / span], ticks
    texts = [shown(value) for value in values]
    words = sorted(set(texts))
    heights = {word: i / max(1, len(words) - 1) for i, word in enumerate(words)}
    ticks = [(height, word) for word, height in heights.items()] if len(words) <= _MANY else []
    return [heights[text] for text in texts], ticks


def _objective(place: int) -> Callable[["FrozenTrial"], float]:
    return lambda trial: float(trial.values[place])


def importance(board: Board, done: list[Trial]) -> list[dict[str, float]]:
    """How much of the differences each parameter explains, for each objective (Optuna's fANOVA).

    PED-ANOVA, Optuna's own choice, needs many trials: of twenty it gives a parameter that decides everything a third.

    Args:
        board: Of the sweep.
        done: Finished trials.

    Returns:
        Shares by parameter, one mapping an objective; empty where there are too few trials to tell.
    """
    import optuna

    search = Search(board.config, board.seed)
    if len(done) < _ENOUGH or not board.columns:
        return []
    study = search.study(done)
    found = []
    for place in range(len(board.config.objectives)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
            try:
                shares = optuna.importance.get_param_importances(
                    study, evaluator=evaluator, target=_objective(place)
                )
            except (ValueError, RuntimeError):  # all trials alike
                return []
        found.append({name: float(shares[name]) for name in board.columns if name in shares})
    return found


def bars(found: list[dict[str, float]], board: Board) -> str:
    """Importance as bars."""
    from matplotlib.pyplot import subplots

    names = sorted(found[0], key=lambda name: found[0][name])
    figure, axes = subplots(figsize=(4.8, 0.45 * len(names) * len(found) + 1.3))
    thick = 0.7 / len(found)
    for place, (shares, metric) in enumerate(zip(found, board.config.objectives, strict=True)):
        heights = [row - place * thick for row in range(len(names))]
        percent = [100 * shares[name] for name in names]
        axes.barh(heights, percent, thick, color=(WHITE, BLACK)[place], label=metric.name)
    axes.set_yticks([row - thick * (len(found) - 1) / 2 for row in range(len(names))], names)
    axes.set_xlabel("importance, %")
    axes.grid(axis="x", lw=0.6)
    if len(found) > 1:
        axes.legend(frameon=False, fontsize=9)
    return to_svg(figure, "Importance of the parameters")


def front(board: Board, done: list[Trial]) -> str:
    """Both objectives of every trial, and the front that none of them beats."""
    from matplotlib.pyplot import subplots

    first, second = board.config.objectives
    figure, axes = subplots(figsize=(4.8, 4.0))
    axes.plot(*zip(*(t.values for t in done), strict=True), "o", color=WHITE, ms=5, alpha=0.7, label="trial")
    best = sorted((t for t in done if t.number in board.front), key=lambda t: t.values[0])
    axes.plot(*zip(*(t.values for t in best), strict=True), "o-", color=BLACK, ms=6, lw=1.4, label="Pareto front")
    for trial in best:
        at = (trial.values[0], trial.values[1])
        axes.annotate(trial.id, at, textcoords="offset points", xytext=(6, 4), fontsize=8.5)
    axes.set(xlabel=f"{first.name} ({first.goal})", ylabel=f"{second.name} ({second.goal})")
    axes.grid(lw=0.6)
    axes.legend(frameon=False, fontsize=9)
    return to_svg(figure, f"{second.name} against {first.name}")


def _broken(name: str) -> str:
    return name.replace(".", ".\n", name.count(".")).replace("/", "/\n")

