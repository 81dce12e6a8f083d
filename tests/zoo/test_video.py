"""A video through an adapter: frames go out and come back in order and time, failed ones as they were."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faketagger.cli.main import run
from faketagger.errors import AdapterError, ImageError
from faketagger.imaging.video import read_frames
from faketagger.zoo.video import apply_to_video
from tests.helpers.clips import make_clip, numbered, only_tone, sound_packets

Make = Callable[..., Path]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = numbered(6)
    return make_clip(tmp_path / "in.mp4", [*frames, frames[0]], [0, 30, 90, 130, 150, 260, 300])


def test_every_frame_is_attacked_in_its_place(
    adapter: Make, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, masks = tmp_path / "out.mp4", tmp_path / "masks.mkv"
    folder = str(adapter("well_behaved"))
    words = ["zoo", "apply", folder, str(clip), "--out", str(out), "--masks", str(masks), "--set", "shade=150"]
    assert run(words) == 0
    assert "7 attacked, 0 passed through, 0 failed" in capsys.readouterr().out
    before, after = list(read_frames(clip)), list(read_frames(out))
    assert [f.time_s for f in before] == [f.time_s for f in after]
    assert sound_packets(clip) == sound_packets(out)
    assert min(frame.pixels.mean() for frame in after) > 150
    assert np.abs(after[0].pixels.astype(int) - after[1].pixels).mean() > 10
    assert [frame.pixels.max() for frame in read_frames(masks)] == [0] * 7
    assert len(json.loads((tmp_path / "out.attack.json").read_text())["images"]) == 7


def test_failed_frames_are_as_they_were(
    adapter: Make, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    words = ["zoo", "apply", str(adapter("crashing")), str(clip), "--out", str(out), "--set", "shade=200"]
    assert run(words) == 1
    assert "frames left as they were" in capsys.readouterr().out
    before, after = list(read_frames(clip)), list(read_frames(out))
    assert len(before) == len(after) == 7
    changed = [np.abs(b.pixels.astype(int) - a.pixels).mean() > 20 for b, a in zip(before, after, strict=True)]
    assert changed[0]
    assert not any(changed[1:6])


@pytest.mark.parametrize("behaviour", ["lying", "silent_liar"])
def test_a_tool_that_never_delivers_leaves_no_video(
    adapter: Make, clip: Path, tmp_path: Path, behaviour: str
) -> None:
    with pytest.raises(AdapterError, match="on every frame"):
        apply_to_video(adapter(behaviour), clip, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_what_is_no_video_is_one_sentence(adapter: Make, clip: Path, tmp_path: Path) -> None:
    tool = adapter("well_behaved")
    with pytest.raises(ImageError, match="no video stream"):
        apply_to_video(tool, only_tone(tmp_path / "tone.m4a"), tmp_path / "out.mp4")
    with pytest.raises(AdapterError, match="no name for a new video"):
        apply_to_video(tool, clip, tmp_path / "out")
    assert not list(tmp_path.glob("out*"))
