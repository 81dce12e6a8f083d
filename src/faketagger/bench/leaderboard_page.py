"""The leaderboard as Markdown for the documentation and as one HTML page that needs nothing else."""

from importlib import resources
from typing import Any

from faketagger.bench.leaderboard import STRICT, Board, Standing
from faketagger.bench.table import percent
from faketagger.bench.wording import of_people

HEADS = (
    *("watermark", "bits", "PSNR dB", f"found % at p ≤ {STRICT}", "bits right %, white box", "black box"),
    *("capacity, bits", "payload %", "something survives", "untagged called tagged %"),
)
LEGEND = (
    "Means are over all attacks of the protocol, whole frame and face alone counted alike; lost pictures count as "
    "chance. *Found* compares watermarks of different lengths, bits right does not. *Capacity* is a lower bound of "
    "what a picture carries, *something survives* counts attacks in views with an exact p ≤ 0.05 after Holm over all "
    "of them. *Untagged called tagged* are untagged pictures through the same attacks at a nominal 1 %, with the "
    "upper 95 % limit. Where PSNR differs, the stronger mark has the easier task: compare within a decibel, or use "
    "`--match-psnr`; a mark that cannot be made weak enough to reach that PSNR stays at what it costs anyway."
)
NOTHING = "There is no entry yet."
_HOW = """```bash
faketagger bench experiments/bench/faketagger-v1.yaml --model WATERMARK --out runs/v1/WATERMARK
faketagger leaderboard add runs/v1/WATERMARK
faketagger leaderboard build
```"""


def markdown(boards: list[Board]) -> str:
    """The page of the documentation.

    Args:
        boards: Of :func:`faketagger.bench.leaderboard.make_boards`.
    """
    parts = [
        "# Leaderboard",
        "Written by `faketagger leaderboard build` from the reviewed entries in `results/`; do not edit. An entry is "
        "made with",
        '<!-- skip: next "takes minutes a watermark" -->',
        _HOW,
        "and sent as a pull request. A result made with another protocol, another version of it or of an attack, or "
        "with an attack left out, is refused. Watermarks on different faces never share a table.",
        LEGEND if boards else NOTHING,
    ]
    for board in boards:
        parts += [f"## {heading(board)}", _table(HEADS, [cells(one) for one in board.standings])]
        heads = ("attack", *(one.entry.name for one in board.standings))
        for view, words in (("frame", "whole picture"), ("face", "only what the attack made of the face")):
            rows = attack_rows(board, view)
            if rows:
                parts += [f"### Bits right %, {words}", "95 % intervals over people.", _table(heads, rows)]
        flags = flag_lines(board)
        parts += ["### Flags", "\n".join(f"- {line}" for line in flags)] if flags else []
    return "\n\n".join(parts) + "\n"


def page(boards: list[Board]) -> str:
    """The HTML page: tables that sort, no network, no other file.

    Args:
        boards: Of :func:`faketagger.bench.leaderboard.make_boards`.
    """
    from jinja2 import Environment, StrictUndefined

    folder = resources.files("faketagger.bench") / "templates"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "leaderboard.html.j2").read_text(encoding="utf-8"))
    shown = [
        {
            "heading": heading(board),
            "rows": [cells(one) for one in board.standings],
            "names": [one.entry.name for one in board.standings],
            "attacks": [
                (words, attack_rows(board, view))
                for view, words in (("frame", "whole picture"), ("face", "face only"))
                if attack_rows(board, view)
            ],
            "flags": flag_lines(board),
        }
        for board in boards
    ]
    return template.render(boards=shown, heads=HEADS, legend=_plain(LEGEND if boards else NOTHING))


def heading(board: Board) -> str:
    """Protocol and faces in a line.

    Args:
        board: One board.
    """
    faces = board.faces
    return (
        f"{board.protocol}, {faces['source']} faces: {of_people(faces)}, "
        f"{faces['size']} px"
    )


def cells(one: Standing) -> tuple[str, ...]:
    """One watermark as texts, in the order of :data:`HEADS`.

    Args:
        one: Its standing.
    """
    mark = one.entry.watermark
    match = f", matched to {mark['psnr_match']['target_db']:g} dB" if mark.get("psnr_match") else ""
    version = f" {mark['version']}" if mark.get("version") else ""
    return (
        f"{one.entry.name} ({mark['name']}{version}{match})",
        str(mark["message_bits"]),
        f"{one.psnr_db:.1f}",
        percent(one.found),
        percent(one.white),
        percent(one.black),
        f"{one.capacity:.1f}",
        percent(one.payload, 0),
        f"{one.holds} of {one.claims}",
        f"{percent(one.null, 2)} (≤ {percent(one.null_limit, 2)})",
    )


def attack_rows(board: Board, view: str) -> list[tuple[str, ...]]:
    """Bit accuracy with its interval, one attack a row and one watermark a column.

    Args:
        board: One board.
        view: Frame or face.
    """
    chosen = [(label, black) for label, where, black in board.attacks if where == view]
    return [
        (
            f"{label} (external tool)" if black else label,
            *(_accuracy(board.row(one, label, view)) for one in board.standings),
        )
        for label, black in chosen
    ]


def flag_lines(board: Board) -> list[str]:
    """Every flag once, with the watermark it concerns.

    Args:
        board: One board.
    """
    lines = [f"{one.entry.name}: {flag['message']}" for one in board.standings for flag in one.entry.flags]
    return list(dict.fromkeys(lines))


def _plain(text: str) -> str:
    return text.replace("*", "").replace("`", "")


def _accuracy(row: dict[str, Any]) -> str:
    if row["ci_low"] is None:
        return percent(row["bit_accuracy"])
    return f"{percent(row['bit_accuracy'])} [{percent(row['ci_low'])}, {percent(row['ci_high'])}]"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) + ("--:",) * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
