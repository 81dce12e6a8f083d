"""One self-contained page: what was measured, how sure it is, how it looks, what it cost, how to redo it."""

from dataclasses import dataclass
from importlib import resources
from typing import Any

import pandas as pd

from faketagger.bench.strips import Strip
from faketagger.bench.table import by_job, donor_sentence, percent


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


def render_report(source: ReportInput) -> str:
    """Render the page.

    Args:
        source: Everything it is made from.

    Returns:
        HTML that needs no network and no other file.
    """
    from jinja2 import Environment, StrictUndefined

    from faketagger.bench.plots import draw_all

    folder = resources.files("faketagger.bench") / "templates"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "report.html.j2").read_text(encoding="utf-8"))
    summary = source.summary
    fprs = sorted(summary["scenarios"][0]["tpr_at_fpr"], key=float, reverse=True)
    labels = {row["scenario"]: row["label"] for row in summary["scenarios"]}
    plots = {"severity": "", **draw_all(summary, source.records)}
    return template.render(
        s=summary,
        css=_trusted((folder / "report.css").read_text(encoding="utf-8")),
        title=f"{summary['model']['name']} · {summary['protocol']['name']} v{summary['protocol']['version']}",
        headline=headline(summary),
        lede=_lede(summary),
        cards=_cards(summary),
        flags=list(dict.fromkeys(flag["message"] for flag in summary["flags"])),
        fprs=fprs,
        jobs=[_job(views, fprs) for views in by_job(summary["scenarios"])],
        gaps=[_gap(gap, labels) for gap in summary["gaps"]],
        donors=[donor_sentence(row) for row in summary["scenarios"] if row["pooled_p_value"] is not None],
        plots=plots,
        strips=source.strips,
        costs=_costs(summary, source.timings),
        cost_line=_cost_line(source.timings),
        command=source.command,
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
        f"Tagger {model['name']}: {model['payload_bits']} bits of payload in a message of "
        f"{model['message_bits']}. {faces['n_images']} pictures of {faces['n_clusters']} people "
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


def _job(views: dict[str, dict[str, Any]], fprs: list[str]) -> dict[str, Any]:
    first = next(iter(views.values()))
    kind = "control" if first["family"] == "control" else "black" if first["black_box"] else "white"
    detail = "" if kind == "control" else f"{first['family'] or 'unknown'} · {kind} box"
    row: dict[str, Any] = {
        "label": first["label"],
        "detail": detail + (" · donor" if first["role"] == "donor" else ""),
        "kind": kind,
        "reason": first["reason"],
        "command": first["command"],
    }
    if first["status"] == "not run" or not first["n_images"]:
        return row | {"reason": first["reason"] or "there is nothing to read"}
    both = list(views.values())
    strength = first["attack_psnr_db"]
    losses = [("unchanged", "passed_through"), ("failed", "failed"), ("without a face", "no_face")]
    named = [f"{first[key]} {word}" for word, key in losses if first[key] and kind != "control"]
    return row | {
        "cells": [_accuracy(views.get("frame")), _accuracy(views.get("face"))],
        "payload": " / ".join(percent(one["exact_match"], 0) for one in both),
        "found": [" / ".join(percent(one["tpr_at_fpr"][fpr], 0) for one in both) for fpr in fprs],
        "null": percent(first["null_fpr"][fprs[0]]),
        "strength": "–" if strength is None or strength >= 99.5 else f"{strength:.1f}",
        "done": "–" if kind == "control" else f"{first['attacked']}/{first['n_images']}",
        "moved": _moved(first),
        "losses": ", ".join(named),
    }


def _moved(row: dict[str, Any]) -> str:
    if row["moved"] is None:
        return ""
    towards = ""
    if row["donor_distance"] is not None:
        towards = f", to the donor {row['donor_distance_before']:.2f} → {row['donor_distance']:.2f}"
    return f"face moved {row['moved']:.2f}{towards}"


def _accuracy(row: dict[str, Any] | None) -> dict[str, str] | None:
    if row is None:
        return None

    def place(value: float) -> float:
        return min(100.0, max(0.0, 200 * (value - 0.5)))

    if row["ci_low"] is None:
        at = f"{place(row['bit_accuracy']):.2f}"
        return {"text": percent(row["bit_accuracy"]), "limits": "one message", "at": at, "low": at, "width": "0"}
    low, high = place(row["ci_low"]), place(row["ci_high"])
    return {
        "text": percent(row["bit_accuracy"]),
        "limits": f"{percent(row['ci_low'])} – {percent(row['ci_high'])}",
        "at": f"{place(row['bit_accuracy']):.2f}",
        "low": f"{min(low, 99.4):.2f}",
        "width": f"{max(high - low, 0.6):.2f}",
    }


def _gap(gap: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    return {
        **gap,
        "white": labels[gap["white"]],
        "black": labels[gap["black"]],
        "difference": f"{100 * gap['difference']:+.1f}",
        "interval": f"{100 * gap['ci_low']:+.1f} to {100 * gap['ci_high']:+.1f}",
    }


def _costs(summary: dict[str, Any], timings: dict[str, Any]) -> list[dict[str, str]]:
    labels = {row["scenario"].rsplit("/", 1)[0]: row["label"] for row in summary["scenarios"]}
    return [
        {
            "label": labels.get(job, job),
            "pictures": f"{spent['pictures']:.0f}",
            "attack": f"{spent['attack']:.1f}",
            "each": _seconds_each(spent),
            "prepare": f"{spent['prepare'] / spent['prepared']:.0f}" if spent.get("prepared") else "–",
            "read": f"{spent['read']:.1f}",
        }
        for job, spent in timings["jobs"].items()
        if spent.get("pictures")
    ]


def _seconds_each(spent: dict[str, float]) -> str:
    made = spent["pictures"] - spent["cached"]
    return f"{spent['attack'] / made:.3f}" if made else "made earlier"


def _cost_line(timings: dict[str, Any]) -> str:
    return (
        f"The run took {timings['wall_seconds']:.0f} s on {timings['cpu_count']} cores and at most "
        f"{timings['peak_memory_mb']:.0f} MB; the attacks' own time is {timings['attack_seconds']:.0f} s of it."
    )


def _facts(source: ReportInput) -> list[tuple[str, str]]:
    summary = source.summary
    facts = [
        ("model", f"{summary['model']['name']} {summary['model']['digest'][:16]}"),
        ("faces", f"{summary['faces']['source']} {summary['faces']['digest'][:16]}"),
        ("seed", str(summary["seed"])),
    ]
    return facts + [(f"digest of {name}", digest) for name, digest in sorted(source.digests.items())]


def _trusted(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)
