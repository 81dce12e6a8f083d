"""First Order Motion Model: a face moves like another one, generated anew by a network; weights are the user's.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md: ``driver.py prepare job.json`` crops
the frames of the faceset ``driver``, ``driver.py apply job.json`` moves each picture's face like one of them.
"""

import sys
from pathlib import Path

from zoo_driver import pictures_in, read_rgb, run, say, write_png


def prepare(job):
    """Crop the driving frames; the first one by name is the face at rest that movement is measured from."""
    from crop import cut, window
    from zoo_landmarks import Finder

    paths = pictures_in(job["facesets"]["driver"])
    finder, output, kept, where = Finder(job["install"]["packages"]), Path(job["output"]), 0, None
    for done, path in enumerate(paths, 1):
        try:
            picture = read_rgb(path)
            points = finder.find(picture)
            if points is None:
                say("log", message=f"{path.name}: no face found, not used")
            else:
                # frames of one clip keep one window, or the movement of the head would be cropped away
                same_clip = where is not None and where[0] == picture.shape
                where = where if same_clip else (picture.shape, window(points))
                write_png(cut(picture, where[1]), output / f"{kept:05}.png")
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
    picture = read_rgb(Path(job["input"]) / name)
    points = finder.find(picture)
    if points is None:
        return None
    where = window(points)
    driving = frames[1 + seed % (len(frames) - 1)] if len(frames) > 1 else frames[0]
    made = motion.move(
        cut(picture, where), read_rgb(driving), read_rgb(frames[0]), parameters["relative"], parameters["adapt_scale"]
    )
    return paste(picture, made, where)


def apply(job):
    """Move the face of every picture like a driving frame that the picture's seed picks."""
    if not job["images"]:
        return
    if not job["model"]:
        raise SystemExit("there are no driving frames: run prepare with the faceset driver first")
    from network import Motion
    from zoo_landmarks import Finder

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
                    write_png(result[1], Path(job["masks"]) / name)
                write_png(result[0], Path(job["output"]) / name)
        except Exception as error:
            status, reason = "failed", f"{type(error).__name__}: {error}"
        say("image", name=name, status=status, reason=reason)
        say("progress", done=done, total=len(job["images"]))


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    run(arguments, prepare=prepare, apply=apply)


if __name__ == "__main__":
    main(sys.argv[1:])
