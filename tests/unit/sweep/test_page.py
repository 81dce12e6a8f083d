"""What ``faketagger sweep show`` shows."""

import re
from pathlib import Path

import pytest

from faketagger.errors import ConfigError
from faketagger.sweep.board import Board, short_names
from faketagger.sweep.objectives import bench_metrics
from faketagger.sweep.outcomes import conclude
from faketagger.sweep.page import headline, render_page
from faketagger.sweep.plots import draw_all, importance
from faketagger.sweep.schema import load_sweep
from faketagger.sweep.search import Search
from faketagger.sweep.trials import SweepFolder, settled_before, write_json
from tests.helpers.toy_sweep import toy_sweep

BOTH = [{"name": "loss", "goal": "minimize"}, {"name": "size", "goal": "maximize"}]


def _filled(folder: Path, count: int, **changes: object) -> Board:
    config = load_sweep(toy_sweep(folder, **changes))
    sweep, search = SweepFolder(folder / "sweep"), Search(config, 0)
    sweep.begin(config, 0, 1)
    for number in range(count):
        drawn = search.propose(number, settled_before(sweep.trials(), number, 1))
        trial = sweep.add(number, *drawn)
        x, y = trial.parameters["x"], trial.parameters["y"]
        write_json(sweep.folder(trial.id) / "metrics.json", {"loss": (x - 1) ** 2 + 3 * y, "size": -x})
        conclude(config, sweep.folder(trial.id), 0.0, "it <broke>" if number == 3 else None)
    return Board.of(sweep.root)


def test_a_page_needs_no_other_file(tmp_path: Path) -> None:
    board = _filled(tmp_path, 14)
    page = render_page(board)
    assert not re.search(r"(src|href)=\"|@import|url\((?!#)", page.replace('xlink:href="#', "").replace('href="#', ""))
    assert len(page) < 400_000
    assert page.count("<svg") == 3
    assert "0003 failed: it &lt;broke&gt;" in page
    best = board.trials[0]
    assert f"the lowest loss of 13 trials is {best.values[0]:.4g}, in trial {best.id}" in page
    losses = [trial.values[0] for trial in board.trials if trial.values]
    assert losses == sorted(losses)


def test_importance_finds_what_matters(tmp_path: Path) -> None:
    board = _filled(tmp_path, 16, method="random", parameters={
        "x": {"min": 0.99, "max": 1.01}, "y": {"values": [0, 1, 2]},
    })  # fmt: skip
    (shares,) = importance(board, [trial for trial in board.trials if trial.state == "finished"])
    assert shares["y"] > 0.9


def test_two_objectives_have_a_front(tmp_path: Path) -> None:
    board = _filled(tmp_path, 12, metric=None, metrics=BOTH)
    plots = draw_all(board)
    assert set(plots) == {"history", "coordinates", "importance", "front"}
    assert f"{len(board.front)} of 11 trials are on the Pareto front" in headline(board)
    told = board.plain()
    assert told["pareto"] == [t["id"] for t in told["trials"][: len(board.front)]]
    assert set(told["trials"][0]["objectives"]) == {"loss", "size"}


def test_an_empty_sweep_is_shown_too(tmp_path: Path) -> None:
    board = _filled(tmp_path, 0)
    assert "no trial has finished yet" in render_page(board)
    assert board.plain()["trials"] == []
    with pytest.raises(ConfigError, match="There is no sweep"):
        Board.of(tmp_path)


def test_names_are_as_short_as_they_can_be() -> None:
    assert short_names(["a.b.rate", "a.c.rate", "size"]) == ["b.rate", "c.rate", "size"]


def test_benchmarks_become_flat_numbers() -> None:
    def row(name: str, family: str, accuracy: float, images: int = 4) -> dict[str, object]:
        return {
            "scenario": name, "family": family, "n_images": images, "bit_accuracy": accuracy, "exact_match": 0.0,
            "psnr_db": 40.0, "ssim": None,
        }  # fmt: skip

    rows = [row("no_attack/frame", "control", 1.0), row("a/frame", "swap", 0.6), row("b/face", "edit", 0.8)]
    found = bench_metrics({"scenarios": [*rows, row("c/frame", "edit", 0.0, images=0)]})
    assert found["bench/bit_accuracy"] == pytest.approx(0.7)
    assert (found["bench/worst_bit_accuracy"], found["bench/psnr_db"]) == (0.6, 40.0)
    assert found["bench/no_attack/frame/bit_accuracy"] == 1.0
    assert "bench/c/frame/bit_accuracy" not in found
    assert "bench/ssim" not in found
