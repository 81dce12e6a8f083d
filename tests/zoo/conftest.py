"""A cache of its own, pictures, and both kinds of walls."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faketagger.zoo import install
from faketagger.zoo.manifest import KIT
from faketagger.zoo.sandbox import choose
from tests.helpers.rogue_adapters import BEHAVIOURS, make_adapter


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache, so that the environment that all fixture adapters share is made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def kit_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """For drivers that a test starts without the runner."""
    monkeypatch.setenv("PYTHONPATH", str(KIT))


@pytest.fixture
def cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(shared_cache))
    return shared_cache


@pytest.fixture(params=["bubblewrap", "rlimits"])
def walls(request: pytest.FixtureRequest) -> str:
    if request.param == "bubblewrap" and choose().kind != "bubblewrap":
        pytest.skip(choose().note)
    return str(request.param)


@pytest.fixture
def adapter(tmp_path: Path, cache: Path) -> Callable[..., Path]:
    """Makes and installs a fixture adapter of the named behaviour."""

    def make(behaviour: str, **changes: object) -> Path:
        folder = make_adapter(tmp_path / "adapters" / behaviour, BEHAVIOURS[behaviour], **changes)
        install(folder)
        return folder

    return make


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three noisy pictures, new in every test because the cache is shared."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng()
    for index, shape in enumerate([(24, 32, 3), (17, 23, 3), (16, 16, 3)]):
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"p{index}.png")
    return sorted(folder.iterdir())
