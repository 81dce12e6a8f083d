"""Adapters of kind ``watermark``: the contract of ``embed`` and ``read``, kept and broken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from faketagger.errors import AdapterError
from faketagger.zoo import Marker, apply, check_adapter, doctor, get_adapter, install
from faketagger.zoo.sandbox import choose
from tests.helpers.rogue_adapters import make_adapter

MARKING = """
import base64

def pixels(path):
    "Rows of an RGB PNG of 8 bits, filters undone."
    data, at, found, packed = path.read_bytes(), 8, {}, b""
    while at < len(data):
        length = struct.unpack(">I", data[at:at + 4])[0]
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        found[kind], packed, at = body, packed + (body if kind == b"IDAT" else b""), at + 12 + length
    width, height = struct.unpack(">II", found[b"IHDR"][:8])
    flat, before, rows = zlib.decompress(packed), bytearray(3 * width), []
    for row in range(height):
        start = row * (3 * width + 1)
        line = bytearray(flat[start + 1:start + 1 + 3 * width])
        for i in range(3 * width):
            a, b, c = line[i - 3] if i > 2 else 0, before[i], before[i - 3] if i > 2 else 0
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[i] = (line[i] + (0, a, b, (a + b) // 2, nearest)[flat[start]]) % 256
        rows.append(line)
        before = line
    return rows

for image in images:
    rows = pixels(source / image["name"])
    width = len(rows[0]) // 3
    if sys.argv[1] == "embed":
        for bit, value in enumerate(image["message"]):
            rows[0][bit] = int(job["parameters"]["low"]) + 200 * value
        rows[1][0] ^= 1
        (target / image["name"]).write_bytes(png(width, len(rows), b"".join(rows)))
        say("image", name=image["name"], status="embedded")
    else:
        say("image", name=image["name"], status="read", soft=[one - 128 for one in rows[0][:8]])
say("done")
"""
BROKEN = {
    "silent": ("say('done')", "the driver never reported on it"),
    "crashing": ("raise RuntimeError('no memory of it')", "ended badly: it crashed .*no memory of it"),
    "refusing": (
        "say('image', name=images[0]['name'], status='failed', reason='too dark')\nsay('done')",
        "picture 0: too dark",
    ),
    "lying": ("say('image', name=images[0]['name'], status='embedded')\nsay('done')", "its output is missing"),
    "attacking": ("say('image', name=images[0]['name'], status='attacked')\nsay('done')", "never reported"),
}
KIND: dict[str, Any] = {
    "kind": "watermark",
    "message_bits": 8,
    "strength": "low",
    "parameters": {"low": {"type": "float", "default": 10.0, "minimum": 1.0, "maximum": 50.0, "help": "Of a 0."}},
}
PICTURES = [np.random.default_rng(i).integers(0, 256, (9, 16, 3), dtype=np.uint8) for i in range(2)]
MESSAGES = np.array([[0, 1, 1, 0, 1, 0, 0, 1], [1, 1, 1, 0, 0, 0, 1, 0]], np.uint8)


@pytest.fixture
def marker(tmp_path: Path, cache: Path) -> Callable[..., Marker]:
    def make(driver: str = MARKING, **changes: Any) -> Marker:
        folder = make_adapter(tmp_path / "rogue", driver, **{**KIND, **changes})
        values = yaml.safe_load((folder / "adapter.yaml").read_text())
        del values["family"], values["roles"]
        (folder / "adapter.yaml").write_text(yaml.safe_dump(values))
        install(folder)
        return Marker.make(get_adapter(folder), {})

    return make


def test_messages_go_in_and_come_out(marker: Callable[..., Marker]) -> None:
    mark = marker()
    marked = mark.embed(PICTURES, MESSAGES)
    assert [one.shape for one in marked] == [one.shape for one in PICTURES]
    assert np.array_equal(mark.read(marked) > 0, MESSAGES == 1)
    assert marked[0][0, 0, 0] == 10
    assert mark.stronger(2.0).embed(PICTURES[:1], MESSAGES[:1])[0][0, 0, 0] == 20
    with pytest.raises(AdapterError, match="below 1"):
        mark.stronger(0.01)


@pytest.mark.parametrize("name", BROKEN)
def test_a_driver_that_breaks_the_contract_is_named(marker: Callable[..., Marker], name: str) -> None:
    driver, words = BROKEN[name]
    with pytest.raises(AdapterError, match=words):
        marker(driver).embed(PICTURES[:1], MESSAGES[:1])


def test_too_few_soft_bits_are_refused(marker: Callable[..., Marker]) -> None:
    with pytest.raises(AdapterError, match=r"picture 0 was read without its 7 soft bits \(8\)"):
        marker(message_bits=7).read(PICTURES[:1])


def test_the_conformance_suite_and_the_doctor_know_it(marker: Callable[..., Marker]) -> None:
    adapter = marker().adapter
    results = check_adapter(adapter.folder, sandbox=choose().kind)
    assert {result.verdict for result in results} <= {"passed", "skipped"}
    assert "the face gives its bits back" in [result.expectation for result in results]
    assert doctor(adapter).next_command == "faketagger bench experiments/bench/demo.yaml --model rogue"
    with pytest.raises(AdapterError, match="is a watermark and attacks nothing"):
        apply(adapter, [], adapter.folder / "out")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"message_bits": "length"}, "'length' is no parameter"),
        ({"message_bits": None}, "needs message_bits"),
        ({"kind": "attack"}, "an attack needs a family and roles"),
        ({"masks": True}, "has no family, roles, facesets or masks"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(marker: Callable[..., Marker], changes: Any, words: str) -> None:
    with pytest.raises(AdapterError, match=words):
        marker(**changes)


@pytest.mark.realtool
@pytest.mark.parametrize("name", ["rivagan", "blind_watermark"])
def test_a_real_rival_keeps_the_contract(name: str) -> None:
    if doctor(name).state != "ready":
        pytest.skip(f"{name} is not installed")
    assert "failed" not in {result.verdict for result in check_adapter(name)}
