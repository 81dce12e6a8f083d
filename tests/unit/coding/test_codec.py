"""The whole chain: round trips, the promised corrections, soft gain, bad input."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faketagger.coding import Codec, Payload, corrected_p_value, match_p_value
from faketagger.errors import PayloadError

SHAPES = [
    (64, 24, 12), (48, 24, 12), (36, 24, 12), (37, 24, 12), (96, 24, 12), (100, 16, 8),
    (150, 24, 12), (200, 8, 8), (256, 128, 16), (300, 40, 24), (600, 24, 12), (32, 12, 8),
    (256, 24, 12),
]  # fmt: skip
CODECS = {shape: Codec(*shape, key=b"test key") for shape in SHAPES}
SHIPPED = CODECS[64, 24, 12]


def logits_of(message: np.ndarray) -> np.ndarray:
    return 2.0 * message - 1.0


@st.composite
def reads(draw: st.DrawFn) -> tuple[Codec, Payload, np.ndarray, st.DrawFn]:
    codec = CODECS[draw(st.sampled_from(SHAPES))]
    payload = Payload(draw(st.integers(0, 2**codec.payload_bits - 1)), codec.payload_bits)
    return codec, payload, logits_of(codec.encode(payload)), draw


def positions(draw: st.DrawFn, codec: Codec, most: int) -> list[int]:
    """Positions of damage: scattered anywhere, or on some of the copies of neighbouring code bits."""
    count = draw(st.integers(0, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        return rng.permutation(codec.message_bits)[:count].tolist()
    damaged: list[int] = []
    first = draw(st.sampled_from([0, codec.code.k, codec.code.n // 2]))
    for bit in range(first, first + codec.code.n):
        copies = rng.permutation(np.flatnonzero(codec._order % codec.code.n == bit % codec.code.n))
        damaged.extend(copies[: rng.integers(1, len(copies) + 1)].tolist())
    return damaged[:count]


@given(reads())
def test_a_clean_read_gives_the_payload_back(case) -> None:
    codec, payload, logits, _ = case
    decoded = codec.decode(logits)
    assert decoded.payload == payload
    assert decoded.confidence == 1.0
    assert decoded.matched == decoded.compared == codec.message_bits
    single = match_p_value(codec.message_bits, codec.message_bits)
    assert decoded.p_value == pytest.approx(corrected_p_value(single, 2**codec.payload_bits), rel=1e-9)


@settings(max_examples=300)
@given(reads())
def test_flips_up_to_the_promised_number_are_always_corrected(case) -> None:
    codec, payload, logits, draw = case
    wrong = positions(draw, codec, codec.promised_flips)
    logits[wrong] *= -1
    decoded = codec.decode(3.7 * logits)
    assert decoded.payload == payload
    assert decoded.matched == codec.message_bits - len(wrong)


@settings(max_examples=200)
@given(reads())
def test_erasures_up_to_the_promised_number_are_always_filled_in(case) -> None:
    codec, payload, logits, draw = case
    erased = positions(draw, codec, codec.promised_erasures)
    logits[erased] = 0
    decoded = codec.decode(logits)
    assert decoded.payload == payload
    assert decoded.matched == decoded.compared == codec.message_bits - len(erased)


@settings(max_examples=200)
@given(reads())
def test_flips_and_erasures_share_the_promise(case) -> None:
    codec, payload, logits, draw = case
    wrong = positions(draw, codec, codec.promised_flips)
    logits[wrong] *= -1
    erased = positions(draw, codec, codec.promised_erasures - 2 * len(wrong))
    logits[erased] = 0
    assert codec.decode(logits).payload == payload


def test_the_promise_holds_where_hard_decisions_and_ordered_statistics_both_fail() -> None:
    """Both copies of some bits wrong, and one copy of many ones, so that ties fall to the wrong side."""
    codec = CODECS[256, 24, 12]
    assert codec.repetitions == 2
    copies = np.argsort(codec._order, kind="stable").reshape(2, codec.code.n)
    for value in range(100):
        message = codec.encode(value)
        ones = np.flatnonzero((message ^ codec._pad)[copies[0]])
        twice, once = np.arange(6), ones[ones >= 6][: codec.promised_flips - 12]
        logits = logits_of(message)
        logits[copies[:, twice]] *= -1
        logits[copies[0, once]] *= -1
        assert (logits != logits_of(message)).sum() == codec.promised_flips
        assert codec.decode(logits).payload == Payload(value, 24)


def test_the_promise_of_the_shipped_code_is_half_its_distance() -> None:
    assert SHIPPED.promised_flips == 5
    assert SHIPPED.promised_erasures == 11
    assert repr(SHIPPED) == "Codec(64 bits: 24 payload + 12 check, eBCH(64,36), 5 flips corrected)"


def test_soft_bits_beat_hard_bits_at_one_bit_in_ten_wrong() -> None:
    rng = np.random.default_rng(10)
    sigma = 0.7803  # a tenth of N(1, sigma) is negative
    soft_right = hard_right = wrong_bits = 0
    for value in range(300):
        noisy = logits_of(SHIPPED.encode(value)) + sigma * rng.normal(size=64)
        wrong_bits += 64 - int(((noisy > 0) == SHIPPED.encode(value)).sum())
        soft_right += SHIPPED.decode(2 * noisy / sigma**2).payload == Payload(value, 24)
        hard_right += SHIPPED.decode(np.sign(noisy)).payload == Payload(value, 24)
    assert 0.09 < wrong_bits / (300 * 64) < 0.11
    assert soft_right > 0.9 * 300
    assert soft_right > hard_right + 60


def test_more_message_bits_read_through_more_noise() -> None:
    rng = np.random.default_rng(11)
    right = {}
    for length in (64, 100, 150, 600):
        codec = Codec(length, 24, 12, key=b"test key")
        reads = [codec.decode(logits_of(codec.encode(v)) + 1.6 * rng.normal(size=length)) for v in range(60)]
        right[length] = sum(read.payload == Payload(v, 24) for v, read in enumerate(reads))
    assert right[64] < right[100] < right[150] <= right[600] == 60


def test_messages_are_pinned() -> None:
    golden = {
        Codec(64): "1975815945fef482",
        Codec(100, 24, 12, key="golden"): "a3274c4dacecf739ee6f6adc40",
    }
    for codec, expected in golden.items():
        assert np.packbits(codec.encode(0xC0FFEE)).tobytes().hex() == expected
    assert (
        np.packbits(Codec(150, 16, 8, key=b"golden").encode("Hi")).tobytes().hex()
        == "7a7fdd66f086b4d458cf429d7fc584ef164ec4"
    )


def test_payload_kinds_come_back_in_their_own_form() -> None:
    uuid = UUID("12345678-1234-5678-1234-567812345678")
    wide = CODECS[256, 128, 16]
    assert UUID(int=wide.decode(logits_of(wide.encode(uuid))).payload.value) == uuid
    assert SHIPPED.decode(logits_of(SHIPPED.encode("Zoë"[:2]))).payload.text == "Zo"
    assert str(SHIPPED.decode(logits_of(SHIPPED.encode("a1b2c3"))).payload) == "a1b2c3"


def test_encode_batch_stacks_single_messages() -> None:
    batch = SHIPPED.encode_batch([1, "0x2", Payload(3, 24)])
    assert batch.dtype == np.uint8
    assert np.array_equal(batch, [SHIPPED.encode(1), SHIPPED.encode(2), SHIPPED.encode(3)])
    assert SHIPPED.encode_batch([]).shape == (0, 64)


def test_infinite_logits_are_sure_bits_and_scale_does_not_matter() -> None:
    logits = logits_of(SHIPPED.encode(99))
    assert SHIPPED.decode(logits * np.inf).payload == Payload(99, 24)
    assert SHIPPED.decode(logits * 1e-300).payload == Payload(99, 24)
    assert SHIPPED.decode(logits.astype(np.float32)).payload == Payload(99, 24)


def test_a_read_without_any_evidence_is_no_read() -> None:
    decoded = SHIPPED.decode(np.zeros(64))
    assert decoded.payload is None
    assert (decoded.confidence, decoded.matched, decoded.p_value, decoded.compared) == (0.0, 0, 1.0, 0)


@pytest.mark.parametrize(
    ("logits", "sentence"),
    [
        (np.full(64, np.nan), "NaN"),
        (np.zeros(63), r"64 logits, not shape \(63,\)"),
        (np.zeros((1, 64)), "64 logits"),
        (["a"] * 64, "real numbers"),
        (np.ones(64) * 1j, "real numbers"),
        (None, "real numbers"),
        ([[1.0], [1.0, 2.0]], "real numbers"),
    ],
)
def test_broken_logits_are_refused(logits: object, sentence: str) -> None:
    with pytest.raises(PayloadError, match=sentence):
        SHIPPED.decode(logits)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((64, 53, 12), "carries at most 52 payload bits"),
        ((64, 0, 12), "at least 1 is needed"),
        ((10, 1, 12), "carries at most 0 payload bits"),
        ((64, 24, 11), "The check has 8, 12, 16, 24, 32 bits, not 11"),
        ((0, 24, 12), "1 to 4096 bits, not 0"),
        ((4097, 24, 12), "1 to 4096 bits, not 4097"),
        ((64, 24, 12, b""), "key is empty"),
    ],
)
def test_impossible_codecs_are_refused(arguments: tuple, sentence: str) -> None:
    with pytest.raises(PayloadError, match=sentence):
        Codec(*arguments)


def test_a_payload_too_long_says_how_many_bits_fit() -> None:
    with pytest.raises(PayloadError, match="needs 128 bits, but only 24 bits fit"):
        SHIPPED.encode(UUID(int=1))
