"""The check and the block cipher under the payload."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faketagger.coding.cipher import CRC_POLYNOMIALS, BlockCipher, crc


@pytest.mark.parametrize(("width", "check"), [(16, 0x29B1), (32, 0x0376E6E7)])
def test_crc_gives_the_published_check_values(width: int, check: int) -> None:
    assert crc(int.from_bytes(b"123456789", "big"), 72, width) == check


@given(st.sampled_from(sorted(CRC_POLYNOMIALS)), st.integers(0, 2**24 - 1), st.data())
def test_crc_sees_every_burst_up_to_its_width(width: int, value: int, data: st.DataObject) -> None:
    burst = data.draw(st.integers(1, min(2**width, 2**24) - 1))
    shift = data.draw(st.integers(0, 24 - burst.bit_length()))
    assert crc(value, 24, width) != crc(value ^ burst << shift, 24, width)


@pytest.mark.parametrize("bits", [2, 7, 10])
def test_the_cipher_is_a_permutation_of_the_whole_domain(bits: int) -> None:
    cipher = BlockCipher(b"key", b"label", bits)
    images = [cipher.encrypt(block) for block in range(2**bits)]
    assert sorted(images) == list(range(2**bits))
    assert [cipher.decrypt(image) for image in images] == list(range(2**bits))


@given(st.integers(2, 700), st.data())
def test_decrypt_undoes_encrypt(bits: int, data: st.DataObject) -> None:
    block = data.draw(st.integers(0, 2**bits - 1))
    cipher = BlockCipher(b"key", b"label", bits)
    assert cipher.decrypt(cipher.encrypt(block)) == block


def test_the_cipher_is_pinned() -> None:
    assert BlockCipher(b"golden", b"label", 36).encrypt(0x123456789) == 0xD7F62E886


def test_one_changed_bit_changes_half_of_the_block_and_so_does_another_label() -> None:
    cipher, other = BlockCipher(b"key", b"label", 36), BlockCipher(b"key", b"lebal", 36)
    changed = [cipher.encrypt(i) ^ cipher.encrypt(i ^ 1 << i % 36) for i in range(1000)]
    relabelled = [cipher.encrypt(i) ^ other.encrypt(i) for i in range(1000)]
    for differences in (changed, relabelled):
        weight = np.mean([difference.bit_count() for difference in differences])
        assert abs(weight - 18) < 5 * 3 / np.sqrt(1000)
