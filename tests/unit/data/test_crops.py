"""Landmarks are found once; crops are aligned; a folder becomes a dataset."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from faketagger.data.folder import FolderFaces
from faketagger.data.landmarks import LandmarkStore, find_landmarks
from faketagger.data.transforms import MIRROR, Augment, mirror
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


def test_crops_put_the_stable_landmarks_on_the_template(
    tmp_path: Path, paint: Paint, finder: list[int]
) -> None:
    paint("in/a.png", 1)
    paint("in/black.png", 0)
    faces = FolderFaces(tmp_path / "in", size=64, cache=tmp_path / "cache")
    item = faces[0]
    assert (len(faces), faces.skipped) == (1, 1)
    assert item["image"].shape == (3, 64, 64)
    assert 0 <= item["image"].min() <= item["image"].max() <= 1
    expected = torch.tensor(TEMPLATE) * 64 - 0.5
    torch.testing.assert_close(item["landmarks"][STABLE], expected, atol=0.01, rtol=0)
    assert (item["identity"], Path(item["path"]).name) == ("a.png", "a.png")


def test_memory_and_disk_give_the_same_item(tmp_path: Path, paint: Paint, finder: list[int]) -> None:
    paint("in/a.png", 1)
    kept = FolderFaces(tmp_path / "in", size=48, cache=tmp_path / "c", in_memory=True, augment=Augment())
    read = FolderFaces(tmp_path / "in", size=48, cache=tmp_path / "c", in_memory=False, augment=Augment())
    for draw in (0, 3, 0):
        torch.testing.assert_close(kept[(0, draw)]["image"], read[(0, draw)]["image"], rtol=0, atol=0)
    assert not torch.equal(kept[(0, 0)]["image"], kept[(0, 1)]["image"])


def test_a_folder_without_faces_is_an_error(tmp_path: Path, paint: Paint, finder: list[int]) -> None:
    paint("in/black.png", 0)
    with pytest.raises(DataError, match="None of 1 pictures"):
        FolderFaces(tmp_path / "in", cache=tmp_path / "cache")


def test_mirroring_twice_changes_nothing(shape: np.ndarray) -> None:
    assert sorted(MIRROR) == list(range(68))
    image, points = torch.rand(3, 96, 96), torch.from_numpy(shape)
    again = mirror(*mirror(image, points))
    torch.testing.assert_close(again[0], image, rtol=0, atol=0)
    torch.testing.assert_close(again[1], points, rtol=0, atol=1e-4)


def test_a_mirrored_symmetric_face_keeps_its_landmarks() -> None:
    points = torch.zeros(68, 2)
    points[STABLE] = torch.tensor(TEMPLATE) * 64 - 0.5
    flipped = mirror(torch.zeros(3, 64, 64), points)[1]
    torch.testing.assert_close(flipped[STABLE], points[STABLE], rtol=0, atol=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_landmarks_follow_the_picture(seed: int) -> None:
    size, spot = 64, (24.0, 40.0)
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    blob = torch.exp(-((columns - spot[0]) ** 2 + (rows - spot[1]) ** 2) / 18.0).expand(3, size, size)
    points = torch.tensor(spot).expand(68, 2).clone()
    strong = Augment(rotate=20, zoom=0.2, shift=0.1, light=0)
    image, moved = strong(blob, points, torch.Generator().manual_seed(seed))
    weight = image[0] / image[0].sum()
    centre = torch.stack([(weight * columns).sum(), (weight * rows).sum()])
    torch.testing.assert_close(centre, moved[0], rtol=0, atol=0.3)


def test_no_change_asked_for_means_no_change(shape: np.ndarray) -> None:
    still = Augment(mirror=0, rotate=0, zoom=0, shift=0, light=0)
    image, points = torch.rand(3, 32, 32), torch.from_numpy(shape)
    changed = still(image, points, torch.Generator().manual_seed(1))
    assert torch.equal(changed[0], image)
    assert torch.equal(changed[1], points)
