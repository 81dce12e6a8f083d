"""FaceForensics++'s FaceSwap: one donor picture's face on each picture, by Kowalski's Candide mesh and OpenGL.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md. There is nothing to train:
``prepare`` keeps the donor pictures in which the tool's detector finds a face, ``apply`` takes one of them for each
picture, drawn by the picture's seed, and hands all pairs of one size to the unmodified script in one process.
"""

import os
import random
import shutil
import sys
from pathlib import Path

import ffpp_script
from ffpp_display import display
from zoo_driver import run, say

LARGEST_SIDE_FOR_DETECTION = 480  # the script's own
NO_FACE = "the tool finds no face in it and hands it back as it was"


class Job:
    """The parts of job.json that this tool needs."""

    def __init__(self, description):
        install = description["install"]
        self.packages, self.upstream = Path(install["packages"]), Path(install["upstream"])
        self.kowalski = Path(install["companions"]["faceswap_kowalski"])
        self.output, self.work = Path(description["output"]), Path(description["work"])
        self.donors = Path(description["facesets"]["donor"]) if "facesets" in description else None
        self.images = description.get("images", [])
        if self.donors is None:
            self.input, self.masks = Path(description["input"]), Path(description["masks"])
            self.model = Path(description["model"])


def has_face(detector, path):
    """Whether dlib finds a face the way the script looks for one."""
    import cv2

    image = cv2.imread(str(path))
    if image is None:
        return False
    scale = min(1.0, LARGEST_SIDE_FOR_DETECTION / max(image.shape))
    if scale < 1:
        image = cv2.resize(image, (int(image.shape[1] * scale), int(image.shape[0] * scale)))
    return len(detector(image, 1)) > 0


def prepare(job):
    """Keep the donor pictures that have a face."""
    import dlib

    detector = dlib.get_frontal_face_detector()
    pictures = sorted(job.donors.iterdir())
    kept = 0
    for done, path in enumerate(pictures, start=1):
        if has_face(detector, path):
            shutil.copyfile(path, job.output / path.name)
            kept += 1
        say("progress", done=done, total=len(pictures))
    if not kept:
        raise SystemExit(f"the tool finds a face in none of the {len(pictures)} donor pictures")
    say("log", message=f"{kept} of {len(pictures)} donor pictures have a face")


def choose(donors, seed):
    """The donor of a picture: drawn from the picture's own seed."""
    return random.Random(seed).choice(donors)


def by_size(folder, images):
    """Pictures of one size together; the tool's window cannot change its size."""
    import cv2

    groups = {}
    for image in images:
        pixels = cv2.imread(str(folder / image["name"]))
        groups.setdefault(None if pixels is None else pixels.shape[1::-1], []).append(image)
    return groups


def soft_mask(rendered):
    """How much of each pixel the tool replaced.

    The script blends the rendered face with a weight that rises from 0 at the edge of the face's convex hull to 1 at a
    fifth of the face's size inside it; this is that weight again.

    Args:
        rendered: (H, W, 3) uint8, black where no face was rendered.

    Returns:
        (H, W) uint8, 255 where the pixel is the donor's alone; None if nothing was rendered.
    """
    import cv2
    import numpy as np

    rows, columns = np.nonzero(rendered.any(-1))
    if not len(rows):
        return None
    points = np.stack([columns, rows], axis=1)
    feather = 0.2 * (points.max(0) - points.min(0)).max()
    corners = cv2.convexHull(points.astype(np.int32))[:, 0].astype(np.float32)
    distance = np.full(len(points), np.inf, np.float32)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = end - start
        across = (points - start).astype(np.float32)
        area = np.abs(along[0] * across[:, 1] - along[1] * across[:, 0])
        distance = np.minimum(distance, area / max(float(np.hypot(*along)), 1e-6))
    mask = np.zeros(rendered.shape[:2], np.uint8)
    mask[rows, columns] = np.clip(distance / max(feather, 1e-6), 0, 1) * 255
    return mask


def deliver(job, name, swapped, rendered):
    """Put one result into place; returns (status, reason)."""
    import cv2

    face = cv2.imread(str(rendered))
    if face is None or cv2.imread(str(swapped)) is None:
        return "failed", "the tool wrote a picture that cannot be read"
    mask = soft_mask(face)
    if mask is not None:
        cv2.imwrite(str(job.masks / name), mask)
    os.replace(swapped, job.output / name)
    return ("passed_through", NO_FACE) if mask is None else ("attacked", None)


def apply(job):
    """All pictures of a job."""
    if not job.images:
        return
    donors = sorted(path for path in job.model.glob("*.png"))
    if not donors:
        raise SystemExit("the prepared folder has no donor pictures")
    folder = job.work / "tool"
    ffpp_script.assemble(folder, job.upstream, job.kowalski, job.packages)
    groups = by_size(job.input, job.images)
    for image in groups.pop(None, []):
        say("image", name=image["name"], status="failed", reason="it cannot be read as a picture")
    if not groups:
        return
    width, height = (max(size[axis] for size in groups) for axis in (0, 1))
    done = 0
    with display(width, height) as name_of_display:
        for images in groups.values():
            pairs = [(choose(donors, image["seed"]), job.input / image["name"]) for image in images]
            results = ffpp_script.swap(folder, job.work, pairs, name_of_display)
            for image, (swapped, rendered, reason) in zip(images, results, strict=True):
                status = "failed"
                if reason is None:
                    status, reason = deliver(job, image["name"], swapped, rendered)
                say("image", name=image["name"], status=status, reason=reason)
                done += 1
                say("progress", done=done, total=len(job.images))


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    run(arguments, prepare=lambda job: prepare(Job(job)), apply=lambda job: apply(Job(job)))


if __name__ == "__main__":
    main(sys.argv[1:])
