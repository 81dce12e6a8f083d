"""Which waves an attack lets pass: luma and both chromas, by frequency, for a reader that knows the original.

.venv/bin/python benchmarks/channel_bands.py [--faces FOLDER] [--count N]

Random waves of one band in one channel of YUV, at 38 dB in RGB, are added to pictures and attacked. A cell has the
share of their amplitude that arrives in the middle of the picture, and its ratio to all else the attack did there.
"""

from itertools import pairwise
from pathlib import Path

import torch
from kornia.color import rgb_to_yuv, yuv_to_rgb
from reading_calibration import ATTACKS, arguments, pictures
from torch import Tensor

from faketagger.simulator import AttackBatch, build
from faketagger.simulator.views import round_to_uint8

NARROW = ("spatial", "strided", "mixer", "quantised", "unseen")
CHOSEN = ("h264", "brightness", "synthesis", *(f"synthesis_{kind}" for kind in ("gan", *NARROW, "super")))
BANDS = (8, 16, 24, 32, 48, 64)
"""Edges in half cycles per side."""
PSNR_DB = 38.0


def in_band(values: Tensor, low: int, high: int) -> Tensor:
    """Of pictures (N, H, W), what lies between two frequencies."""
    rows, columns = (2 * side * torch.fft.fftfreq(side) for side in values.shape[1:])
    radius = torch.hypot(*torch.meshgrid(rows, columns, indexing="ij"))
    return torch.fft.ifft2(torch.fft.fft2(values) * ((radius >= low) & (radius < high))).real


def middle(values: Tensor) -> Tensor:
    """The half of pictures (N, H, W) where their faces are."""
    high, wide = (side // 4 for side in values.shape[1:])
    return values[:, high:-high, wide:-wide]


def attacked(attack: str, images: Tensor, landmarks: Tensor) -> Tensor:
    """8-bit pictures (N, 3, H, W) after an attack that draws the same every time."""
    options = {} if ATTACKS[attack] is None else {"severity": ATTACKS[attack]}
    output = build(attack, **options)(AttackBatch(images, landmarks), torch.Generator().manual_seed(0))
    return round_to_uint8(output.images)


def cell(attack: str, channel: int, low: int, high: int, images: Tensor, landmarks: Tensor) -> tuple[float, float]:
    """Share of the amplitude that passes, and its ratio to the rest in dB."""
    wave = torch.zeros_like(images)
    noise = torch.randn(len(images), *images.shape[2:], generator=torch.Generator().manual_seed(1))
    wave[:, channel] = in_band(noise, low, high)
    added = yuv_to_rgb(wave)
    added = added / added.square().mean((1, 2, 3), keepdim=True).sqrt() * 10 ** (-PSNR_DB / 20)
    seen = attacked(attack, round_to_uint8(images + added), landmarks)
    sent = middle(rgb_to_yuv(added)[:, channel])
    change = middle(in_band((rgb_to_yuv(seen) - rgb_to_yuv(images))[:, channel], low, high))
    passed = (change * sent).sum() / sent.square().sum()
    rest = (change - passed * sent).square().mean()
    return float(passed), float(10 * (passed.square() * sent.square().mean() / rest).log10())


@torch.no_grad()
def measure(faces: Path | None = None, count: int = 10, **_: object) -> dict[str, list[tuple[float, float]]]:
    """For each attack and channel the cells of all bands."""
    torch.set_num_threads(1)
    images, landmarks = pictures(faces, count)
    return {
        f"{attack}, {'YUV'[channel]}": [cell(attack, channel, *band, images, landmarks) for band in pairwise(BANDS)]
        for attack in CHOSEN
        for channel in range(3)
    }


if __name__ == "__main__":
    names = [f"{low} to {high}" for low, high in pairwise(BANDS)]
    print("| passes | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|")
    for name, cells in measure(**arguments(__doc__)).items():
        print(f"| {name} | " + " | ".join(f"{passed:.2f}, {ratio:.0f} dB" for passed, ratio in cells) + " |")
