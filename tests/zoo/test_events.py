"""The reader of driver output takes anything, in any pieces."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from faketagger.zoo.events import CappedLog, EventReader, ImageEvent

LINES = (
    b'{"event": "image", "name": "a.png", "status": "attacked"}\n'
    b"hello\n"
    b'{"event": "progress", "done": 1, "total": 2}\n'
    b'{"event": "image", "name": "b.png", "status": "failed", "reason": "no face"}\n'
    b'{"event": "image", "name": "c.png", "status": "wonderful"}\n'
    b'{"event": "done"}\n'
)


def read(pieces: list[bytes], path: Path) -> tuple[list[ImageEvent], list[tuple[int, int]], bool, bytes]:
    images: list[ImageEvent] = []
    steps: list[tuple[int, int]] = []
    log = CappedLog(path, 4096)
    reader = EventReader(log, images.append, lambda done, total: steps.append((done, total)))
    for piece in pieces:
        reader.feed(piece)
    reader.finish()
    log.close()
    return images, steps, reader.done, path.read_bytes()


@given(cuts=st.lists(st.integers(0, len(LINES)), max_size=8))
def test_pieces_do_not_matter(tmp_path_factory, cuts: list[int]) -> None:  # type: ignore[no-untyped-def]
    edges = [0, *sorted(cuts), len(LINES)]
    pieces = [LINES[start:stop] for start, stop in pairwise(edges)]
    images, steps, done, log = read(pieces, tmp_path_factory.mktemp("log") / "log")
    assert images == [ImageEvent("a.png", "attacked", None), ImageEvent("b.png", "failed", "no face")]
    assert steps == [(1, 2)]
    assert done
    assert log == b'hello\n{"event": "image", "name": "c.png", "status": "wonderful"}\n'


@given(garbage=st.binary(max_size=3000))
def test_garbage_is_no_event(tmp_path_factory, garbage: bytes) -> None:  # type: ignore[no-untyped-def]
    images, _, done, _ = read([garbage, b"\n", LINES], tmp_path_factory.mktemp("log") / "log")
    assert [image.name for image in images][-2:] == ["a.png", "b.png"]
    assert done


def test_the_log_keeps_beginning_and_end(tmp_path: Path) -> None:
    _, _, _, log = read([b"first\n", b"x" * 10**6, b"\nlast\n"], tmp_path / "log")
    assert log.startswith(b"first\n")
    assert log.endswith(b"\nlast\n")
    assert len(log) < 16384
