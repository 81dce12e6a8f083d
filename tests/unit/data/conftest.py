"""Pictures made by code, and a face finder that sees a face in each of them."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import faketagger.faces
from faketagger.data.demo import demo_faces
from faketagger.torch_compat import ensure_torchvision

ensure_torchvision()


@pytest.fixture(scope="session")
def shape() -> np.ndarray:
    """A frontal face of 68 landmarks in a 96-pixel picture: a circle of jaw points and the mean inner face."""
    from faketagger.faces.template import STABLE, TEMPLATE

    points = np.zeros((68, 2), dtype=np.float32)
    points[STABLE] = np.array(TEMPLATE, dtype=np.float32)
    angle = np.linspace(np.pi, 0, 17)
    points[:17] = 0.5 + 0.36 * np.column_stack([np.cos(angle), np.sin(angle)])
    around = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    points[48:] = np.array([0.5, 0.75]) + np.column_stack([0.1 * np.cos(around), 0.04 * np.sin(around)])
    return points * 96


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch, shape: np.ndarray) -> list[int]:
    """Replace the face finder by one that finds the same face in every picture that is not black.

    The list that is returned grows by one entry for every picture that was looked at.
    """
    looked: list[int] = []

    def find(image: np.ndarray, backend: str = "auto", max_faces: int | None = None) -> list[SimpleNamespace]:
        looked.append(image.shape[0])
        return [SimpleNamespace(landmarks=shape)] if image.any() else []

    monkeypatch.setattr(faketagger.faces, "find_faces", find, raising=False)
    return looked


@pytest.fixture
def paint(tmp_path: Path) -> Callable[[str, int], Path]:
    """Write a picture of noise; seed 0 is black."""

    def write(name: str, seed: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(1, 256, (96, 96, 3), dtype=np.uint8)
        Image.fromarray(noise * (seed > 0)).save(path)
        return path

    return write


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, np.ndarray]]:
    """Four rendered portraits and the photograph."""
    return demo_faces(4, cache=tmp_path_factory.mktemp("demo"))
