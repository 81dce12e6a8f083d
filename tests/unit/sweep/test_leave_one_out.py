"""The leave-one-out table from the trials of a sweep."""

import json
from pathlib import Path

import pandas as pd
import pytest

from faketagger.errors import ConfigError
from faketagger.sweep.leave_one_out import leave_one_out, main, markdown
from faketagger.sweep.trials import SweepFolder

RIGHT = {"": {"swap": 30, "edit": 28, "jpeg": 35}, "swap": {"swap": 24, "edit": 28, "jpeg": 35},
         "edit": {"swap": 30, "edit": 20, "jpeg": 35}, "swap+edit": {"swap": 18, "edit": 19, "jpeg": 35}}  # fmt: skip


def make_sweep(root: Path, right: dict[str, dict[str, int]], parameter: str = "tagger.leave_out") -> Path:
    sweep = SweepFolder(root)
    for number, (left, matched) in enumerate(right.items()):
        names = left.split("+") if left else []
        trial = sweep.add(number, {}, {parameter: names})
        (sweep.folder(trial.id) / "result.json").write_text(json.dumps({"state": "finished", "metrics": {}}))
        rows = [
            {"attack": attack, "view": view, "kind": kind, "picture": f"p{person}", "identity": f"i{person}",
             "bits": 36, "matched": (count + person % 2 if kind == "tagged" else 18) - (view == "face")}
            for attack, count in matched.items() for view in ("frame", "face") for kind in ("tagged", "null")
            for person in range(20) if attack != "jpeg" or person < 10
        ]  # fmt: skip
        (sweep.folder(trial.id) / "bench").mkdir()
        pd.DataFrame(rows).to_parquet(sweep.folder(trial.id) / "bench" / "records.parquet")
    return root


def test_each_attack_is_read_by_the_taggers_that_met_none_the_others_and_all(tmp_path: Path) -> None:
    lines = {line.attack: line for line in leave_one_out(make_sweep(tmp_path, RIGHT))}
    assert list(lines) == ["edit", "swap", "jpeg"]
    swap = lines["swap"]
    found = (swap.none, swap.others, swap.met, swap.carried, swap.missing)
    assert [round(36 * one.estimate, 6) if one else None for one in found] == [18.5, 24.5, 30.5, 6, 6]
    assert swap.met.low < swap.met.estimate < swap.met.high
    assert swap.met.n_clusters == 20


def test_an_attack_that_no_trial_leaves_out_has_no_column_of_its_own(tmp_path: Path) -> None:
    jpeg = leave_one_out(make_sweep(tmp_path, RIGHT))[-1]
    assert jpeg.attack == "jpeg"
    assert [jpeg.others, jpeg.carried, jpeg.missing] == [None, None, None]
    assert jpeg.met.n == 10


def test_views_are_kept_apart_and_untagged_pictures_out(tmp_path: Path) -> None:
    face = {line.attack: line for line in leave_one_out(make_sweep(tmp_path, RIGHT), "face")}
    assert round(36 * face["edit"].met.estimate, 6) == 27.5


def test_without_the_trial_that_met_none_that_column_is_empty(tmp_path: Path) -> None:
    lines = leave_one_out(make_sweep(tmp_path, {name: row for name, row in RIGHT.items() if name != "swap+edit"}))
    assert all(line.none is None and line.carried is None for line in lines)
    assert "| edit | – | 56.9 (" in markdown(lines)


@pytest.mark.parametrize(
    ("right", "parameter", "sentence"),
    [
        ({"swap": RIGHT["swap"]}, "tagger.leave_out", "no finished trial with an empty"),
        (RIGHT, "tagger.learning_rate", "has no tagger.leave_out"),
    ],
)
def test_another_sweep_is_refused_with_a_sentence(
    tmp_path: Path, right: dict[str, dict[str, int]], parameter: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_sweep(tmp_path, right, parameter)
    with pytest.raises(ConfigError, match=sentence):
        leave_one_out(folder)
    assert main([str(folder)]) == 1
    assert sentence in capsys.readouterr().err
