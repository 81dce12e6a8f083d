"""``tag`` and ``read`` on a video, with the shipped tagger."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import faketagger
from faketagger.cli.main import run
from faketagger.data.demo import demo_faces
from faketagger.imaging.video import read_frames
from tests.helpers.clips import make_clip, only_tone, sound_packets


def _moving(count: int) -> list[NDArray[np.uint8]]:
    """The astronaut moves to the right; the last two frames show nothing."""
    wide = Image.fromarray(demo_faces(0)[-1][2])
    frames = []
    for index in range(count):
        frame = Image.new("RGB", (240, 200), (90, 90, 90))
        frame.paste(wide.resize((200, 200)), (2 * index, 0))
        frames.append(np.asarray(frame) if index < count - 2 else np.full((200, 240, 3), 90, np.uint8))
    return frames


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "talk.mp4", _moving(8), [0, 40, 90, 130, 200, 240, 280, 320])


def test_there_and_back(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tagged.mp4"
    before = clip.read_bytes()
    assert run(["tag", str(clip), "--payload", "0x00c0de", "--key", "k", "--out", str(out)]) == 0
    assert "6 of 8 frames tagged, 2 without a face unchanged" in capsys.readouterr().out
    assert clip.read_bytes() == before
    assert [f.time_s for f in read_frames(out)] == [f.time_s for f in read_frames(clip)]
    assert sound_packets(out) == sound_packets(clip)
    assert run(["read", str(out), str(clip), "--key", "k", "--json"]) == 0
    tagged, original = json.loads(capsys.readouterr().out)
    assert tagged["payload"] == "00c0de"
    assert tagged["p_value"] < 1e-6
    assert len(tagged["tracks"]) == 1
    assert tagged["frames_with_face"] == 6
    assert [len(frame["faces"]) for frame in tagged["frames"]] == [1] * 6 + [0] * 2
    assert original["payload"] is None
    assert original["p_value"] > 1e-6
    assert run(["read", str(out), "--key", "k", "--max-frames", "3"]) == 0
    assert "payload 00c0de, p = " in capsys.readouterr().out


def test_from_python(clip: Path, tmp_path: Path) -> None:
    tagger = faketagger.load("face-128", key="k")
    done = tagger.embed_video(clip, tmp_path / "out.mkv", 7, lossless=True)
    assert (done.frames, done.tagged) == (8, 6)
    reading = tagger.read_video(done.path, every=3)
    assert isinstance(reading, faketagger.VideoReading)
    assert reading.payload is not None
    assert reading.payload.value == 7
    assert [frame["index"] for frame in reading.frames] == [0, 3, 6]
    plain = list(read_frames(clip))
    kept = list(read_frames(done.path))
    assert np.array_equal(plain[7].pixels, kept[7].pixels)
    assert not np.array_equal(plain[0].pixels, kept[0].pixels)


def test_mistakes_are_one_sentence(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = make_clip(tmp_path / "faceless.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 3)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:-500])
    sound = only_tone(tmp_path / "tone.m4a").rename(tmp_path / "tone.mp4")
    out = tmp_path / "out.mp4"
    lines = [
        ["tag", str(empty), "--out", str(out)],
        ["tag", str(cut), "--out", str(out)],
        ["tag", str(sound), "--out", str(out)],
        ["tag", str(clip), str(empty), "--out", str(out)],
        ["tag", str(clip), "--out", str(clip)],
        ["tag", str(clip), "--out", str(tmp_path / "out.webm")],
        ["tag", str(tmp_path / "missing.mp4"), "--out", str(out)],
        ["read", str(cut)],
        ["read", str(sound)],
    ]
    files = sorted(path.name for path in tmp_path.iterdir())
    for line in lines:
        assert run(line) == 2, line
        message = capsys.readouterr().err
        assert message.startswith("error: "), line
        assert "Traceback" not in message
    assert sorted(path.name for path in tmp_path.iterdir()) == files
