"""face2face-demo: pix2pix learns one person from landmarks, then turns the landmarks of any face into that person.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md: ``driver.py prepare job.json`` makes
landmark pictures of the faceset ``person`` and trains, ``driver.py apply job.json`` generates.
"""

import json
import shutil
import sys
from pathlib import Path

from zoo_driver import pictures_in, read_rgb, run, say, write_png

FEWEST = 8


def make_pairs(faces, folder, finder):
    """Training pictures of a faceset; returns how many there are."""
    from sketch import pair

    folder.mkdir(parents=True, exist_ok=True)
    paths = pictures_in(faces)
    count = 0
    for path in paths:
        try:
            picture = read_rgb(path)
            points = finder.find(picture)
            if points is None:
                say("log", message=f"{path.name}: no face found, not used")
                continue
            write_png(pair(picture, points), folder / f"{count}.png")
            count += 1
        except Exception as error:
            say("log", message=f"{path.name}: not used, {type(error).__name__}: {error}")
    if count < FEWEST:
        raise SystemExit(
            f"only {count} of {len(paths)} pictures show a face; a person is learned from {FEWEST} or more"
        )
    return count


def prepare(job):
    """Landmark pictures, then training; goes on in ``work`` where an earlier identical call was stopped."""
    from training import train
    from zoo_landmarks import Finder

    work, output, parameters = Path(job["work"]), Path(job["output"]), job["parameters"]
    pairs, model = work / "pairs", work / "model"
    shutil.rmtree(pairs, ignore_errors=True)
    count = make_pairs(Path(job["facesets"]["person"]), pairs, Finder(job["install"]["packages"]))
    say("log", message=f"{count} pictures of the person")
    script = Path(job["install"]["companions"]["pix2pix"]) / "pix2pix.py"
    train(script, pairs, model, parameters, job["seed"], say)
    keep(model, output, parameters)


def keep(model, output, parameters):
    """Hand the newest checkpoint over to ``apply``."""
    name = f"model-{parameters['steps']}"
    for path in sorted(model.glob(f"{name}.*")):
        if path.suffix != ".meta":
            shutil.copyfile(path, output / path.name)
    (output / "checkpoint").write_text(f'model_checkpoint_path: "{name}"\n', encoding="utf-8")
    (output / "trained.json").write_text(json.dumps({"filters": parameters["filters"]}), encoding="utf-8")


def apply(job):
    """Generate the person with the landmarks of every picture."""
    if not job["images"]:
        return
    if not job["model"]:
        raise SystemExit("nobody was learned: run prepare with the faceset person first")
    import numpy as np
    from network import Generator
    from sketch import lay_over, sketch, smallest_square
    from zoo_landmarks import Finder

    model = Path(job["model"])
    filters = json.loads((model / "trained.json").read_text(encoding="utf-8"))["filters"]
    generator = Generator(job["install"]["upstream"], model, filters, job["seed"])
    finder = Finder(job["install"]["packages"])
    for done, image in enumerate(job["images"], 1):
        name, status, reason = image["name"], "attacked", None
        try:
            picture = read_rgb(Path(job["input"]) / name)
            height, width = picture.shape[:2]
            points = finder.find(picture)
            if points is None:
                made, covered, status, reason = picture, 0, "passed_through", "no face was found"
            else:
                drawn = sketch(points, smallest_square(width, height))
                made, covered = lay_over(generator.make(drawn), width, height), 255
            if job.get("masks"):
                write_png(np.full((height, width), covered, np.uint8), Path(job["masks"]) / name)
            write_png(np.ascontiguousarray(made), Path(job["output"]) / name)
        except Exception as error:
            status, reason = "failed", f"{type(error).__name__}: {error}"
        say("image", name=name, status=status, reason=reason)
        say("progress", done=done, total=len(job["images"]))


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    run(arguments, prepare=prepare, apply=apply)


if __name__ == "__main__":
    main(sys.argv[1:])
