"""DeepFaceLab: cuts out the faces of two people, trains an autoencoder on both, puts the donor's face into pictures.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md. DeepFaceLab itself runs in further
processes with ``shims/`` before it; none of its files is changed.
"""

import hashlib
import json
import shutil
import sys
import time
from pathlib import Path

import dfl_commands as commands
import dfl_outputs as outputs
import zoo_driver
from dfl_tool import Stop, Stopped, ToolError, Watcher, run
from zoo_driver import say

GRACE_S = 90.0


class Job:
    """The parts of job.json that this tool needs."""

    def __init__(self, description):
        self.input, self.output, self.work = (Path(description[name]) for name in ("input", "output", "work"))
        self.names = [image["name"] for image in description.get("images", [])]
        self.facesets = {name: Path(folder) for name, folder in description.get("facesets", {}).items()}
        self.model = Path(description["model"]) if description.get("model") else None
        self.masks = Path(description["masks"]) if description.get("masks") else None
        self.upstream = Path(description["install"]["upstream"])
        self.parameters = description["parameters"]
        self.threads = zoo_driver.threads()


class Pulse(Watcher):
    """Tells the runner now and then that a silent step is alive and printing."""

    def __init__(self, done, total):
        self.done, self.total, self.said = done, total, 0.0

    def read(self, text):
        now = time.monotonic()
        if now - self.said > 1:
            self.said = now
            say("progress", done=self.done, total=self.total)


def extract(job, name, pictures, faces, detector, total):
    """Cut out faces into a new folder; returns the stems of the pictures that have one."""
    shutil.rmtree(faces, ignore_errors=True)  # with files in it upstream asks, then deletes them
    faces.mkdir(parents=True)
    log = job.work / f"extract_{name}.log"
    run(
        f"extracting {name}",
        commands.extract(pictures, faces, job.parameters["face_size"]),
        folder=job.upstream,
        environment=commands.environment(detector, job.threads),
        log=log,
        watcher=Pulse(0, total),
    )
    found = outputs.faces_found(faces)
    if not found and any(word in log.read_text(errors="replace") for word in ("Error while", "Traceback")):
        raise ToolError(f"extracting {name} failed on every picture")
    return found


def extract_faceset(job, side, detector):
    """The faces of one person, cut out once and kept for a resumed run; returns how many there are."""
    faces, mark = job.work / f"faces_{side}", job.work / f"faces_{side}.json"
    pictures = sorted(path.name for path in job.facesets[side].iterdir())
    digest = hashlib.sha256()
    for name in pictures:
        digest.update(name.encode() + (job.facesets[side] / name).read_bytes())
    identity = {"pictures": digest.hexdigest(), "detector": detector, "size": job.parameters["face_size"]}
    if mark.is_file() and json.loads(mark.read_text()) == identity:
        found = outputs.faces_found(faces)
        say("log", message=f"{side}: {len(found)} faces are there from the run before")
    else:
        found = extract(job, side, job.facesets[side], faces, detector, job.parameters["iterations"])
        mark.write_text(json.dumps(identity))
    say("log", message=f"{side}: faces in {len(found)} of {len(pictures)} pictures, found by {detector}")
    if not found:
        raise ToolError(f"no face was found in any of the {len(pictures)} pictures of {side}")
    return len(found)


