"""What the page is made of: packed reads, costs, rows, plots; folders that cannot be drawn or compared."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faketagger.bench import costs, picture_table
from faketagger.bench.page import load_run, write_page
from faketagger.bench.plots import survival
from faketagger.bench.report import ReportInput, render_report
from faketagger.bench.report_rows import comparison_rows, result_row, threshold_sentence
from faketagger.bench.table import by_job
from faketagger.cli import report as command
from faketagger.cli.main import run as faketagger
from faketagger.errors import BenchError
from faketagger.places import repository_root
from tests.helpers.made_runs import make_run

CSS = (repository_root() / "src/faketagger/bench/templates/report.css").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "one", pictures=8)


@pytest.fixture(scope="module")
def source(folder: Path) -> ReportInput:
    return load_run(folder)


def test_packed_reads_hold_the_records(source: ReportInput) -> None:
    packed = picture_table.pack_reads(source.records, source.summary)
    columns, texts = packed["columns"], packed["texts"]
    assert packed["rows"] == packed["all"] == len(source.records)
    assert {len(values) for values in columns.values()} == {len(source.records)}
    assert texts["attack"][0] == "no attack"
    for row in np.random.default_rng(0).integers(len(source.records), size=40):
        record = source.records.iloc[row]
        read = {name: texts[name][columns[name][row]] for name in texts}
        assert (read["picture"], read["person"]) == (record["picture"], record["identity"])
        assert (read["attack"], read["view"]) == (record["label"], record["view"])
        assert (columns["matched"][row], columns["bits"][row]) == (record["matched"], record["bits"])
        assert columns["p"][row] == pytest.approx(record["p_value"], rel=5e-3)
        found = "payload read" if record["exact"] else "found" if record["p_value"] <= 1e-3 else "not found"
        assert read["result"] == ("not read" if record["read_status"] == "unread" else found)


def test_too_many_reads_are_thinned_by_whole_pictures(source: ReportInput, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_table, "MOST_ROWS", len(source.records) // 2)
    packed = picture_table.pack_reads(source.records, source.summary)
    assert packed["all"] == len(source.records)
    counts = np.bincount(packed["columns"]["picture"])
    assert counts.tolist() == [len(source.records) // 8] * 4
    assert packed["texts"]["picture"][0] == "p00000.png"
    assert packed["texts"]["picture"][-1] == "p00007.png"


def test_names_cannot_break_out_of_the_page(source: ReportInput) -> None:
    page = render_report(source)
    assert "<b>absent" not in page
    assert "&lt;b&gt;absent&lt;/b&gt; is not installed" in page
    hostile = picture_table.as_script({"texts": {"picture": ["</script><script>alert(1)</script>"]}})
    assert "<" not in hostile
    assert json.loads(hostile)["texts"]["picture"] == ["</script><script>alert(1)</script>"]


def test_costs_are_wall_time_of_the_whole_machine(source: ReportInput) -> None:
    rows = {row["step"]: row for row in costs.cost_rows(source.summary, source.timings, price=0.09)}
    assert list(rows)[:3] == ["tag a picture", "find the face and read", "no attack"]
    each = 4.0 / 8
    assert rows["tag a picture"]["each"] == f"{each:.3f}"
    assert rows["tag a picture"]["million"] == f"{each * 1e6 / 3600 * 2 * 0.09:,.0f}"
    assert rows["Real-ESRGAN"]["memory"] == "300"
    assert "a tool that is not there" not in rows
    assert "< 0.01 US$" in costs.cost_line(source.timings, price=0.09)
    cached = {**source.timings, "jobs": {"realesrgan": {"pictures": 4.0, "cached": 4.0, "attack": 0.0, "read": 1.0}}}
    assert costs.cost_rows(source.summary, cached, 1.0)[-1]["each"] == "made earlier"
    assert command.PRICE == costs.PRICE_PER_CORE_HOUR


def test_rows_say_what_failed_and_what_later_statistics_add(source: ReportInput) -> None:
    views = next(views for views in by_job(source.summary["scenarios"]) if "realesrgan" in views["frame"]["scenario"])
    flags = [{"flag": "many_failures", "scenario": "realesrgan/face", "message": "..."}]
    row = result_row(views, ["0.01", "0.001"], flags)
    assert (row["kind"], row["losses"], row["done"]) == ("black", "1 failed", "7/8")
    assert row["flags"] == ["many failures"]
    assert row["cells"][0]["only"].endswith(" without failures, 7 pictures")
    more = {"p_holm": 1e-9, "capacity_bits": 21.3, "n_attacked": 7}
    limits = {"bit_accuracy_attacked_ci_low": 0.7, "bit_accuracy_attacked_ci_high": 0.8}
    row = result_row({view: {**one, **more, **limits} for view, one in views.items()}, ["0.01", "0.001"], [])
    assert (row["capacity"], row["holm"]) == ("21 / 21", "1e-09")
    assert "(70.0 – 80.0) without failures, 7 pictures" in row["cells"][0]["only"]


def test_a_rate_says_how_many_bits_it_asks_for(source: ReportInput) -> None:
    sentences = [threshold_sentence(rule) for rule in source.summary["thresholds"]]
    assert any("43 of 64 bits right" in one or "42 of 64 bits right" in one for one in sentences), sentences
    rule = {"fpr": 1e-9, "candidates": 1000, "bits": 8, "bits_needed": 9, "attained_fpr": 0.0, "basis": "theoretical"}
    assert threshold_sentence(rule) == "False positives 1e-09 among 1,000 candidates: no number of right bits suffices."


def test_every_part_that_the_results_give_reason_for_is_on_the_page(source: ReportInput, folder: Path) -> None:
    page = render_report(source)
    titles = re.findall(r'<svg role="img" aria-label="([^"]*)"', page)
    assert len(titles) == 5
    assert "Bit accuracy after the real tool against bit accuracy after its simulator" in titles
    assert "faketagger report RUN RUN" in page
    other = load_run(make_run(folder.parent / "strong", "toy", 34.0, 8, -0.03))
    both = render_report(source, [other])
    assert "Bit accuracy against the quality of the tagged pictures" in both
    rows = comparison_rows([source.summary, other.summary])
    assert len(rows[0]["cells"]) == 2
    assert next(row for row in rows if row["label"] == "a tool that is not there")["cells"][0]["text"] == "–"


def test_only_runs_of_one_protocol_on_the_same_faces_are_compared(folder: Path, tmp_path: Path) -> None:
    later = make_run(tmp_path / "later", pictures=8, protocol={"name": "made", "version": 2})
    with pytest.raises(BenchError, match="another protocol"):
        write_page([folder, later])
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere")
    summary = json.loads((elsewhere / "summary.json").read_text())
    summary["faces"]["digest"] = "2" * 64
    (elsewhere / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(BenchError, match="another set of faces"):
        write_page([folder, elsewhere])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: (run / "summary.json").unlink(), "holds no finished benchmark"),
        (lambda run: (run / "timings.json").write_text("{"), "timings.json cannot be read"),
        (lambda run: (run / "records.parquet").write_bytes(b"PAR1"), "records.parquet cannot be read"),
        (lambda run: (run / "state.json").write_text("{}"), "another version of faketagger"),
        (lambda run: (run / "pictures" / "00000-tagged.png").unlink(), "picture of"),
    ],
)
def test_a_folder_that_cannot_be_drawn_is_a_sentence(
    folder: Path, tmp_path: Path, damage: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shutil.copytree(folder, tmp_path / "run")
    damage(run)
    assert faketagger(["report", str(run)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert "try: " in told


def test_text_can_be_read_on_its_paper_in_light_dark_and_print() -> None:
    light, dark, print_ = (dict(re.findall(r"--(\w+):(#\w+)", block)) for block in re.findall(r":root\{([^}]*)\}", CSS))
    for theme in (light, {**light, **dark}, {**light, **print_}):
        for paper in ("paper", "card"):
            assert _contrast(theme["ink"], theme[paper]) >= 7
            for ink in ("soft", "white", "black", "good", "weak", "lost"):
                assert _contrast(theme[ink], theme[paper]) >= 4.5, (ink, theme[ink], theme[paper])
        assert _contrast(theme["ink"], theme["warn"]) >= 7


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_what_left_nothing_to_read_has_no_place_in_the_plot(source: ReportInput) -> None:
    summary = json.loads(json.dumps(source.summary))
    lost = summary["scenarios"][-1]["attack"]
    for row in summary["scenarios"]:
        if row["attack"] == lost:
            row |= {"bit_accuracy": None, "ci_low": None, "ci_high": None, "label": "nothing to read"}
    drawn = survival(summary)
    assert "nothing to read" not in drawn
    assert "no attack" in drawn
    assert "nothing to read" in render_report(replace(source, summary=summary))
