"""A fresh keyed message for every picture, and what a blind read of it is worth.

The match p-value is exact because the *message* is random, whatever the decoder's bits look like. So every
picture gets its own codec key: the code word of a random payload under a fresh keyed pad is a uniform random
message, and it can still be decoded to its payload. Nulls (untagged pictures) get fresh messages per scenario
too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faketagger.coding import Codec, Payload, match_p_value, random_message


@dataclass(frozen=True)
class Read:
    """One blind read held against one message.

    Attributes:
        bits: Bits compared.
        matched: Bits that agree; half of them where nothing could be read.
        p_value: Chance that a message drawn at random agrees as well.
        exact: The payload came out of the code word unharmed.
    """

    bits: int
    matched: int
    p_value: float
    exact: bool


class MessageSource:
    """Draws messages and scores reads.

    A watermark without a payload code carries a random message itself: its payload is the message, and is read exactly
    where all L bits are right.

    Args:
        key: Secret of the benchmark.
        label: Protocol, version and seed; goes into every draw.
        message_bits: Bits of the tagger.
        payload_bits: Payload carried by the message.
        crc_bits: Its checksum; None for a watermark without a payload code.
    """

    def __init__(self, key: str, label: str, message_bits: int, payload_bits: int, crc_bits: int | None) -> None:
        self._key, self._label = key, label
        self.message_bits, self._payload_bits, self._crc_bits = message_bits, payload_bits, crc_bits

    def message(self, purpose: str, picture: str) -> NDArray[np.uint8]:
        """The message of one picture.

        Args:
            purpose: ``tagged``, or ``null/<job>`` for the message an untagged picture is held against.
            picture: Name of the picture.

        Returns:
            (L,) of 0 and 1.
        """
        label = f"{self._label}/{purpose}/{picture}"
        if self._crc_bits is None:
            return np.asarray(random_message(self._key, f"{label}/message", self.message_bits), dtype=np.uint8)
        codec, payload = self._codec_and_payload(label, self._crc_bits)
        return np.asarray(codec.encode(payload), dtype=np.uint8)

    def score(self, logits: NDArray[np.floating] | None, purpose: str, picture: str) -> Read:
        """Hold a read against the message of its picture.

        Args:
            logits: (L,) soft bits, positive for 1; None where nothing could be read.
            purpose: As for :meth:`message`.
            picture: Name of the picture.
        """
        length = self.message_bits
        if logits is None:
            return Read(length, length // 2, 1.0, False)
        message = self.message(purpose, picture)
        matched = int(np.count_nonzero((np.asarray(logits) > 0) == (message == 1)))
        exact = matched == length
        if self._crc_bits is not None:
            codec, payload = self._codec_and_payload(f"{self._label}/{purpose}/{picture}", self._crc_bits)
            exact = codec.decode(np.asarray(logits, dtype=np.float64)).payload == payload
        return Read(length, matched, float(match_p_value(matched, length)), exact)

    def _codec_and_payload(self, label: str, crc_bits: int) -> tuple[Codec, Payload]:
        bits = random_message(self._key, f"{label}/payload", self._payload_bits)
        value = int("".join(str(int(bit)) for bit in bits), 2)
        codec = Codec(self.message_bits, self._payload_bits, crc_bits, key=f"{self._key}/{label}")
        return codec, Payload(value=value, bits=self._payload_bits)
