"""Every format goes in and out with its size, depth, profile, EXIF, alpha and quality."""

import io
import struct

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageOps

from faketagger.errors import ImageError
from faketagger.imaging import Metadata, Photo, output_path, read_photo, write_photo
from faketagger.imaging.colour import load_profile
from faketagger.imaging.exif import upright

LOSSLESS = [".png", ".tif", ".bmp", ".webp"]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)))


def make_exif(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x927C: b"maker note \x00\x01"}
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}
    return exif.tobytes()


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_give_back_every_byte(suffix, scene, tmp_path):
    path = write_photo(Photo.from_array(scene), tmp_path / f"a{suffix}")
    back = read_photo(path)
    assert np.array_equal(back.rgb8, scene)
    assert back.metadata.lossless


@pytest.mark.parametrize("suffix", [".jpg", ".heic", ".avif"])
def test_lossy_formats_stay_close_and_keep_profile_and_exif(suffix, scene, tmp_path, p3_icc):
    smooth = np.array(Image.fromarray(scene).resize((256, 192), Image.Resampling.BICUBIC))
    png = tmp_path / "a.png"
    Image.fromarray(smooth).save(png, icc_profile=p3_icc, exif=make_exif())
    photo = read_photo(png)
    back = read_photo(write_photo(photo, tmp_path / f"a{suffix}"))
    assert psnr(back.pixels, photo.pixels) > 35
    assert back.profile is not None
    assert back.profile.icc == p3_icc
    exif = Image.Exif()
    exif.load(back.metadata.exif)
    assert exif[0x010F] == "Maker"
    assert exif.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
    assert exif.get_ifd(0x8825)[1] == "N"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"])
@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_orientation_is_applied_once_and_reset(suffix, turn, scene, tmp_path):
    kind = {".jpg": "JPEG", ".tif": "TIFF", ".heic": "HEIF"}.get(suffix, suffix[1:].upper())
    smooth = np.array(Image.fromarray(scene).resize((128, 96), Image.Resampling.BICUBIC))
    stored, path = Image.fromarray(smooth), tmp_path / f"a{suffix}"
    pillow_heif.register_heif_opener()
    stored.save(path, kind, exif=make_exif(turn), **({"quality": 95} if kind != "TIFF" else {}))
    photo = read_photo(path)
    expected = upright(smooth, turn)
    assert photo.pixels.shape == expected.shape
    assert psnr(photo.pixels, expected) > 25
    again = read_photo(write_photo(photo, tmp_path / f"b{suffix}"))
    assert again.pixels.shape == expected.shape
    assert psnr(again.pixels, expected) > 25


@pytest.mark.parametrize("turn", range(1, 9))
def test_upright_agrees_with_pillow(turn, scene):
    picture = Image.fromarray(scene)
    picture.getexif()[0x0112] = turn
    assert np.array_equal(upright(scene, turn), np.asarray(ImageOps.exif_transpose(picture)))


