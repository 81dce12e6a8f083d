"""Looks at what DeepFaceLab wrote: it says "Done." whether or not anything was done."""

import os
import re
import shutil

from dfl_commands import NAME, model_files
from dfl_tool import ToolError

SMALLEST_SIDE = 128
NATIVE = {"facelib/S3FD.npy": 89840843, "facelib/2DFAN.npy": 95570245}


def choose_detector(wanted, upstream):
    """Which face finder can be used.

    Args:
        wanted: ``auto``, ``s3fd`` or ``dlib``.
        upstream: Folder of the tool's code, with or without the weights of S3FD and FAN.

    Returns:
        ``s3fd`` or ``dlib``.

    Raises:
        ToolError: S3FD is wanted and its weights are not there in full.
    """
    absent = [name for name, size in NATIVE.items() if not _has_size(upstream / name, size)]
    if wanted == "s3fd" and absent:
        raise ToolError(f"the detector s3fd needs {' and '.join(absent)}, which this copy of the code lacks")
    return "dlib" if wanted == "dlib" or absent else "s3fd"


def _has_size(path, size):
    return path.is_file() and path.stat().st_size == size


def faces_found(folder):
    """Stems of the pictures whose face was cut out and can be decoded; what cannot be decoded is removed."""
    from PIL import Image

    stems = set()
    for path in sorted(folder.glob("*_0.jpg")):
        try:
            with Image.open(path, formats=["JPEG"]) as image:
                image.load()
            stems.add(path.name.removesuffix("_0.jpg"))
        except OSError:
            path.unlink()
    return stems


def picture_size(path):
    """(width, height) of a picture."""
    from PIL import Image

    with Image.open(path) as image:
        return image.size


def reason_without_face(path, detector):
    """Why a picture has no face, in one sentence."""
    width, height = picture_size(path)
    if min(width, height) < SMALLEST_SIDE:
        return f"DeepFaceLab looks for no face in a picture below {SMALLEST_SIDE} pixels; this has {width}x{height}"
    return f"no face was found by {detector}"


def trained_iterations(folder, model):
    """The iteration at which a model was last saved, from upstream's own summary; 0 if there is none."""
    path = folder / f"{NAME}_{model}_summary.txt"
    if not path.is_file() or not (folder / f"{NAME}_{model}_data.dat").is_file():
        return 0
    found = re.search(r"Current iteration: *(\d+)", path.read_text(encoding="utf-8", errors="replace"))
    return int(found.group(1)) if found else 0


def rescue_half_saved(folder):
    """Finish a save that was cut off: upstream writes NAME.tmp, removes NAME and renames."""
    for path in folder.glob("*.tmp"):
        whole = path.with_suffix("")
        if whole.exists():
            path.unlink()
        else:
            path.rename(whole)


def keep_model(folder, target, parameters):
    """Copy what merging needs.

    Raises:
        ToolError: A file is missing or empty, whatever the training said.
    """
    names = model_files(parameters)
    absent = [name for name in names if not (folder / name).is_file() or not (folder / name).stat().st_size]
    if absent:
        raise ToolError(f"training left no {', '.join(absent)}")
    for name in names:
        shutil.copyfile(folder / name, target / name)


def collect(name, given, merged, mask, output, masks):
    """Check one merged picture with its mask and put both where they belong.

    Args:
        name: File name of the result.
        given: The input picture.
        merged: What the merger should have written.
        mask: The merger's mask of it.
        output: Folder of results.
        masks: Folder of masks, or None if nobody asked for them.

    Returns:
        (status, reason) for the picture's event.
    """
    from PIL import Image, ImageChops

    if not merged.is_file() or not mask.is_file():
        return "failed", "the merger wrote no picture for it"
    try:
        with Image.open(given) as image:
            before = image.convert("RGB")
        with Image.open(merged) as image:
            after = image.convert("RGB")
        with Image.open(mask) as image:
            alpha = image.convert("L")
    except OSError as error:
        return "failed", f"the merger's picture or mask cannot be decoded ({type(error).__name__})"
    if not before.size == after.size == alpha.size:
        return "failed", f"the merger's picture has {after.size}, its mask {alpha.size} pixels instead of {before.size}"
    if not alpha.getbbox():
        return "passed_through", "the merger's mask is empty"
    if not ImageChops.difference(before, after).getbbox():
        return "passed_through", "the merger changed no pixel"
    part = output / f"{name}.part"
    after.save(part, format="PNG", compress_level=1)
    if masks is not None:
        alpha.save(masks / name, format="PNG", compress_level=1)
    os.replace(part, output / name)
    return "attacked", None
