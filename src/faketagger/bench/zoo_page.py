"""docs/zoo.md and the result tables of the adapters: ``python -m faketagger.bench.zoo_page SUMMARY.json...``"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from faketagger.bench.table import p_words, percent
from faketagger.bench.wording import counted
from faketagger.bench.zoo_kept import read_kept, read_unrun, write_kept
from faketagger.bench.zoo_rows import Missed, ToolRow, ZooResults, load_results
from faketagger.errors import FakeTaggerError
from faketagger.imaging import write_atomically
from faketagger.places import repository_root

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
_TOOL_HEAD = (
    "| tagger | pictures | view | bit accuracy [95 % CI] | exact payload | PSNR after attack | date |",
    "|---|---|---|---|---|---|---|",
)
_KEY_CELLS = 3
_RECOVERY = (
    *("tool", "role", "tagger", "frame: bits right", "face: bits right", "payload read", "found at p ≤ {fpr}"),
    *("pictures", "twin, white − black"),
)
_STRENGTH = (
    *("tool", "role", "tagger", "family", "version", "pixels changed", "PSNR", "face moved", "to the donor"),
    *("s a picture", "prepare s (CPU s)", "date"),
)
_MISSED = ("tool", "role", "family", "version", "why", "next")

_INTRO = """# The zoo: real tools against the shipped taggers

Written by `python -m faketagger.bench.zoo_page`; do not edit. One command measures and writes this page and the result
table of every adapter's README:

<!-- skip: next "needs the tools" -->

```bash
faketagger bench experiments/bench/zoo-smoke.yaml --faces PHOTOS --others ANOTHER_PERSON --out runs/zoo-smoke \\
  && python -m faketagger.bench.zoo_page runs/zoo-smoke/summary.json
```

Without `--faces` and `--others` the rendered demo faces are used. `experiments/bench/zoo-paper.yaml` is the same with
what the tools' authors used. A tool that is not installed is a row under *Not run*, and the others go on; a run that
was stopped goes on where it was. `docs/zoo/TOOL.json` keeps all rows: a summary adds its own and replaces those of the
same tool, role, setting, pictures and tagger.

- **Carrier**: the tagged picture goes through the tool. The tool itself has learnt from untagged pictures.
- **Donor**: the tool learns from pictures that all carry one message, untagged pictures go through it, and its outputs
  are held against that message. All outputs together are one test of it, whose p-value is exact; an interval needs
  several donors, each with its own message.
- **Frame** is the whole picture, **face** only what the tool made of the face. Intervals are 95 %, over
  people in the carrier role and over messages in the donor role.
- **Smoke** trains for minutes: it shows that a tool runs, not what it can do. Each tool's README says what its pictures
  look like; a blurred mean face or colour blobs are no deepfake, whatever the distances say.
- **Face moved** is the distance of dlib's face embeddings between output and input: 0.1 is JPEG at quality 30, another
  picture of the same person is 0.3 away, another person 0.7. *To the donor* is the distance to the identity that is put
  on, before → after.
