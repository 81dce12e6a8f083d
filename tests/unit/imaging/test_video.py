"""Videos: what goes in comes out in order and in time, and what cannot be read is one sentence."""

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faketagger.errors import ImageError
from faketagger.imaging.video import Frame, probe_video, read_frames
from faketagger.imaging.video_write import rewrite_video
from tests.helpers.clips import make_clip, numbered, only_tone, sound_packets


def _leave(frame: Frame) -> None:
    return None


def _times(path: Path) -> list[float]:
    return [frame.time_s for frame in read_frames(path)]


@settings(max_examples=12)
@given(gaps=st.lists(st.integers(5, 300), min_size=0, max_size=24), suffix=st.sampled_from([".mp4", ".mov", ".mkv"]))
def test_order_count_times_and_sound_survive(
    gaps: list[int], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("clips")
    stamps = np.cumsum([0, *gaps]).tolist()
    source = make_clip(folder / f"in{suffix}", numbered(len(stamps)), stamps)
    seen: list[int] = []
    count = rewrite_video(source, folder / f"out{suffix}", lambda frame: seen.append(frame.index), crf=5)
    before, after = list(read_frames(source)), list(read_frames(folder / f"out{suffix}"))
    assert count == len(before) == len(after) == len(stamps)
    assert seen == list(range(count))
    assert [frame.time_s for frame in before] == pytest.approx([frame.time_s for frame in after], abs=1e-9)
    assert np.diff([f.time_s for f in before]) * 1000 == pytest.approx(gaps)
    for one, other in zip(before, after, strict=True):
        assert np.abs(one.pixels.astype(int) - other.pixels).mean() < 3
    assert sound_packets(source) == sound_packets(folder / f"out{suffix}")


def test_the_frames_are_the_ones_that_were_changed(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", numbered(12))
    rewrite_video(source, tmp_path / "out.mp4", lambda f: np.full_like(f.pixels, 200) if f.index % 3 == 0 else None)
    for before, after in zip(read_frames(source), read_frames(tmp_path / "out.mp4"), strict=True):
        wanted = 200 if before.index % 3 == 0 else before.pixels.astype(int)
        assert np.abs(after.pixels.astype(int) - wanted).mean() < 5


@pytest.mark.parametrize("size", [(48, 64), (49, 65)])
def test_lossless_keeps_every_value_at_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    source = make_clip(tmp_path / "in.mp4", numbered(3, *size))
    noise = np.random.default_rng(1).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    rewrite_video(source, tmp_path / "out.mp4", lambda frame: noise[frame.index], lossless=True)
    assert np.array_equal([frame.pixels for frame in read_frames(tmp_path / "out.mp4")], noise)


@pytest.mark.parametrize("matrix", [1, 5])
def test_colours_and_their_tags_stay(tmp_path: Path, matrix: int) -> None:
    source = make_clip(tmp_path / "in.mp4", numbered(2), matrix=matrix)
    rewrite_video(source, tmp_path / "out.mp4", _leave, crf=1)
    one, other = next(read_frames(source)).pixels.astype(int), next(read_frames(tmp_path / "out.mp4")).pixels
    assert np.abs((one - other).mean((0, 1))).max() < 1
    assert np.abs(one - numbered(1)[0]).mean() < 3
    with av.open(str(tmp_path / "out.mp4")) as container:
        coder = container.streams.video[0].codec_context
        assert (coder.colorspace, coder.color_primaries, coder.color_trc) == (matrix,) * 3


@pytest.mark.parametrize("turned", [-90, 90, 180])
def test_a_turned_video_is_read_and_written_as_other_readers_show_it(tmp_path: Path, turned: int) -> None:
    import cv2

    source = make_clip(tmp_path / "in.mp4", numbered(3), turned=turned)
    shown, reference = cv2.VideoCapture(str(source)).read()
    first = next(read_frames(source)).pixels
    assert shown
    assert first.shape == reference.shape
    assert np.abs(first.astype(int) - reference[..., ::-1]).mean() < 4
    rewrite_video(source, tmp_path / "out.mp4", _leave, crf=5)
    again = next(read_frames(tmp_path / "out.mp4")).pixels
    assert again.shape == first.shape
    assert np.abs(first.astype(int) - again).mean() < 3


def test_probe_counts_and_every_skips(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", numbered(11))
    info = probe_video(source)
    assert (info.width, info.height, info.frames, info.codec, info.audio) == (64, 48, 11, "h264", ("aac",))
    assert [frame.index for frame in read_frames(source, every=4)] == [0, 4, 8]
    assert [frame.index for frame in read_frames(source, every=4, limit=2)] == [0, 4]


def _bad_files(folder: Path) -> dict[str, Path]:
    whole = {suffix: make_clip(folder / f"whole{suffix}", numbered(20)) for suffix in (".mp4", ".mkv")}
    bad = {}
    for suffix, path in whole.items():
        for share in (0.3, 0.9):
            cut = folder / f"cut{share}{suffix}"
            cut.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
            bad[cut.name] = cut
    bad["empty"] = folder / "empty.mp4"
    bad["empty"].write_bytes(b"")
    bad["text"] = folder / "text.mp4"
    bad["text"].write_text("no video " * 100)
    bad["playlist"] = folder / "playlist.mp4"
    lines = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nwhole.mp4\n#EXT-X-ENDLIST\n"
    bad["playlist"].write_text(lines)
    bad["sound"] = only_tone(folder / "sound.m4a")
    bad["missing"] = folder / "missing.mp4"
    bad["folder"] = folder
    bad["no frame"] = folder / "none.mkv"
    with av.open(str(bad["no frame"]), "w") as output:
        output.add_stream("libx264", rate=25, width=64, height=48, pix_fmt="yuv420p")
        output.start_encoding()
    return bad


def test_what_cannot_be_read_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name, path in _bad_files(tmp_path).items():
        with pytest.raises(ImageError) as reading:
            list(read_frames(path))
        assert str(path) in reading.value.message, name
        with pytest.raises(ImageError):
            rewrite_video(path, out / "out.mp4", _leave)
        assert not list(out.iterdir()), name
    for path in ("cut0.9.mp4", "cut0.9.mkv"):
        with pytest.raises(ImageError, match="cut off"):
            list(read_frames(tmp_path / path))


def test_what_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", numbered(4))
    odd = make_clip(tmp_path / "odd.mp4", numbered(2, 49, 65))
    out = tmp_path / "out"
    out.mkdir()
    (out / "old.mp4").write_text("old")
    mistakes = [
        (odd, out / "old.mp4", "needs even sides"),
        (source, source, "would overwrite"),
        (source, out / "new.webm", "cannot write .webm"),
        (source, tmp_path / "nowhere" / "new.mp4", "does not exist"),
    ]
    for path, target, sentence in mistakes:
        with pytest.raises(ImageError, match=sentence):
            rewrite_video(path, target, _leave)
    with pytest.raises(KeyboardInterrupt):
        rewrite_video(source, out / "old.mp4", _interrupt)
    assert [path.name for path in out.iterdir()] == ["old.mp4"]
    assert (out / "old.mp4").read_text() == "old"


def _interrupt(frame: Frame) -> None:
    raise KeyboardInterrupt


_SHORT_OF_DISK = """
import resource, signal, sys
from faketagger.errors import ImageError
from faketagger.imaging.video_write import rewrite_video
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    rewrite_video(sys.argv[1], sys.argv[2], lambda frame: None, crf=5)
except ImageError as error:
    print(error.message)
    sys.exit(2)
"""


@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, share: float) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (20, 96, 128, 3), dtype=np.uint8)
    source = make_clip(tmp_path / "in.mp4", list(noise))
    rewrite_video(source, tmp_path / "whole.mp4", _leave, crf=5)
    room = int(share * (tmp_path / "whole.mp4").stat().st_size)
    target = tmp_path / "out" / "out.mp4"
    target.parent.mkdir()
    words = [sys.executable, "-c", _SHORT_OF_DISK, str(source), str(target), str(room)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stdout
    assert not list(target.parent.iterdir())


_PEAK = """
import resource, sys
from faketagger.imaging.video import read_frames
count = sum(1 for frame in read_frames(sys.argv[1]))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    peaks = []
    for count in (20, 200):
        clip = make_clip(tmp_path / f"{count}.mp4", [np.zeros((360, 640, 3), np.uint8)] * count, tone=False)
        done = subprocess.run([sys.executable, "-c", _PEAK, str(clip)], capture_output=True, text=True, check=True)
        counted, peak = map(int, done.stdout.split())
        assert counted == count
        peaks.append(peak)
    grown_mb = (peaks[1] - peaks[0]) / 1024
    assert grown_mb < 40  # 180 more frames are 124 MB
