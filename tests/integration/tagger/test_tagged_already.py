"""A second tag would replace the first: it is refused unless asked for, whoever wrote the first."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from skimage import data

import faketagger
from faketagger.cli.main import run
from faketagger.errors import FaceError
from faketagger.faces import find_faces
from faketagger.imaging import Photo
from faketagger.imaging.video import probe_video
from faketagger.tagger import Tagger
from faketagger.tagger.presence import CERTAIN, bit_confidence, refuse_tagged
from tests.helpers.clips import make_clip


@pytest.fixture(scope="module")
def first() -> Tagger:
    return faketagger.load("face-128", key="the first one's key")


@pytest.fixture(scope="module")
def tagged(first: Tagger) -> Photo:
    return first.embed(data.astronaut(), "0x00c0de")


@given(arrays(np.float64, (2, 36), elements=st.floats(-60, 60)))
@settings(max_examples=50, deadline=None)
def test_confidence_does_not_depend_on_the_message_or_the_mirror(logits: np.ndarray) -> None:
    confidence = bit_confidence(logits)
    assert 0.5 <= confidence <= 1
    assert bit_confidence(-logits) == pytest.approx(confidence)
    assert bit_confidence(logits[::-1]) == pytest.approx(confidence)


def test_the_face_that_is_tagged_is_named(first: Tagger) -> None:
    signs = np.where(np.random.default_rng(0).random((2, first.message_bits)) < 0.5, -1, 1)
    refuse_tagged([0.5 * signs, 0.5 * signs], first.codec)
    with pytest.raises(FaceError, match="face 2 of 2"):
        refuse_tagged([0.5 * signs, 9.0 * signs], first.codec)


def test_a_payload_that_can_be_read_counts_however_unsure_its_bits(first: Tagger) -> None:
    faint = np.stack([np.zeros(first.message_bits), np.where(first.codec.encode("0x00c0de") > 0, 0.5, -0.5)])
    with pytest.raises(FaceError, match="the face already"):
        refuse_tagged([faint], first.codec)
    refuse_tagged([faint], first.with_key("another key").codec)


@pytest.mark.parametrize("second", ["face-128", "face-256", "face-256-low", "portrait-256"])
def test_the_first_tag_is_kept_from_any_key_and_tagger(first: Tagger, tagged: Photo, second: str) -> None:
    other = faketagger.load(second, key="another key")
    with pytest.raises(FaceError, match="already carries a tag"):
        other.embed(tagged, 7)
    with pytest.raises(FaceError, match="already carries a tag"):
        other.embed(tagged.pixels[:, ::-1].copy(), 7)
    payload = first.read(tagged).payload
    assert payload is not None
    assert payload.hex == "00c0de"


def test_a_second_tag_where_it_is_asked_for(tagged: Photo) -> None:
    other = faketagger.load("face-128", key="another key")
    reading = other.read(other.embed(tagged, "0x0badf0", again=True))
    assert reading.payload is not None
    assert reading.payload.hex == "0badf0"


def test_untagged_faces_are_far_from_the_threshold(first: Tagger) -> None:
    pixels = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None].float() / 255
    for tagger in (first, *map(faketagger.load, ("face-256", "face-256-low", "portrait-256"))):
        poses = tagger.face_logits(pixels, find_faces(data.astronaut()), search=False)
        assert max(map(bit_confidence, poses)) < CERTAIN - 0.05


def test_from_the_command_line(tmp_path: Path, tagged: Photo, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "tagged.png", tmp_path / "out"
    Image.fromarray(tagged.pixels).save(source)
    assert run(["tag", str(source), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "already carries a tag" in said
    assert "--again" in said
    assert not list(out.iterdir())
    assert run(["tag", str(source), "--again", "--out", str(out)]) == 0


def test_a_video(tmp_path: Path, tagged: Photo, capsys: pytest.CaptureFixture[str]) -> None:
    clip = make_clip(tmp_path / "talk.mp4", [np.full((512, 512, 3), 90, np.uint8), tagged.pixels], [0, 40])
    out = tmp_path / "out.mp4"
    assert run(["tag", str(clip), "--out", str(out)]) == 2
    assert "already carries a tag" in capsys.readouterr().err
    assert not out.exists()
    assert run(["tag", str(clip), "--again", "--out", str(out)]) == 0
    assert probe_video(out).frames == 2
