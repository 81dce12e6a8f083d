"""Keys and what is drawn from them; the golden values pin the stream for every message ever issued."""

import numpy as np
import pytest
from scipy.stats import binomtest

from faketagger.coding import DEFAULT_KEY, key_from, random_message
from faketagger.coding.keys import keyed_order
from faketagger.errors import PayloadError


def test_random_message_is_pinned() -> None:
    assert np.packbits(random_message(b"golden", "image 7", 64)).tobytes().hex() == "7a7f0b412459d6e5"


def test_keyed_order_is_pinned() -> None:
    assert keyed_order(b"golden", b"order", 8).tolist() == [3, 7, 4, 6, 2, 1, 5, 0]


def test_random_message_is_fresh_per_label_and_key_and_otherwise_the_same() -> None:
    message = random_message("a key", "one", 300)
    assert message.dtype == np.uint8
    assert message.shape == (300,)
    assert np.array_equal(message, random_message(b"a key", "one", 300))
    assert np.array_equal(message[:100], random_message("a key", "one", 100))
    for other in (random_message("a key", "two", 300), random_message("b key", "one", 300)):
        assert binomtest(int((message == other).sum()), 300, 0.5).pvalue > 1e-6


def test_random_messages_are_fair_at_every_position() -> None:
    ones = sum(random_message(b"k", f"{i}", 64).astype(int) for i in range(2000))
    assert all(binomtest(int(count), 2000, 0.5).pvalue > 1e-5 for count in ones)


def test_key_from_prefers_the_argument_then_the_environment_then_the_public_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FAKETAGGER_KEY", raising=False)
    assert key_from() == DEFAULT_KEY
    monkeypatch.setenv("FAKETAGGER_KEY", "sésame")
    assert key_from(None) == "sésame".encode()
    assert key_from("mine") == b"mine"
    assert key_from(b"\x00\xff") == b"\x00\xff"


def test_an_empty_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKETAGGER_KEY", "")
    for key in (None, "", b""):
        with pytest.raises(PayloadError, match="key is empty"):
            key_from(key)
