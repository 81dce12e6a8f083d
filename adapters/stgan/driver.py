"""STGAN: learns attributes of faces, or takes its authors' weights, and edits a square of a picture.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md: ``driver.py prepare job.json`` trains
with upstream's train.py on the faceset ``faces``, ``driver.py apply job.json`` edits with upstream's test.py.
"""

import sys
from pathlib import Path

from zoo_driver import read_rgb, run, say, write_png

RELEASED = "released.ckpt"


def prepare(job):
    """Train, or check and copy the weights that the user brought."""
    from editing import SETTINGS, keep, read_settings
    from training import ENDINGS, RUN, train

    work, output, parameters = Path(job["work"]), Path(job["output"]), job["parameters"]
    if parameters["weights"] == "released":
        weights = Path(job["install"]["weights"])
        files = [SETTINGS, *(f"{RELEASED}{end}" for end in ENDINGS)]
        if missing := [name for name in files if not (weights / name).is_file()]:
            raise SystemExit(f"{', '.join(missing)} not installed: zoo install stgan --weights DIR brings it")
        settings = read_settings(weights / SETTINGS)
        say("log", message=f"released weights of {settings['img_size']} pixels, {', '.join(settings['atts'])}")
        keep(weights / RELEASED, weights / SETTINGS, output)
        return
    from lesson import chosen, write_lesson

    labels = job["attributes"]["faces"]
    names, left_out = chosen(parameters["attributes"], labels)
    if left_out:
        say("log", message=f"the list has no {', '.join(left_out)}: not learned")
    for file in write_lesson(job["facesets"]["faces"], labels, work / "lesson", parameters["image_size"]):
        say("log", message=f"{file} cannot be read, not used")
    script = Path(job["install"]["upstream"]) / "train.py"
    checkpoint = train(script, work, names, parameters, job["seed"], job["device"], say)
    keep(checkpoint, work / "output" / RUN / SETTINGS, output)


def apply(job):
    """Edit all pictures in one call of upstream."""
    if not job["images"]:
        return
    if not job["model"]:
        raise SystemExit("nothing was learned: run prepare with the faceset faces first")
    from editing import MODEL, SETTINGS, collect, edit, lay_out, read_settings, wanted_edits
    from lesson import write_folder
    from sight import look, seen

    work, model, upstream = Path(job["work"]), Path(job["model"]), Path(job["install"]["upstream"])
    settings = read_settings(model / SETTINGS)
    edits = wanted_edits(job["parameters"]["edits"], settings["atts"])
    names, squares = cut_all(job, settings["img_size"])
    if not names:
        return
    has = [seen(scores) for scores in look(upstream, model / MODEL, settings, squares)]
    for name, there in zip(names, has, strict=True):
        say("log", message=f"{name}: seen before the edit: {', '.join(sorted(there)) or 'none'}")
    files = [f"{number:06d}.png" for number in range(1, len(names) + 1)]
    rows = list(zip(files, has, strict=True))
    # upstream's list has two rows or more
    write_folder(work / "pictures", zip(files, squares, strict=True), rows * 2)
    lay_out(work, model, settings)
    total = len(job["images"])
    said = edit(upstream / "test.py", work, len(names), edits, job["device"], lambda n: say_done(n, total))
    for number, name in enumerate(names, 1):
        made = collect(work, number, settings["img_size"])
        if made is None:
            say("image", name=name, status="failed", reason=f"test.py made no edit of it: {said}")
        else:
            deliver(job, name, made)


def say_done(done, total):
    """Progress of ``apply``."""
    say("progress", done=done, total=total)


def cut_all(job, size):
    """Names and squares of the pictures that can be edited; the others are reported as failed."""
    from squares import SHORTEST, cut

    names, squares = [], []
    for image in job["images"]:
        try:
            picture = read_rgb(Path(job["input"]) / image["name"])
            if min(picture.shape[:2]) < SHORTEST:
                raise ValueError(f"the picture is smaller than {SHORTEST} pixels")
            squares.append(cut(picture, size))
            names.append(image["name"])
        except (OSError, ValueError) as error:
            say("image", name=image["name"], status="failed", reason=f"{type(error).__name__}: {error}")
    return names, squares


def deliver(job, name, made):
    """Lay an edit over its picture; write picture and mask."""
    from squares import paste

    result, mask = paste(read_rgb(Path(job["input"]) / name), made)
    if job.get("masks"):
        write_png(mask, Path(job["masks"]) / name)
    write_png(result, Path(job["output"]) / name)
    say("image", name=name, status="attacked")


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    run(arguments, prepare=prepare, apply=apply)


if __name__ == "__main__":
    main(sys.argv[1:])
