"""The pool draws fairly, applies each attack once, puts pictures back in place and repeats itself."""

import math
from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from faketagger.errors import ConfigError
from faketagger.simulator import Attack, AttackBatch, AttackOutput, AttackPool, PoolEntry, build
from faketagger.simulator.interface import Family
from tests.unit.simulator.attack_suite import batch_of, scene


def ramp(count: int) -> AttackBatch:
    """Flat pictures, each of its own grey, so that a picture out of place shows."""
    greys = torch.linspace(0.3, 0.6, count).view(-1, 1, 1, 1)
    return AttackBatch(greys.expand(count, 3, 8, 8), torch.zeros(count, 68, 2))


class Counting(Attack):
    """Counts its calls and pictures; not graded; tells nothing."""

    name: ClassVar[str] = "counting"
    family: ClassVar[Family] = "degradation"

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def apply(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:  # type: ignore[override]
        self.calls.append(len(batch.images))
        return AttackOutput(
            batch.images, ["failed"] * len(batch.images), torch.zeros_like(batch.images[:, :1])
        )


class Shifting(Counting):
    """Tells that every landmark went one pixel to the right."""

    name: ClassVar[str] = "shifting"

    def apply(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:  # type: ignore[override]
        return replace(super().apply(batch, rng), landmarks=batch.landmarks + torch.tensor([1.0, 0.0]))


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 12), seed=st.integers(0, 1000))
def test_every_picture_comes_back_in_its_place(count: int, seed: int) -> None:
    batch = ramp(count)
    pool = AttackPool.from_spec({"identity": 1, "flip": 1, "brightness": {"severity": [0.1, 0.3]}})
    output = pool(batch, torch.Generator().manual_seed(seed))
    for index, detail in enumerate(output.details):
        added = detail["severity"] if detail["attack"] == "brightness" else 0.0
        torch.testing.assert_close(output.images[index], batch.images[index] + added)
        assert output.status[index] == ("passed_through" if detail["attack"] == "identity" else "attacked")
        assert bool((output.masks[index] == (detail["attack"] != "identity")).all())


@pytest.mark.parametrize("chain", [1, 2])
def test_landmarks_go_where_each_picture_went(chain: int) -> None:
    """Those of mirrored pictures by the homography, those that an attack tells as told, others stay."""
    batch = AttackBatch(ramp(12).images, torch.full((12, 68, 2), 2.0))
    pool = AttackPool([PoolEntry(build("flip")), PoolEntry(Shifting()), PoolEntry(build("identity"))], chain=chain)
    output = pool(batch, torch.Generator().manual_seed(0))
    assert output.landmarks is not None
    assert output.landmarks.shape == (12, 68, 2)
    met = [detail["attack"].split("+") for detail in output.details]
    assert len({tuple(names) for names in met}) >= 3
    for names, points in zip(met, output.landmarks, strict=True):
        x = 2.0
        for name in names:
            x = {"flip": 7 - x, "shifting": x + 1, "identity": x}[name]
        torch.testing.assert_close(points, torch.tensor([x, 2.0]).expand(68, 2))


def test_same_seed_same_result_and_another_seed_another() -> None:
    pool = AttackPool.from_spec({"noise": 1, "crop": 1, "jpeg": 1, "rain": 1}, chain=2)
    one, again, other = (pool(batch_of(scene(6)), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.images, again.images)
    assert one.details == again.details
    assert one.details != other.details


def test_draws_follow_the_weights() -> None:
    pool = AttackPool.from_spec({"identity": 3, "flip": 1})
    output = pool(ramp(2000), torch.Generator().manual_seed(0))
    share = sum(detail["attack"] == "identity" for detail in output.details) / 2000
    assert abs(share - 0.75) < 4 * math.sqrt(0.75 * 0.25 / 2000)


def test_severities_are_drawn_per_image_over_the_whole_range() -> None:
    pool = AttackPool.from_spec({"brightness": {"severity": [-0.1, 0.2]}})
    drawn = [detail["severity"] for detail in pool(ramp(400), torch.Generator().manual_seed(0)).details]
    assert -0.1 <= min(drawn) < -0.09
    assert 0.19 < max(drawn) <= 0.2


def test_training_range_is_the_default() -> None:
    pool = AttackPool.from_spec({"gamma": 1})
    drawn = [detail["severity"] for detail in pool(ramp(400), torch.Generator().manual_seed(0)).details]
    low, high = build("gamma").training_range  # type: ignore[misc]
    assert low <= min(drawn) < low + 0.05
    assert high - 0.05 < max(drawn) <= high


def test_each_attack_is_applied_once_to_all_its_pictures() -> None:
    attack = Counting()
    pool = AttackPool([PoolEntry(attack), PoolEntry(build("flip"))])
    output = pool(ramp(32), torch.Generator().manual_seed(0))
    assert attack.calls == [sum(detail["attack"] == "counting" for detail in output.details)]
    assert 0 < attack.calls[0] < 32


def test_chain_names_its_links_and_keeps_the_worst_status() -> None:
    pool = AttackPool([PoolEntry(Counting()), PoolEntry(build("brightness"))], chain=3)
    output = pool(ramp(32), torch.Generator().manual_seed(0))
    for status, detail, mask in zip(output.status, output.details, output.masks, strict=True):
        links = detail["attack"].split("+")
        assert len(links) == len(detail["severity"]) == 3
        assert status == ("failed" if "counting" in links else "attacked")
        assert bool((mask == ("brightness" in links)).all())
        assert [value is None for value in detail["severity"]] == [link == "counting" for link in links]


def test_gradient_reaches_every_picture() -> None:
    images = scene(8).requires_grad_()
    pool = AttackPool.from_spec({"jpeg": 1, "blur": 1, "rotation": 1, "quantise": 1})
    pool(batch_of(images), torch.Generator().manual_seed(0)).images.sum().backward()
    assert images.grad is not None
    assert bool((images.grad.abs().sum(dim=(1, 2, 3)) > 0).all())


def test_pool_moves_its_attacks_with_it_and_has_no_state() -> None:
    pool = AttackPool.from_spec({"jpeg": 1, "blur": 1})
    assert [type(attack).__name__ for attack in pool.attacks] == ["Jpeg", "Blur"]
    assert not pool.state_dict()


@pytest.mark.parametrize(
    ("spec", "chain", "says"),
    [
        ({}, 1, "at least one"),
        ({"jpeg": 0}, 1, "weight"),
        ({"jpeg": math.nan}, 1, "weight"),
        ({"jpeg": 1}, 0, "chain"),
        ({"jpeg": {"severity": [50, 200]}}, 1, "severities"),
        ({"jpeg": {"severity": [90, 50]}}, 1, "severities"),
        ({"jpgg": 1}, 1, "no white-box attack"),
    ],
)
def test_bad_pools_are_errors(spec: dict[str, object], chain: int, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        AttackPool.from_spec(spec, chain)  # type: ignore[arg-type]


def test_severity_range_for_an_attack_without_severity_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no severity"):
        AttackPool([PoolEntry(Counting(), severity=(0, 1))])


def test_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError) as error:
        build("jpge")
    assert error.value.hint == "did you mean 'jpeg'?"
