"""deepfakes/faceswap: trains its autoencoder on two people and puts the face of B onto every picture.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md. Landmarks come from dlib through the
tool's own file import, because its detectors fetch their weights while they run.
"""

import os
import shutil
import sys
from pathlib import Path

import fs_landmarks
import fs_tool
from zoo_driver import run, say

FEWEST_FACES = 25  # faceswap's own minimum
NO_FACE = "no face was found in it"
UNCHANGED = "the converter put nothing into it"


class Job:
    """The parts of job.json that this tool needs."""

    def __init__(self, description):
        self.packages = Path(description["install"]["packages"])
        self.upstream = Path(description["install"]["upstream"])
        self.output, self.work = Path(description["output"]), Path(description["work"])
        self.parameters = description["parameters"]
        self.code = self.work / "faceswap"
        self.facesets = {name: Path(folder) for name, folder in description.get("facesets", {}).items()}
        self.names = [image["name"] for image in description.get("images", [])]
        if not self.facesets:
            self.input, self.masks = Path(description["input"]), Path(description["masks"])
            self.model = Path(description["model"])


def extract(job, name, pictures):
    """Cut the aligned faces out of one faceset; returns their folder."""
    faces = job.work / f"faces_{name}"
    shutil.rmtree(faces, ignore_errors=True)
    landmarks = job.work / f"landmarks_{name}.json"
    landmarks.with_suffix(".fsa").unlink(missing_ok=True)
    names = sorted(path.name for path in pictures.iterdir())
    found = fs_landmarks.find(
        job.packages, pictures, names, landmarks, lambda done, total: say("log", message=f"{name}: {done} of {total}")
    )
    if len(found) < FEWEST_FACES:
        raise SystemExit(f"faceset {name} has {len(found)} faces in {len(names)} pictures; {FEWEST_FACES} are needed")
    code, _, printed = fs_tool.run(job.code, fs_tool.extract_command(pictures, landmarks, faces))
    made = len(list(faces.glob("*.png"))) if faces.is_dir() else 0
    if code or made < FEWEST_FACES:
        raise SystemExit(f"extracting faceset {name} made {made} faces: {fs_tool.last_error(printed)}")
    return faces


def prepare(job):
    """Extract both facesets and train; goes on from a model that an interrupted run left in ``work``."""
    fs_tool.copy_code(job.upstream, job.code)
    faces = {name: extract(job, name, job.facesets[name]) for name in ("a", "b")}
    model, wanted = job.work / "model", job.parameters["iterations"]
    begun = fs_tool.steps_done(model)
    if begun == 0:
        shutil.rmtree(model, ignore_errors=True)
    else:
        say("log", message=f"going on after iteration {begun}")

    def hear(text):
        for step in fs_tool.STEP.findall(text):
            say("progress", done=min(int(step), wanted), total=wanted)

    if begun < wanted:
        arguments = fs_tool.train_command(faces["a"], faces["b"], model, job.parameters, wanted - begun)
        code, stopped, printed = fs_tool.run(job.code, arguments, hear)
        done = fs_tool.steps_done(model)
        if stopped:
            raise SystemExit(f"stopped after iteration {done} of {wanted}, which is saved")
        if code or done < wanted:
            raise SystemExit(f"training ended after iteration {done} of {wanted}: {fs_tool.last_error(printed)}")
    kept = job.output / "model"
    kept.mkdir()
    for path in sorted(model.iterdir()):
        if path.suffix in (".keras", ".json"):
            shutil.copyfile(path, kept / path.name)


def collect(job, made, name):
    """Take one converted picture and its mask; returns (status, reason)."""
    import cv2

    mask = cv2.imread(str(made / "masks" / name), cv2.IMREAD_GRAYSCALE)
    if mask is None or cv2.imread(str(made / name)) is None:
        return "failed", "the converter wrote no picture or no mask of it"
    os.replace(made / name, job.output / name)
    if not mask.any():
        return "passed_through", UNCHANGED
    cv2.imwrite(str(job.masks / name), mask)
    return "attacked", None


def apply(job):
    """All pictures of a job in one conversion."""
    if not job.names:
        return
    landmarks = job.work / "landmarks.json"
    found = set(fs_landmarks.find(job.packages, job.input, job.names, landmarks))
    for name in job.names:
        if name not in found:
            shutil.copyfile(job.input / name, job.output / name)
            say("image", name=name, status="passed_through", reason=NO_FACE)
    if not found:
        return
    frames, model, made = job.work / "frames", job.work / "model", job.work / "made"
    frames.mkdir()
    for name in sorted(found):
        shutil.copyfile(job.input / name, frames / name)
    shutil.copytree(job.model / "model", model)
    fs_tool.copy_code(job.upstream, job.code)
    code, _, printed = fs_tool.run(job.code, fs_tool.extract_command(frames, landmarks))
    alignments = landmarks.with_suffix(".fsa")
    if code or not alignments.is_file():
        raise SystemExit(f"no alignments file came of the landmarks: {fs_tool.last_error(printed)}")
    arguments = fs_tool.convert_command(frames, alignments, model, made, job.parameters)
    code, _, printed = fs_tool.run(job.code, arguments)
    for name in sorted(found):
        status, reason = collect(job, made, name)
        if status == "failed" and code:
            reason = f"{reason} ({fs_tool.last_error(printed)})"
        say("image", name=name, status=status, reason=reason)


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    run(arguments, prepare=lambda job: prepare(Job(job)), apply=lambda job: apply(Job(job)))


if __name__ == "__main__":
    main(sys.argv[1:])
