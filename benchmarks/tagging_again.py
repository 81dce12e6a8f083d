"""Is a tagged face told from an untagged one without the key, and what is left of a tag under a second one?

.venv/bin/python benchmarks/tagging_again.py [--tagger NAME] [--other NAME] [--faces FOLDER] [--count N]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

import faketagger
from faketagger.data.demo import demo_faces
from faketagger.faces import Face, find_faces
from faketagger.imaging import read_photo
from faketagger.simulator import AttackBatch, build
from faketagger.tagger.presence import CERTAIN, bit_confidence
from faketagger.training.tagger_module import round_to_uint8

ATTACKS = {"none": None, "jpeg": 50.0, "resize": 0.5, "h264": 32.0}


def photographs(folder: Path | None, count: int) -> list[NDArray[np.uint8]]:
    """Pictures (H, W, 3) of a folder, or the demo faces."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg")) if folder else []
    return [read_photo(path).rgb8 for path in files[:count]] or [row[2] for row in demo_faces(count)]


def tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """(1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def seen(tagger: faketagger.Tagger, pixels: NDArray[np.uint8], face: Face, attack: str) -> NDArray[np.float64]:
    """Logits (2, L) of the face after an attack that leaves it where it is."""
    picture = tensor(pixels)
    if ATTACKS[attack] is not None:
        batch = AttackBatch(picture, torch.from_numpy(face.landmarks)[None])
        output = build(attack, severity=ATTACKS[attack])(batch, torch.Generator().manual_seed(0))
        picture = round_to_uint8(output.images)
    return tagger.face_logits(picture, [face], search=False)[0]


@torch.no_grad()
def measure(
    tagger: str = "face-128", other: str | None = None, faces: Path | None = None, count: int = 24
) -> dict[str, float]:
    """Confidences of untagged and tagged faces through each attack; share of the first tag's bits after a second."""
    torch.set_num_threads(1)
    mine = faketagger.load(tagger, key="first")
    theirs = faketagger.load(other or tagger, key="second")
    rng = np.random.default_rng(0)
    sure: dict[str, list[float]] = {f"{state}, {attack}": [] for state in ("untagged", "tagged") for attack in ATTACKS}
    left = []
    for pixels in track(photographs(faces, count), "tagging twice"):
        if not (found := find_faces(pixels)):
            continue
        payload, second = (int(rng.integers(2**24)) for _ in range(2))
        tagged = theirs.embed(pixels, second, again=True).rgb8
        for state, picture in (("untagged", pixels), ("tagged", tagged)):
            for attack in ATTACKS:
                sure[f"{state}, {attack}"].append(bit_confidence(seen(mine, picture, found[0], attack)))
        first = mine.embed(pixels, payload)
        under = theirs.embed(first, second, again=True).rgb8
        left.append(np.mean((seen(mine, under, found[0], "none")[0] > 0) == (mine.codec.encode(payload) > 0)))
    result = {"faces": float(len(left)), "first tag's bits under a second": float(np.mean(left))}
    for name, values in sure.items():
        result |= {f"{name}: lowest": min(values), f"{name}: highest": max(values)}
        result[f"{name}: taken for tagged"] = float(np.mean(np.array(values) >= CERTAIN))
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tagger", default="face-128", help="who looks")
    parser.add_argument("--other", help="who has tagged; the same without")
    parser.add_argument("--faces", type=Path, help="folder of photographs; the demo faces without")
    parser.add_argument("--count", type=int, default=24)
    for name, value in measure(**vars(parser.parse_args())).items():
        print(f"{name}: {value:.3f}")