def train(job, stop, detector):
    """Train up to ``iterations``, going on from what ``work`` holds; returns what is to be recorded."""
    parameters, folder = job.parameters, job.work / "model"
    goal = parameters["iterations"]
    folder.mkdir(exist_ok=True)
    outputs.rescue_half_saved(folder)
    begun = outputs.trained_iterations(folder, parameters["model"])
    if begun == 0:
        shutil.rmtree(folder)
        folder.mkdir()
        commands.write_options(folder, parameters)
    if begun >= goal:
        return {"iterations": begun, "resumed_at": begun}
    if begun:
        say("log", message=f"going on with the model of iteration {begun}")
    watcher = commands.Training(goal, lambda done, total: say("progress", done=done, total=total), stop)
    run(
        "training",
        commands.train(parameters["model"], folder, job.work / "faces_src", job.work / "faces_dst"),
        folder=job.upstream,
        environment=commands.environment(detector, job.threads, stop.file, goal),
        log=job.work / "train.log",
        watcher=watcher,
        stop=stop,
    )
    reached = outputs.trained_iterations(folder, parameters["model"])
    if reached < goal:
        raise ToolError(f"training ended by itself at iteration {reached} of {goal}; the same call goes on from there")
    return {"iterations": reached, "resumed_at": begun, "loss_first": watcher.first, "loss_last": watcher.last}


def prepare(job):
    """Both facesets, then the training; leaves the model and a record of how it was made in ``output``."""
    stop = Stop(job.work / "stop", GRACE_S)
    detector = outputs.choose_detector(job.parameters["detector"], job.upstream)
    found = {side: extract_faceset(job, side, detector) for side in ("src", "dst")}
    stop.listen()
    record = train(job, stop, detector)
    outputs.keep_model(job.work / "model", job.output, job.parameters)
    kept = {name: job.parameters[name] for name in ("model", "face_size")}
    record = {"detector": detector, "faces": found, **kept, **record}
    (job.output / "prepared.json").write_text(json.dumps(record, indent=1))
    say("log", message=f"trained: {json.dumps(record)}")


def link(names, source, folder):
    """A folder of links to some pictures."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(source / name)
    return folder


def apply(job):
    """Put the donor's face into every picture that has one."""
    if not job.names:
        return
    if job.model is None or not (job.model / "prepared.json").is_file():
        raise ToolError("there is no trained model; run prepare first")
    record = json.loads((job.model / "prepared.json").read_text())
    detector, model = record["detector"], record["model"]
    job.parameters["face_size"] = record["face_size"]
    outputs.choose_detector(detector, job.upstream)
    work, total = job.work, len(job.names)
    frames, faces = link(job.names, job.input, work / "frames"), work / "faces"
    found = extract(job, "pictures", frames, faces, detector, total)
    merged = [name for name in job.names if Path(name).stem in found]
    for name in job.names:
        if name not in merged:
            reason = outputs.reason_without_face(job.input / name, detector)
            say("image", name=name, status="passed_through", reason=reason)
    say("log", message=f"faces in {len(merged)} of {total} pictures, found by {detector}")
    if merged:
        merge(job, model, merged, detector)


def merge(job, model, names, detector):
    """Merge the frames that have a face and report each."""
    frames, work = link(names, job.input, job.work / "frames"), job.work
    problem = None
    try:
        run(
            "merging",
            commands.merge(model, job.model, frames, work / "faces", work / "merged", work / "merged_mask"),
            folder=job.upstream,
            environment=commands.environment(detector, job.threads),
            log=work / "merge.log",
            watcher=Pulse(len(job.names) - len(names), len(job.names)),
            answers=commands.merge_answers(job.parameters, min(job.threads, len(names))),
        )
    except ToolError as error:
        problem = str(error)
    for name in names:
        stem = Path(name).stem
        made = (work / "merged" / f"{stem}.png", work / "merged_mask" / f"{stem}.png")
        status, reason = outputs.collect(name, job.input / name, *made, job.output, job.masks)
        if status == "failed" and problem:
            reason = f"{reason}; {problem}"
        say("image", name=name, status=status, reason=reason)


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    try:
        zoo_driver.run(arguments, prepare=lambda job: prepare(Job(job)), apply=lambda job: apply(Job(job)))
    except ToolError as error:
        raise SystemExit(f"DeepFaceLab: {error}") from None
    except Stopped as error:
        raise SystemExit(f"DeepFaceLab: {error}; its work is saved and the same call goes on with it") from None


if __name__ == "__main__":
    main(sys.argv[1:])
