"""Masks beside outputs, and attributes beside facesets."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faketagger.errors import AdapterError
from faketagger.zoo import apply, install, prepare
from tests.helpers.rogue_adapters import make_adapter

Make = Callable[..., Path]

MASKED = """
for image in images:
    width, height = size(image["name"])
    half = b"".join(b"\\xff" * 3 if x < width // 2 else b"\\0" * 3 for y in range(height) for x in range(width))
    Path(job["masks"], image["name"]).write_bytes(png(width + SHIFT, height, half + b"\\0" * (3 * height * SHIFT)))
    paint(image)
say("done")
"""

ATTENTIVE = """
if sys.argv[1] == "prepare":
    (target / "told.json").write_text(json.dumps(job["attributes"]))
    say("done")
else:
    say("done")
"""

def _installed(folder: Path, driver: str, **changes: object) -> Path:
    made = make_adapter(folder, driver, **changes)
    install(made)
    return made


def test_a_mask_comes_back_with_its_picture(cache: Path, pictures: list[Path], tmp_path: Path) -> None:
    folder = _installed(tmp_path / "rogue", MASKED.replace("SHIFT", "0"), masks=True)
    for out in (tmp_path / "one", tmp_path / "again"):
        image = apply(folder, pictures[:1], out).images[0]
        assert image.mask == out / "masks" / "p0.png"
        mask = np.asarray(Image.open(image.mask))
        width = mask.shape[1]
        assert mask[:, : width // 2].min() == 255
        assert mask[:, width // 2 :].max() == 0
    assert image.cached


def test_an_old_mask_does_not_outlive_its_picture(cache: Path, pictures: list[Path], tmp_path: Path) -> None:
    driver = MASKED.replace("SHIFT", "0")
    good = apply(_installed(tmp_path / "one" / "rogue", driver), pictures[:1], tmp_path / "out").images[0]
    assert good.mask is not None
    assert good.mask.exists()
    apply(_installed(tmp_path / "two" / "rogue", "raise RuntimeError"), pictures[:1], tmp_path / "out")
    assert not good.mask.exists()


def test_a_mask_of_another_size_is_no_mask(cache: Path, pictures: list[Path], tmp_path: Path) -> None:
    folder = _installed(tmp_path / "rogue", MASKED.replace("SHIFT", "1"))
    image = apply(folder, pictures[:1], tmp_path / "out").images[0]
    assert image.status == "failed"
    assert "the mask that belongs to its output has" in str(image.reason)


def test_a_promised_mask_that_is_missing(adapter: Make, pictures: list[Path], tmp_path: Path) -> None:
    image = apply(adapter("well_behaved", masks=True), pictures[:1], tmp_path / "out").images[0]
    assert (image.status, image.reason) == ("failed", "the mask that the manifest promises is missing")


@pytest.mark.parametrize(
    "text",
    [
        "3\nMale Young\np0.jpg 1 -1\np1.png -1 1\np2.png 1 1\n",
        "file,Male,note,Young\nsome/p0.png,1,x,0\nsome/p1.png,0,y,1\nsome/p2.png,1,z,1\n",
    ],
    ids=["celeba", "csv"],
)
def test_attributes_reach_the_driver(cache: Path, pictures: list[Path], tmp_path: Path, text: str) -> None:
    folder = _installed(tmp_path / "rogue", ATTENTIVE, facesets=["faces"], attributes=True)
    (tmp_path / "list").write_text(text)
    made = prepare(folder, {"faces": [pictures[1], pictures[0]]}, attributes=tmp_path / "list")
    told = json.loads((made.folder / "told.json").read_text())
    assert told["faces"] == {
        "00000.png": {"Male": False, "Young": True},
        "00001.png": {"Male": True, "Young": False},
    }
    (tmp_path / "list").write_text(text.replace("p1.png 1", "p1.png -1").replace("p1.png,0", "p1.png,1"))
    assert prepare(folder, {"faces": pictures[1:2]}, attributes=tmp_path / "list").folder != made.folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,Male\nother.png,1\n", "says nothing about p0.png"),
        ("name,Male\np0.png,1\n", "neither CelebA's list nor a CSV"),
        ("file,Male\np0.png,maybe\n", "lists no attribute"),
        ("1\nMale Young\np0.png 1\n", "Line 3"),
        (None, "needs a list of them"),
    ],
)
def test_lists_that_do_not_help(
    cache: Path, pictures: list[Path], tmp_path: Path, text: str | None, message: str
) -> None:
    folder = _installed(tmp_path / "rogue", ATTENTIVE, facesets=["faces"], attributes=True)
    if text is not None:
        (tmp_path / "list").write_text(text)
    with pytest.raises(AdapterError) as caught:
        prepare(folder, {"faces": pictures[:1]}, attributes=None if text is None else tmp_path / "list")
    assert message in f"{caught.value.message} {caught.value.hint}"
