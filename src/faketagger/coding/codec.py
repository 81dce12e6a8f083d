"""Payload to redundant message and back.

payload ‖ CRC → keyed permutation (:mod:`.cipher`) → block code (:mod:`.bch`) → cyclic repetition to L bits →
keyed interleaving → keyed pad. Reading undoes the pad on the logits, adds up the copies of each code bit, lists
the nearest codewords (:mod:`.osd`) and takes the first that passes the check and is close enough for that to
mean something (list decoding with an outer check: Tal and Vardy, IEEE Trans. IT 61(5), 2015).

Message order: code bit ``i % n`` stands at repeated position ``i``; message bit ``j`` is repeated bit
``order[j]`` XOR ``pad[j]``, where ``order`` and ``pad`` come from the key. Integers are written most
significant bit first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faketagger.coding.bch import choose_code
from faketagger.coding.cipher import CRC_POLYNOMIALS, BlockCipher, crc
from faketagger.coding.evidence import Evidence, checked_logits
from faketagger.coding.keys import DEFAULT_KEY, key_from, keyed_bits, keyed_order
from faketagger.coding.osd import nearest_codewords
from faketagger.coding.payload import Payload
from faketagger.errors import PayloadError

MAX_MESSAGE_BITS = 4096
_LISTED = 64
"""Codewords tried in one read."""


@dataclass(frozen=True)
class Decoded:
    """What one message says.

    Attributes:
        payload: The payload, or None when no codeword near enough passes the check. Alone it proves nothing: a
            random word yields one with probability ``Codec.undetected_error_rate``. Decide presence by ``p_value``.
        confidence: Share of the soft evidence ``sum(|logit|)`` that agrees with the decoded message, in [0,
            1]; 1 when every logit agrees, 0 without a payload.
        matched: Hard bits that agree with the decoded message; with the nearest codeword without a payload.
        p_value: Chance that an unrelated read leaves as little soft evidence against any of the
            ``2**payload_bits`` messages (:mod:`.evidence`); 1 without a payload.
        compared: Hard bits compared; logits of exactly 0 are erasures and not counted.
    """

    payload: Payload | None
    confidence: float
    matched: int
    p_value: float
    compared: int

    @classmethod
    def of(
        cls, soft: NDArray[np.float64], message: NDArray[np.uint8], payload: Payload | None, p_value: float
    ) -> "Decoded":
        """Judge soft bits (L,) by a message (L,); without a payload nothing is significant."""
        strength, agrees = np.abs(soft), (soft > 0) == message.astype(bool)
        present = strength > 0
        matched, compared = int(agrees[present].sum()), int(present.sum())
        if payload is None:
            return cls(None, 0.0, matched, 1.0, compared)
        return cls(payload, float(strength[agrees].sum() / strength.sum()), matched, p_value, compared)


class Codec:
    """Code and key of one tagger.

    The same payload under the same key is always the same message, and a message copied as a whole is read as
    genuine: the key stops strangers from reading payloads and from writing payloads of their own.

    Args:
        message_bits: Length L of a message, at most 4096.
        payload_bits: Payload bits it carries, at least 1.
        crc_bits: Width of the check: 8, 12, 16, 24 or 32.
        key: The secret; the default is public.

    Raises:
        PayloadError: Payload and check do not fit into the message, or the key is empty.
    """

    def __init__(
        self, message_bits: int, payload_bits: int = 24, crc_bits: int = 12, key: str | bytes = DEFAULT_KEY
    ) -> None:
        if not 1 <= message_bits <= MAX_MESSAGE_BITS:
            raise PayloadError(f"A message has 1 to {MAX_MESSAGE_BITS} bits, not {message_bits}.")
        if crc_bits not in CRC_POLYNOMIALS:
            raise PayloadError(f"The check has {', '.join(map(str, CRC_POLYNOMIALS))} bits, not {crc_bits}.")
        if payload_bits < 1 or payload_bits + crc_bits > message_bits:
            room = max(message_bits - crc_bits, 0)
            raise PayloadError(
                f"A message of {message_bits} bits carries at most {room} payload bits beside its "
                f"{crc_bits}-bit check, and at least 1 is needed; {payload_bits} were asked for."
            )
        self.message_bits = message_bits
        self.payload_bits = payload_bits
        self.crc_bits = crc_bits
        self.code = choose_code(payload_bits + crc_bits, message_bits)
        label = f"faketagger/codec 1/{message_bits}/{payload_bits}/{crc_bits}/".encode()
        secret = key_from(key)
        self._cipher = BlockCipher(secret, label + b"cipher/", self.code.k)
        self._order = keyed_order(secret, label + b"order", message_bits)
        self._pad = keyed_bits(secret, label + b"pad", message_bits)

    def __repr__(self) -> str:
        return (
            f"Codec({self.message_bits} bits: {self.payload_bits} payload + {self.crc_bits} check, "
            f"{self.code.name}, {self.promised_flips} flips corrected)"
        )

    @property
    def repetitions(self) -> int:
        """Whole copies of the codeword in a message."""
        return self.message_bits // self.code.n

    @property
    def promised_flips(self) -> int:
        """Hard flips (logits of one magnitude, wrong sign) that are always corrected, wherever they are."""
        return (self.repetitions * self.code.distance - 1) // 2

    @property
    def promised_erasures(self) -> int:
        """Erased bits (logit 0, all others right) that are always filled in, anywhere in the message.

        Together: flips f and erasures e are corrected whenever ``2 * f + e <= promised_erasures``.
        """
        return self.repetitions * self.code.distance - 1

    @property
    def undetected_error_rate(self) -> float:
        """Largest probability that a uniformly random word, or a decoding error, passes: ``2 * 2**-crc_bits``.

        The decoder treats all codewords alike, so the nearest one decodes to a uniformly random k-bit block, of
        which ``2**payload_bits`` pass; the others count where any message comes as close by chance no more often.
        Presence is not decided by it but by the p-value.
        """
        return 2 * 2.0**-self.crc_bits

    def encode(self, payload: Payload | str | int | bytes | UUID) -> NDArray[np.uint8]:
        """Turn a payload into a message.

        Args:
            payload: A payload, or anything :meth:`Payload.parse` reads.

        Returns:
            uint8 (L,) in {0, 1}.

        Raises:
            PayloadError: It needs more than ``payload_bits`` bits or cannot be read.
        """
        value = Payload.parse(payload, self.payload_bits).value
        return self._message(value << self.crc_bits | crc(value, self.payload_bits, self.crc_bits))

    def encode_batch(self, payloads: Iterable[Payload | str | int | bytes | UUID]) -> NDArray[np.uint8]:
        """Turn N payloads into messages, uint8 (N, L); see :meth:`encode`."""
        messages = [self.encode(payload) for payload in payloads]
        return np.array(messages, np.uint8).reshape(len(messages), self.message_bits)

    def _message(self, block: int) -> NDArray[np.uint8]:
        enciphered, k = self._cipher.encrypt(block), self.code.k
        data = np.frombuffer((enciphered << -k % 8).to_bytes(-(-k // 8), "big"), np.uint8)
        return self._spread(self.code.encode(np.unpackbits(data, count=k)))

    def _spread(self, codewords: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Messages (..., L) of codewords (..., n)."""
        return codewords[..., self._order % self.code.n] ^ self._pad

    def decode(self, logits: ArrayLike) -> Decoded:
        """Read a message.

        The p-value holds over the random key or message: for unrelated bits ``P(p_value <= x) <= x`` up to
        a factor of ``1 + 2**-crc_bits`` (see :func:`corrected_p_value`), whichever codewords were listed.

        Args:
            logits: Soft bits (L,), positive for a 1; 0 is an erasure, infinite is sure.

        Returns:
            Payload, confidence, matched bits and p-value.

        Raises:
            PayloadError: The logits have another shape, are not numbers or contain NaN.
        """
        soft = checked_logits(logits, self.message_bits)
        repeated = np.zeros(self.repetitions * self.code.n + self.code.n)
        repeated[self._order] = np.where(self._pad, -soft, soft)
        combined = repeated.reshape(-1, self.code.n).sum(axis=0)
        evidence = Evidence(soft)
        codewords = nearest_codewords(self.code, combined, _LISTED)
        messages = self._spread(codewords)
        for rank, lost in enumerate(evidence.lost(messages).tolist() if soft.any() else []):
            p_value = evidence.p_value(lost, 2**self.payload_bits)
            if rank and p_value > 2.0**-self.crc_bits:
                continue
            value = self._payload_of(codewords[rank])
            if value is not None:
                return Decoded.of(soft, messages[rank], Payload(value, self.payload_bits), p_value)
        return Decoded.of(soft, messages[0], None, 1.0)

    def _payload_of(self, codeword: NDArray[np.uint8]) -> int | None:
        """Payload of a codeword, or None where its check fails."""
        data = np.packbits(codeword[: self.code.k]).tobytes()
        block = self._cipher.decrypt(int.from_bytes(data, "big") >> (-self.code.k % 8))
        value, check = block >> self.crc_bits, block & ((1 << self.crc_bits) - 1)
        return value if check == crc(value, self.payload_bits, self.crc_bits) else None
