"""``faketagger zoo`` as typed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from faketagger.cli.main import run

Make = Callable[..., Path]


@pytest.mark.parametrize("command", ["list", "install", "doctor", "prepare", "apply", "check"])
def test_help_has_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert run(["zoo", command, "--help"]) == 0
    assert f"Example: faketagger zoo {command}" in capsys.readouterr().out


def test_list(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    assert run(["zoo", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["realesrgan"]["family"] == "synthesis"
    assert rows["realesrgan"]["status"] == "not_installed"
    assert run(["zoo", "list"]) == 0
    assert "realesrgan" in capsys.readouterr().out


def test_doctor(capsys: pytest.CaptureFixture[str], cache: Path, adapter: Make) -> None:
    assert run(["zoo", "doctor", str(adapter("well_behaved"))]) == 0
    assert run(["zoo", "doctor", "realesrgan", "--json"]) == 1
    out = capsys.readouterr().out
    (diagnosis,) = json.loads(out[out.index("[") :])
    assert diagnosis["next_command"] == "faketagger zoo install realesrgan"


def test_apply(capsys: pytest.CaptureFixture[str], adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    folder = str(adapter("well_behaved"))
    out = tmp_path / "out"
    words = ["zoo", "apply", folder, str(pictures[0].parent), "--out", str(out), "--set", "shade=3"]
    assert run(words) == 0
    assert "3 attacked, 0 passed through, 0 failed (0 from the cache)" in capsys.readouterr().out
    record = json.loads((out / "attack.json").read_text())
    assert record["parameters"]["shade"] == 3
    assert {image["status"] for image in record["images"]} == {"attacked"}
    assert run(words) == 0
    assert "3 from the cache" in capsys.readouterr().out


def test_apply_says_which_failed(
    capsys: pytest.CaptureFixture[str], adapter: Make, pictures: list[Path], tmp_path: Path
) -> None:
    words = ["zoo", "apply", str(adapter("lying")), *map(str, pictures), "--out", str(tmp_path / "out")]
    assert run(words) == 1
    assert "p0.png: failed: the driver says attacked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["doctor", "realesgran"], "try: Did you mean 'realesrgan'?"),
        (["apply", "realesrgan", "PICTURES", "--out", "OUT", "--set", "scale_down"], "has no value"),
        (["apply", "realesrgan", "PICTURES", "--out", "OUT", "--set", "scaledown=2"], "'scale_down'"),
        (["apply", "realesrgan", "PICTURES", "--out", "OUT", "--sandbox", "none"], "no sandbox 'none'"),
        (["apply", "realesrgan", "EMPTY", "--out", "OUT"], "error: "),
        (["prepare", "realesrgan", "faces"], "names no folder"),
    ],
)
def test_mistakes(
    capsys: pytest.CaptureFixture[str],
    cache: Path,
    pictures: list[Path],
    tmp_path: Path,
    words: list[str],
    message: str,
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"PICTURES": pictures[0].parent, "OUT": tmp_path / "out", "EMPTY": tmp_path / "empty"}
    assert run(["zoo", *(str(places.get(word, word)) for word in words)]) == 2
    assert message in capsys.readouterr().err


def test_prepare_where_there_is_nothing_to_prepare(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    assert run(["zoo", "prepare", "realesrgan"]) == 0
    assert capsys.readouterr().out == "realesrgan needs no preparation\n"
