"""The shipped zoo benchmarks in their smallest form: no tool is installed, and nothing else is lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from faketagger.places import repository_root
from faketagger.simulator import registry

Bench = Callable[..., dict[str, Any]]
FAMILIES = {"swap", "reenact", "edit", "synthesis"}
FILES = [repository_root() / "experiments" / "bench" / f"{name}.yaml" for name in ("zoo-smoke", "zoo-paper")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
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
    assert {row["family"] for row in tools.values()} == FAMILIES
    assert {row["role"] for row in tools.values()} == {"carrier", "donor"}
    twins = [row for row in summary["scenarios"] if row["pair"] and not row["black_box"]]
    assert {row["attack"] for row in twins} == FAMILIES
    assert all(row["status"] == "run" for row in twins)
