"""StyleGAN2-ADA: trained on a set of faces by upstream's own loop, then asked for faces of its own.

Runs in the adapter's own environment and speaks the contract of docs/adapters.md: ``driver.py prepare job.json``
trains, ``driver.py apply job.json`` writes a sample for each picture, made from that picture's seed alone.
"""

import os
import signal
import sys
from pathlib import Path

from zoo_driver import run, say

sys.path.insert(0, str(Path(__file__).resolve().parent))


class Job:
    """The parts of job.json that this tool needs."""

    def __init__(self, description):
        self.parameters = description["parameters"]
        self.output = Path(description["output"])
        self.work = Path(description["work"])
        self.upstream = Path(description["install"]["upstream"])
        self.device = description.get("device", "cpu")
        self.seed = description["seed"]
        if description["phase"] == "prepare":
            self.faces = Path(description["facesets"]["faces"])
        else:
            self.input = Path(description["input"])
            self.images = [(image["name"], image["seed"]) for image in description["images"]]
            self.model = Path(description["model"]) if description["model"] else None


def central_square(picture, side):
    """The largest square in the middle of a picture, reduced to ``side``; as upstream's dataset_tool center-crop."""
    from PIL import Image

    short = min(picture.size)
    left, top = ((length - short) // 2 for length in picture.size)
    return picture.crop((left, top, left + short, top + short)).resize((side, side), Image.Resampling.LANCZOS)


def stage(faces, folder, side):
    """Make the training pictures; files that a stopped call left are kept.

    Returns:
        How many there are.
    """
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(path.name for path in faces.iterdir() if path.suffix == ".png")
    for name in names:
        target = folder / name
        if target.exists():
            continue
        with Image.open(faces / name) as picture:
            central_square(picture.convert("RGB"), side).save(folder / f"{name}.part", format="PNG")
        os.replace(folder / f"{name}.part", target)
    return len(names)


def prepare(job):
    """Train on the faceset and leave the generator in ``output``; an interrupt leaves the snapshots in ``work``."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have made it ignored
    side = job.parameters["resolution"]
    data = job.work / "pictures"
    count = stage(job.faces, data, side)
    if not count:
        raise SystemExit("there is no picture in the faceset")
    say("log", message=f"{count} pictures at {side}x{side}")
    import training_run

    torch = training_run.enter(job.upstream, job.device)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    snapshot, chosen = training_run.train(
        job.parameters,
        data,
        job.work / "runs",
        job.seed,
        job.device,
        lambda done, total: say("progress", done=done, total=total),
    )
    training_run.export(snapshot, chosen, side, job.output)


def cover(sample, size):
    """Enlarge a square sample so that it covers a size, and cut off what stands over."""
    from PIL import Image

    side = max(size)
    sample = sample.resize((side, side), Image.Resampling.LANCZOS)
    left, top = ((side - length) // 2 for length in size)
    return sample.crop((left, top, left + size[0], top + size[1]))


def make(generator, seed, truncation, device):
    """One sample as upstream's generate.py makes it: z from the seed, constant noise.

    Returns:
        (side, side, 3) uint8.
    """
    import numpy as np
    import torch

    latent = torch.from_numpy(np.random.RandomState(seed % 2**32).randn(1, generator.z_dim)).to(device)
    label = torch.zeros([1, generator.c_dim], device=device)
    with torch.no_grad():
        made = generator(latent, label, truncation_psi=truncation, noise_mode="const")
    if not torch.isfinite(made).all():
        raise ValueError("the generator made values that are no numbers")
    return (made[0].permute(1, 2, 0) * 127.5 + 128).clamp(0, 255).to(torch.uint8).cpu().numpy()


def apply(job):
    """A sample in the size of each picture."""
    if not job.images:
        return
    if job.model is None:
        raise SystemExit("there is no trained generator: run prepare first")
    import torch
    import training_run
    from PIL import Image

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    generator = training_run.restore(job.model, job.upstream, job.device)
    for done, (name, seed) in enumerate(job.images, start=1):
        try:
            with Image.open(job.input / name) as picture:
                size = picture.size
            sample = Image.fromarray(make(generator, seed, job.parameters["truncation"], job.device))
            part = job.output / f"{name}.part"
            cover(sample, size).save(part, format="PNG", compress_level=1)
            os.replace(part, job.output / name)
            status, reason = "attacked", None
        except (OSError, RuntimeError, ValueError) as error:
            status, reason = "failed", f"{type(error).__name__}: {error}"
        say("image", name=name, status=status, reason=reason)
        say("progress", done=done, total=len(job.images))


def main(arguments):
    """``driver.py prepare|apply job.json``."""
    run(arguments, prepare=lambda job: prepare(Job(job)), apply=lambda job: apply(Job(job)))


if __name__ == "__main__":
    main(sys.argv[1:])
