"""The key, and every pseudo-random bit that is drawn from it (HMAC-SHA256 in counter mode)."""

import hmac
import os

import numpy as np
from numpy.typing import NDArray

from faketagger.errors import PayloadError

DEFAULT_KEY = b"faketagger public default key: anyone can read and write with it"
"""Key of the shipped taggers. It stands in public source: it hides nothing and protects against no forger."""

KEY_VARIABLE = "FAKETAGGER_KEY"


def key_from(key: str | bytes | None = None) -> bytes:
    """Choose the key to work with.

    Args:
        key: The key itself (text is taken as UTF-8); None looks into the environment variable
            ``FAKETAGGER_KEY`` and falls back to the public :data:`DEFAULT_KEY`. Use at least 16 random
            bytes where secrecy matters.

    Returns:
        The key as bytes.

    Raises:
        PayloadError: The key is empty.
    """
    if key is None:
        key = os.environ.get(KEY_VARIABLE, DEFAULT_KEY)
    content = key.encode("utf-8", "surrogateescape") if isinstance(key, str) else bytes(key)
    if not content:
        raise PayloadError("The key is empty.", f"Give a key, or unset {KEY_VARIABLE} to use the public one.")
    return content


def keyed_bytes(key: bytes, label: bytes, count: int) -> bytes:
    """Pseudo-random bytes: HMAC-SHA256(key, counter ‖ label) for counter = 0, 1, ... (8 bytes, big-endian).

    Args:
        key: The secret.
        label: What the bytes are for; different labels give independent streams.
        count: How many bytes.

    Returns:
        ``count`` bytes.
    """
    blocks = (hmac.digest(key, i.to_bytes(8, "big") + label, "sha256") for i in range(-(-count // 32)))
    return b"".join(blocks)[:count]


def keyed_bits(key: bytes, label: bytes, bits: int) -> NDArray[np.uint8]:
    """Pseudo-random bits (bits,) in {0, 1}: the first bits of :func:`keyed_bytes`, most significant first."""
    stream = np.frombuffer(keyed_bytes(key, label, -(-bits // 8)), np.uint8)
    return np.unpackbits(stream, count=bits)


def keyed_order(key: bytes, label: bytes, length: int) -> NDArray[np.intp]:
    """Pseudo-random permutation of ``range(length)``: the order that sorts keyed 64-bit numbers."""
    stream = np.frombuffer(keyed_bytes(key, label, 8 * length), ">u8")
    return np.argsort(stream, kind="stable")


def random_message(key: str | bytes, label: str, bits: int) -> NDArray[np.uint8]:
    """A message without a payload, fresh for every label: what the benchmark embeds.

    Its bits are fair and independent for anyone who lacks the key, which is what makes
    :func:`~faketagger.coding.match_p_value` of a read valid whatever the bias of the tagger's decoder.

    Args:
        key: The secret.
        label: Names the picture and its draw, e.g. ``"seed 0/image 17"``.
        bits: Length L.

    Returns:
        uint8 (L,) in {0, 1}.
    """
    return keyed_bits(key_from(key), b"faketagger/random-message/" + label.encode(), bits)