"""


def render_page(results: ZooResults) -> str:
    """docs/zoo.md.

    Args:
        results: Of :func:`load_results`.
    """
    fpr = min((fpr for row in results.run for fpr in row.any["tpr_at_fpr"]), key=float, default="0.001")
    parts = [_INTRO, "## What is left of the tag\n"]
    head = tuple(cell.format(fpr=fpr) for cell in _RECOVERY)
    parts.append(_table(head, [_recovery(row, fpr) for row in results.run]))
    parts += ["\n## What the tools did, and what it cost\n", _table(_STRENGTH, [_strength(row) for row in results.run])]
    if results.missed:
        parts += ["\n## Not run\n", _table(_MISSED, [_missed(one) for one in results.missed])]
    return "\n".join(parts) + "\n"


def fill_table(readme: str, rows: list[ToolRow]) -> str | None:
    """Put rows into the result table of a README; rows of other pictures or taggers stay.

    Args:
        readme: Its text.
        rows: Of its tool.

    Returns:
        The new text; None where it has no place for results.
    """
    found = re.search(f"{BEGIN}(.*?){END}", readme, flags=re.S)
    if found is None:
        return None
    kept: dict[tuple[str, ...], str] = {}
    lines = [line.strip() for line in found[1].strip().splitlines() if line.strip()]
    if lines[:1] == [_TOOL_HEAD[0]]:
        kept = {_key(line): line for line in lines[2:]}
    for row in rows:
        for view, scores in row.views.items():
            line = _result_line(row, view, scores)
            kept[_key(line)] = line
    table = "\n".join([BEGIN, *_TOOL_HEAD, *kept.values(), END])
    return readme[: found.start()] + table + readme[found.end() :]


def write_all(paths: list[Path], root: Path) -> list[str]:
    """Write the page and fill the tables; rows of earlier summaries are kept in docs/zoo.

    Args:
        paths: ``summary.json`` files.
        root: The repository.

    Returns:
        What was written, relative to ``root``, and which READMEs have no place for results.
    """
    kept = root / "docs" / "zoo"
    results = load_results(paths, read_kept(kept), read_unrun(kept))
    write_kept(results.run, kept)
    said = [_write(root / "docs" / "zoo.md", render_page(results), root)]
    for tool in sorted({row.tool for row in results.run}):
        readme = root / "adapters" / tool / "README.md"
        if not readme.is_file():
            continue
        text = fill_table(readme.read_text(encoding="utf-8"), [row for row in results.run if row.tool == tool])
        if text is None:
            said.append(f"{readme.relative_to(root)} has no {BEGIN}")
        else:
            said.append(_write(readme, text, root))
    return said


def _write(path: Path, text: str, root: Path) -> str:
    write_atomically(text.encode(), path)
    return f"wrote {path.relative_to(root)}"


def _table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in [list(head), *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def _named(row: ToolRow) -> list[str]:
    setting = f" ({row.setting})" if row.setting else ""
    return [f"[{row.tool}](../adapters/{row.tool}/README.md){setting}", row.role, row.tagger]


def _recovery(row: ToolRow, fpr: str) -> list[str]:
    both = list(row.views.values())
    twins = [
        f"{label}, {view}: {100 * gap['difference']:+.1f} [{100 * gap['ci_low']:+.1f}, {100 * gap['ci_high']:+.1f}]"
        for view, (label, gap) in row.gaps.items()
    ]
    return [
        *_named(row),
        *(_bits(row.views.get(view)) for view in ("frame", "face")),
        " / ".join(percent(one["exact_match"], 0) + " %" for one in both),
        " / ".join(percent(one["tpr_at_fpr"].get(fpr), 0) + " %" for one in both),
        f"{row.pictures}{_messages(row)}; {row.any['attacked']} attacked, {row.any['failed']} failed",
        "<br>".join(twins) or "–",
    ]


def _messages(row: ToolRow) -> str:
    return "" if row.role == "carrier" else f", {counted(row.any['n_clusters'], 'message')}"


def _bits(scores: dict[str, Any] | None) -> str:
    if scores is None or scores["bit_accuracy"] is None:
        return "–"
    text = f"{percent(scores['bit_accuracy'])} %"
    if scores["ci_low"] is not None:
        text += f" [{percent(scores['ci_low'])}, {percent(scores['ci_high'])}]"
    if scores.get("pooled_p_value") is not None:
        found, control = scores["pooled_p_value"], scores["null_pooled_p_value"]
        text += f"; pooled {scores['pooled_matched']}/{scores['pooled_bits']}, {p_words(found)} (control {control:.2g})"
    return text


def _strength(row: ToolRow) -> list[str]:
    facts = row.any
    towards = "–"
    if facts.get("donor_distance") is not None:
        towards = f"{facts['donor_distance_before']:.2f} → {facts['donor_distance']:.2f}"
    return [
        *_named(row),
        facts["family"],
        f"v{facts['version']}, `{(facts.get('pin') or '')[:40]}`",
        f"{percent(facts['changed_pixels'])} %",
        "–" if facts["attack_psnr_db"] is None else f"{facts['attack_psnr_db']:.1f} dB",
        "–" if facts.get("moved") is None else f"{facts['moved']:.2f}",
        towards,
        "made earlier" if row.seconds is None else f"{row.seconds:.1f}",
        _learning(row),
        row.date,
    ]


def _learning(row: ToolRow) -> str:
    if row.prepare_seconds is None:
        return "–"
    cpu = "" if row.prepare_cpu_seconds is None else f" ({row.prepare_cpu_seconds:.0f})"
    return f"{row.prepare_seconds:.0f}{cpu}"


def _missed(one: Missed) -> list[str]:
    name = f"[{one.tool}](../adapters/{one.tool}/README.md)" + (f" ({one.setting})" if one.setting else "")
    return [name, one.role, one.family, f"`{one.pin[:40]}`", one.reason, f"`{one.command}`" if one.command else "–"]


def _result_line(row: ToolRow, view: str, scores: dict[str, Any]) -> str:
    donor = row.role + _messages(row) if row.role == "donor" else ""
    words = [word for word in (view, donor, row.setting) if word]
    strength = scores["attack_psnr_db"]
    cells = [row.tagger, row.pictures, ", ".join(words), _bits(scores), f"{percent(scores['exact_match'], 0)} %"]
    cells += ["–" if strength is None else f"{strength:.1f} dB", row.date]
    return "| " + " | ".join(cells) + " |"


def _key(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|")[:_KEY_CELLS])


def main(arguments: list[str] | None = None) -> int:
    """Command line.

    Args:
        arguments: Without the program's name; those of the process by default.
    """
    parser = argparse.ArgumentParser(prog="python -m faketagger.bench.zoo_page", description=__doc__)
    parser.add_argument("summaries", nargs="*", type=Path, metavar="SUMMARY.json")
    parser.add_argument("--root", type=Path, default=repository_root(), help="repository whose pages are written")
    given = parser.parse_args(arguments)
    try:
        print("\n".join(write_all(given.summaries, given.root)))
    except FakeTaggerError as error:
        print(f"{error.message} {error.hint or ''}".strip(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
