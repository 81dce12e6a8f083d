"""Two runs compared: the sign and the size of a difference, pairs instead of places, messages of any length."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faketagger.bench.differences import find_differences, markdown
from faketagger.bench.pairing import paired
from faketagger.cli.main import run
from tests.helpers.made_runs import make_run


def reads(matched: list[int], bits: int = 64, people: int | None = None) -> pd.DataFrame:
    count = len(matched)
    return pd.DataFrame(
        {
            "picture": [f"p{number}" for number in range(count)],
            "identity": [f"person {number % (people or count)}" for number in range(count)],
            "matched": matched,
            "bits": bits,
        }
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 64), st.integers(0, 64)), min_size=2, max_size=20), st.randoms())
def test_a_difference_is_the_second_minus_the_first_whatever_the_order_of_the_pictures(pairs: list, order) -> None:
    first, second = (list(side) for side in zip(*pairs, strict=True))
    shuffled = reads(second).sample(frac=1, random_state=order.randint(0, 99))
    found = paired(reads(first), shuffled, seed=0, resamples=200)
    wanted = (sum(second) - sum(first)) / (64 * len(pairs))
    assert found.interval.estimate == pytest.approx(wanted)
    back = paired(shuffled, reads(first), seed=0, resamples=200)
    assert back.interval.estimate == pytest.approx(-wanted)
    assert back.p_value == pytest.approx(found.p_value)


def test_messages_of_other_lengths_are_compared_by_their_shares() -> None:
    found = paired(reads([32, 64], bits=64), reads([24, 32], bits=32), seed=0, resamples=200)
    assert found.interval.estimate == pytest.approx((0.25 + 0.0) / 2)


def test_pairs_see_what_intervals_side_by_side_do_not() -> None:
    rng = np.random.default_rng(3)
    first = rng.integers(30, 60, 40)
    found = paired(reads(first.tolist()), reads((first + 2).tolist()), seed=0, resamples=400)
    assert found.interval.low == pytest.approx(2 / 64)
    assert found.p_value < 0.01


def test_two_runs_of_one_benchmark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path / "a", "first", psnr_db=38)
    make_run(tmp_path / "b", "second", psnr_db=40, loss=0.1)
    names, found = find_differences(tmp_path / "a", tmp_path / "b")
    assert names == ["first", "second"]
    rows = {(row.label, row.view): row for row in found}
    jpeg = rows["jpeg 50", "frame"]
    assert jpeg.interval.high < 0
    assert jpeg.interval.estimate == pytest.approx(jpeg.bits[1] - jpeg.bits[0])
    assert jpeg.p_holm >= jpeg.p_value
    assert not any(label == "a tool that is not there" for label, _ in rows)
    lines = markdown(names, found).splitlines()
    assert len(lines) == 2 + len({row.label for row in found})
    assert len({line.count("|") for line in lines}) == 1
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "second" in capsys.readouterr().out


def test_one_watermark_measured_twice_is_told_apart_by_the_folders(tmp_path: Path) -> None:
    before, after = (make_run(tmp_path / name, "same") for name in ("before", "after"))
    names, found = find_differences(before, after)
    assert names == ["before", "after"]
    assert all(row.interval.estimate == 0 and row.p_value == 1 for row in found)


def test_what_was_not_measured_alike_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path / "a")
    make_run(tmp_path / "b", seed=5)
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "another seed" in capsys.readouterr().err
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "nothing")]) == 2
    assert "holds no finished benchmark" in capsys.readouterr().err
