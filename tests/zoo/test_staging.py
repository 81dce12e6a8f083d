"""What a tool is handed: the pixels of the picture as a plain PNG, whatever the file held beside them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from skimage import data

from faketagger.zoo.outputs import stage_png, write_png

PIXELS = np.ascontiguousarray(data.astronaut()[:48, :64])


def test_a_plain_file_is_handed_on_as_it_is(tmp_path: Path) -> None:
    write_png(PIXELS, tmp_path / "plain.png")
    stage_png(PIXELS, tmp_path / "plain.png", tmp_path / "staged.png")
    assert (tmp_path / "staged.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


def _texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "not for tools")
    return info


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("text.png", "RGB", {"pnginfo": _texts()}),
        ("oriented.png", "RGB", {"exif": Image.Exif()}),
        ("resolution.png", "RGB", {"dpi": (72, 72)}),
        ("alpha.png", "RGBA", {}),
        ("grey.png", "L", {}),
        ("palette.png", "P", {}),
        ("photo.jpg", "RGB", {}),
    ],
)
def test_everything_else_is_written_anew(name: str, mode: str, options: dict[str, object], tmp_path: Path) -> None:
    exif = options.get("exif")
    if isinstance(exif, Image.Exif):
        exif[0x0112] = 6
    Image.fromarray(PIXELS).convert(mode).save(tmp_path / name, **options)
    stage_png(PIXELS, tmp_path / name, tmp_path / "staged.png")
    with Image.open(tmp_path / "staged.png") as staged:
        assert (staged.format, staged.mode, staged.info) == ("PNG", "RGB", {})
        assert np.array_equal(np.asarray(staged), PIXELS)


def test_sixteen_bits_and_a_tail_are_no_plain_file(tmp_path: Path) -> None:
    write_png(PIXELS, tmp_path / "plain.png")
    content = (tmp_path / "plain.png").read_bytes()
    for other in (content[:24] + b"\x10" + content[25:], content + b"behind"):
        (tmp_path / "other.png").write_bytes(other)
        stage_png(PIXELS, tmp_path / "other.png", tmp_path / "staged.png")
        assert (tmp_path / "staged.png").read_bytes() == content
