"""Entries of the leaderboard: one reviewed JSON each, all measured by the same published protocol. No torch here."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faketagger.bench.protocol import ProtocolName
from faketagger.bench.published import published, title_of
from faketagger.errors import BenchError
from faketagger.imaging import write_atomically

_KEPT = ("format", "protocol", "faces", "seed", "candidates", "thresholds", "scenarios", "gaps", "flags")


@dataclass(frozen=True)
class Entry:
    """One watermark on one face set.

    Attributes:
        name: Of its file, without the suffix.
        watermark: Name, digest, lengths, version and strength matching, as ``model`` in ``summary.json``.
        protocol: ``NAME-vVERSION``.
        faces: Source, digest, number of pictures and of people.
        scenarios: Rows as in ``summary.json``.
        flags: As in ``summary.json``.
    """

    name: str
    watermark: dict[str, Any]
    protocol: str
    faces: dict[str, Any]
    scenarios: list[dict[str, Any]]
    flags: list[dict[str, Any]]


def add_entry(run: Path, results: Path, name: str | None = None) -> Path:
    """Make an entry of a finished benchmark.

    Args:
        run: Output folder of ``faketagger bench``, or its ``summary.json``.
        results: Folder of the entries; made where it is missing.
        name: Of the entry; by default ``WATERMARK--FACES``, or ``WATERMARK-40dB--FACES`` if matched to 40 dB.

    Returns:
        The entry's file.

    Raises:
        BenchError: The benchmark is not finished, or its result does not belong on the leaderboard.
    """
    path = run / "summary.json" if run.is_dir() else run
    summary = _read(path)
    if "model" not in summary:
        raise BenchError(f"{path} is no summary of a benchmark.", "Give the output folder of faketagger bench.")
    values = {"watermark": summary["model"], **{key: summary.get(key) for key in _KEPT}}
    values["scenarios"] = [{**row, "command": None} for row in summary.get("scenarios") or []]
    entry = check_entry(values, str(path), name or "")
    matched = entry.watermark.get("psnr_match")
    strength = "" if matched is None else f"-{matched['target_db']:g}dB"
    chosen = name or f"{entry.watermark['name']}{strength}--{entry.faces['source']}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.@-]*", chosen):
        raise BenchError(f"{chosen!r} is no name for an entry.", "Use letters, digits, point, dash and underscore.")
    text = json.dumps(values, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    results.mkdir(parents=True, exist_ok=True)
    write_atomically(text.encode(), results / f"{chosen}.json")
    return results / f"{chosen}.json"


def load_entries(results: Path) -> list[Entry]:
    """All entries of a folder, every one checked.

    Args:
        results: Folder of the entries.

    Raises:
        BenchError: One does not belong there.
    """
    return [check_entry(_read(path), str(path), path.stem) for path in sorted(results.glob("*.json"))]


def check_entry(values: dict[str, Any], origin: str, name: str) -> Entry:
    """Refuse what was not measured by a published protocol, whole and unchanged.

    Args:
        values: An entry as plain values.
        origin: Where it comes from; used in messages.
        name: Of the entry.

    Raises:
        BenchError: With the reason.
    """
    try:
        protocol = ProtocolName(name=values["protocol"]["name"], version=values["protocol"]["version"])
        title, digest = title_of(protocol), values["protocol"].get("digest")
        rows = [(row["attack"], row["version"], row["status"], row["label"]) for row in values["scenarios"]]
        entry = Entry(name, values["watermark"], title, values["faces"], values["scenarios"], values["flags"])
        _ = entry.watermark["name"], entry.faces["source"], entry.faces["digest"], entry.faces["n_clusters"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BenchError(f"{origin} is no entry: {error!r} is missing or wrong.", _AGAIN) from error
    known = published()
    if title not in known:
        raise BenchError(f"{origin} was made with {title}; the leaderboard takes {' and '.join(known)}.", _AGAIN)
    if digest != known[title].digest:
        raise BenchError(f"{origin} was made with a protocol that differs from {title} as it was published.", _AGAIN)
    for attack, version, status, label in rows:
        if status != "run":
            raise BenchError(f"{origin} is not whole: {label} was not run.", "Install the tool and run it again.")
        expected = known[title].attacks.get(attack)
        if expected is not None and version != expected:
            raise BenchError(f"{origin} was made with {attack} v{version}, {title} has v{expected}.", _AGAIN)
    lacking = sorted(set(known[title].attacks) - {attack for attack, *_ in rows})
    if lacking:
        raise BenchError(f"{origin} is not whole: it lacks {', '.join(lacking)}.", _AGAIN)
    return entry


_AGAIN = "Run experiments/bench/faketagger-v1.yaml as it is, then: faketagger leaderboard add RUN"


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BenchError(f"There is no {path}.", "Give the output folder of a finished faketagger bench.") from None
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} cannot be read as JSON.") from error
    if not isinstance(values, dict):
        raise BenchError(f"{path} holds no keys and values.")
    return values
