"""The shipped tagger on the one photograph a package carries: what people will do with it first."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import faketagger
from faketagger.errors import FaceError, ImageError, PayloadError
from faketagger.faces import find_faces
from faketagger.faces.geometry import face_mask
from faketagger.imaging import Photo, read_photo, write_photo
from faketagger.simulator.landmarks import mirror_order
from faketagger.tagger import Tagger

PAYLOAD = "0x00c0de"


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return faketagger.load("face-128", key="a test's own key")


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """(512, 512, 3) uint8, public domain, comes with scikit-image."""
    return data.astronaut()


@pytest.fixture(scope="module")
def tagged(tagger: Tagger, portrait: np.ndarray) -> Photo:
    return tagger.embed(portrait, PAYLOAD)


def _jpeg(pixels: np.ndarray, quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def test_embed_and_read(tagger: Tagger, portrait: np.ndarray, tagged: Photo) -> None:
    assert tagged.pixels.dtype == np.uint8
    assert tagged.pixels.shape == portrait.shape
    error = (tagged.pixels.astype(float) - portrait).ravel()
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 38
    reading = tagger.read(tagged)
    assert reading.payload is not None
    assert reading.payload.hex == "00c0de"
    assert reading.p_value < 1e-6
    assert reading.probabilities.shape == (tagger.message_bits,)
    assert len(reading.faces) == 1


def test_a_face_whose_landmarks_are_off_is_read_in_another_framing(portrait: np.ndarray) -> None:
    large = faketagger.load("face-256")
    pixels = torch.from_numpy(portrait.copy()).permute(2, 0, 1)[None].float() / 255
    points = torch.from_numpy(find_faces(portrait)[0].landmarks)[None, None]
    message = torch.randint(0, 2, (1, 64), generator=torch.Generator().manual_seed(0)).float()
    tagged = large.embed_faces(pixels, message, points)
    points = points + 0.1 * torch.linalg.norm(points[..., 45, :] - points[..., 36, :])
    read = torch.stack([large.read_poses(tagged, points, 0, search)[0] for search in (False, True)])
    right = ((read > 0) == (message > 0.5)).sum(1)
    assert right[0] < 48
    assert right[1] >= 58


def test_the_larger_tagger_carries_more(portrait: np.ndarray) -> None:
    large = faketagger.load("face-256", key="a test's own key")
    assert (large.networks.size, large.message_bits) == (256, 64)
    tagged = large.embed(portrait, "0x00c0ffee")
    error = (tagged.pixels.astype(float) - portrait).ravel()
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 38
    reading = large.read(read_photo(_jpeg(tagged.pixels, 50)))
    assert reading.payload is not None
    assert reading.payload.hex == "00c0ffee"
    assert large.read(portrait).payload is None


@pytest.fixture(scope="module")
def wide() -> Tagger:
    return faketagger.load("portrait-256", key="a test's own key")


@pytest.fixture(scope="module")
def widely_tagged(wide: Tagger, portrait: np.ndarray) -> np.ndarray:
    return wide.embed(portrait, "0x00c0ffee").pixels


@pytest.mark.parametrize("kept", ["face", "surround"])
def test_face_and_surround_are_each_enough(
    wide: Tagger, portrait: np.ndarray, widely_tagged: np.ndarray, kept: str
) -> None:
    (face,) = find_faces(portrait)
    inside = face_mask(torch.from_numpy(face.landmarks)[None], portrait.shape[:2])[0, 0].numpy()[..., None] > 0
    left = np.where(inside == (kept == "face"), widely_tagged, portrait)
    reading = wide.read(_jpeg(left, 80))
    assert reading.payload is not None
    assert reading.payload.hex == "00c0ffee"


def test_the_surround_is_read_as_in_a_mirror_and_after_jpeg(
    wide: Tagger, portrait: np.ndarray, widely_tagged: np.ndarray
) -> None:
    error = widely_tagged.astype(float) - portrait
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 38
    for seen in (widely_tagged[:, ::-1].copy(), read_photo(_jpeg(widely_tagged, 50))):
        reading = wide.read(seen)
        assert reading.payload is not None
        assert reading.payload.hex == "00c0ffee"
    assert wide.read(portrait).p_value > 1e-3


def test_each_face_has_its_own_surround(wide: Tagger, portrait: np.ndarray) -> None:
    pair = np.concatenate([portrait[:400], portrait[:400, ::-1]], axis=1)
    tagged = wide.embed(pair, "0x00c0ffee").pixels
    inside = np.zeros(pair.shape[:2], bool)
    for face in find_faces(pair):
        inside |= face_mask(torch.from_numpy(face.landmarks)[None], pair.shape[:2])[0, 0].numpy() > 0
    reading = wide.read(np.where(inside[..., None], pair, tagged))
    assert [face.payload.hex if face.payload else None for face in reading.faces] == ["00c0ffee", "00c0ffee"]


def test_untagged_is_an_answer(tagger: Tagger, portrait: np.ndarray) -> None:
    reading = tagger.read(portrait)
    assert reading.payload is None
    assert reading.p_value > 1e-3
    assert len(reading.faces) == 1


def test_strangers_read_nothing(tagged: Photo) -> None:
    assert faketagger.load("face-128", key="another key").read(tagged).payload is None


@pytest.mark.parametrize("quality", [90, 60])
def test_survives_jpeg(tagger: Tagger, tagged: Photo, quality: int) -> None:
    reading = tagger.read(_jpeg(tagged.pixels, quality))
    assert reading.payload is not None
    assert reading.payload.hex == "00c0de"


def test_survives_half_size_and_a_crop(tagger: Tagger, tagged: Photo) -> None:
    half = np.asarray(Image.fromarray(tagged.pixels).resize((256, 256), Image.Resampling.LANCZOS))
    assert tagger.read(half).payload is not None
    assert tagger.read(tagged.pixels[:400, 60:440].copy()).payload is not None


def test_mirrored_pictures_are_read(tagger: Tagger, tagged: Photo) -> None:
    assert tagger.read(tagged.pixels[:, ::-1].copy()).payload is not None


def test_a_mirror_image_says_what_the_picture_says(tagger: Tagger, tagged: Photo) -> None:
    pixels = torch.from_numpy(tagged.rgb).permute(2, 0, 1)[None]
    landmarks = torch.from_numpy(find_faces(tagged.pixels)[0].landmarks)[None].float()
    turned = landmarks[:, mirror_order()]
    turned[..., 0] = pixels.shape[3] - 1 - turned[..., 0]
    straight, mirrored = tagger.read_aligned(pixels, landmarks), tagger.read_aligned(pixels.flip(3), turned)
    torch.testing.assert_close(mirrored, straight, atol=2e-2, rtol=0)


def test_background_is_untouched(portrait: np.ndarray, tagged: Photo) -> None:
    assert (tagged.pixels[300:] == portrait[300:]).all()


def test_two_faces_carry_the_same_payload(tagger: Tagger, portrait: np.ndarray) -> None:
    pair = np.concatenate([portrait, portrait[:, ::-1]], axis=1)
    reading = tagger.read(tagger.embed(pair, PAYLOAD))
    assert [face.payload.hex if face.payload else None for face in reading.faces] == ["00c0de", "00c0de"]


def test_file_in_file_out(tagger: Tagger, portrait: np.ndarray, tmp_path: Path) -> None:
    source = tmp_path / "in.jpg"
    source.write_bytes(_jpeg(portrait, 92))
    target = write_photo(tagger.embed(source, PAYLOAD), tmp_path / "out.jpg")
    assert read_photo(target).pixels.shape == portrait.shape
    assert tagger.read(target).payload is not None


def test_raw_pair_on_whole_pictures(tagger: Tagger, portrait: np.ndarray) -> None:
    face = portrait[0:220, 110:330]
    images = torch.from_numpy(face.copy()).permute(2, 0, 1)[None].float() / 255
    message = torch.randint(0, 2, (1, tagger.message_bits), generator=torch.Generator().manual_seed(0))
    rounded = (tagger.embed_message(images, message) * 255).round() / 255
    right = ((tagger.read_message(rounded) > 0) == (message > 0)).float().mean()
    assert right > 0.9


def test_what_cannot_be_done_is_said(tagger: Tagger, tmp_path: Path) -> None:
    empty = np.full((200, 200, 3), 127, np.uint8)
    with pytest.raises(FaceError, match="no face"):
        tagger.embed(empty, PAYLOAD)
    assert tagger.read(empty).faces == []
    assert tagger.read(empty).p_value == 1
    with pytest.raises(PayloadError, match="24 bits"):
        tagger.embed(empty, "0x1234567890")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    with pytest.raises(ImageError):
        tagger.read(broken)
