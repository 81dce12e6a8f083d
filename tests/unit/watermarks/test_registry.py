"""Watermarks by name: shipped, built in, announced by another package, adapters; the documented example is one."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from faketagger.errors import CheckpointError, WatermarkError
from faketagger.places import repository_root
from faketagger.watermarks import digest_of, load_watermark, missing_of, names
from tests.helpers.plug_ins import make_package, smooth_pictures


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_package(tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "marks_of_others", raising=False)
    return folder


def test_a_package_that_is_installed_is_found_and_made(others: Path) -> None:
    assert {"face-128", "spread", "dwtDct", "rivagan", "good"} <= set(names())
    mark = load_watermark("Good@push=3.0")
    assert (mark.name, mark.kind, mark.message_bits) == ("good@push=3.0", "entry point", 8)
    assert (load_watermark("good").name, mark.with_strength(2.0).name) == ("good", "good@push=3.0")
    before = digest_of("good")
    assert before != digest_of("good@push=3.0")
    (others / "marks_of_others.py").write_text("# another version\n")
    assert digest_of("good") != before


def test_what_cannot_be_made_is_named(others: Path) -> None:
    with pytest.raises(WatermarkError, match=r"The watermark unmade cannot be made: FileNotFoundError: weights\.pt"):
        load_watermark("unmade")
    with pytest.raises(WatermarkError, match="The watermark good cannot be made: TypeError"):
        load_watermark("good@pull=1")
    with pytest.raises(WatermarkError, match="'pull' of good has no value"):
        load_watermark("good@pull")


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(WatermarkError, match="called 'rivagam'") as caught:
        load_watermark("rivagam")
    assert caught.value.hint == "Did you mean 'rivagan'?"
    with pytest.raises(CheckpointError, match="no tagger"):
        load_watermark("some/where")


def test_what_is_missing_is_said_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path))
    assert missing_of("spread") is None
    why, command = missing_of("trustmark") or ("", "")
    assert "encoder_Q.ckpt" in why
    assert "cai-watermark.adobe.net" in why
    assert command == "faketagger zoo install trustmark --weights DIR"
    with pytest.raises(WatermarkError, match="The watermark trustmark cannot run: it is not installed"):
        load_watermark("trustmark")


def test_the_documented_example_is_a_watermark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (repository_root() / "docs" / "watermarks.md").read_text()
    code, _use = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    assert len([line for line in code.splitlines() if line.strip()]) <= 22
    points = re.findall(r'^(\w+) = "my_mark:(\w+)"$', text, flags=re.M)
    monkeypatch.syspath_prepend(make_package(tmp_path / "site", code, dict(points), "my_mark"))
    mark = load_watermark("stripes")
    images = smooth_pictures(4, 200, 160)
    messages = np.random.default_rng(2).integers(0, 2, (4, 16)).astype(np.uint8)
    assert np.mean((mark.read(mark.embed(images, messages)) > 0) == (messages == 1)) > 0.9


def test_a_tagger_with_settings_is_another_subject() -> None:
    plain, polished = load_watermark("face-128"), load_watermark("face-128@polish=2")
    assert (plain.name, polished.name) == ("face-128", "face-128@polish=2")
    assert digest_of("face-128") != digest_of("face-128@polish=2")
    with pytest.raises(WatermarkError, match="cannot be made"):
        load_watermark("face-128@polish=-1")
    with pytest.raises(WatermarkError, match="cannot be made"):
        load_watermark("face-128@colour=red")
