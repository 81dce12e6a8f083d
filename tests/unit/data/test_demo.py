"""The demo set as files: names, identities, cache."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faketagger.data import demo
from faketagger.data.demo import demo_faces, materialise_demo

Face = tuple[str, str, np.ndarray]


def test_two_pictures_a_person_and_one_photograph(rendered: list[Face]) -> None:
    assert [(name, identity) for name, identity, _ in rendered] == [
        ("person-000-0", "person-000"),
        ("person-000-1", "person-000"),
        ("person-001-0", "person-001"),
        ("person-001-1", "person-001"),
        ("astronaut", "astronaut"),
    ]
    for _, _, picture in rendered:
        assert picture.dtype == np.uint8
        assert picture.shape in ((256, 256, 3), (320, 320, 3))
        assert 25 < picture.mean() < 230
        assert picture.std() > 20
    first, second = rendered[0][2].astype(int), rendered[1][2].astype(int)
    assert np.abs(first - second).mean() > 5


def test_rendered_pictures_come_from_the_cache(
    rendered: list[Face], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo" / demo._renderer_digest()
    folder.mkdir(parents=True)
    for name, _, picture in rendered[:4]:
        Image.fromarray(picture).save(folder / f"{name}.png")

    def refuse(*_: object) -> None:
        raise AssertionError("rendered although it was in the cache")

    monkeypatch.setattr("faketagger.data.rendered.render.render", refuse)
    for (_, _, before), (_, _, now) in zip(rendered, demo_faces(4, cache=tmp_path), strict=True):
        np.testing.assert_array_equal(before, now)


def test_the_demo_set_becomes_a_folder(rendered: list[Face], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "demo_faces", lambda n: rendered)
    folder = materialise_demo(tmp_path / "out", 4)
    rows = list(csv.DictReader((folder / "manifest.csv").open()))
    assert [row["identity"] for row in rows] == [identity for _, identity, _ in rendered]
    assert [row["rendered"] for row in rows] == ["True"] * 4 + ["False"]
    assert [row["Male"] for row in rows] == ["0", "0", "1", "1", "0"]
    for row, (_, _, picture) in zip(rows, rendered, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(folder / row["file"])), picture)
    assert not list(folder.glob("*.part"))
