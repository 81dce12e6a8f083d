"""StarGAN: learns attributes of faces, or takes its authors' weights, and edits the centred square of a picture.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md: ``driver.py prepare job.json`` trains
with upstream's main.py on the faceset ``faces``, ``driver.py apply job.json`` edits.
"""

import json
import shutil
import sys
from pathlib import Path

from zoo_driver import run, say

RELEASED = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"]


def prepare(job):
    """Train, or check and copy the weights that the user brought."""
    work, output, parameters = Path(job["work"]), Path(job["output"]), job["parameters"]
    if parameters["weights"] == "released":
        take_released(Path(job["install"]["weights"]), output)
        return
    from lesson import chosen, write_lesson
    from training import train

    labels = job["attributes"]["faces"]
    names, left_out = chosen(parameters["attributes"], labels)
    if left_out:
        say("log", message=f"the list has no {', '.join(left_out)}: not learned")
    if not names:
        raise SystemExit(f"the list of attributes has none of {parameters['attributes']}")
    for file in write_lesson(job["facesets"]["faces"], labels, names, work / "lesson"):
        say("log", message=f"{file} cannot be read, not used")
    script, models = Path(job["install"]["upstream"]) / "main.py", work / "models"
    train(script, work / "lesson", models, names, parameters, job["seed"], job["device"], say)
    keep(models, parameters["iterations"], names, output)


def take_released(weights, output):
    """Hand the authors' checkpoints over to ``apply``."""
    from network import load, shape_of

    missing = [name for name in ("200000-G.ckpt", "200000-D.ckpt") if not (weights / name).is_file()]
    if missing:
        raise SystemExit(f"{' and '.join(missing)} is not installed: zoo install stargan --weights DIR brings it")
    shape = shape_of(load(weights / "200000-G.ckpt"), load(weights / "200000-D.ckpt"))
    if shape["attributes"] != len(RELEASED):
        raise SystemExit(f"these weights know {shape['attributes']} attributes, the released CelebA ones know 5")
    say("log", message=f"released weights of {shape['image_size']} pixels")
    keep(weights, 200000, RELEASED, output)


def keep(models, step, names, output):
    """Both networks and the names of their attributes."""
    for net in "GD":
        shutil.copyfile(models / f"{step}-{net}.ckpt", output / f"{net}.ckpt")
    (output / "attributes.json").write_text(json.dumps(names), encoding="utf-8")


def apply(job):
    """Edit every picture."""
    if not job["images"]:
        return
    if not job["model"]:
        raise SystemExit("nothing was learned: run prepare with the faceset faces first")
    import torch
    from network import Editor, wanted_edits

    torch.manual_seed(job["seed"])
    model = Path(job["model"])
    names = json.loads((model / "attributes.json").read_text(encoding="utf-8"))
    edits = wanted_edits(job["parameters"]["edits"], names)
    editor = Editor(job["install"]["upstream"], model, names, job["device"])
    for done, image in enumerate(job["images"], 1):
        status, reason = "attacked", None
        try:
            status, reason = attack(editor, job, image["name"], edits)
        except Exception as error:
            status, reason = "failed", f"{type(error).__name__}: {error}"
        say("image", name=image["name"], status=status, reason=reason)
        say("progress", done=done, total=len(job["images"]))


def attack(editor, job, name, edits):
    """One picture; returns its status and the reason."""
    from squares import SHORTEST, cut, paste, read, write

    picture = read(Path(job["input"]) / name)
    if min(picture.size) < SHORTEST:
        return "failed", f"the picture is smaller than {SHORTEST} pixels"
    made, has = editor.edit(cut(picture, editor.size), edits)
    result, mask = paste(picture, made)
    if job.get("masks"):
        write(mask, Path(job["masks"]) / name)
    write(result, Path(job["output"]) / name)
    seen = ", ".join(attribute for attribute, there in has.items() if there) or "none"
    say("log", message=f"{name}: seen before the edit: {seen}")
    return "attacked", None


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    run(arguments, prepare=prepare, apply=apply)


if __name__ == "__main__":
    main(sys.argv[1:])
