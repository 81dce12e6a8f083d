"""Payload + CRC, enciphered as one block: strangers can neither read it nor write one that passes the check.

Encode-then-encipher (Bellare and Rogaway, ASIACRYPT 2000): a keyed permutation of the exact k-bit domain
turns every change of the block into a random block, which passes the CRC with probability ``2**-crc_bits``.
The permutation is a Feistel network on two (nearly) equal halves as in FF1 (NIST SP 800-38G), with
HMAC-SHA256 as its round function; it is a bijection of k-bit integers by construction, without cycle
walking.
"""

from faketagger.coding.keys import keyed_bytes

CRC_POLYNOMIALS = {8: 0x07, 12: 0x80F, 16: 0x1021, 24: 0x864CFB, 32: 0x04C11DB7}
"""Width to polynomial (leading term left out); shift register starts at all ones."""

ROUNDS = 10


def crc(value: int, bits: int, width: int) -> int:
    """Cyclic redundancy check.

    Args:
        value: The number to check, ``0 <= value < 2**bits``, most significant bit first.
        bits: Its width.
        width: Width of the check, one of :data:`CRC_POLYNOMIALS`.

    Returns:
        The check, ``0 <= crc < 2**width``.
    """
    register = (1 << width) - 1
    for position in reversed(range(bits)):
        carry = (register >> (width - 1)) ^ (value >> position & 1)
        register = (register << 1) & ((1 << width) - 1)
        if carry:
            register ^= CRC_POLYNOMIALS[width]
    return register


class BlockCipher:
    """Keyed permutation of the integers below ``2**bits``.

    Args:
        key: The secret.
        label: Binds the permutation to its use.
        bits: Width of a block, at least 2.
    """

    def __init__(self, key: bytes, label: bytes, bits: int) -> None:
        self._key = key
        self._label = label
        self._widths = (bits // 2, bits - bits // 2)

    def encrypt(self, block: int) -> int:
        """Map ``0 <= block < 2**bits`` to its image under the permutation."""
        left, right = block >> self._widths[1], block & ((1 << self._widths[1]) - 1)
        for step in range(ROUNDS):
            left, right = right, left ^ self._round(step, right)
        return left << self._widths[1] | right

    def decrypt(self, block: int) -> int:
        """Invert :meth:`encrypt`."""
        left, right = block >> self._widths[1], block & ((1 << self._widths[1]) - 1)
        for step in reversed(range(ROUNDS)):
            left, right = right ^ self._round(step, left), left
        return left << self._widths[1] | right

    def _round(self, step: int, half: int) -> int:
        out_width, in_width = self._widths[step % 2], self._widths[1 - step % 2]
        label = self._label + bytes([step]) + half.to_bytes(-(-in_width // 8), "big")
        stream = keyed_bytes(self._key, label, -(-out_width // 8))
        return int.from_bytes(stream, "big") >> (-out_width % 8)
