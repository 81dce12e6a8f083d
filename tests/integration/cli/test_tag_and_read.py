"""``tag`` and ``read`` from the command line: what people type, and what they type by mistake."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from faketagger.cli.main import run


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "portrait.jpg"
    path.parent.mkdir()
    Image.fromarray(data.astronaut()).save(path, quality=95)
    return path


def _tag(*words: object) -> int:
    return run(["tag", *map(str, words)])


def test_there_and_back(portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = portrait.read_bytes()
    assert _tag(portrait, "--payload", "0x00c0de", "--key", "k", "--out", tmp_path / "out") == 0
    assert portrait.read_bytes() == before
    capsys.readouterr()
    assert run(["read", str(tmp_path / "out"), str(portrait), "--key", "k", "--json"]) == 0
    tagged, original = json.loads(capsys.readouterr().out)
    assert tagged["payload"] == "00c0de"
    assert tagged["p_value"] < 1e-6
    assert original["payload"] is None
    assert run(["read", str(tmp_path / "out"), "--key", "k"]) == 0
    assert "payload 00c0de" in capsys.readouterr().out


def test_a_polished_tag_is_another_that_reads_the_same(
    portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (portrait, "--payload", "0x00c0de", "--key", "k", "--out")
    assert _tag(*words, tmp_path / "plain") == 0
    assert _tag(*words, tmp_path / "polished", "--polish", 2) == 0
    assert (tmp_path / "plain/portrait.jpg").read_bytes() != (tmp_path / "polished/portrait.jpg").read_bytes()
    capsys.readouterr()
    assert run(["read", str(tmp_path / "polished"), "--key", "k"]) == 0
    assert "payload 00c0de" in capsys.readouterr().out
    assert _tag(tmp_path / "in", "--workers", 2, "--polish", 2, "--out", tmp_path / "many") == 2
    assert "only photographs are polished" in capsys.readouterr().err


def test_among_the_payloads_that_were_written(
    portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _tag(portrait, "--payload", "0x00c0de", "--out", tmp_path / "out") == 0
    written, other = tmp_path / "written.txt", tmp_path / "other.txt"
    written.write_text("0x000001\n\n  0x00c0de\n")
    other.write_text("0x000001\n0x000002\n")
    found = {}
    for register in (written, other):
        capsys.readouterr()
        assert run(["read", str(tmp_path / "out"), "--among", str(register), "--json"]) == 0
        found[register] = json.loads(capsys.readouterr().out)[0]
    assert found[written]["payload"] == "00c0de"
    assert found[written]["p_value"] < 1e-15
    assert found[other]["payload"] is None
    assert found[other]["p_value"] > 1e-4
    written.write_text("\n")
    assert run(["read", str(portrait), "--among", str(written)]) == 2
    assert "at least one payload" in capsys.readouterr().err


def test_good_files_are_tagged_beside_bad_ones(
    portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = portrait.parent
    (folder / "empty.png").write_bytes(b"")
    (folder / "cut.jpg").write_bytes(portrait.read_bytes()[:2000])
    (folder / "words.png").write_text("not a picture")
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGB", (300, 300)).save(folder / "faceless.png")
    assert _tag(folder, "--out", tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    for name in ("empty.png", "cut.jpg", "words.png", "dot.png", "faceless.png"):
        assert name in message
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["portrait.jpg"]


def test_mistakes_are_one_sentence(portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nothing").mkdir()
    lines = [
        ["tag", str(portrait), "--out", str(tmp_path / "o"), "--payload", "0x112233445566"],
        ["tag", str(portrait), "--out", str(tmp_path / "o"), "--model", "face-182"],
        ["tag", str(tmp_path / "nothing"), "--out", str(tmp_path / "o")],
        ["tag", str(portrait), "--out", str(portrait.parent)],
        ["read", str(tmp_path / "missing.jpg")],
        ["read", str(portrait), "--among", str(tmp_path / "missing.txt")],
        ["read", str(portrait), "--among", str(portrait)],
    ]
    for line in lines:
        assert run(line) == 2, line
        message = capsys.readouterr().err
        assert message.startswith("error: "), line
        assert "Traceback" not in message
    assert not (tmp_path / "o").exists()


def test_same_names_do_not_overwrite_each_other(portrait: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "portrait.jpg"
    other.parent.mkdir()
    Image.fromarray(data.astronaut()[:, ::-1]).save(other)
    assert _tag(portrait, other, "--out", tmp_path / "out") == 2
    kept = np.asarray(Image.open(tmp_path / "out" / "portrait.jpg")).astype(int)
    assert abs(kept - data.astronaut()).mean() < 3


def test_a_full_disk_is_one_sentence(portrait: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _tag(portrait, "--out", "/dev/full") != 0
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert "Traceback" not in message
