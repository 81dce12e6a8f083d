"""Strength at a given PSNR: straight, stepped and impossible knobs."""

import math

import pytest

from faketagger.bench.matching import TRIALS, find_strength
from faketagger.errors import WatermarkError


@pytest.mark.parametrize("at_one", [20.0, 37.5, 40.0, 58.0])
def test_a_knob_of_twenty_db_a_decade_takes_two_trials(at_one: float) -> None:
    tried: list[float] = []

    def cost(strength: float) -> float:
        tried.append(strength)
        return at_one - 20 * math.log10(strength)

    strength, reached = find_strength(cost, 40.0, "toy")
    assert reached == pytest.approx(40.0, abs=0.05)
    assert strength == pytest.approx(10 ** ((at_one - 40) / 20), rel=0.01)
    assert len(tried) <= 2


def test_a_knob_that_bends_and_steps_is_still_met() -> None:
    def cost(strength: float) -> float:
        return round(4 * (46 - 9 * math.log2(strength + 0.2))) / 4

    assert find_strength(cost, 40.0, "toy")[1] == pytest.approx(40.0, abs=0.3)


def test_what_cannot_be_held_is_an_error_and_ends() -> None:
    tried: list[float] = []

    def cost(strength: float) -> float:
        tried.append(strength)
        return 33.0

    with pytest.raises(WatermarkError, match=r"toy cannot be held at 40 dB: the nearest it comes is 33\.0 dB"):
        find_strength(cost, 40.0, "toy")
    assert len(tried) <= TRIALS
