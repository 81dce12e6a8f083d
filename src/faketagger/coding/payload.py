"""What the user wants to store in a face: a short number that can be seen as hex, integer, UUID or text."""

import operator
import re
from dataclasses import dataclass
from uuid import UUID

from faketagger.errors import PayloadError

_UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX_FORM = re.compile(r"[0-9a-f]+", re.IGNORECASE)


@dataclass(frozen=True)
class Payload:
    """A non-negative integer of a stated width.

    Attributes:
        value: The payload as an integer, ``0 <= value < 2**bits``.
        bits: Width in bits, at least 1.

    Raises:
        PayloadError: The value is negative or needs more than ``bits`` bits.
    """

    value: int
    bits: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise PayloadError("A payload is a whole number from 0 upwards, not a negative one.")
        if self.bits < 1:
            raise PayloadError(f"A payload needs at least 1 bit, not {self.bits}.")
        if self.value.bit_length() > self.bits:
            raise _too_long(self.value.bit_length(), self.bits)

    @classmethod
    def parse(cls, content: "Payload | str | int | bytes | UUID", bits: int) -> "Payload":
        """Read a payload from whatever the user gave.

        A string is taken as hex when it starts with ``0x`` or has exactly ``ceil(bits / 4)`` hex digits
        (the form ``str(payload)`` prints; a text of that many characters could never fit), as a UUID in its
        dashed form, and as text otherwise. ``hex:``, ``int:``, ``uuid:`` and ``text:`` in front settle it
        by hand.

        Args:
            content: Payload, string, integer, bytes (big-endian) or UUID.
            bits: Width that is available.

        Returns:
            The payload, ``bits`` wide.

        Raises:
            PayloadError: It cannot be read as said, or needs more than ``bits`` bits.
        """
        match content:
            case Payload():
                return cls(content.value, bits)
            case UUID():
                return cls.from_uuid(content, bits)
            case bytes():
                return cls._from_bytes(content, bits)
            case str():
                return cls._from_string(content, bits)
        return cls.from_int(content, bits)

    @classmethod
    def from_hex(cls, text: str, bits: int) -> "Payload":
        """Payload from hex digits, with or without ``0x``. Raises PayloadError if too long or not hex."""
        digits = text[2:] if text[:2].lower() == "0x" else text
        if not _HEX_FORM.fullmatch(digits):
            raise PayloadError(f"{text!r} is not a hexadecimal payload.", "Use the digits 0-9 and a-f only.")
        return cls(int(digits, 16), bits)

    @classmethod
    def from_int(cls, value: int, bits: int) -> "Payload":
        """Payload from a whole number ``>= 0``, numpy's too. Raises PayloadError if negative or too long."""
        if isinstance(value, bool):
            raise PayloadError("A payload is a string, whole number, bytes or UUID, not a bool.")
        try:
            return cls(operator.index(value), bits)
        except TypeError as error:
            kind = type(value).__name__
            raise PayloadError(f"A payload is a string, whole number, bytes or UUID, not {kind}.") from error

    @classmethod
    def from_uuid(cls, uuid: UUID | str, bits: int) -> "Payload":
        """Payload from a UUID, which needs 128 bits. Raises PayloadError if it is none or does not fit."""
        try:
            value = UUID(str(uuid)).int
        except ValueError as error:
            raise PayloadError(f"{str(uuid)!r} is not a UUID.") from error
        if bits < 128:
            raise _too_long(128, bits)
        return cls(value, bits)

    @classmethod
    def from_text(cls, text: str, bits: int) -> "Payload":
        """Payload from text (UTF-8, 8 bits a byte, no NUL). Raises PayloadError if too long."""
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            raise PayloadError("The payload text holds characters that UTF-8 cannot write.") from error
        if not content or b"\0" in content:
            raise PayloadError("A payload text must be non-empty and hold no NUL character.")
        return cls._from_bytes(content, bits)

    @classmethod
    def _from_bytes(cls, content: bytes, bits: int) -> "Payload":
        if not content:
            raise PayloadError("The payload is empty.")
        if 8 * len(content) > bits:
            raise _too_long(8 * len(content), bits)
        return cls(int.from_bytes(content, "big"), bits)

    @classmethod
    def _from_string(cls, content: str, bits: int) -> "Payload":
        kind, colon, rest = content.partition(":")
        if colon:
            match kind:
                case "hex":
                    return cls.from_hex(rest, bits)
                case "uuid":
                    return cls.from_uuid(rest, bits)
                case "text":
                    return cls.from_text(rest, bits)
                case "int":
                    if not (rest.isascii() and rest.isdecimal()):
                        raise PayloadError(f"{rest!r} is not a non-negative whole number.")
                    return cls(_whole_number(rest, bits), bits)
        if content[:2].lower() == "0x":
            return cls.from_hex(content, bits)
        if _UUID_FORM.fullmatch(content):
            return cls.from_uuid(content, bits)
        if len(content) == -(-bits // 4) and _HEX_FORM.fullmatch(content):
            return cls.from_hex(content, bits)
        return cls.from_text(content, bits)

    @property
    def hex(self) -> str:
        """The payload as hex digits, padded with zeros to its width."""
        return f"{self.value:0{-(-self.bits // 4)}x}"

    @property
    def text(self) -> str | None:
        """The payload as text, or None when it is no printable UTF-8."""
        content = self.value.to_bytes(-(-self.value.bit_length() // 8), "big")
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return None
        return text if text and text.isprintable() else None

    def __str__(self) -> str:
        return self.hex


def _whole_number(digits: str, bits: int) -> int:
    significant = digits.lstrip("0")
    if len(significant) > bits:
        raise _too_long(3 * (len(significant) - 1), bits, "more than ")  # a digit is more than three bits
    return int(significant or "0")


def _too_long(needed: int, fit: int, about: str = "") -> PayloadError:
    return PayloadError(f"The payload needs {about}{needed} bits, but only {fit} bits fit into this message.")
