"""Reading among known payloads: weaker tags count, strangers do not, and the level is kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from faketagger.coding import Codec, Payload, Register
from faketagger.errors import PayloadError

CODEC = Codec(64, 32, 12, key=b"test key")
REGISTER = Register(CODEC, range(1000))


@given(st.integers(0, 999), st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_a_dozen_wrong_bits_do_not_hide_a_known_payload(value: int, wrong: int, seed: int) -> None:
    soft = 2.0 * CODEC.encode(value) - 1
    soft[np.random.default_rng(seed).permutation(64)[:wrong]] *= -0.9
    decoded = REGISTER.decode(soft)
    assert decoded.payload == Payload(value, 32)
    assert decoded.matched == 64 - wrong
    assert decoded.p_value < 1e-3


def test_what_the_codec_is_not_sure_of_a_register_is() -> None:
    rng = np.random.default_rng(1)
    sure = {"codec": 0, "register": 0}
    for value in range(100):
        soft = 2.0 * CODEC.encode(value) - 1 + 0.9 * rng.normal(size=64)
        for name, reader in (("codec", CODEC), ("register", REGISTER)):
            read = reader.decode(soft)
            assert read.p_value > 1e-6 or read.payload == Payload(value, 32)
            sure[name] += read.p_value <= 1e-6
    assert sure["register"] > sure["codec"] + 30


def test_unrelated_reads_keep_the_level() -> None:
    register = Register(Codec(64, 32, 12, key=b"another"), range(50))
    p_values = np.array([register.decode(row).p_value for row in np.random.default_rng(2).normal(size=(3000, 64))])
    for level in (0.01, 0.1, 0.5):
        assert binomtest(int((p_values <= level).sum()), 3000, level, alternative="greater").pvalue > 1e-3
    assert (p_values <= 0.5).mean() > 0.4  # and they are not merely large


def test_doubles_count_once_and_an_empty_read_is_none() -> None:
    register = Register(CODEC, ["0x7", 7, "int:7"])
    assert register.payloads == [Payload(7, 32)]
    assert register.decode(np.zeros(64)).payload is None
    with pytest.raises(PayloadError, match="at least one"):
        Register(CODEC, [])
    with pytest.raises(PayloadError, match="32 bits fit"):
        Register(CODEC, ["far too long a text"])
