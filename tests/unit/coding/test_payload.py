"""Payloads: every spelling goes in and comes out; what does not fit is refused in one sentence."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faketagger.coding import Payload
from faketagger.errors import PayloadError

WIDTHS = st.integers(1, 200)
PAYLOADS = WIDTHS.flatmap(lambda bits: st.builds(Payload, st.integers(0, 2**bits - 1), st.just(bits)))


@given(PAYLOADS)
def test_what_is_printed_can_be_parsed(payload: Payload) -> None:
    assert Payload.parse(str(payload), payload.bits) == payload
    assert Payload.parse("0x" + payload.hex, payload.bits) == payload
    assert Payload.parse(f"int:{payload.value}", payload.bits) == payload
    assert Payload.parse(payload, payload.bits) == payload
    assert Payload.from_hex(payload.hex, payload.bits) == Payload.from_int(payload.value, payload.bits)


@given(st.uuids())
def test_uuids_round_trip(uuid: UUID) -> None:
    for spelling in (uuid, str(uuid), str(uuid).upper(), f"uuid:{uuid}"):
        assert UUID(int=Payload.parse(spelling, 128).value) == uuid


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12))
def test_text_round_trips(text: str) -> None:
    bits = 8 * len(text.encode())
    assert Payload.from_text(text, bits + 16).text == text
    assert Payload.parse(f"text:{text}", bits).text == text


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("a1b2c3", 0xA1B2C3),
        ("A1B2C3", 0xA1B2C3),
        ("123456", 0x123456),
        ("0x2a", 42),
        ("hex:2A", 42),
        ("int:42", 42),
        ("42", int.from_bytes(b"42", "big")),
        ("Ada", int.from_bytes(b"Ada", "big")),
        ("a:b", int.from_bytes(b"a:b", "big")),
        (b"\x01\x02", 0x0102),
        (7, 7),
        (np.int64(7), 7),
    ],
)
def test_spellings_mean_what_the_docstring_says(content: str | int | bytes, value: int) -> None:
    assert Payload.parse(content, 24) == Payload(value, 24)


def test_text_is_none_where_the_payload_is_no_text() -> None:
    assert Payload(0, 24).text is None
    assert Payload(0xFF, 24).text is None
    assert Payload(0x07, 24).text is None


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        (2**24, "25"),
        ("0x1000000", "25"),
        ("Anna", "32"),
        (b"\0\0\0\0", "32"),
        (UUID(int=5), "128"),
        ("00000000-0000-0000-0000-000000000005", "128"),
        ("int:" + "9" * 10_000, "more than 29997"),
    ],
)
def test_too_long_says_how_many_bits_fit(content: str | int | bytes | UUID, needed: str) -> None:
    with pytest.raises(PayloadError) as error:
        Payload.parse(content, 24)
    assert error.value.message == (f"The payload needs {needed} bits, but only 24 bits fit into this message.")


@pytest.mark.parametrize(
    "content",
    [
        -1,
        True,
        1.5,
        None,
        "",
        b"",
        "0x",
        "0xzz",
        "hex:",
        "int:",
        "int:-3",
        "int:x",
        "int:²",
        "uuid:1",
        "text:",
    ],
)
def test_what_is_no_payload_is_refused(content: object) -> None:
    with pytest.raises(PayloadError):
        Payload.parse(content, 24)  # type: ignore[arg-type]


def test_text_that_would_not_come_back_is_refused() -> None:
    with pytest.raises(PayloadError, match="NUL"):
        Payload.parse("\0a", 24)
    with pytest.raises(PayloadError, match="UTF-8"):
        Payload.parse("\ud800", 24)


def test_a_payload_of_no_bits_is_refused() -> None:
    with pytest.raises(PayloadError, match="at least 1 bit"):
        Payload(0, 0)