def test_exif_changes_in_one_byte_only(scene, tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(scene).save(path, exif=make_exif(6))
    out = write_photo(read_photo(path), tmp_path / "b.jpg")
    before, after = Image.open(path).info["exif"], Image.open(out).info["exif"]
    assert len(before) == len(after)
    assert sum(x != y for x, y in zip(before, after, strict=True)) == 1
    assert b"maker note \x00\x01" in after
    assert Image.open(out).getexif()[0x0112] == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_thumbnail_of_the_untagged_picture_is_unlinked(order, scene, tmp_path):
    start = b"II*\0" if order == "<" else b"MM\0*"
    turned = struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 26)
    thumbnail = struct.pack(order + "HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, 5, 0) + b"THUMB"
    exif = b"Exif\0\0" + start + turned + thumbnail
    path = tmp_path / "a.jpg"
    Image.fromarray(scene).save(path, exif=exif)
    assert Image.open(path).getexif().get_ifd(ExifTags.IFD.IFD1)[0x0201] == 56
    cleaned = Image.open(write_photo(read_photo(path), tmp_path / "b.jpg")).getexif()
    assert cleaned[0x0112] == 1
    assert not cleaned.get_ifd(ExifTags.IFD.IFD1)


@pytest.mark.parametrize("junk", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0garbage here"])
def test_damaged_exif_is_dropped(junk, scene, tmp_path):
    Image.fromarray(scene).save(tmp_path / "a.jpg", exif=junk)
    assert read_photo(tmp_path / "a.jpg").metadata.exif is None


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [60, 98])
def test_jpeg_is_444_and_never_coarser_than_the_input(subsampling, quality, scene, tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(scene).save(
        path, quality=quality, subsampling=subsampling, progressive=True, dpi=(300, 300)
    )
    out = Image.open(write_photo(read_photo(path), tmp_path / "b.jpg"))
    assert [component[1:3] for component in out.layer] == [(1, 1)] * 3
    original = Image.open(path).quantization
    probe = io.BytesIO()
    Image.new("RGB", (16, 16)).save(probe, "JPEG", quality=95)
    fine = Image.open(probe).quantization
    for i in (0, 1):
        assert out.quantization[i] == [min(a, b) for a, b in zip(original[i], fine[i], strict=True)]
    assert out.info["progressive"]
    assert out.info["dpi"] == (300, 300)


def test_grey_jpeg_stays_grey(scene, tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(scene[..., 0]).save(path, quality=90)
    photo = read_photo(path)
    assert photo.is_grey
    assert Image.open(write_photo(photo, tmp_path / "b.jpg")).mode == "L"


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept_bit_for_bit(suffix, mode, scene, tmp_path):
    alpha = scene[..., 1]
    picture = Image.fromarray(scene if mode == "RGBA" else scene[..., 0])
    picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    back = read_photo(write_photo(photo, tmp_path / f"b{suffix}"))
    assert np.array_equal(back.alpha, alpha)
    assert np.array_equal(back.rgb8, photo.rgb8)
    for opaque in (".jpg", ".bmp"):
        with pytest.raises(ImageError, match="transparency"):
            write_photo(photo, tmp_path / f"c{opaque}")
        assert output_path(photo, f"x/c{opaque}", tmp_path) == tmp_path / "c.png"


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_stay_sixteen(suffix, channels, scene, tmp_path, adobe_icc):
    rng = np.random.default_rng(1)
    stored = rng.integers(0, 65536, (40, 56, channels), dtype=np.uint16)
    alpha = stored[..., -1] if channels in (2, 4) else None
    photo = Photo(
        pixels=stored[..., :-1] if alpha is not None else stored,
        alpha=alpha,
        profile=load_profile(adobe_icc) if channels > 2 else None,
        metadata=Metadata(exif=make_exif(), dpi=(240.0, 240.0)),
    )
    path = write_photo(photo, tmp_path / f"a{suffix}")
    back = read_photo(path)
    assert back.depth == 16
    assert np.array_equal(back.rgb, photo.rgb)
    assert back.is_grey == (channels == 1)
    assert np.array_equal(back.alpha, alpha) if alpha is not None else back.alpha is None
    assert (back.profile is not None) == (channels > 2)
    assert b"Maker" in back.metadata.exif
    assert b"2024:05:06 07:08:09" in back.metadata.exif
    assert back.metadata.dpi == pytest.approx((240.0, 240.0), abs=0.1)
    independent = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert independent.dtype == np.uint16
    if channels == 3:
        assert np.array_equal(independent[..., ::-1], stored)


def test_sixteen_bit_tiff_of_another_writer(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    stored = np.random.default_rng(2).integers(0, 65536, (30, 20, 3), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb")
    photo = read_photo(tmp_path / "a.tif")
    assert np.array_equal(photo.pixels, stored)
    out = write_photo(photo, tmp_path / "b.tif")
    assert np.array_equal(tifffile.imread(out), stored)


def test_cmyk_becomes_srgb(scene, tmp_path):
    Image.fromarray(scene).convert("CMYK").save(tmp_path / "a.jpg", quality=98, subsampling=0)
    photo = read_photo(tmp_path / "a.jpg")
    assert psnr(photo.rgb8, scene) > 30
    assert Image.open(write_photo(photo, tmp_path / "b.jpg")).mode == "RGB"


def test_palette_becomes_rgb_and_keeps_transparency(scene, tmp_path):
    palette = Image.fromarray(scene).quantize(32)
    palette.save(tmp_path / "a.png", transparency=3)
    photo = read_photo(tmp_path / "a.png")
    assert photo.pixels.shape == scene.shape
    assert set(np.unique(photo.alpha)) == {0, 255}
    palette.save(tmp_path / "a.gif")
    photo = read_photo(tmp_path / "a.gif")
    assert np.array_equal(photo.rgb8, np.asarray(palette.convert("RGB")))
    with pytest.raises(ImageError, match=r"cannot write \.gif"):
        write_photo(photo, tmp_path / "b.gif")
    assert output_path(photo, "in/a.gif", "out").as_posix() == "out/a.png"


def test_phone_picture_with_a_second_picture_behind_it(scene, tmp_path):
    first, second = Image.fromarray(scene), Image.fromarray(scene[::-1])
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second], quality=95)
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.format == "JPEG"
    assert psnr(photo.pixels, scene) > psnr(photo.pixels, scene[::-1]) + 10


def test_the_content_decides_not_the_name(scene, encoded):
    assert read_photo(encoded(scene, "PNG")).format == "PNG"


def test_mislabelled_file(scene, encoded, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(scene, "PNG"))
    photo = read_photo(path)
    assert photo.format == "PNG"
    assert np.array_equal(photo.rgb8, scene)


def test_lossy_webp_is_seen_as_lossy(scene, encoded, srgb_icc):
    assert not read_photo(encoded(scene, "WEBP", quality=90, icc_profile=srgb_icc)).metadata.lossless
    assert read_photo(encoded(scene, "WEBP", lossless=True, icc_profile=srgb_icc)).metadata.lossless


def test_xmp_survives_without_its_orientation(scene, tmp_path):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d tiff:Orientation="6" dc:creator="someone"/></x:xmpmeta>'
    Image.fromarray(scene).save(tmp_path / "a.jpg", xmp=xmp)
    photo = read_photo(tmp_path / "a.jpg")
    for suffix in (".jpg", ".png", ".webp", ".tif"):
        kept = read_photo(write_photo(photo, tmp_path / f"b{suffix}")).metadata.xmp
        assert b"someone" in kept
        assert b"Orientation" not in kept
