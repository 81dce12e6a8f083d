"""adapter.yaml: what is accepted, and how mistakes are answered."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from faketagger.errors import AdapterError
from faketagger.zoo import find_adapters, get_adapter, load_manifest
from faketagger.zoo.sections import Environment
from tests.helpers.rogue_adapters import MANIFEST, make_adapter

GIT = {"source": "git", "url": "https://example.org/x.git", "commit": "0" * 40}
WEIGHT = {"path": "x.bin", "origin": "user", "sha256": "0" * 64, "bytes": 5, "licence": "MIT", "without": "-"}


def test_the_repository_s_own_adapters_are_well_formed() -> None:
    adapters = find_adapters()
    assert "realesrgan" in adapters
    for name, adapter in adapters.items():
        assert adapter.folder.name == name
        assert set(adapter.manifest.presets) == {"smoke", "paper"}
        assert (adapter.folder / "README.md").is_file()


def test_it_is_found_by_path_and_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_adapter(tmp_path / "adapters" / "rogue", "")
    assert get_adapter(folder).folder == folder
    monkeypatch.setenv("FAKETAGGER_ADAPTERS", str(tmp_path / "adapters"))
    assert get_adapter("rogue").folder == folder
    assert {"rogue", "realesrgan"} <= set(find_adapters())
    with pytest.raises(AdapterError, match="no adapter 'rouge'") as caught:
        get_adapter("rouge")
    assert caught.value.hint == "Did you mean 'rogue'?"


@pytest.mark.parametrize(
    ("change", "words", "hint"),
    [
        ({"famly": "swap"}, "unknown key 'famly'", "Did you mean 'family'?"),
        ({"family": "swop"}, "family", None),
        ({"upstream": {**GIT, "commit": "abc"}}, "upstream.commit", None),
        ({"upstream": {**GIT, "version": "1"}}, "source git is described by url and commit alone", None),
        ({"weights": [{**WEIGHT, "path": "../x"}]}, "stays below", None),
        ({"weights": [{**WEIGHT, "origin": "url"}]}, "needs a url", None),
        ({"weights": [{**WEIGHT, "sha": "0"}]}, "unknown key 'weights.0.sha'", "Did you mean 'sha256'?"),
        ({"presets": {"smoke": {"shad": 1}}}, "which is no parameter", None),
        ({"presets": {"smoke": {"shade": 999}}}, "above 255", None),
        ({"parameters": {"x": {"type": "int", "default": 1.5, "help": "-"}}}, "is no int", None),
        ({"environment": {"requirements": "r.txt"}}, "lacks its r.txt", "Put r.txt beside"),
        ({"limits": {"wall_s": -1}}, "limits.wall_s", None),
        ({"contract": 2}, "contract", None),
    ],
)
def test_mistakes(tmp_path: Path, change: dict[str, Any], words: str, hint: str | None) -> None:
    folder = make_adapter(tmp_path / "rogue", "", **change)
    with pytest.raises(AdapterError, match=words.replace(".", r"\.")) as caught:
        load_manifest(folder)
    assert hint is None or (caught.value.hint or "").startswith(hint)


@pytest.mark.parametrize("text", ["- a list", "key: [", "\x00"])
def test_no_yaml(tmp_path: Path, text: str) -> None:
    (tmp_path / "adapter.yaml").write_text(text)
    with pytest.raises(AdapterError):
        load_manifest(tmp_path)


def test_missing_key(tmp_path: Path) -> None:
    values = {key: value for key, value in MANIFEST.items() if key != "licence"}
    (tmp_path / "adapter.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(AdapterError, match="'licence' is missing"):
        load_manifest(tmp_path)


def test_python_range() -> None:
    environment = Environment(python=">=3.9,<3.13")
    inside = [environment.accepts((3, minor)) for minor in (8, 9, 12, 13)]
    assert inside == [False, True, True, False]


def test_parameters_are_layered(tmp_path: Path) -> None:
    manifest = load_manifest(make_adapter(tmp_path / "rogue", "", presets={"smoke": {"shade": 5}})).manifest
    assert manifest.resolve(None, None) == {"shade": 0, "haste": 1}
    assert manifest.resolve("smoke", None)["shade"] == 5
    assert manifest.resolve("smoke", {"shade": 7})["shade"] == 7
