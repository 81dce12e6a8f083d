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
from faketagger.cli.main import run
from tests.helpers.wandb_runs import contents, read_runs

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
    _the_runs_can_be_read_back(out)
    _a_command_draws_the_page_again(out)
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
    assert page.count('data-change="data:image') == page.count('<figure class="tile good')
    assert "faketagger bench toy.yaml" in page


def _the_runs_can_be_read_back(out: Path) -> None:
    whole, *attacks = read_runs(out)
    assert (whole.header["job_type"], whole.header["run_group"], whole.told["state"]) == ("bench", "toy", "finished")
    assert [run.header["job_type"] for run in attacks] == ["attack"] * 5
    assert set(contents(whole.artifacts["benchmark"])) == {"records.parquet", "summary.json"}
    assert set(contents(whole.artifacts["model"])) == {"config.yaml"}
    assert len(whole.table("tables/pictures")[0]) == 2 * (3 + 4)


def _a_command_draws_the_page_again(out: Path) -> None:
    first = (out / "report.html").read_text()
    (out / "report.html").unlink()
    assert run(["report", str(out)]) == 0
    again = (out / "report.html").read_text()
    assert len(again) == pytest.approx(len(first), abs=100)
    assert run(["report", str(out), "--price", "9", "--out", str(out / "dear.html")]) == 0
    assert "9 US$" in (out / "dear.html").read_text()


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
