"""A spread-spectrum tagger of forty lines and faces without features: what the benchmark can be tested on."""

from concurrent.futures import Future
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from PIL import Image
from torch import Tensor

from faketagger.coding import Codec
from faketagger.faces.geometry import crop_matrix, paste_residual, warp_crop
from faketagger.faces.template import TEMPLATE


class ToyTagger:
    """Adds one noise pattern a bit to the aligned face, reads by correlation."""

    name = "toy"
    size = 128

    def __init__(self, message_bits: int = 64, strength: float = 0.004) -> None:
        self.message_bits = message_bits
        self.codec = Codec(message_bits, 24, 12)
        rng = torch.Generator().manual_seed(5)
        coarse = torch.randn(message_bits, 1, 48, 48, generator=rng)
        patterns = functional.interpolate(coarse, (self.size, self.size), mode="bilinear")[:, 0]
        patterns = torch.linalg.qr(patterns.flatten(1).T)[0].T.view_as(patterns)
        self._patterns = patterns * self.size
        self._strength = strength

    def embed_aligned(self, images: Tensor, message: Tensor, landmarks: Tensor) -> Tensor:
        matrix = crop_matrix(landmarks, self.size)
        residual = self._strength * torch.einsum("nl,lhw->nhw", 2 * message.float() - 1, self._patterns)
        return paste_residual(images, residual[:, None].expand(-1, 3, -1, -1).contiguous(), matrix).clamp(0, 1)

    def read_aligned(self, images: Tensor, landmarks: Tensor) -> Tensor:
        crops = warp_crop(images, crop_matrix(landmarks, self.size), self.size).mean(1, keepdim=True)
        flat = crops - functional.avg_pool2d(functional.pad(crops, (4,) * 4, mode="replicate"), 9, 1)
        return torch.einsum("nhw,lhw->nl", flat[:, 0], self._patterns)


class ToyFace:
    """What a face finder gives."""

    def __init__(self, landmarks: np.ndarray) -> None:
        self.landmarks = landmarks.astype(np.float32)


def toy_find_faces(image: np.ndarray, max_faces: int | None = None, **_: object) -> list[ToyFace]:
    """One face in the middle of every picture that is not flat."""
    if image.std() < 1:
        return []
    height, width = image.shape[:2]
    side = 0.8 * min(height, width)
    angles = np.linspace(np.pi, 0, 17)
    jaw = np.stack([0.5 + 0.3 * np.cos(angles), 0.42 + 0.4 * np.sin(angles)], 1)
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    mouth = np.stack([0.5 + 0.1 * np.cos(turns), 0.72 + 0.04 * np.sin(turns)], 1)
    points = np.concatenate([jaw, np.asarray(TEMPLATE), mouth])
    return [ToyFace(points * side + np.array([(width - side) / 2, (height - side) / 2]))]


def promised(value: np.ndarray | None) -> "Future[np.ndarray | None]":
    """A promise that is kept already."""
    future: Future[np.ndarray | None] = Future()
    future.set_result(value)
    return future


class ToyFacePool:
    """Stands in for the processes that look for faces."""

    def __enter__(self) -> "ToyFacePool":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def look(self, image: np.ndarray, *, guess: bool = False) -> "Future[np.ndarray | None]":
        found = toy_find_faces(image)
        return promised(found[0].landmarks if found else None)

    def embed(self, image: np.ndarray, landmarks: np.ndarray) -> "Future[np.ndarray | None]":
        """Mean colours of a coarse grid stand in for a face's description."""
        height, width = (side - side % 4 for side in image.shape[:2])
        cells = image[:height, :width].reshape(4, height // 4, 4, width // 4, 3).mean((1, 3))
        return promised(cells.ravel() / 255)


def toy_faces(folder: Path, people: int = 6, each: int = 2, size: int = 96) -> Path:
    """A folder of smooth coloured pictures with a manifest.

    Args:
        folder: To make.
        people: Identities.
        each: Pictures of each.
        size: Side in pixels.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(11)
    lines = ["file,identity"]
    for person in range(people):
        for take in range(each):
            coarse = rng.integers(60, 200, (4, 4, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
            name = f"person{person}_{take}.png"
            picture.save(folder / name)
            lines.append(f"{name},person {person}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder
