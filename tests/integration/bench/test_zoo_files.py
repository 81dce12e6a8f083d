"""The shipped zoo benchmarks in their smallest form: no tool is installed, and nothing else is lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from faketagger.places import repository_root
from faketagger.simulator import registry
from faketagger.zoo import find_adapters

Bench = Callable[..., dict[str, Any]]
FOLDER = repository_root() / "experiments" / "bench"
FILES = [FOLDER / "zoo-smoke.yaml", FOLDER / "zoo-paper.yaml"]
FAMILIES = {"swap", "reenact", "edit", "synthesis"}


@pytest.mark.parametrize("path", [*FILES, FOLDER / "zoo-clips.yaml"], ids=lambda path: path.stem)
def test_without_any_tool_every_tool_is_a_row_with_its_command(
    bench: Bench, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKETAGGER_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(registry, "ATTACKS", dict.fromkeys(registry.ATTACKS, registry.ATTACKS["noise"]))
    scenarios = yaml.safe_load(path.read_text())["scenarios"]
    summary = bench(scenarios=scenarios, strips=1)
    tools = {row["scenario"]: row for row in summary["scenarios"] if row["black_box"]}
    assert len(tools) == 2 * sum(scenario.get("box") == "black" for scenario in scenarios)
    assert {row["status"] for row in tools.values()} == {"not run"}
    assert all("zoo install" in row["command"] or "install a Python" in row["command"] for row in tools.values())
    white = {row["attack"]: row for row in summary["scenarios"] if not row["black_box"]}
    assert ({"swap"} if path.stem == "zoo-clips" else FAMILIES) <= set(white)
    assert {row["status"] for row in white.values()} == {"run"}
    carriers = {(row["family"], row["pair"]) for row in tools.values() if row["role"] == "carrier"}
    assert all(white[pair]["pair"] == pair == family for family, pair in carriers)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_adapter_and_none_of_its_roles_is_forgotten(path: Path) -> None:
    scenarios = yaml.safe_load(path.read_text())["scenarios"]
    named = {(one["attack"], one.get("role", "carrier")) for one in scenarios if one.get("box") == "black"}
    assert named == {(name, role) for name, adapter in find_adapters().items() for role in adapter.manifest.roles}
