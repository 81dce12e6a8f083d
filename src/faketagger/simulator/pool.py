"""A pool of attacks: each image meets one of them, drawn by weight, at a severity drawn from a range."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from faketagger.errors import ConfigError
from faketagger.simulator.graded import GradedAttack, uniform
from faketagger.simulator.interface import Attack, AttackBatch, AttackOutput, Status
from faketagger.simulator.landmarks import moved_landmarks
from faketagger.simulator.registry import build

_WORST: list[Status] = ["passed_through", "attacked", "failed"]


@dataclass(frozen=True)
class PoolEntry:
    """One attack of a pool.

    Attributes:
        attack: The attack.
        weight: Share of the draws, relative to the other entries.
        severity: ``(low, high)`` to draw from; None takes the attack's own training range. Attacks that are
            not graded are applied as they were built.
    """

    attack: Attack
    weight: float = 1.0
    severity: tuple[float, float] | None = None


@dataclass
class _Gathered:
    """Results of the groups of one round, put back into the order of the batch."""

    rows: list[Tensor] = field(default_factory=list)
    outputs: list[AttackOutput] = field(default_factory=list)

    def in_order(self) -> AttackOutput:
        order = torch.argsort(torch.cat(self.rows))
        places = order.tolist()
        status: list[Status] = [one for output in self.outputs for one in output.status]
        details = [one for output in self.outputs for one in output.details]
        images = torch.cat([output.images for output in self.outputs])
        masks = torch.cat([output.masks for output in self.outputs])
        landmarks = torch.cat([output.landmarks for output in self.outputs if output.landmarks is not None])
        return AttackOutput(
            images[order.to(images.device)],
            [status[place] for place in places],
            masks[order.to(masks.device)],
            [details[place] for place in places],
            landmarks[order.to(landmarks.device)],
        )


class AttackPool(nn.Module):
    """Draw one attack per image and apply each attack once, to all images that drew it.

    Args:
        entries: The attacks with their weights and severity ranges.
        chain: How many attacks each image meets, one after another, drawn independently.

    Raises:
        ConfigError: No entry, a weight that is not positive, a severity range outside the attack's, or a
            chain below 1.
    """

    def __init__(self, entries: Sequence[PoolEntry], chain: int = 1) -> None:
        super().__init__()
        if not entries:
            raise ConfigError("a pool needs at least one attack")
        if chain < 1:
            raise ConfigError(f"a chain of {chain} attacks is none", "use 1 or more")
        for entry in entries:
            _check(entry)
        self.entries = list(entries)
        self.chain = chain
        self.attacks = nn.ModuleList(entry.attack for entry in entries)
        self.weights = torch.tensor([float(entry.weight) for entry in entries])

    @classmethod
    def from_spec(cls, spec: Mapping[str, float | Mapping[str, Any]], chain: int = 1) -> Self:
        """Build a pool from plain values, as a configuration file holds them.

        Args:
            spec: For each attack name its weight, or a mapping with ``weight`` (default 1), ``severity``
                (``[low, high]``) and further arguments of the attack.
            chain: As for the class.

        Raises:
            ConfigError: Unknown attack or argument, or as for the class.
        """
        entries = []
        for name, value in spec.items():
            params: dict[str, Any] = dict(value) if isinstance(value, Mapping) else {"weight": value}
            weight, span = params.pop("weight", 1.0), params.pop("severity", None)
            severity = None if span is None else (span[0], span[1])
            entries.append(PoolEntry(build(name, **params), weight, severity))
        return cls(entries, chain)

    def forward(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:
        """Attack a batch.

        Args:
            batch: Pictures and landmarks.
            rng: Source of every random draw: which attack, how strong, and the attack's own.

        Returns:
            As for an attack, always with landmarks. ``details[i]["attack"]`` is the name drawn; in a chain, names are
            joined by ``+`` and ``severity`` lists the severities.
        """
        output = self._round(batch, rng)
        for _ in range(self.chain - 1):
            between = AttackBatch(output.images, moved_landmarks(batch, output))
            output = _joined(output, self._round(between, rng))
        return output

    def _round(self, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:
        count = len(batch.images)
        drawn = torch.multinomial(self.weights.to(rng.device), count, replacement=True, generator=rng).cpu()
        gathered = _Gathered()
        for index in drawn.unique().tolist():
            rows = torch.nonzero(drawn == index).flatten()
            here = rows.to(batch.images.device)
            part = AttackBatch(batch.images[here], batch.landmarks[rows.to(batch.landmarks.device)])
            gathered.rows.append(rows)
            gathered.outputs.append(self._strike(self.entries[index], part, rng))
        return gathered.in_order()

    def _strike(self, entry: PoolEntry, part: AttackBatch, rng: torch.Generator) -> AttackOutput:
        attack = entry.attack
        if isinstance(attack, GradedAttack):
            low, high = entry.severity or attack.training_range
            attack.severity = low + (high - low) * uniform(rng, (len(part.images),), part.images)
        output = attack(part, rng)
        details = output.details or [{} for _ in output.status]
        named = [{**detail, "attack": attack.name} for detail in details]
        return replace(output, details=named, landmarks=moved_landmarks(part, output))


def _check(entry: PoolEntry) -> None:
    name, span = entry.attack.name, entry.severity
    if not entry.weight > 0:
        raise ConfigError(f"{name} cannot have weight {entry.weight!r} in a pool", "weights are positive")
    if span is None:
        return
    if not isinstance(entry.attack, GradedAttack):
        raise ConfigError(f"{name} has no severity to draw")
    low, high = entry.attack.valid_range
    if not low <= span[0] <= span[1] <= high:
        raise ConfigError(
            f"{name} cannot draw severities from {span}", f"they lie within {low:g} to {high:g}"
        )


def _joined(first: AttackOutput, second: AttackOutput) -> AttackOutput:
    """What two attacks in a row did, told as one."""
    status: list[Status] = []
    details = []
    for index, (before, after) in enumerate(zip(first.status, second.status, strict=True)):
        status.append(max(before, after, key=_WORST.index))
        one, two = first.details[index], second.details[index]
        severities = [*_listed(one.get("severity")), *_listed(two.get("severity"))]
        joined = {**one, **two, "attack": f"{one['attack']}+{two['attack']}", "severity": severities}
        if "matrix" in one and "matrix" in two:
            joined["matrix"] = (torch.tensor(two["matrix"]) @ torch.tensor(one["matrix"])).tolist()
        details.append(joined)
    return replace(second, status=status, masks=torch.maximum(first.masks, second.masks), details=details)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
