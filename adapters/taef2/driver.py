"""TAEF2, the distilled autoencoder of FLUX.2: a picture to its latent, noise if wanted, and back.

Runs in the adapter's own environment (torch, numpy, pillow) and speaks the contract of docs/adapters.md:
``driver.py apply job.json``. The network is upstream's own ``taesd.TAESD``, which reads its weights as weights only.
"""

import os
import sys
from pathlib import Path

from zoo_driver import run, say, threads

STRIDE = 8
PIXELS_AT_ONCE = 1_048_576


class Job:
    """The parts of job.json that this tool needs."""

    def __init__(self, description):
        parameters = description["parameters"]
        self.input = Path(description["input"])
        self.output = Path(description["output"])
        self.images = [(image["name"], image["seed"]) for image in description["images"]]
        self.upstream = Path(description["install"]["upstream"])
        self.device = description.get("device", "cpu")
        self.factor = {"full": 1, "half": 2}[parameters["resolution"]]
        self.noise = parameters["noise"]
        self.batch = parameters["batch"]


def batches(sizes, most, pixels):
    """Put pictures of one size together.

    Args:
        sizes: (width, height) by name, in order.
        most: Pictures in a batch.
        pixels: Pixels in a batch; a larger picture is a batch of its own.

    Returns:
        Lists of names.
    """
    by_size = {}
    for name, size in sizes.items():
        by_size.setdefault(size, []).append(name)
    made = []
    for (width, height), names in by_size.items():
        step = max(1, min(most, pixels // (width * height)))
        made += [names[start : start + step] for start in range(0, len(names), step)]
    return made


def load(job):
    """Upstream's network with its weights, on the device of the job."""
    import torch

    sys.path.insert(0, str(job.upstream))
    from taesd import TAESD

    torch.set_num_threads(threads())
    network = TAESD(job.upstream / "taef2_encoder.pth", job.upstream / "taef2_decoder.pth", 32, "flux_2")
    return network.float().eval().requires_grad_(False).to(job.device)


def resynthesise(network, pictures, seeds, noise, device):
    """Encode and decode pictures of one size.

    Args:
        network: From :func:`load`.
        pictures: (N, H, W, 3) uint8.
        seeds: One a picture.
        noise: In standard deviations of a picture's latent.
        device: Where the network is.

    Returns:
        (N, H, W, 3) uint8.
    """
    import torch

    height, width = pictures.shape[1:3]
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(device).float() / 255
    beyond = (0, -width % STRIDE, 0, -height % STRIDE)
    pixels = torch.nn.functional.pad(pixels, beyond, mode="replicate")
    with torch.no_grad():
        latent = network.encoder(pixels)
        if noise:
            # drawn on the CPU and for each picture alone, so that neither the device nor the batch matters
            draws = [torch.randn(latent.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in seeds]
            spread = latent.std(dim=(1, 2, 3), keepdim=True)
            latent = latent + noise * spread * torch.stack(draws).to(device)
        made = network.decoder(latent).clamp(0, 1)[:, :, :height, :width]
    if not torch.isfinite(made).all():
        raise ValueError("the decoder made values that are no numbers")
    return (made * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def attack(network, job, names, seeds):
    """Pictures of one size: read, reduce if wanted, re-synthesise, enlarge again, write."""
    import numpy as np
    from PIL import Image

    pictures = []
    for name in names:
        with Image.open(job.input / name) as image:
            pictures.append(image.convert("RGB"))
    size = pictures[0].size
    if job.factor > 1:
        small = tuple(max(1, round(side / job.factor)) for side in size)
        pictures = [picture.resize(small, Image.Resampling.LANCZOS) for picture in pictures]
    stack = np.stack([np.asarray(picture) for picture in pictures])
    for name, made in zip(
        names, resynthesise(network, stack, seeds, job.noise, job.device), strict=True
    ):
        picture = Image.fromarray(made)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        part = job.output / f"{name}.part"
        picture.save(part, format="PNG", compress_level=1)
        os.replace(part, job.output / name)


def apply(job):
    """All pictures of a job."""
    if not job.images:
        return
    from PIL import Image

    seeds, sizes = dict(job.images), {}
    for name, _ in job.images:
        with Image.open(job.input / name) as image:
            sizes[name] = image.size
    network, done = load(job), 0
    for names in batches(sizes, job.batch, PIXELS_AT_ONCE):
        try:
            attack(network, job, names, [seeds[name] for name in names])
            reason = None
        except (RuntimeError, ValueError, OSError, MemoryError) as error:
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
        for name in names:
            say("image", name=name, status="failed" if reason else "attacked", reason=reason)
        done += len(names)
        say("progress", done=done, total=len(sizes))


def main(arguments):
    """``driver.py apply job.json``."""
    run(arguments, apply=lambda job: apply(Job(job)))


if __name__ == "__main__":
    main(sys.argv[1:])
