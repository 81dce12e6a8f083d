"""Do the probabilities of a reading match the frequencies? The expected calibration error through every attack.

.venv/bin/python benchmarks/reading_calibration.py [--tagger NAME] [--faces FOLDER] [--count N]
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import faketagger
from faketagger.data.demo import demo_faces
from faketagger.faces import find_faces
from faketagger.imaging import read_photo
from faketagger.simulator import AttackBatch, build
from faketagger.simulator.landmarks import moved_landmarks
from faketagger.torch_compat import ensure_torchvision
from faketagger.training.tagger_module import round_to_uint8

ensure_torchvision()
from torchmetrics.functional.classification import binary_calibration_error  # noqa: E402

SIDE, BATCH, BINS = 256, 8, 10
ATTACKS = {
    "jpeg": 30.0, "h264": 32.0, "brightness": 0.3, "rotation": 5.0, "reenact": None, "edit": None, "synthesis": None,
    "synthesis_gan": None, "synthesis_super": None, "synthesis_spatial": None, "synthesis_strided": None,
    "synthesis_mixer": None, "synthesis_quantised": None, "synthesis_unseen": None, "swap": None,
}  # fmt: skip


def pictures(folder: Path | None, count: int) -> tuple[Tensor, Tensor]:
    """Pictures (N, 3, SIDE, SIDE) in [0, 1] in which a face is found, and its landmarks (N, 68, 2)."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg")) if folder else []
    photos = [read_photo(path).rgb8 for path in files[:count]] or [row[2] for row in demo_faces(count)]
    photos = [np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)) for pixels in photos]
    found = [(pixels, faces[0].landmarks) for pixels in photos if (faces := find_faces(pixels))]
    images = np.stack([pixels for pixels, _ in found]).transpose(0, 3, 1, 2)
    return torch.from_numpy(images).float() / 255, torch.from_numpy(np.stack([points for _, points in found])).float()


@torch.no_grad()
def attacked_logits(tagger: faketagger.Tagger, attack: str | None, images: Tensor, landmarks: Tensor) -> Tensor:
    """Logits (N, L), read from tagged pictures (N, 3, H, W) after an attack."""
    return tagger.read_aligned(*((images, landmarks) if attack is None else attacked(attack, images, landmarks)))


def attacked(attack: str, images: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (N, 3, H, W) after an attack, as 8-bit files hold them, and where it moved the landmarks to."""
    batch = AttackBatch(images, landmarks)
    options = {} if ATTACKS[attack] is None else {"severity": ATTACKS[attack]}
    output = build(attack, **options)(batch, torch.Generator().manual_seed(0))
    return round_to_uint8(output.images), moved_landmarks(batch, output)


def batches(count: int) -> list[slice]:
    """Rows of at most ``BATCH`` pictures each."""
    return [slice(first, first + BATCH) for first in range(0, count, BATCH)]


@torch.no_grad()
def tagged_at_random(tagger: faketagger.Tagger, images: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
    """Tagged pictures as 8-bit files hold them, and their messages (N, L) in {0, 1}, always the same."""
    message = torch.randint(0, 2, (len(images), tagger.message_bits), generator=torch.Generator().manual_seed(1))
    parts = batches(len(images))
    tagged = torch.cat([tagger.embed_aligned(images[p], message[p].float(), landmarks[p]) for p in parts])
    return round_to_uint8(tagged), message


def measure(tagger: str = "face-128", faces: Path | None = None, count: int = 32) -> dict[str, dict[str, float]]:
    """Bits right, mean confidence and expected calibration error, for each attack."""
    torch.set_num_threads(1)
    model = faketagger.load(tagger)
    images, landmarks = pictures(faces, count)
    tagged, message = tagged_at_random(model, images, landmarks)
    parts = batches(len(images))
    found = {}
    for attack in (None, *ATTACKS):
        chance = torch.cat([attacked_logits(model, attack, tagged[p], landmarks[p]) for p in parts]).sigmoid()
        found[attack or "no attack"] = {
            "bits_right": float(((chance > 0.5) == (message > 0)).double().mean()),
            "confidence": float(torch.maximum(chance, 1 - chance).double().mean()),
            "calibration_error": float(binary_calibration_error(chance.flatten(), message.flatten(), BINS)),
        }
    return found


def arguments(description: str | None) -> dict[str, Any]:
    """What both benchmarks of reading are told on the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--tagger", default="face-128")
    parser.add_argument("--faces", type=Path, help="folder of square portraits; the demo faces without")
    parser.add_argument("--count", type=int, default=32)
    return vars(parser.parse_args())


if __name__ == "__main__":
    print("| attack | bits right | mean confidence | calibration error |\n|---|---|---|---|")
    for name, row in measure(**arguments(__doc__)).items():
        print(f"| {name} | {row['bits_right']:.1%} | {row['confidence']:.1%} | {row['calibration_error']:.3f} |")
