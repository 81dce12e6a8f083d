"""What someone without the key can read or forge, and how often chance looks like a tag."""

import numpy as np
import pytest
from scipy.stats import binomtest

from faketagger.coding import Codec, Decoded, match_p_value

DECODES = 8_000


@pytest.fixture(scope="module")
def random_reads() -> tuple[Codec, list[Decoded]]:
    """Reads of random logits with a short code, whose p-values come close to their nominal level."""
    codec = Codec(24, 8, 8, key=b"test key")
    logits = np.random.default_rng(24).normal(size=(DECODES, 24))
    return codec, [codec.decode(row) for row in logits]


def test_random_words_pass_the_check_no_more_often_than_computed(random_reads: tuple[Codec, list[Decoded]]) -> None:
    codec, reads = random_reads
    accepted = sum(read.payload is not None for read in reads)
    assert binomtest(accepted, DECODES, codec.undetected_error_rate, alternative="greater").pvalue > 1e-3
    assert binomtest(accepted, DECODES, 2**-8, alternative="less").pvalue > 1e-3


def too_often(p_values: np.ndarray) -> float:
    """Smallest evidence, over all levels reached, that the p-values are not larger than uniform ones."""
    levels = np.unique(p_values[p_values < 1])
    counts = [int((p_values <= level).sum()) for level in levels]
    return min(
        binomtest(count, len(p_values), min(level, 1.0), alternative="greater").pvalue
        for count, level in zip(counts, levels, strict=True)
    )


def test_p_values_of_random_reads_keep_their_level(random_reads: tuple[Codec, list[Decoded]]) -> None:
    _, reads = random_reads
    assert too_often(np.array([read.p_value for read in reads])) > 1e-4
    found = [read for read in reads if read.payload is not None]
    uncorrected = [match_p_value(read.matched, read.compared) for read in found]
    uncorrected += [1.0] * (DECODES - len(found))
    assert too_often(np.array(uncorrected)) < 1e-9


def test_p_values_of_a_decoder_that_always_says_the_same_keep_their_level_over_keys() -> None:
    logits = np.full(24, 2.0)
    reads = [Codec(24, 8, 8, key=f"key {i}").decode(logits) for i in range(4000)]
    assert binomtest(sum(r.payload is not None for r in reads), 4000, 2**-8).pvalue > 1e-3
    assert too_often(np.array([read.p_value for read in reads])) > 1e-4


def test_a_wrong_key_reads_nothing() -> None:
    reads = []
    for i in range(1000):
        logits = 2.0 * Codec(64, key=f"right {i}").encode(i) - 1.0
        reads.append(Codec(64, key=f"wrong {i}").decode(logits))
    accepted = [read for read in reads if read.payload is not None]
    assert binomtest(len(accepted), 1000, 2**-12, alternative="greater").pvalue > 1e-3
    assert all(read.p_value > 1e-3 for read in accepted)


def test_combining_genuine_messages_forges_no_fourth_one() -> None:
    codec = Codec(64, key=b"test key")
    passed = 0
    for i in range(0, 3000, 3):
        one, two, three = codec.encode_batch([i, i + 1, i + 2])
        forged = codec.decode(2.0 * (one ^ two ^ three) - 1.0)
        assert forged.matched == 64
        passed += forged.payload is not None
    assert binomtest(passed, 1000, codec.undetected_error_rate, alternative="greater").pvalue > 1e-3


def test_messages_of_neighbouring_payloads_look_unrelated() -> None:
    codec = Codec(64, key=b"test key")
    differing = sum(int((codec.encode(i) != codec.encode(i ^ 1 << i % 24)).sum()) for i in range(500))
    assert binomtest(differing, 500 * 64, 0.5).pvalue > 1e-6


def test_the_bits_of_messages_are_fair_over_payloads() -> None:
    codec = Codec(64, key=b"test key")
    ones = codec.encode_batch(range(2000)).sum(axis=0)
    assert all(binomtest(int(count), 2000, 0.5).pvalue > 1e-5 for count in ones)
