"""One message for many pictures: pooled evidence is exact, and the tempting shortcuts are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faketagger.bench.pooling import agreement, pool
from faketagger.bench.statistics import clustered_interval
from faketagger.coding import match_p_value

BITS, PICTURES = 64, 12


def idle_reads(rng: np.random.Generator, pictures: int = PICTURES) -> np.ndarray:
    """Soft bits of a tool that learnt nothing: all pictures alike, the decoder biased towards its own word."""
    return 2.0 * rng.standard_normal(BITS) + 0.7 + 0.5 * rng.standard_normal((pictures, BITS))


def pooled_p(reads: np.ndarray, messages: np.ndarray) -> float:
    """Each message is one donor that gave these same reads."""
    words = [agreement(read, message) for message in messages for read in reads]
    return pool(words, [str(k) for k in range(len(messages)) for _ in reads], BITS).p_value


@pytest.mark.parametrize("donors", [1, 3])
def test_pooled_p_values_are_valid_however_alike_the_reads_are(donors: int) -> None:
    rng = np.random.default_rng(1)
    p_values = np.array([pooled_p(idle_reads(rng), rng.integers(0, 2, (donors, BITS))) for _ in range(1500)])
    for nominal in (0.2, 0.05, 0.01):
        spread = np.sqrt(nominal * (1 - nominal) / len(p_values))
        assert np.mean(p_values <= nominal) <= nominal + 3.5 * spread
    assert np.mean(p_values <= 0.2) > 0.08


def test_one_model_read_against_fresh_messages_is_valid_too() -> None:
    rng = np.random.default_rng(2)
    reads = idle_reads(rng)
    p_values = np.array([pooled_p(reads, rng.integers(0, 2, (1, BITS))) for _ in range(1500)])
    assert np.mean(p_values <= 0.01) <= 0.01 + 3.5 * np.sqrt(0.01 / 1500)


def test_adding_up_the_bits_of_all_pictures_would_be_wrong() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(500):
        message = rng.integers(0, 2, BITS)
        matched = int(((idle_reads(rng) > 0) == message).sum())
        hits += match_p_value(matched, BITS * PICTURES) <= 0.01
    assert hits / 500 > 0.1


def test_single_pictures_are_valid_but_hit_together() -> None:
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(1000):
        message = rng.integers(0, 2, BITS)
        reads = idle_reads(rng) > 0
        shares.append(np.mean([match_p_value(int((read == message).sum()), BITS) <= 0.05 for read in reads]))
    assert np.mean(shares) <= 0.05 + 0.01
    assert np.std(shares) > 1.5 * np.sqrt(0.05 * 0.95 / PICTURES)


def test_pooling_finds_what_no_single_picture_shows() -> None:
    rng = np.random.default_rng(5)
    message = rng.integers(0, 2, BITS)
    reads = 0.25 * (2 * message - 1) + rng.standard_normal((40, BITS))
    singles = [match_p_value(int(((read > 0) == message).sum()), BITS) for read in reads]
    assert np.median(singles) > 1e-3
    assert pooled_p(reads, message[None]) < 1e-6


def test_donors_are_what_an_interval_must_resample() -> None:
    rng = np.random.default_rng(6)
    covered = {"donor": 0, "picture": 0}
    for trial in range(300):
        skill = np.repeat(rng.beta(30, 20, 20), PICTURES)
        matched = rng.binomial(BITS, skill)
        donor = np.repeat(np.arange(20), PICTURES)
        for unit, names in (("donor", donor), ("picture", np.arange(len(donor)))):
            found = clustered_interval(matched, np.full(len(matched), BITS), names, seed=trial % 4, resamples=400)
            covered[unit] += found.low <= 0.6 <= found.high
    assert 0.90 <= covered["donor"] / 300 <= 0.99
    assert covered["picture"] / 300 < 0.75


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 4))
def test_order_and_loudness_of_pictures_do_not_matter(seed: int, pictures: int, donors: int) -> None:
    rng = np.random.default_rng(seed)
    messages = rng.integers(0, 2, (donors, BITS))
    names = [str(k) for k in range(donors) for _ in range(pictures)]
    reads = rng.standard_normal((len(names), BITS))
    words = [agreement(read, messages[int(name)]) for read, name in zip(reads, names, strict=True)]
    loud = [agreement(7 * read, messages[int(name)]) for read, name in zip(reads, names, strict=True)]
    order = rng.permutation(len(names))
    straight = pool(words, names, BITS)
    assert straight == pool([words[i] for i in order], [names[i] for i in order], BITS)
    assert abs(straight.matched - pool(loud, names, BITS).matched) <= 1
    assert (straight.donors, straight.bits) == (donors, donors * BITS)


def test_nothing_read_and_silent_reads_say_nothing() -> None:
    assert pool([], [], BITS).p_value == 1.0
    silent = agreement(np.zeros(BITS), np.ones(BITS))
    assert pool([silent], ["0"], BITS).p_value == 1.0
