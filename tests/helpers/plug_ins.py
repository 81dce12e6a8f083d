"""Watermarks made by code: one that works, one for every way not to, and a package that announces them."""

from pathlib import Path
from textwrap import dedent

import numpy as np

MODULE = '''
import numpy as np


class Good:
    """Eight bits, each the sign of the mean difference of two halves of a band of rows."""

    name = "good"
    message_bits = 8
    native_size = None

    def __init__(self, push=6.0):
        self.push = push

    def embed(self, images, messages):
        made = images.astype(float)
        for bit in range(self.message_bits):
            rows = self.band(images, bit)
            made[:, rows, ::2] += self.push * (2.0 * messages[:, bit, None, None, None] - 1)
            made[:, rows, 1::2] -= self.push * (2.0 * messages[:, bit, None, None, None] - 1)
        return np.clip(made, 0, 255)

    def read(self, images):
        floats = images.astype(float)
        bands = [floats[:, self.band(images, bit)] for bit in range(self.message_bits)]
        return np.stack([band[:, :, ::2].mean((1, 2, 3)) - band[:, :, 1::2].mean((1, 2, 3)) for band in bands], 1)

    def band(self, images, bit):
        step = images.shape[1] // self.message_bits
        return slice(bit * step, (bit + 1) * step)


class Raising(Good):
    name = "raising"

    def read(self, images):
        raise RuntimeError("the decoder fell over")


class WrongShape(Good):
    name = "wrong_shape"

    def embed(self, images, messages):
        return super().embed(images, messages)[:, 1:]


class NotANumber(Good):
    name = "not_a_number"

    def embed(self, images, messages):
        return np.full(images.shape, np.nan)


class Unchanged(Good):
    name = "unchanged"

    def embed(self, images, messages):
        return images


class Unmade(Good):
    def __init__(self):
        raise FileNotFoundError("weights.pt")
'''
CLASSES = {
    "good": "Good",
    "raising": "Raising",
    "wrong_shape": "WrongShape",
    "not_a_number": "NotANumber",
    "unchanged": "Unchanged",
    "unmade": "Unmade",
}


def make_package(
    folder: Path, module: str = MODULE, points: dict[str, str] = CLASSES, name: str = "marks_of_others"
) -> Path:
    """Write a package as an installer leaves it: a module and a dist-info with entry points.

    Args:
        folder: Goes on ``sys.path``.
        module: Text of the module.
        points: Entry points: name to class.
        name: Of module and package.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(dedent(module))
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = [f"{point} = {name}:{member}" for point, member in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[faketagger.watermarks]", *lines]) + "\n")
    return folder


def smooth_pictures(count: int = 3, height: int = 96, width: int = 96) -> np.ndarray:
    """(N, H, W, 3) uint8 pictures without fine detail."""
    import cv2

    coarse = np.random.default_rng(11).integers(60, 200, (count, 4, 4, 3)).astype(np.float32)
    large = [cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in coarse]
    return np.stack(large).clip(0, 255).astype(np.uint8)
