"""Where the power of a tag goes: its spectrum, what of it passes each attack, and what a reader of it could reach.

.venv/bin/python benchmarks/tag_spectrum.py [--tagger NAME] [--faces FOLDER] [--count N]

The reader it could reach knows the original and the tags of both values of every bit, and compares the attacked picture
with them (a matched filter). What a tagger reads less than that, it loses by not knowing the original.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from reading_calibration import arguments, pictures
from scipy.fft import dctn
from torch import Tensor

import faketagger
from faketagger.simulator import AttackBatch, build
from faketagger.simulator.views import round_to_uint8
from faketagger.tagger.attenuation import luma

ATTACKS = ("h264", "synthesis", "synthesis_spatial", "synthesis_unseen", "synthesis_super")
BANDS = (0, 16, 24, 32, 48, 64, 363)
"""Edges in half cycles per side."""
EVERY = 4
"""Of so many bits one is asked of the reader that knows the original."""

Array = NDArray[np.float64]


class Sums:
    """What is summed over the pictures of one attack."""

    def __init__(self) -> None:
        self.tag, self.error, self.kept = (np.zeros(len(BANDS) - 1) for _ in range(3))
        self.known: list[bool] = []
        self.blind: list[bool] = []


def by_band(values: Array) -> Array:
    """Sums of values (H, W), one for each frequency, over the bands."""
    radius = np.hypot(*np.mgrid[: values.shape[0], : values.shape[1]])
    return np.histogram(radius, BANDS, weights=values)[0]


def spectrum(images: Tensor) -> Array:
    """Luma (H, W) of one picture's cosine transform, in grey levels."""
    return dctn(luma(images)[0, 0].double().numpy() * 255, norm="ortho")


def add(sums: Sums, model: faketagger.Tagger, attack: str, image: Tensor, points: Tensor, message: Tensor) -> None:
    """Tag and attack one picture (1, 3, H, W) and account for it."""

    def tagged(bits: Tensor) -> Tensor:
        return model.embed_aligned(image, bits, points)

    def attacked(images: Tensor) -> Tensor:
        output = build(attack)(AttackBatch(images, points), torch.Generator().manual_seed(0))
        return round_to_uint8(output.images)

    written = tagged(message)
    sent = round_to_uint8(written)
    seen = attacked(sent)
    tag = spectrum(sent - image)
    sums.tag += by_band(tag**2)
    sums.error += by_band(spectrum(seen - sent) ** 2)
    sums.kept += by_band(tag * spectrum(seen - attacked(image)))
    sums.blind += ((model.read_aligned(seen, points) > 0) == (message > 0))[0].tolist()
    for bit in range(0, model.message_bits, EVERY):
        other = message.clone()
        other[0, bit] = 1 - other[0, bit]
        otherwise = tagged(other)
        nearer = ((seen - (written + otherwise) / 2) * (written - otherwise)).sum()
        sums.known.append(bool(nearer > 0))


@torch.no_grad()
def measure(tagger: str = "face-128", faces: Path | None = None, count: int = 16) -> dict[str, Sums]:
    """Sums over pictures, for each attack."""
    torch.set_num_threads(1)
    model = faketagger.load(tagger)
    images, landmarks = pictures(faces, count)
    message = torch.randint(0, 2, (len(images), model.message_bits), generator=torch.Generator().manual_seed(1)).float()
    found = {attack: Sums() for attack in ATTACKS}
    for attack, sums in found.items():
        for one in range(len(images)):
            part = slice(one, one + 1)
            add(sums, model, attack, images[part], landmarks[part], message[part])
    return found


def row(first: str, cells: list[Any]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join([first, *map(str, cells)]) + " |"


if __name__ == "__main__":
    result = measure(**arguments(__doc__))
    names = [f"{low} to {high}" for low, high in pairwise(BANDS)]
    print(row("", [*names, "read", "read knowing the original"]))
    print("|---" * (len(names) + 3) + "|")
    tag = next(iter(result.values())).tag
    print(row("share of the tag's luma", [*(f"{share:.0%}" for share in tag / tag.sum()), "", ""]))
    for name, sums in result.items():
        kept = [f"{share:.2f}" for share in sums.kept / sums.tag]
        print(row(name, [*kept, f"{np.mean(sums.blind):.1%}", f"{np.mean(sums.known):.1%}"]))
