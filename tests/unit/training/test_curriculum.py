"""Message first, attacks by merit, quality last."""

from hypothesis import given
from hypothesis import strategies as st

from faketagger.training.curriculum import Curriculum


def _feed(curriculum: Curriculum, clean: float, attacked: float | None, steps: int) -> None:
    for _ in range(steps):
        curriculum.update(clean, attacked)


def test_stays_with_the_message_while_nothing_is_learnt() -> None:
    curriculum = Curriculum()
    _feed(curriculum, 0.5, None, 2000)
    assert (curriculum.stage, curriculum.psnr, curriculum.attack_share) == ("message", curriculum.start_psnr, 0.0)


def test_climbs_to_its_target_when_all_goes_well() -> None:
    curriculum = Curriculum(ramp=50, climb=0.1)
    stages = []
    for _ in range(1000):
        curriculum.update(1.0, None if curriculum.stage == "message" else 0.99)
        stages.append(curriculum.stage)
    assert list(dict.fromkeys(stages)) == ["message", "attacks", "quality"]
    assert curriculum.psnr == curriculum.target_psnr
    assert curriculum.attack_share == 1.0


def test_gives_way_when_attacks_win() -> None:
    curriculum = Curriculum(ramp=10, climb=0.1)
    _feed(curriculum, 1.0, 1.0, 1000)
    top = curriculum.psnr
    _feed(curriculum, 1.0, 0.6, 300)
    assert curriculum.stage == "quality"
    assert curriculum.psnr < top - 5


@given(st.lists(st.tuples(st.floats(0, 1), st.none() | st.floats(0, 1)), max_size=200))
def test_always_within_its_ranges_and_resumable(history: list[tuple[float, float | None]]) -> None:
    one, other = Curriculum(ramp=5, climb=0.5), Curriculum(ramp=5, climb=0.5)
    for index, (clean, attacked) in enumerate(history):
        one.update(clean, attacked)
        other.update(clean, attacked)
        if index == len(history) // 2:
            resumed = Curriculum(ramp=5, climb=0.5)
            resumed.restore(other.state())
            other = resumed
        assert one.start_psnr <= one.psnr <= one.target_psnr
        assert 0 <= one.attack_share <= 1
    assert one.state() == other.state()
