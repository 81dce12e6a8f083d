"""Messages are fresh for every picture, decode to their payload, and score honestly."""

import numpy as np

from faketagger.bench.messages import MessageSource
from faketagger.coding import match_p_value

BITS = 64


def source(key: str = "k") -> MessageSource:
    return MessageSource(key, "protocol/1/0", BITS, 24, 12)


def test_every_picture_and_every_null_has_its_own_message() -> None:
    messages = [source().message("tagged", f"p{i}") for i in range(200)]
    assert len({message.tobytes() for message in messages}) == 200
    null = source().message("null/jpeg", "p0")
    assert not np.array_equal(null, messages[0])
    assert not np.array_equal(null, source().message("null/blur", "p0"))
    assert not np.array_equal(messages[0], source("other").message("tagged", "p0"))
    assert np.array_equal(messages[0], source().message("tagged", "p0"))


def test_bits_are_fair_and_independent_of_their_place() -> None:
    bits = np.stack([source().message("tagged", f"p{i}") for i in range(1500)])
    assert np.all(np.abs(bits.mean(0) - 0.5) < 5 * 0.5 / np.sqrt(1500))
    pairs = np.corrcoef(bits.T)[np.triu_indices(BITS, 1)]
    assert np.abs(pairs).max() < 6 / np.sqrt(1500)


def test_a_perfect_read_scores_fully_and_a_damaged_one_by_its_matches() -> None:
    message = source().message("tagged", "p")
    logits = 2.0 * message - 1.0
    perfect = source().score(logits, "tagged", "p")
    assert (perfect.matched, perfect.exact, perfect.p_value) == (BITS, True, match_p_value(BITS, BITS))
    logits[:3] *= -1
    damaged = source().score(logits, "tagged", "p")
    assert (damaged.matched, damaged.exact) == (BITS - 3, True)
    opposite = source().score(1.0 - 2.0 * message, "tagged", "p")
    assert (opposite.matched, opposite.exact, opposite.p_value) == (0, False, 1.0)


def test_nothing_read_counts_as_chance() -> None:
    nothing = source().score(None, "tagged", "p")
    assert (nothing.bits, nothing.matched, nothing.p_value, nothing.exact) == (BITS, BITS // 2, 1.0, False)
