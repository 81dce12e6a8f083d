"""One self-contained page: what was measured, how sure it is, how it looks, what it cost, how to redo it."""

from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd

from faketagger.bench.costs import PRICE_PER_CORE_HOUR, cost_line, cost_rows
from faketagger.bench.picture_table import as_script, pack_reads
from faketagger.bench.report_rows import comparison_heads, comparison_rows, gap_row, result_row, threshold_sentence
from faketagger.bench.strips import FOUND_AT, Strip
from faketagger.bench.table import by_job, donor_sentence, percent
from faketagger.bench.wording import of_people

_SECTIONS = (
    *(("results", "results"), ("survival", "what survives"), ("quality", "against PSNR"), ("pictures", "pictures")),
    *(("reads", "every picture"), ("cost", "cost"), ("reproduce", "reproduce")),
)


@dataclass(frozen=True)
class ReportInput:
    """Everything the page is made from.

    Attributes:
        summary: Of the benchmark.
        records: All records.
        timings: As in ``timings.json``.
        strips: Shown faces.
        command: What to type to do it again.
        config: The benchmark file as YAML.
        digests: Digest by name of what the records depend on.
    """

    summary: dict[str, Any]
    records: pd.DataFrame
    timings: dict[str, Any]
    strips: list[Strip]
    command: str
    config: str
    digests: dict[str, str]


def render_report(source: ReportInput, others: list[ReportInput] | None = None, price: float | None = None) -> str:
    """Render the page.

    Args:
        source: Everything it is made from.
        others: The same benchmark with other watermarks or strengths, laid over it.
        price: US$ for an hour of one core; None for :data:`faketagger.bench.costs.PRICE_PER_CORE_HOUR`.

    Returns:
        HTML that needs no network and no other file.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from faketagger.bench.plots import draw_all

    price = PRICE_PER_CORE_HOUR if price is None else price
    loader = PackageLoader("faketagger.bench", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    summary, runs = source.summary, [source, *(others or [])]
    fprs = sorted(summary["scenarios"][0]["tpr_at_fpr"], key=float, reverse=True)
    labels = {row["scenario"]: row["label"] for row in summary["scenarios"]}
    jobs = [result_row(views, fprs, summary["flags"]) for views in by_job(summary["scenarios"])]
    packed = pack_reads(source.records, summary)
    return environment.get_template("report.html.j2").render(
        s=summary,
        css=_trusted(_file("report.css")),
        script=_trusted(_file("report.js")),
        title=f"{summary['model']['name']} · {summary['protocol']['name']} v{summary['protocol']['version']}",
        headline=headline(summary),
        lede=_lede(summary),
        cards=_cards(summary),
        flags=list(dict.fromkeys(flag["message"] for flag in summary["flags"])),
        fprs=fprs,
        jobs=jobs,
        has={"capacity": any(job.get("capacity") for job in jobs)},
        sections=_SECTIONS,
        gaps=[gap_row(gap, labels) for gap in summary["gaps"]],
        donors=[donor_sentence(row) for row in summary["scenarios"] if row["pooled_p_value"] is not None],
        thresholds=[threshold_sentence(rule) for rule in summary.get("thresholds", [])],
        plots=draw_all(summary, source.records, [run.summary for run in runs[1:]]),
        compared=comparison_rows([run.summary for run in runs]) if len(runs) > 1 else [],
        heads=comparison_heads([run.summary for run in runs]),
        strips=source.strips,
        found_at=f"{FOUND_AT:g}",
        reads={name: packed[name] for name in ("all", "rows", "texts")},
        reads_script=_trusted(as_script(packed)),
        costs=cost_rows(summary, source.timings, price),
        cost_line=cost_line(source.timings, price),
        price=f"{price:g}",
        cores=source.timings["cpu_count"],
        commands=list(dict.fromkeys(run.command for run in runs)),
        facts=_facts(source),
        config=source.config,
        half=summary["model"]["message_bits"] // 2,
    )


def headline(summary: dict[str, Any]) -> str:
    """The result in one sentence.

    Args:
        summary: Of the benchmark.
    """
    run = [row for row in summary["scenarios"] if row["status"] == "run" and row["family"] != "control"]
    frame_wins = sorted(run, key=lambda row: row["view"] == "frame")
    attacks = list({row["label"]: row for row in frame_wins}.values())
    if not attacks:
        return "No attack was run."
    read = sum(row["exact_match"] >= 0.9 for row in attacks)
    worst = min(attacks, key=lambda row: row["bit_accuracy"])
    return (
        f"The payload survives {read} of {len(attacks)} attacks in at least nine pictures of ten; "
        f"the hardest, {worst['label']}, leaves {percent(worst['bit_accuracy'])} % of the bits right."
    )


def _lede(summary: dict[str, Any]) -> str:
    faces, model = summary["faces"], summary["model"]
    return (
        f"{model['name']}: {model['payload_bits']} bits of payload in a message of {model['message_bits']}. "
        f"{of_people(faces)} "
        f"({faces['source']}) at {faces['size']} pixels."
    )


def _cards(summary: dict[str, Any]) -> list[dict[str, str]]:
    rows = {(row["attack"], row["view"]): row for row in summary["scenarios"]}
    view = "frame" if ("no_attack", "frame") in rows else "face"
    clean = rows["no_attack", view]
    null = rows["untagged_null", view]
    strict = min(clean["tpr_at_fpr"], key=float)
    cards = [
        {"value": f"{clean['psnr_db']:.1f} dB", "what": f"tagged against original, SSIM {clean['ssim']:.3f}"},
        {"value": f"{percent(clean['bit_accuracy'])} %", "what": "of the bits read without any attack"},
    ]
    black = [row for row in summary["scenarios"] if row["black_box"] and row["status"] == "run"]
    cards += [
        {
            "value": f"{percent(row['bit_accuracy'])} %",
            "what": f"of the bits after {row['label']}, a real tool; found in "
            f"{percent(row['tpr_at_fpr'][strict], 0)} % at {strict} false positives",
        }
        for row in black
        if row["view"] == view
    ][:2]
    if null["n_null"]:
        loose = max(null["null_fpr"], key=float)
        cards.append(
            {
                "value": f"{percent(null['null_fpr'][loose], 2)} %",
                "what": f"of {null['n_null']} untagged reads called tagged, at a nominal {float(loose):.1%}",
            }
        )
    return cards


def _facts(source: ReportInput) -> list[tuple[str, str]]:
    import faketagger

    summary = source.summary
    facts = [
        ("page drawn by", f"faketagger {faketagger.__version__}"),
        ("measured on", str(source.timings["date"])),
        ("model", f"{summary['model']['name']} {summary['model']['digest'][:16]}"),
        ("faces", f"{summary['faces']['source']} {summary['faces']['digest'][:16]}"),
        ("seed", str(summary["seed"])),
    ]
    return facts + [(f"digest of {name}", digest) for name, digest in sorted(source.digests.items())]


def _file(name: str) -> str:
    return (resources.files("faketagger.bench") / "templates" / name).read_text(encoding="utf-8")


def _trusted(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)
