"""Whatever is wrong with a file or a disk: one sentence, and nothing half done."""

import errno
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faketagger.errors import ImageError
from faketagger.imaging import Photo, find_images, read_photo, write_photo
from faketagger.imaging import write as write_module


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds almost nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"this is a letter, not a picture" * 40, "no picture"),
        (b"\xff\xd8\xff\xe0", "no picture"),
        (bytes(5000), "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "no picture"),
        (png_header(30_000, 30_000), "too large|more than 120 million"),
        (png_header(12_000, 11_000), "12000 x 11000: more than 120 million"),
        (png_header(1, 1), "too small"),
        (png_header(400, 15), "too small"),
        (png_header(400, 300), "cut off or damaged"),
    ],
)
def test_unusable_bytes(data, words, tmp_path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(data)
    for source in (data, path):
        with pytest.raises(ImageError, match=words) as caught:
            read_photo(source)
        assert "\n" not in caught.value.message
    assert "picture.jpg" in caught.value.message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "HEIF"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_file(kind, share, encoded, scene):
    read_photo(encoded(scene, "PNG"))
    whole = encoded(scene, kind)
    read_photo(whole)
    with pytest.raises(ImageError, match=r"cut off or damaged|no picture"):
        read_photo(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_truncated_sixteen_bits(suffix, share, tmp_path):
    noise = np.random.default_rng(0).integers(0, 65536, (64, 64, 3), dtype=np.uint16)
    whole = write_photo(Photo.from_array(noise), tmp_path / f"a{suffix}").read_bytes()
    with pytest.raises(ImageError, match=r"cut off or damaged|no picture"):
        read_photo(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_animations_and_page_stacks_are_refused(kind, scene):
    file = io.BytesIO()
    frames = [Image.fromarray(np.roll(scene, 9 * i, axis=1)) for i in range(3)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="3 frames or pages"):
        read_photo(file.getvalue())


def test_float_pixels_are_refused(scene):
    file = io.BytesIO()
    Image.fromarray(scene[..., 0].astype(np.float32)).save(file, "TIFF")
    with pytest.raises(ImageError, match="not supported"):
        read_photo(file.getvalue())


def test_limit_can_be_lowered(encoded, scene):
    with pytest.raises(ImageError, match=r"more than 0\.001 million"):
        read_photo(encoded(scene, "PNG"), max_pixels=1000)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ImageError, match="cannot be read: no such file"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="cannot be read: is a directory"):
        read_photo(tmp_path)


def test_unknown_or_missing_suffix(scene, tmp_path):
    for name in ("a.xyz", "a", "a.gif"):
        with pytest.raises(ImageError, match="cannot write"):
            write_photo(Photo.from_array(scene), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_missing_folder(scene, tmp_path):
    with pytest.raises(ImageError, match="the folder does not exist"):
        write_photo(Photo.from_array(scene), tmp_path / "none" / "a.png")


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "no permission")],
)
def test_refusing_disk_leaves_the_old_file(number, words, scene, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(write_module.os, "fsync", refuse)
    with pytest.raises(ImageError, match=words):
        write_photo(Photo.from_array(scene), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_really_full_device(scene, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "with_name", lambda self, name: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
    real_open = open
    monkeypatch.setattr(
        "builtins.open", lambda file, mode="r", **kw: real_open(file, mode.replace("x", "w"), **kw)
    )
    with pytest.raises(ImageError, match="the disk is full"):
        write_photo(Photo.from_array(scene), tmp_path / "a.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(scene, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ImageError, match="no permission"):
        write_photo(Photo.from_array(scene), tmp_path / "a.png")


def test_interruption_leaves_nothing_behind(scene, tmp_path, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write_module.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_photo(Photo.from_array(scene), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())


def test_written_file_follows_the_umask(scene, tmp_path):
    before = os.umask(0o027)
    try:
        path = write_photo(Photo.from_array(scene), tmp_path / "a.png")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_find_images(tmp_path):
    for name in ("b/2.JPG", "b/10.heic", "a/x.png", "a/.hidden.png", ".git/y.png", "a/notes.txt", "odd.name"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    names = [str(p.relative_to(tmp_path)) for p in find_images(tmp_path)]
    assert names == ["a/x.png", "b/10.heic", "b/2.JPG"]
    both = find_images([tmp_path / "b" / "2.JPG", tmp_path, tmp_path / "odd.name"])
    assert [p.name for p in both] == ["2.JPG", "x.png", "10.heic", "odd.name"]


def test_find_images_says_what_is_missing(tmp_path):
    with pytest.raises(ImageError, match="holds no picture"):
        find_images(tmp_path)
    with pytest.raises(ImageError, match="does not exist"):
        find_images(str(tmp_path / "none"))
    with pytest.raises(ImageError, match="No picture was given"):
        find_images([])


def test_import_is_light():
    code = "import sys, faketagger.imaging; print({'torch', 'cv2', 'pillow_heif'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
