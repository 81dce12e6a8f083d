"""What a step costs: seconds and memory as measured, money for a million pictures."""

from typing import Any

from faketagger.bench.table import job_of

PRICE_PER_CORE_HOUR = 0.045
"""US$ for an hour of one core: about what a general-purpose cloud machine costs on demand (2 cores, 0.09 an hour)."""
MILLION = 1_000_000


def cost_rows(summary: dict[str, Any], timings: dict[str, Any], price: float) -> list[dict[str, str]]:
    """Rows of the cost table: tagging, every attack, reading.

    Args:
        summary: Of the benchmark; labels are taken from it.
        timings: As in ``timings.json``.
        price: US$ for an hour of one core. The whole machine is paid for while a step runs, so that a step which
            keeps one core busy looks dearer than it need be, never cheaper.
    """
    labels = {job_of(row["scenario"]): row["label"] for row in summary["scenarios"]}
    cores = int(timings["cpu_count"] or 1)
    spent_on = timings["jobs"]
    jobs = {job: spent_on[job] for job in labels if spent_on.get(job, {}).get("pictures")}

    def row(step: str, seconds: float, pictures: float, **more: str) -> dict[str, str]:
        return {"step": step, **_figures(seconds, pictures, cores, price), **more}

    rows = []
    tagging = timings.get("tagging") or {}
    if tagging.get("pictures"):
        rows.append(row("tag a picture", tagging["seconds"], tagging["pictures"]))
    reads = sum(spent["pictures"] for spent in jobs.values())
    if reads:
        rows.append(row("find the face and read", sum(spent["read"] for spent in jobs.values()), reads))
    for job, spent in jobs.items():
        made = spent["pictures"] - spent["cached"]
        if not spent["attack"] and not spent["cached"]:
            continue
        prepare = f"{spent['prepare'] / spent['prepared']:.0f}" if spent.get("prepared") else "–"
        memory = f"{spent['memory_mb']:.0f}" if spent.get("memory_mb") else "–"
        rows.append(row(labels[job], spent["attack"], made, prepare=prepare, memory=memory))
    return rows


def cost_line(timings: dict[str, Any], price: float) -> str:
    """Time, memory and money of the whole run in a sentence.

    Args:
        timings: As in ``timings.json``.
        price: US$ for an hour of one core.
    """
    seconds, cores = timings["wall_seconds"], int(timings["cpu_count"] or 1)
    return (
        f"The run took {seconds:.0f} s on {cores} cores and at most {timings['peak_memory_mb']:.0f} MB; the attacks' "
        f"own time is {timings['attack_seconds']:.0f} s of it. At {price:g} US$ for an hour of one core that is "
        f"{_money(seconds * cores * price / 3600)} US$."
    )


def _figures(seconds: float, pictures: float, cores: int, price: float) -> dict[str, str]:
    if not pictures:
        return {"pictures": "0", "each": "made earlier", "million": "–", "prepare": "–", "memory": "–"}
    each = seconds / pictures
    return {
        "pictures": f"{pictures:.0f}",
        "each": f"{each:.3f}" if each < 10 else f"{each:.1f}",
        "million": _money(each * MILLION * cores * price / 3600),
        "prepare": "–",
        "memory": "–",
    }


def _money(amount: float) -> str:
    if amount < 0.01:
        return "< 0.01"
    return f"{amount:,.2f}" if amount < 10 else f"{amount:,.0f}"
