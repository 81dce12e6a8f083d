"""A DCGAN's face in the place of a face: found, searched for in the generator's latent space, generated anew.

Runs in the adapter's own environment (gan_face_generate, torch, dlib, pillow) and speaks the contract of
docs/adapters.md: ``driver.py apply job.json``. The generator is the package's own; its weights are read with
``weights_only=True``, so nothing in the file is executed.
"""

import os
import sys
from pathlib import Path

from zoo_driver import run, say, threads

LATENT, CHANNELS, FEATURES, SIDE = 100, 3, 64, 64
AROUND_THE_FACE = 1.5
FEATHER = 0.06
LONGEST_SIDE_SEARCHED = 640
RATE, COARSE_WEIGHT, PRIOR_WEIGHT = 0.05, 0.5, 1e-3


class Job:
    """The parts of job.json that this tool needs."""

    def __init__(self, description):
        parameters = description["parameters"]
        self.input = Path(description["input"])
        self.output = Path(description["output"])
        self.masks = Path(description["masks"]) if description.get("masks") else None
        self.images = [(image["name"], image["seed"]) for image in description["images"]]
        self.weights = Path(description["install"]["packages"]) / "gan_face_generate" / "weights.tar"
        self.region = parameters["region"]
        self.steps = parameters["steps"]
        self.starts = parameters["starts"]


def load_generator(job):
    """The package's generator with the weights of its wheel."""
    import torch
    from gan_face_generate.models import Generator

    torch.set_num_threads(threads())
    network = Generator(1, CHANNELS, LATENT, FEATURES)
    state = torch.load(job.weights, map_location="cpu", weights_only=True)
    network.load_state_dict(state["netG_state_dict"])
    return network.eval().requires_grad_(False)


def invert(network, target, seed, steps, starts):
    """Search the latent whose generated face is nearest to a picture.

    Args:
        network: From :func:`load_generator`.
        target: (3, 64, 64) tensor in [-1, 1].
        seed: Fixes the starting points.
        steps: Of Adam.
        starts: Starting points that are followed together; the best end is taken.

    Returns:
        The generated face, (3, 64, 64) in [-1, 1].
    """
    import torch
    from torch.nn.functional import avg_pool2d

    target = target.expand(starts, -1, -1, -1)
    coarse = avg_pool2d(target, 4)
    draws = torch.Generator().manual_seed(seed)
    latent = (0.5 * torch.randn(starts, LATENT, 1, 1, generator=draws)).requires_grad_(True)
    search = torch.optim.Adam([latent], RATE)

    def distances(made):
        fine = (made - target).square().mean(dim=(1, 2, 3))
        return fine + COARSE_WEIGHT * (avg_pool2d(made, 4) - coarse).square().mean(dim=(1, 2, 3))

    for _ in range(steps):
        search.zero_grad()
        prior = latent.square().mean(dim=(1, 2, 3))
        (distances(network(latent)) + PRIOR_WEIGHT * prior).sum().backward()
        search.step()
    with torch.no_grad():
        made = network(latent)
        return made[distances(made).argmin()]


def find_face(finder, picture):
    """The largest upright face as (left, top, right, bottom), or None.

    dlib's finder sees faces from 80 pixels on; small pictures are enlarged for it, large ones reduced.
    """
    import numpy as np
    from PIL import Image

    scale = LONGEST_SIDE_SEARCHED / max(picture.size)
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    found = finder(np.asarray(picture.resize(size, Image.Resampling.BILINEAR)), 0)
    if not found:
        return None
    face = max(found, key=lambda box: box.area())
    return tuple(edge / scale for edge in (face.left(), face.top(), face.right() + 1, face.bottom() + 1))


def square_around(face, size):
    """The square in which the generator expects its face, moved into the picture and never larger than it.

    Args:
        face: (left, top, right, bottom).
        size: (width, height) of the picture.

    Returns:
        (left, top, right, bottom) in whole pixels.
    """
    left, top, right, bottom = face
    side = max(1, min(round(AROUND_THE_FACE * max(right - left, bottom - top)), *size))
    corner = []
    for low, high, length in ((left, right, size[0]), (top, bottom, size[1])):
        corner.append(min(max(round((low + high - side) / 2), 0), length - side))
    return corner[0], corner[1], corner[0] + side, corner[1] + side


def soft_square(size, box):
    """An 8-bit mask: 255 in the square, falling off at its edges, but not where those are the picture's own."""
    import numpy as np
    from PIL import Image

    def slope(length, low, high):
        width = max(1.0, FEATHER * (high - low))
        at = np.arange(length) + 0.5
        rise = np.ones(length) if low == 0 else np.clip((at - low) / width, 0, 1)
        fall = np.ones(length) if high == length else np.clip((high - at) / width, 0, 1)
        return np.where((at > low) & (at < high), np.minimum(rise, fall), 0)

    across, down = slope(size[0], box[0], box[2]), slope(size[1], box[1], box[3])
    return Image.fromarray((255 * np.outer(down, across)).round().astype(np.uint8))


def attack(network, finder, job, name, seed):
    """One picture; returns (status, reason)."""
    import numpy as np
    import torch
    from PIL import Image

    with Image.open(job.input / name) as image:
        picture = image.convert("RGB")
    face = find_face(finder, picture)
    if face is None:
        save(picture, job.output, name)
        return "passed_through", "no face was found"
    box = square_around(face, picture.size) if job.region == "face" else (0, 0, *picture.size)
    small = picture.crop(box).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    target = torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float() / 127.5 - 1
    made = invert(network, target, seed, job.steps, job.starts)
    pixels = ((made.permute(1, 2, 0).numpy() + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
    patch = Image.fromarray(pixels).resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.LANCZOS)
    mask = soft_square(picture.size, box)
    whole = Image.new("RGB", picture.size)
    whole.paste(patch, box[:2])
    if job.masks is not None:
        save(mask, job.masks, name)
    save(Image.composite(whole, picture, mask), job.output, name)
    return "attacked", None


def save(picture, folder, name):
    """Write a PNG so that it is either whole or not there."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    picture.save(part, format="PNG", compress_level=1)
    os.replace(part, folder / name)


def apply(job):
    """All pictures of a job, each alone: in a common batch rounding would grow over the steps of the search."""
    if not job.images:
        return
    import dlib

    network, finder = load_generator(job), dlib.get_frontal_face_detector()
    for done, (name, seed) in enumerate(job.images, start=1):
        try:
            status, reason = attack(network, finder, job, name, seed)
        except (OSError, RuntimeError, ValueError) as error:
            status, reason = "failed", f"{type(error).__name__}: {error}"
        say("image", name=name, status=status, reason=reason)
        say("progress", done=done, total=len(job.images))


def main(arguments):
    """``driver.py apply job.json``."""
    run(arguments, apply=lambda job: apply(Job(job)))


if __name__ == "__main__":
    main(sys.argv[1:])
