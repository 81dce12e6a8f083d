"""What a benchmark leaves behind for people: the page, the W&B run, the terminal table."""

import html.parser
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from faketagger.bench.table import print_table

Bench = Callable[..., dict[str, Any]]


class Links(html.parser.HTMLParser):
    """Collects every address the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "xlink:href")]


@pytest.fixture
def out(whole_bench: Bench, tmp_path: Path) -> Path:
    whole_bench()
    return tmp_path / "out"


def test_everything_is_there_for_people(out: Path) -> None:
    page = (out / "report.html").read_text()
    _the_page_stands_alone(page)
    _the_page_shows_the_numbers(page, json.loads((out / "summary.json").read_text()))
    _the_run_can_be_read_back(out)
    timings = json.loads((out / "timings.json").read_text())
    assert timings["wall_seconds"] > 0
    assert set(timings["jobs"]) == {"no_attack", "align_only", "jpeg-90", "jpeg-30", "noise"}


def _the_page_stands_alone(page: str) -> None:
    links = Links()
    links.feed(page)
    outside = [link for link in links.found if not link.startswith(("data:", "#"))]
    assert outside == []
    assert not re.search(r"@import|url\((?!#)", page)


def _the_page_shows_the_numbers(page: str, summary: dict[str, Any]) -> None:
    row = next(row for row in summary["scenarios"] if row["scenario"] == "jpeg-30/face")
    assert f'<span class="num">{100 * row["bit_accuracy"]:.1f}</span>' in page
    assert "Only 6 identities" in page
    assert page.count('<figure class="tile') == 2 * (3 + 4)
    assert page.count('<svg role="img"') == 4
    assert "faketagger bench toy.yaml" in page


def _the_run_can_be_read_back(out: Path) -> None:
    runs = list((out / "wandb").glob("offline-run-*"))
    assert len(runs) == 1
    command = [Path(sys.executable).with_name("wandb"), "leet", "inspect", "--json"]
    text = subprocess.run([*command, "--summary", runs[0]], capture_output=True, text=True, check=True).stdout
    shown = json.loads(text)
    seen = json.dumps(shown)
    for name in ("tables/scenarios", "tables/pictures", "charts/bit_accuracy", "frame/jpeg 30/bit_accuracy"):
        assert name in seen, name
    text = subprocess.run([*command, runs[0]], capture_output=True, text=True, check=True).stdout
    records = [json.loads(line) for line in text.splitlines()]
    axes = [record["metric"] for record in records if record["type"] == "metric"]
    assert {"bench/scenario", "severity/jpeg/severity"} <= {axis.get("step_metric") for axis in axes}
    names = {name for record in records if record["type"] == "artifact" for name in _manifest(record["artifact"])}
    assert {"records.parquet", "summary.json"} <= names
    table = json.loads(next(runs[0].glob("files/media/table/tables/pictures*.json")).read_text())
    assert [row[1] for row in table["data"][:3]] == ["original", "tagged", "residual × 10"]
    assert sum(name.startswith("media/images/") for name in names) == len(table["data"]) == 2 * (3 + 4)


def _manifest(artifact: dict[str, Any]) -> list[str]:
    return [entry["path"] for entry in artifact["manifest"]["contents"]]


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(bench: Bench, width: int) -> None:
    stream = io.StringIO()
    print_table(bench(), Console(file=stream, width=width))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert any("jpeg 30" in line for line in lines)
    assert "…" not in stream.getvalue()


def test_help_needs_no_torch_and_shows_examples() -> None:
    code = (
        "import sys; from faketagger.cli.main import run; run(['bench', '--help']); "
        "sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert "experiments/bench/demo.yaml" in done.stdout


def test_importing_the_planning_half_needs_no_torch() -> None:
    code = (
        "import sys, faketagger.bench.benchmark, faketagger.bench.sources, faketagger.data.samples, faketagger.zoo; "
        "print(sorted({'torch', 'pandas', 'matplotlib', 'lightning'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
