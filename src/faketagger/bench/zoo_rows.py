"""What benchmarks say of external tools: one row a tool, role and preset, of summary.json and timings.json."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faketagger import zoo
from faketagger.errors import BenchError
from faketagger.places import cache_root, repository_root

_BENCH = "faketagger bench experiments/bench/zoo-smoke.yaml"


@dataclass(frozen=True)
class ToolRow:
    """One tool in one role with one setting.

    Attributes:
        tool: Name of the adapter.
        role: Carrier or donor.
        label: What its benchmark calls it.
        preset: Named preset; empty for the defaults.
        params: Parameters set beside it, in words; empty where there are none.
        pictures: Which pictures, in words.
        tagger: Name of the tagger.
        date: When its benchmark ended; empty where that is not known.
        views: Rows of the summary by view.
        gaps: White minus black by view, each with the label of the white twin.
        seconds: Of the tool, for one image; None where all came from the cache.
        prepare_seconds: Of one preparation; None where it learns nothing or had learnt before.
        prepare_cpu_seconds: CPU time of the same; None also where it was not taken.
    """

    tool: str
    role: str
    label: str
    preset: str
    params: str
    pictures: str
    tagger: str
    date: str
    views: dict[str, dict[str, Any]]
    gaps: dict[str, tuple[str, dict[str, Any]]]
    seconds: float | None
    prepare_seconds: float | None
    prepare_cpu_seconds: float | None = None

    @property
    def any(self) -> dict[str, Any]:
        """Facts that do not depend on the view."""
        return next(iter(self.views.values()))

    @property
    def setting(self) -> str:
        """Preset and parameters in words."""
        return ", ".join(part for part in (self.preset, self.params) if part)

    @property
    def key(self) -> tuple[str, ...]:
        """What two measurements of the same thing share."""
        return self.tool, self.role, self.setting, self.pictures, self.tagger


@dataclass(frozen=True)
class Missed:
    """A tool, or one setting of it, without a result: why, and what to type."""

    tool: str
    role: str
    family: str
    pin: str
    reason: str
    command: str
    setting: str = ""


@dataclass
class ZooResults:
    """Rows of all tools, those that ran and those that did not."""

    run: list[ToolRow] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)


def load_results(paths: list[Path], kept: Iterable[ToolRow] = (), unrun: Iterable[dict[str, Any]] = ()) -> ZooResults:
    """Gather what benchmarks say, and what the doctor says of tools that none of them ran.

    Args:
        paths: ``summary.json`` files; of rows with equal keys the last one counts.
        kept: Rows of earlier benchmarks.
        unrun: Presets that were never run: ``tool``, ``roles``, ``preset`` and ``reason``.

    Raises:
        BenchError: A file is no summary.
    """
    rows = {row.key: row for row in kept}
    reasons: dict[tuple[str, str], Missed] = {}
    for path in paths:
        try:
            summary = json.loads(path.read_text(encoding="utf-8"))
            beside = path.with_name("timings.json")
            timings = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
            found, missed = _of_summary(summary, timings)
        except (OSError, ValueError, KeyError) as error:
            raise BenchError(f"{path} is no summary of this version.", "Run the benchmark again.") from error
        rows |= {row.key: row for row in found}
        reasons |= {(one.tool, one.role): one for one in missed}
    results = ZooResults(sorted(rows.values(), key=_order))
    done = {(row.tool, row.role) for row in results.run}
    for name, adapter in zoo.find_adapters().items():
        for role in adapter.manifest.roles:
            if (name, role) not in done:
                results.missed.append(reasons.get((name, role)) or _examined(adapter, role))
    settings = {(row.tool, row.role, row.preset) for row in results.run}
    adapters = zoo.find_adapters()
    results.missed += [
        _unrun(adapters[one["tool"]], role, one["preset"], one["reason"])
        for one in unrun
        for role in one["roles"]
        if (one["tool"], role, one["preset"]) not in settings
    ]
    return results


def _unrun(adapter: zoo.Adapter, role: str, preset: str, reason: str) -> Missed:
    manifest, command = adapter.manifest, f"faketagger bench experiments/bench/zoo-{preset}.yaml"
    return Missed(adapter.name, role, manifest.family, manifest.upstream.pin, reason, command, preset)


def _of_summary(summary: dict[str, Any], timings: dict[str, Any]) -> tuple[list[ToolRow], list[Missed]]:
    jobs: dict[str, dict[str, dict[str, Any]]] = {}
    labels = {row["scenario"]: row["label"] for row in summary["scenarios"]}
    missed = []
    for row in summary["scenarios"]:
        if row["black_box"] and row["status"] == "run" and row["n_images"]:
            jobs.setdefault(row["scenario"].rsplit("/", 1)[0], {})[row["view"]] = row
        elif row["black_box"]:
            reason, command = public(row["reason"] or "no picture"), public(row["command"] or "")
            pin = row.get("pin") or ""
            missed.append(Missed(row["attack"], row["role"], row["family"] or "", pin, reason, command))
    found = []
    faces = summary["faces"]
    for job, views in jobs.items():
        first = next(iter(views.values()))
        black = {row["scenario"]: view for view, row in views.items()}
        gaps = {black[gap["black"]]: (labels[gap["white"]], gap) for gap in summary["gaps"] if gap["black"] in black}
        people = first["n_clusters"] if first["role"] == "carrier" else faces["n_clusters"]
        whom = f"{people} people" if people > 1 else "one person (one cluster, no interval)"
        pictures = f"{faces['n_images']} {faces['source']} faces of {whom}, {faces['size']} px"
        spent = timings.get("jobs", {}).get(job, {})
        made = spent.get("pictures", 0) - spent.get("cached", 0)
        found.append(
            ToolRow(
                first["attack"],
                first["role"],
                first["label"],
                first["preset"] or "",
                ", ".join(f"{name}={value}" for name, value in sorted(first["params"].items())),
                pictures,
                summary["model"]["name"],
                timings.get("date", ""),
                views,
                gaps,
                spent["attack"] / made if made > 0 else None,
                *(_each(spent, of, "prepared") for of in ("prepare", "prepare_cpu")),
            )
        )
    return found, missed


def _each(spent: dict[str, float], of: str, count: str) -> float | None:
    return spent[of] / spent[count] if spent.get(count) and of in spent else None


def _examined(adapter: zoo.Adapter, role: str) -> Missed:
    diagnosis, manifest = zoo.doctor(adapter), adapter.manifest
    reason, command = "installed, and not yet benchmarked in this role", _BENCH
    if diagnosis.state != "ready":
        reason = f"{diagnosis.state.replace('_', ' ')}: it lacks {'; '.join(diagnosis.missing)}"
        command = diagnosis.next_command
    return Missed(adapter.name, role, manifest.family, manifest.upstream.pin, public(reason), public(command))


def _order(row: ToolRow) -> tuple[Any, ...]:
    families = ("swap", "reenact", "edit", "synthesis", "degradation")
    family = row.any["family"]
    return families.index(family) if family in families else len(families), *row.key


def public(text: str) -> str:
    """A text without folders of this machine.

    Args:
        text: A reason or a command.
    """
    for folder, name in ((cache_root(), "$FAKETAGGER_CACHE"), (repository_root(), "."), (Path.home(), "~")):
        text = text.replace(str(folder), name)
    return " ".join(text.split())
