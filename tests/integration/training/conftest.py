"""Training on a handful of demo faces, rendered once a session."""

from pathlib import Path
from typing import Any

import pytest

from faketagger.data.demo import demo_faces
from faketagger.places import repository_root
from faketagger.torch_compat import ensure_torchvision

ensure_torchvision()


@pytest.fixture(scope="session")
def rendered_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    demo_faces(6, cache)
    return cache


@pytest.fixture(autouse=True)
def cache(rendered_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cache of this and every child process; nothing talks to a terminal or a server."""
    values: dict[str, Any] = {"FAKETAGGER_CACHE": rendered_cache, "OMP_NUM_THREADS": 1, "WANDB_MODE": "offline"}
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    return rendered_cache


@pytest.fixture
def few_faces() -> list[str]:
    """Overrides that put a handful of demo faces into any training file."""
    return ["data.kind=demo", "data.root=null", "data.demo_faces=6", "data.size=64", "data.backend=dlib"]


@pytest.fixture
def smoke(few_faces: list[str]) -> list[str]:
    """Words after ``faketagger`` for the smallest training of a tagger."""
    return ["train", str(repository_root() / "experiments" / "train" / "smoke.yaml"), *few_faces]
