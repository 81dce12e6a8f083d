"""Bits in, bits out: payload to redundant message and back, with one honest p-value a read. numpy only."""

from faketagger.coding.codec import Codec, Decoded
from faketagger.coding.keys import DEFAULT_KEY, key_from, random_message
from faketagger.coding.payload import Payload
from faketagger.coding.pvalues import bits_needed, corrected_p_value, match_p_value
from faketagger.coding.register import Register

__all__ = [
    "DEFAULT_KEY",
    "Codec",
    "Decoded",
    "Payload",
    "Register",
    "bits_needed",
    "corrected_p_value",
    "key_from",
    "match_p_value",
    "random_message",
]
