"""Configuration files: strict, with an answer that helps."""

from pathlib import Path
from typing import Literal

import pytest

from faketagger.config import Section, load_config
from faketagger.errors import ConfigError
from faketagger.places import cache_root


class Optimiser(Section):
    rate: float = 1e-3
    steps: int = 10


class Rain(Section):
    kind: Literal["rain"] = "rain"
    drops: int = 5


class Blur(Section):
    kind: Literal["blur"] = "blur"
    sigma: float = 1.0


class Whole(Section):
    name: str
    optimiser: Optimiser = Optimiser()
    attacks: list[Rain | Blur] = []
    sizes: tuple[int, ...] = (64,)
    folder: Path | None = None


def _write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_values_overrides_and_interpolation(tmp_path: Path) -> None:
    path = _write(tmp_path, "name: a\nfolder: /tmp/${name}\nsizes: [64, 128]\noptimiser: {rate: 1e-4}\n")
    read = load_config(path, Whole, ["optimiser.steps=7", "name=b"])
    assert read.optimiser == Optimiser(rate=1e-4, steps=7)
    assert (read.folder, read.sizes) == (Path("/tmp/b"), (64, 128))
    assert read.plain()["folder"] == "/tmp/b"


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("name: a\noptimiser: {rte: 1}", "unknown key 'optimiser.rte'", "Did you mean 'rate'?"),
        ("nmae: a", "unknown key 'nmae' (and 1 more)", "Did you mean 'name'?"),
        ("name: a\nattacks: [{kind: blur, sgima: 2}]", "sgima", "Did you mean 'sigma'?"),
        ("name: a\nzzzzzz: 1", "unknown key 'zzzzzz'", "Known keys here: attacks"),
        ("optimiser: {rate: 1}", "the key 'name' is missing", "name=VALUE"),
        ("name: a\noptimiser: {steps: many}", "'optimiser.steps' is 'many'", None),
        ("name: a\noptimiser: {steps: true}", "'optimiser.steps' is True", None),
        ("name: a\noptimiser: {rate: .nan}", "'optimiser.rate'", None),
        ("name: 3", "'name' is 3", None),
        ("- a\n- b", "holds no keys", None),
        ("name: [", "no readable YAML", None),
        ("name: ${gone}", "does not resolve", None),
    ],
)
def test_mistakes_are_explained(tmp_path: Path, text: str, sentence: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(_write(tmp_path, text), Whole)
    assert sentence in caught.value.message
    if hint is not None:
        assert hint in (caught.value.hint or "")


def test_a_misspelt_file_is_answered_with_its_neighbour(tmp_path: Path) -> None:
    path = _write(tmp_path, "name: a")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "rum.yaml", Whole)
    assert str(path) in (caught.value.hint or "")


def test_an_override_needs_a_value(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no value"):
        load_config(_write(tmp_path, "name: a"), Whole, ["name"])


def test_an_unknown_override_is_an_unknown_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"optimiser\.step'"):
        load_config(_write(tmp_path, "name: a"), Whole, ["optimiser.step=3"])


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", "/elsewhere")
    assert cache_root() == Path("/elsewhere")
    monkeypatch.delenv("FAKETAGGER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_root() == Path("/xdg/faketagger")
