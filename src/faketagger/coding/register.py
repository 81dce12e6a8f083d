"""Reading among the payloads that one has written: far fewer candidates than there could be, so weaker tags count."""

from collections.abc import Iterable
from uuid import UUID

from numpy.typing import ArrayLike

from faketagger.coding.codec import Codec, Decoded
from faketagger.coding.evidence import Evidence, checked_logits
from faketagger.coding.payload import Payload
from faketagger.errors import PayloadError


class Register:
    """Known payloads under one key, in the place of the codec where a message is read.

    A payload of 32 bits pays for four thousand million candidates; a register of a thousand for a thousand.

    Args:
        codec: Code and key of the tagger.
        payloads: What was written, each anything that :meth:`Payload.parse` reads; doubles count once.

    Attributes:
        message_bits: Length L of a message.
        payloads: The different payloads.

    Raises:
        PayloadError: There are none, or one cannot be read or is too long.
    """

    def __init__(self, codec: Codec, payloads: Iterable[Payload | str | int | bytes | UUID]) -> None:
        self.message_bits = codec.message_bits
        self.payloads = list(dict.fromkeys(Payload.parse(payload, codec.payload_bits) for payload in payloads))
        if not self.payloads:
            raise PayloadError("A register needs at least one payload.", "One a line, as given to `faketagger tag`.")
        self._messages = codec.encode_batch(self.payloads)

    def decode(self, logits: ArrayLike) -> Decoded:
        """Find the known message that a read contradicts least.

        Args:
            logits: As for :meth:`Codec.decode`.

        Returns:
            The closest payload, whatever its distance, and the chance that an unrelated read is as close to any.

        Raises:
            PayloadError: The logits have another shape, are not numbers or contain NaN.
        """
        soft = checked_logits(logits, self.message_bits)
        evidence = Evidence(soft)
        lost = evidence.lost(self._messages)
        closest = int(lost.argmin())
        payload = self.payloads[closest] if soft.any() else None
        p_value = evidence.p_value(int(lost[closest]), len(self.payloads))
        return Decoded.of(soft, self._messages[closest], payload, p_value)
