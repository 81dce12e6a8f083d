"""Summaries in, docs/zoo.md and result tables out: nothing invented, nothing of this machine, nothing lost."""

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faketagger.bench.scenario import plan
from faketagger.bench.summary import Measured, Missing, summarise
from faketagger.bench.zoo_kept import read_kept, read_unrun
from faketagger.bench.zoo_page import BEGIN, END, fill_table, main, render_page
from faketagger.bench.zoo_rows import load_results, public
from faketagger.places import cache_root, repository_root
from tests.helpers.rogue_adapters import WELL_BEHAVED, make_adapter
from tests.unit.bench.test_scenario import config
from tests.unit.bench.test_summary import donor_records

HEADER = {
    "protocol": {"name": "p", "version": 1},
    "model": {"name": "face-128", "digest": "0", "message_bits": 64, "payload_bits": 24},
    "faces": {"source": "stars", "size": 256, "n_images": 60, "n_clusters": 30},
}
SCENARIOS = [
    {"attack": "w", "pair": "t", "label": "the twin"},
    {"attack": "tool_a", "box": "black", "pair": "t", "preset": "smoke"},
    {"attack": "tool_a", "box": "black", "preset": "smoke", "params": {"edits": "x,y"}},
    {"attack": "bb", "box": "black", "role": "donor"},
    {"attack": "tool_c", "box": "black"},
]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with four adapters, one of them never benchmarked."""
    root = tmp_path / "repository"
    (root / "docs").mkdir(parents=True)
    donor = {"facesets": ["src"], "donor": "src", "roles": ["donor"]}
    for name, changes in (("tool_a", {}), ("bb", donor), ("tool_c", {}), ("tool_d", {})):
        folder = make_adapter(root / "adapters" / name, WELL_BEHAVED, name=name, **changes)
        (folder / "README.md").write_text(f"# {name}\n\n{BEGIN}\n{END}\n\nmore\n")
    monkeypatch.setenv("FAKETAGGER_ADAPTERS", str(root / "adapters"))
    monkeypatch.setattr("faketagger.zoo.registry.repository_root", lambda: tmp_path / "nothing")
    return root


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    jobs = plan(config(*SCENARIOS))
    records = donor_records(jobs, 1, 0.4)
    records.loc[records["scenario"].str.startswith("tool_a"), "moved"] = 0.44
    install = "faketagger zoo install tool_c"
    missing = {"tool_c": Missing(f"it lacks {cache_root()}/zoo/x", install, "swap", 1, "c0ffee")}
    measured = Measured(HEADER, records, jobs, missing, pins={"tool_a-smoke": "none==1.0", "bb-donor": "none==1.0"})
    path = tmp_path / "out" / "summary.json"
    path.parent.mkdir()
    path.write_text(json.dumps(summarise(measured)))
    spent = {"attack": 90.0, "pictures": 120.0, "cached": 60.0, "read": 1.0}
    jobs_spent = {"tool_a-smoke": spent, "bb-donor": spent | {"cached": 120.0, "prepare": 50.0, "prepared": 2.0}}
    path.with_name("timings.json").write_text(json.dumps({"date": "2026-11-24", "jobs": jobs_spent}))
    return path


def row_of(page: str, tool: str, section: str) -> str:
    part = page.split(f"## {section}")[1].split("\n## ")[0]
    return next(line for line in part.splitlines() if line.startswith(f"| [{tool}]"))


def test_the_page_says_what_was_measured(root: Path, summary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(summary), "--root", str(root)]) == 0
    page = (root / "docs" / "zoo.md").read_text()
    scores = {row["scenario"]: row for row in json.loads(summary.read_text())["scenarios"]}
    frame = scores["tool_a-smoke/frame"]
    recovery = row_of(page, "tool_a", "What is left of the tag")
    low, rate, high = (f"{100 * frame[name]:.1f}" for name in ("ci_low", "bit_accuracy", "ci_high"))
    assert f"{rate} % [{low}, {high}]" in recovery
    assert "60 stars faces of 30 people" in recovery
    assert "the twin, frame:" in recovery
    strength = row_of(page, "tool_a", "What the tools did")
    assert all(text in strength for text in ("0.44", "1.5", "2026-11-24", "`none==1.0`", "30.0 dB"))
    donor = row_of(page, "bb", "What is left of the tag")
    assert f"pooled {scores['bb-donor/frame']['pooled_matched']}/64" in donor
    assert "made earlier | 25" in row_of(page, "bb", "What the tools did")
    assert "wrote adapters/tool_a/README.md" in capsys.readouterr().out


def test_what_was_not_run_has_a_reason_and_a_command_and_no_folder_of_this_machine(root: Path, summary: Path) -> None:
    main([str(summary), "--root", str(root)])
    page = (root / "docs" / "zoo.md").read_text()
    missed = row_of(page, "tool_c", "Not run")
    assert "$FAKETAGGER_CACHE/zoo/x" in missed
    assert "`faketagger zoo install tool_c`" in missed
    assert "zoo install" in row_of(page, "tool_d", "Not run")
    assert str(cache_root()) not in page
    assert str(Path.home()) not in page
    assert public(f"in {Path.home()}/x") == "in ~/x"


def test_a_readme_keeps_what_was_measured_elsewhere(root: Path, summary: Path) -> None:
    main([str(summary), "--root", str(root)])
    readme = root / "adapters" / "tool_a" / "README.md"
    once = readme.read_text()
    assert once.startswith("# tool_a")
    assert once.endswith("\nmore\n")
    assert once.count("| face-128 |") == 4
    assert once.count("frame, smoke, edits=x,y |") == 1
    foreign = "| face-64 | 8 demo faces | frame | 1 % | 0 % | 20.0 dB | 2020-01-01 |"
    readme.write_text(once.replace(END, f"{foreign}\n{END}"))
    main([str(summary), "--root", str(root)])
    again = readme.read_text()
    assert foreign in again
    assert again.count("| face-128 |") == 4
    assert fill_table("no place", load_results([summary]).run) is None


def test_every_setting_has_a_row(root: Path, summary: Path) -> None:
    main([str(summary), "--root", str(root)])
    page = (root / "docs" / "zoo.md").read_text()
    assert page.count("[tool_a](../adapters/tool_a/README.md) (smoke) | carrier") == 2
    assert page.count("[tool_a](../adapters/tool_a/README.md) (smoke, edits=x,y) | carrier") == 2


def test_a_summary_adds_its_rows_and_loses_none_of_earlier_ones(root: Path, summary: Path) -> None:
    main([str(summary), "--root", str(root)])
    page = root / "docs" / "zoo.md"
    first = page.read_text()
    assert main(["--root", str(root)]) == 0
    again = page.read_text()
    assert again.split("\n## Not run")[0] == first.split("\n## Not run")[0]
    other: dict[str, Any] = json.loads(summary.read_text())
    other["faces"]["source"] = "moons"
    other["scenarios"] = [row for row in other["scenarios"] if row["attack"] == "tool_a" and not row["params"]]
    other["gaps"] = []
    other["scenarios"][0]["bit_accuracy"] = 0.123
    later = summary.parent / "later.json"
    for count, source in ((3, "moons"), (3, "stars")):
        other["faces"]["source"] = source
        later.write_text(json.dumps(other))
        main([str(later), "--root", str(root)])
        section = page.read_text().split("## What is left of the tag")[1].split("\n## ")[0]
        assert section.count("| [tool_a]") == count
        assert section.count("| [bb]") == 1
    assert section.count("12.3 %") == 2


def test_a_kept_file_that_holds_something_else_is_one_sentence(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = root / "docs" / "zoo" / "tool_a.json"
    kept.parent.mkdir()
    for text in ("no json", "{}x", '[{"tool": "tool_a"}]', '["tool_a"]', "3"):
        kept.write_text(text)
        assert main(["--root", str(root)]) == 1
        assert "tool_a.json is no list of results" in capsys.readouterr().err


def test_the_page_of_this_repository_is_what_its_kept_rows_say() -> None:
    docs = repository_root() / "docs"
    kept = read_kept(docs / "zoo")
    assert kept
    rendered, written = (
        text.split("\n## Not run")[0]
        for text in (render_page(load_results([], kept)), (docs / "zoo.md").read_text(encoding="utf-8"))
    )
    assert rendered.strip() == written.strip()


def test_a_preset_that_nobody_has_run_is_a_row_until_somebody_has() -> None:
    folder = repository_root() / "docs" / "zoo"
    unrun, kept = read_unrun(folder), read_kept(folder)
    results = load_results([], kept, unrun)
    missed = {(one.tool, one.role, one.setting): one.reason for one in results.missed if one.setting}
    assert missed.keys() == {(one["tool"], role, one["preset"]) for one in unrun for role in one["roles"]}
    assert "| [stgan](../adapters/stgan/README.md) (paper) | carrier |" in render_page(results)
    ran = replace(next(row for row in kept if row.tool == "stgan"), preset="paper")
    assert not any(one.tool == "stgan" and one.setting for one in load_results([], [*kept, ran], unrun).missed)
    assert not read_unrun(folder / "elsewhere")


def test_without_any_summary_everything_is_not_run(root: Path) -> None:
    assert main(["--root", str(root)]) == 0
    assert (root / "docs" / "zoo.md").read_text().count("zoo install") >= 4


def test_a_file_that_is_no_summary_is_one_sentence(
    root: Path, tmp_path: Path, summary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    assert main([str(broken), "--root", str(root)]) == 1
    assert "is no summary" in capsys.readouterr().err
    whole: dict[str, Any] = json.loads(summary.read_text())
    empty = copy.deepcopy(whole) | {"scenarios": [], "gaps": []}
    broken.write_text(json.dumps(empty))
    assert load_results([broken]).run == []
