"""Rows of the page's tables: numbers of the summary as text, bars as percentages."""

from typing import Any

from faketagger.bench.table import by_job, percent


def result_row(views: dict[str, dict[str, Any]], fprs: list[str], flags: list[dict[str, Any]]) -> dict[str, Any]:
    """One attack of the table of results.

    Args:
        views: Its rows of the summary by view.
        fprs: Nominal false positive rates as text, the loosest first.
        flags: Of the summary.
    """
    first = next(iter(views.values()))
    kind = "control" if first["family"] == "control" else "black" if first["black_box"] else "white"
    detail = "" if kind == "control" else f"{first['family'] or 'unknown'} · {kind} box"
    row: dict[str, Any] = {
        "label": first["label"],
        "detail": detail + (" · donor" if first["role"] == "donor" else ""),
        "kind": kind,
        "reason": first["reason"],
        "command": first["command"],
        "flags": _flags(views, flags),
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
        "capacity": _capacity(both),
        "found": [" / ".join(percent(one["tpr_at_fpr"][fpr], 0) for one in both) for fpr in fprs],
        "holm": _holm(both) if kind != "control" else "",
        "null": percent(first["null_fpr"][fprs[0]]),
        "strength": "–" if strength is None or strength >= 99.5 else f"{strength:.1f}",
        "done": "–" if kind == "control" else f"{first['attacked']}/{first['n_images']}",
        "moved": _moved(first),
        "losses": ", ".join(named),
    }


def gap_row(gap: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    """One paired difference.

    Args:
        gap: Of the summary.
        labels: Of the scenarios.
    """
    return {
        **gap,
        "white": labels[gap["white"]],
        "black": labels[gap["black"]],
        "difference": f"{100 * gap['difference']:+.1f}",
        "interval": f"{100 * gap['ci_low']:+.1f} to {100 * gap['ci_high']:+.1f}",
        "holm": _p_text(gap.get("p_holm")),
    }


def threshold_sentence(rule: dict[str, Any]) -> str:
    """What a nominal rate asks for, and how it is known.

    Args:
        rule: One of the summary's ``thresholds``.
    """
    among = "" if rule["candidates"] == 1 else f" among {rule['candidates']:,} candidates"
    if rule["bits_needed"] > rule["bits"]:
        return f"False positives {rule['fpr']:g}{among}: no number of right bits suffices."
    known = rule["basis"] if rule["basis"] == "theoretical" else f"{rule['basis']} on {rule['nulls']:,} untagged reads"
    needed = f"{rule['bits_needed']} of {rule['bits']} bits right"
    return f"False positives {rule['fpr']:g}{among}: {needed} (really {rule['attained_fpr']:.1e}; {known})."


def comparison_rows(summaries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bit accuracy of several runs side by side, one row a scenario of the first that all others may have.

    Args:
        summaries: Of the same benchmark with other watermarks or strengths.
    """
    every = [{row["scenario"]: row for row in summary["scenarios"]} for summary in summaries]
    rows = []
    for views in by_job(summaries[0]["scenarios"]):
        for view, row in views.items():
            cells = [_interval(rows_of.get(row["scenario"])) for rows_of in every]
            rows.append({"label": row["label"], "view": view, "cells": cells})
    return rows


def comparison_heads(summaries: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Name and embedding quality of several runs.

    Args:
        summaries: Of the same benchmark with other watermarks or strengths.
    """
    heads = []
    for summary in summaries:
        rows = [row for row in summary["scenarios"] if row["psnr_db"] is not None and row["role"] == "carrier"]
        heads.append({"name": summary["model"]["name"], "psnr": f"{rows[0]['psnr_db']:.1f} dB" if rows else "–"})
    return heads


def _interval(row: dict[str, Any] | None) -> dict[str, str]:
    if row is None or row["bit_accuracy"] is None:
        return {"text": "–", "limits": ""}
    limits = "" if row["ci_low"] is None else f"{percent(row['ci_low'])} – {percent(row['ci_high'])}"
    return {"text": percent(row["bit_accuracy"]), "limits": limits}


def _flags(views: dict[str, dict[str, Any]], flags: list[dict[str, Any]]) -> list[str]:
    mine = {row["scenario"] for row in views.values()}
    names = (flag["flag"] for flag in flags if flag["scenario"] in mine and flag["flag"] != "not_run")
    return [name.replace("_", " ") for name in dict.fromkeys(names)]


def _moved(row: dict[str, Any]) -> str:
    if row["moved"] is None:
        return ""
    towards = ""
    if row["donor_distance"] is not None:
        towards = f", to the donor {row['donor_distance_before']:.2f} → {row['donor_distance']:.2f}"
    return f"face moved {row['moved']:.2f}{towards}"


def _capacity(both: list[dict[str, Any]]) -> str:
    """Bits that come through, where the summary has them."""
    found = [row.get("capacity_bits") for row in both]
    if all(bits is None for bits in found):
        return ""
    return " / ".join("–" if bits is None else f"{bits:.0f}" for bits in found)


def _holm(both: list[dict[str, Any]]) -> str:
    """Whether anything of the tag is there, corrected for the number of attacks: the larger p-value of the views."""
    found = [p_value for row in both if (p_value := row.get("p_holm")) is not None]
    return _p_text(max(found)) if found else ""


def _p_text(p_value: float | None) -> str:
    if p_value is None:
        return "–"
    if p_value == 0:
        return "< 1e-300"
    return f"{p_value:.0e}" if p_value < 0.001 else f"{p_value:.3f}"


def _accuracy(row: dict[str, Any] | None) -> dict[str, str] | None:
    if row is None:
        return None

    def place(value: float) -> float:
        return min(100.0, max(0.0, 200 * (value - 0.5)))

    at = {"text": percent(row["bit_accuracy"]), "at": f"{place(row['bit_accuracy']):.2f}", "only": _only_attacked(row)}
    if row["ci_low"] is None:
        return at | {"limits": "one message", "low": at["at"], "width": "0"}
    low, high = place(row["ci_low"]), place(row["ci_high"])
    return at | {
        "limits": f"{percent(row['ci_low'])} – {percent(row['ci_high'])}",
        "low": f"{min(low, 99.4):.2f}",
        "width": f"{max(high - low, 0.6):.2f}",
    }


def _only_attacked(row: dict[str, Any]) -> str:
    """Failures counted the other way: left out; empty where that changes nothing."""
    other = row.get("bit_accuracy_attacked")
    if other is None or percent(other) == percent(row["bit_accuracy"]) or row["family"] == "control":
        return ""
    low, high = row.get("bit_accuracy_attacked_ci_low"), row.get("bit_accuracy_attacked_ci_high")
    limits = "" if low is None or high is None else f" ({percent(low)} – {percent(high)})"
    count = row.get("n_attacked")
    return f"{percent(other)}{limits} without failures" + ("" if count is None else f", {count} pictures")
