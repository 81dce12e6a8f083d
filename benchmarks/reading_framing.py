"""What is gained by reading a face whose bits are unsure in several moved framings, through every attack.

.venv/bin/python benchmarks/reading_framing.py [--tagger NAME] [--faces FOLDER] [--count N]
"""

from pathlib import Path

import numpy as np
import torch
from reading_calibration import ATTACKS, arguments, attacked, batches, pictures, tagged_at_random
from torch import Tensor

import faketagger
from faketagger.faces import find_faces
from faketagger.tagger.framing import confidence, turned

READABLE = 60
"""Bits right of 64 from which a payload is usually decoded."""


def found(images: Tensor, landmarks: Tensor) -> Tensor:
    """Landmarks (N, 68, 2) as a reader finds them in pictures (N, 3, H, W); those given where it finds no face."""
    points = landmarks.clone()
    for row, pixels in enumerate((images * 255).round().byte().permute(0, 2, 3, 1).numpy()):
        if faces := find_faces(pixels):
            points[row] = torch.from_numpy(np.asarray(faces[0].landmarks)).to(points)
    return points


@torch.no_grad()
def read(model: faketagger.Tagger, images: Tensor, landmarks: Tensor, search: bool) -> Tensor:
    """Logits (N, L) of the surer pose."""
    poses = model.read_poses(images, landmarks[:, None], 0, search).unflatten(0, (2, -1))
    return poses[turned(poses).long(), torch.arange(len(images))]


def measure(tagger: str = "face-256", faces: Path | None = None, count: int = 32) -> dict[str, list[tuple[float, ...]]]:
    """For each attack, without and with the search: share of bits right, of pictures readable, and mean confidence."""
    torch.set_num_threads(1)
    model = faketagger.load(tagger)
    images, landmarks = pictures(faces, count)
    tagged, message = tagged_at_random(model, images, landmarks)
    parts = batches(len(images))
    rows = {}
    for attack in ("untagged", None, *ATTACKS):
        source = images if attack == "untagged" else tagged
        seen = source if attack in ("untagged", None) else torch.cat([
            attacked(attack, source[p], landmarks[p])[0] for p in parts
        ])  # fmt: skip
        points = found(seen, landmarks)
        rows[attack or "no attack"] = [_figures(read(model, seen, points, search), message) for search in (False, True)]
    return rows


def _figures(logits: Tensor, message: Tensor) -> tuple[float, float, float]:
    right = ((logits > 0) == (message > 0)).double()
    return float(right.mean()), float((right.sum(1) >= READABLE).double().mean()), float(confidence(logits).mean())


if __name__ == "__main__":
    print("| attack | bits right | searched | pictures with 60 right | searched | mean confidence | searched |")
    print("|---|---|---|---|---|---|---|")
    for name, pair in measure(**arguments(__doc__)).items():
        print(f"| {name} | " + " | ".join(f"{one:.1%} | {other:.1%}" for one, other in zip(*pair, strict=True)) + " |")
