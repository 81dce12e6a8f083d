"""Landmarks are found once; crops are aligned; a folder becomes a dataset."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from faketagger.data.crops import canvas_side
from faketagger.data.folder import FolderFaces
from faketagger.data.landmarks import LandmarkStore, find_landmarks
from faketagger.errors import DataError
from faketagger.faces.template import STABLE, TEMPLATE

Paint = Callable[[str, int], Path]


def test_faces_are_looked_for_once_per_content(tmp_path: Path, paint: Paint, finder: list[int]) -> None:
    first, second = paint("in/a.png", 1), paint("in/b.png", 2)
    copy = tmp_path / "in" / "copy.png"
    copy.write_bytes(first.read_bytes())
    cache = tmp_path / "cache"
    found = find_landmarks([first, second, copy], cache=cache)
    assert len(finder) == 2
    again = find_landmarks([copy, second], cache=cache)
    assert len(finder) == 2
    for a, b in zip(again.landmarks, [found.landmarks[0], found.landmarks[1]], strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_face_and_no_picture_are_remembered_apart(tmp_path: Path, paint: Paint, finder: list[int]) -> None:
    black, seen = paint("black.png", 0), paint("seen.png", 1)
    broken = tmp_path / "broken.png"
    broken.write_bytes(seen.read_bytes()[:40])
    found = find_landmarks([black, broken, seen, tmp_path / "gone.png"], cache=tmp_path)
    assert [points is None for points in found.landmarks] == [True, True, False, True]
    assert set(found.unreadable) == {broken, tmp_path / "gone.png"}


def test_an_interrupted_search_keeps_what_was_found(tmp_path: Path, paint: Paint, finder: list[int]) -> None:
    paths = [paint(f"{n}.png", n + 1) for n in range(4)]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_landmarks(paths, cache=tmp_path / "cache", progress=stop)
    find_landmarks(paths, cache=tmp_path / "cache")
    assert len(finder) == 4


def test_a_damaged_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "auto.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match="damaged"):
        LandmarkStore(tmp_path / "auto.npz")


def test_crops_put_the_stable_landmarks_on_the_template(tmp_path: Path, paint: Paint, finder: list[int]) -> None:
    paint("in/a.png", 1)
    paint("in/black.png", 0)
    faces = FolderFaces(tmp_path / "in", size=64, cache=tmp_path / "cache")
    item = faces[0]
    assert (len(faces), faces.skipped) == (1, 1)
    assert item["image"].shape == (3, 64, 64)
    assert item["image"].dtype == torch.uint8
    expected = torch.tensor(TEMPLATE) * 64 - 0.5
    torch.testing.assert_close(item["landmarks"][STABLE], expected, atol=0.01, rtol=0)
    assert (item["identity"], Path(item["path"]).name) == ("a.png", "a.png")


@pytest.mark.parametrize(("size", "margin", "side"), [(128, 0.1875, 176), (64, 0.0, 64), (50, 0.25, 76), (33, 0.1, 40)])
def test_the_margin_lies_around_the_same_crop(
    tmp_path: Path, paint: Paint, finder: list[int], size: int, margin: float, side: int
) -> None:
    assert canvas_side(size, margin) == side
    paint("in/a.png", 1)
    plain = FolderFaces(tmp_path / "in", size=size, cache=tmp_path / "c")[0]
    wide = FolderFaces(tmp_path / "in", size=size, margin=margin, cache=tmp_path / "c")[0]
    assert wide["image"].shape == (3, side, side)
    border = (side - plain["image"].shape[-1]) // 2
    inner = wide["image"][:, border : side - border, border : side - border]
    torch.testing.assert_close(wide["landmarks"], plain["landmarks"] + border, rtol=0, atol=0.01)
    torch.testing.assert_close(inner, plain["image"], rtol=0, atol=1)


def test_memory_and_disk_give_the_same_item(tmp_path: Path, paint: Paint, finder: list[int]) -> None:
    paint("in/a.png", 1)
    kept = FolderFaces(tmp_path / "in", size=48, cache=tmp_path / "c", in_memory=True)
    read = FolderFaces(tmp_path / "in", size=48, cache=tmp_path / "c", in_memory=False)
    first = kept[0]
    for again in (kept[0], read[0]):
        torch.testing.assert_close(first["image"], again["image"], rtol=0, atol=0)


def test_a_folder_without_faces_is_an_error(tmp_path: Path, paint: Paint, finder: list[int]) -> None:
    paint("in/black.png", 0)
    with pytest.raises(DataError, match="None of 1 pictures"):
        FolderFaces(tmp_path / "in", cache=tmp_path / "cache")
