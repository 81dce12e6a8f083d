"""The honest table on the terminal."""

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from faketagger.bench.wording import counted, of_people


def percent(value: float | None, digits: int = 1) -> str:
    """A share as per cent without the sign; a dash for None.

    Args:
        value: In [0, 1].
        digits: After the point.
    """
    return "–" if value is None else f"{100 * value:.{digits}f}"


def job_of(scenario: str) -> str:
    """Id of the job that a scenario reads the pictures of.

    Args:
        scenario: Id of the scenario, job and view.
    """
    return scenario.rsplit("/", 1)[0]


def by_job(scenarios: Iterable[dict[str, Any]]) -> list[dict[str, dict[str, Any]]]:
    """Rows of one attack together: ``{view: row}`` in the order of the table.

    Args:
        scenarios: Rows of the summary.
    """
    jobs: dict[str, dict[str, dict[str, Any]]] = {}
    for row in scenarios:
        jobs.setdefault(job_of(row["scenario"]), {})[row["view"]] = row
    return list(jobs.values())


def render(summary: dict[str, Any], narrow: bool) -> Group:
    """The table, the gaps and the flags of a summary.

    Args:
        summary: Of :func:`faketagger.bench.summary.summarise`.
        narrow: Put the limits of an interval below its estimate, and leave the last column out.
    """
    fprs = sorted((float(fpr) for fpr in summary["scenarios"][0]["tpr_at_fpr"]), reverse=True)
    table = Table(title=_title(summary), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("attack\n○ white ● black", min_width=17, overflow="fold")
    for view in ("frame", "face"):
        table.add_column(f"bits %\n{view}", justify="right", no_wrap=True)
    table.add_column("data\n%", justify="right", no_wrap=True)
    table.add_column(f"found\nat {fprs[-1]:g}", justify="right", no_wrap=True)
    table.add_column(f"null\nat {fprs[0]:g}", justify="right", no_wrap=True)
    if not narrow:
        table.add_column("attack\ndB", justify="right", no_wrap=True)
    for views in by_job(summary["scenarios"]):
        style = "dim" if _any(views)["family"] == "control" else ""
        cells = _cells(views, fprs, "\n" if narrow else " ")
        table.add_row(*cells[: len(table.columns)], style=style)
    return Group(table, *_notes(summary))


def _title(summary: dict[str, Any]) -> str:
    protocol, model, faces = summary["protocol"], summary["model"], summary["faces"]
    return (
        f"{protocol['name']} v{protocol['version']} · {model['name']}, {model['message_bits']} bits · "
        f"{of_people(faces)}, {faces['size']} px"
    )


def _any(views: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return next(iter(views.values()))


def _cells(views: dict[str, dict[str, Any]], fprs: list[float], separator: str) -> list[Text | str]:
    first = _any(views)
    mark = ("● ", "magenta") if first["black_box"] else ("○ ", "cyan")
    name = Text.assemble(("  ", "") if first["family"] == "control" else mark, first["label"])
    if first["status"] == "not run":
        return [name, Text("not run", style="yellow"), *[""] * 5]
    both = [row for row in (views.get("frame"), views.get("face")) if row]
    strength = first["attack_psnr_db"]
    return [
        name,
        _bits(views.get("frame"), separator),
        _bits(views.get("face"), separator),
        "/".join(percent(row["exact_match"], 0) for row in both),
        "/".join(percent(row["tpr_at_fpr"][f"{fprs[-1]:g}"], 0) for row in both),
        percent(first["null_fpr"][f"{fprs[0]:g}"]),
        "–" if strength is None or strength >= 99.5 else f"{strength:.1f}",
    ]


def _bits(row: dict[str, Any] | None, separator: str) -> Text:
    if row is None or row["bit_accuracy"] is None:
        return Text("–")
    accuracy = row["bit_accuracy"]
    colour = "green" if accuracy >= 0.95 else "yellow" if accuracy >= 0.75 else "red"
    if row["ci_low"] is None:
        return Text(percent(accuracy), style=colour)
    text = Text(f"{percent(accuracy)}{separator}", style="" if row["family"] == "control" else colour)
    return text.append(f"{percent(row['ci_low'])}–{percent(row['ci_high'])}", style="dim")


def p_words(p_value: float) -> str:
    """``p = 0.05``; a value too small for a float is no zero."""
    return f"p = {p_value:.2g}" if p_value > 0 else "p < 1e-300"


def donor_sentence(row: dict[str, Any]) -> str:
    """The pooled evidence of the donor role in words.

    Args:
        row: A run scenario of that role.
    """
    messages = counted(row["n_clusters"], "message")
    found = f"{row['pooled_matched']} of {row['pooled_bits']} bits, {p_words(row['pooled_p_value'])}"
    control = f"{row['null_pooled_matched']} of {row['null_pooled_bits']}, {p_words(row['null_pooled_p_value'])}"
    return (
        f"{row['label']}, {row['view']}: {messages} learnt by the tool; {row['n_images']} outputs pooled read {found} "
        f"(the same tool without a tag: {control})"
    )


def _notes(summary: dict[str, Any]) -> list[Text]:
    notes = [
        Text(
            f"white minus black, {gap['pair']}, {gap['view']}: {100 * gap['difference']:+.1f} points "
            f"[{100 * gap['ci_low']:+.1f}, {100 * gap['ci_high']:+.1f}] of bit accuracy on "
            f"{of_people(gap)}"
        )
        for gap in summary["gaps"]
    ]
    notes += [Text(donor_sentence(row)) for row in summary["scenarios"] if row["pooled_p_value"] is not None]
    seen: set[str] = set()
    for flag in summary["flags"]:
        if flag["message"] not in seen:
            notes.append(Text.assemble(("! ", "bold yellow"), flag["message"]))
            seen.add(flag["message"])
    commands = dict.fromkeys(row["command"] for row in summary["scenarios"] if row["command"])
    notes += [Text.assemble(("  run it: ", "dim"), command) for command in commands]
    return notes


def print_table(summary: dict[str, Any], console: Console) -> None:
    """Print the table.

    Args:
        summary: Of :func:`faketagger.bench.summary.summarise`.
        console: Where to.
    """
    console.print(render(summary, narrow=console.width < 100))
