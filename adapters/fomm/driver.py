"""First Order Motion Model: a face moves like another one, generated anew by a network; weights are the user's.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md: ``driver.py prepare job.json`` crops
the frames of the faceset ``driver``, ``driver.py apply job.json`` moves each picture's face like one of them.
"""

import json
import os
import sys
from pathlib import Path

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


def say(event, **facts):
    """Print one event line."""
    print(json.dumps({"event": event, **facts}), flush=True)


def read(path):
    """(H, W, 3) uint8 RGB."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def write(pixels, path):
    """A PNG that is complete as soon as it is there under its name."""
    from PIL import Image

    part = path.with_name(path.name + ".part")
    Image.fromarray(pixels).save(part, format="PNG", compress_level=1)
    os.replace(part, path)


def prepare(job):
    """Crop the driving frames; the first one by name is the face at rest that movement is measured from."""
    from crop import cut, window
    from landmarks import Finder

    paths = sorted(path for path in Path(job["facesets"]["driver"]).iterdir() if path.suffix.lower() in PICTURES)
    finder, output, kept, where = Finder(job["install"]["packages"]), Path(job["output"]), 0, None
    for done, path in enumerate(paths, 1):
        try:
            picture = read(path)
            points = finder.find(picture)
            if points is None:
                say("log", message=f"{path.name}: no face found, not used")
            else:
                # frames of one clip keep one window, or the movement of the head would be cropped away
                same_clip = where is not None and where[0] == picture.shape
                where = where if same_clip else (picture.shape, window(points))
                write(cut(picture, where[1]), output / f"{kept:05}.png")
                kept += 1
        except Exception as error:
            say("log", message=f"{path.name}: not used, {type(error).__name__}: {error}")
        say("progress", done=done, total=len(paths))
    if not kept:
        raise SystemExit(f"none of the {len(paths)} pictures of the faceset driver shows a face")


def attack(job, name, seed, finder, motion, frames):
    """One picture; returns (picture, mask), or None where there is no face."""
    from crop import cut, paste, window

    parameters = job["parameters"]
    picture = read(Path(job["input"]) / name)
    points = finder.find(picture)
    if points is None:
        return None
    where = window(points)
    driving = frames[1 + seed % (len(frames) - 1)] if len(frames) > 1 else frames[0]
    made = motion.move(
        cut(picture, where), read(driving), read(frames[0]), parameters["relative"], parameters["adapt_scale"]
    )
    return paste(picture, made, where)


def apply(job):
    """Move the face of every picture like a driving frame that the picture's seed picks."""
    if not job["images"]:
        return
    if not job["model"]:
        raise SystemExit("there are no driving frames: run prepare with the faceset driver first")
    from landmarks import Finder
    from network import Motion

    motion = Motion(job["install"], job["parameters"]["checkpoint"], job["device"])
    finder, frames = Finder(job["install"]["packages"]), sorted(Path(job["model"]).glob("*.png"))
    for done, image in enumerate(job["images"], 1):
        name, status, reason = image["name"], "attacked", None
        try:
            result = attack(job, name, image["seed"], finder, motion, frames)
            if result is None:
                status, reason = "passed_through", "no face was found"
            else:
                if job.get("masks"):
                    write(result[1], Path(job["masks"]) / name)
                write(result[0], Path(job["output"]) / name)
        except Exception as error:
            status, reason = "failed", f"{type(error).__name__}: {error}"
        say("image", name=name, status=status, reason=reason)
        say("progress", done=done, total=len(job["images"]))


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    phases = {"prepare": prepare, "apply": apply}
    if len(arguments) != 2 or arguments[0] not in phases:
        raise SystemExit("usage: driver.py prepare|apply job.json")
    job = json.loads(Path(arguments[1]).read_text(encoding="utf-8"))
    if job["contract"] != 1:
        raise SystemExit(f"contract {job['contract']} is not spoken here")
    phases[arguments[0]](job)
    say("done")


if __name__ == "__main__":
    main(sys.argv[1:])
