"""From a benchmark file to attack jobs. A job is one run of an attack; each of its views is a scenario."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from faketagger.bench.protocol import BenchConfig, Box, FacesetConfig, Role, View
from faketagger.errors import ConfigError

NO_ATTACK = "no_attack"
ALIGN_ONLY = "align_only"
CHANCE = "chance"
UNTAGGED_NULL = "untagged_null"
CONTROLS = (NO_ATTACK, ALIGN_ONLY)

Kind = Literal["tagged", "null"]
KINDS: tuple[Kind, ...] = ("tagged", "null")


@dataclass(frozen=True)
class Job:
    """One attack to run on all tagged and all untagged pictures.

    Attributes:
        id: Unique in its benchmark, fit for a file name.
        label: What tables call it.
        attack: Simulator attack, adapter, or control.
        box: ``control`` for the rows that every benchmark has.
        role: Carrier or donor.
        views: What the reader gets to see.
        severity: In the attack's own unit.
        params: Further parameters.
        preset: Of an adapter.
        pair: Word shared by scenarios to be compared.
        facesets: What an adapter is prepared with, as far as the file says so.
        donors: How many times a tool of the donor role is prepared, each with its own message.
    """

    id: str
    label: str
    attack: str
    box: Box | Literal["control"]
    role: Role
    views: tuple[View, ...]
    severity: float | None = None
    params: dict[str, Any] = field(default_factory=dict)
    preset: str | None = None
    pair: str | None = None
    facesets: dict[str, FacesetConfig] = field(default_factory=dict)
    donors: int = 1

    def scenario_id(self, view: View) -> str:
        """Name of the scenario that reads this job's pictures in one view."""
        return f"{self.id}/{view}"


def plan(config: BenchConfig) -> list[Job]:
    """List the jobs of a benchmark: the controls first, then the scenarios in the order of the file.

    Args:
        config: The benchmark.

    Returns:
        Jobs with unique ids.

    Raises:
        ConfigError: Two scenarios are the same attack with the same settings.
    """
    views: tuple[View, ...] = tuple(
        view for view in ("frame", "face") if any(view in scenario.views for scenario in config.scenarios)
    )
    jobs = [
        Job(NO_ATTACK, "no attack", NO_ATTACK, "control", "carrier", views),
        Job(ALIGN_ONLY, "align and warp only", ALIGN_ONLY, "control", "carrier", views),
    ]
    for scenario in config.scenarios:
        for severity in scenario.severities:
            words = _words(scenario.attack, scenario.role, severity, scenario.params, scenario.preset)
            sets = [f"{name}={_brief(faceset)}" for name, faceset in sorted(scenario.facesets.items())]
            label = scenario.label or " ".join(words)
            if scenario.label and severity is not None and len(scenario.severities) > 1:
                label = f"{scenario.label} {severity:g}"
            jobs.append(
                Job(
                    id=re.sub(r"[^A-Za-z0-9_.=-]+", "_", "-".join(words + sets)),
                    label=label,
                    attack=scenario.attack,
                    box=scenario.box,
                    role=scenario.role,
                    views=scenario.views,
                    severity=severity,
                    params=dict(scenario.params),
                    preset=scenario.preset,
                    pair=scenario.pair,
                    facesets=dict(scenario.facesets),
                    donors=scenario.donors,
                )
            )
    _refuse_twins(jobs)
    return jobs


def _words(attack: str, role: str, severity: float | None, params: dict[str, Any], preset: str | None) -> list[str]:
    words = [attack]
    if severity is not None:
        words.append(f"{severity:g}")
    if preset is not None:
        words.append(preset)
    words += [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in sorted(params.items())
    ]
    return words + ([role] if role != "carrier" else [])


def _brief(faceset: FacesetConfig) -> str:
    paths = [Path(path).name for path in (faceset.source, faceset.attributes) if path is not None]
    counts = [str(value) for value in (faceset.identity, faceset.count) if value is not None]
    return "+".join([*paths, *counts, *(["whole"] if faceset.whole else [])])


def _refuse_twins(jobs: list[Job]) -> None:
    seen: set[str] = set()
    for job in jobs:
        if job.id in seen:
            raise ConfigError(
                f"Two scenarios are the same: {job.label!r}.",
                "Give both views in one scenario (view: [frame, face]) and each setting once.",
            )
        seen.add(job.id)
