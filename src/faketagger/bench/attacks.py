"""Attacks of this process, controls and white boxes: 8-bit pictures in; pictures, status and mask out."""

import hashlib
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from faketagger import simulator
from faketagger.bench.controls import align_only
from faketagger.bench.pictures import Pixels
from faketagger.bench.scenario import ALIGN_ONLY, NO_ATTACK, Job
from faketagger.bench.subject import to_pixels, to_tensor
from faketagger.errors import BenchError
from faketagger.simulator.interface import AttackBatch, AttackOutput


@dataclass(frozen=True)
class Victim:
    """A picture about to be attacked.

    Attributes:
        name: Name of the picture; fixes the random draws.
        path: Its PNG.
        image: (H, W, 3) uint8.
        landmarks: (68, 2) as the attacker finds them; NaN where no face is found.
    """

    name: str
    path: Path
    image: Pixels
    landmarks: NDArray[np.float32]


@dataclass(frozen=True)
class Attacked:
    """What came out.

    Attributes:
        image: (H, W, 3) uint8, None where the attack failed.
        mask: (H, W) in [0, 1] over ``image``: 1 where the attack made the pixel.
        status: attacked, passed_through or failed.
        reason: Why it failed.
    """

    image: Pixels | None
    mask: NDArray[np.float32] | None
    status: str
    reason: str = ""


@dataclass(frozen=True)
class AttackFacts:
    """What a result says about its attack: family and version."""

    family: str
    version: int


class InProcessAttack(ABC):
    """An attack that takes one picture at a time in this process."""

    facts: AttackFacts

    @abstractmethod
    def run(self, victim: Victim) -> tuple[Attacked, float]:
        """Attack one picture.

        Args:
            victim: The picture.

        Returns:
            The result, and the attack's own seconds.
        """


class Control(InProcessAttack):
    """The rows every table has: nothing at all, or only the alignment that every face tool begins with."""

    def __init__(self, job: Job) -> None:
        self.facts = AttackFacts("control", 1)
        self._align = job.attack == ALIGN_ONLY

    def run(self, victim: Victim) -> tuple[Attacked, float]:
        whole = np.ones(victim.image.shape[:2], dtype=np.float32)
        if not self._align:
            return Attacked(victim.image, whole, "passed_through"), 0.0
        if np.isnan(victim.landmarks).any():
            return Attacked(None, None, "failed", "no face to align"), 0.0
        start = time.perf_counter()
        images, masks = align_only(to_tensor([victim.image]), torch.from_numpy(victim.landmarks)[None])
        spent = time.perf_counter() - start
        return settle(victim.image, to_pixels(images)[0], masks[0, 0].numpy(), "attacked", ""), spent


class WhiteBox(InProcessAttack):
    """A simulator attack; every picture gets its own random stream, so that order and company do not matter.

    Args:
        job: A white-box job.
        seed: Of the benchmark.

    Raises:
        BenchError: The attack does not offer the role.
    """

    def __init__(self, job: Job, seed: int) -> None:
        self._attack = simulator.build(job.attack, severity=job.severity, **job.params).eval()
        self.facts = AttackFacts(self._attack.family, self._attack.version)
        self._stream = f"{seed}/{job.id}"
        if job.role not in self._attack.roles:
            offered = " and ".join(self._attack.roles)
            raise BenchError(f"{job.attack} attacks a {offered}, it has no {job.role} role.", f"Use role: {offered}.")

    def run(self, victim: Victim) -> tuple[Attacked, float]:
        digest = hashlib.sha256(f"{self._stream}/{victim.name}".encode()).digest()
        rng = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        batch = AttackBatch(to_tensor([victim.image]), torch.from_numpy(victim.landmarks)[None])
        start = time.perf_counter()
        with torch.no_grad():
            output = self._attack.apply(batch, rng)
        spent = time.perf_counter() - start
        return self._checked(victim, batch, output), spent

    def _checked(self, victim: Victim, batch: AttackBatch, output: AttackOutput) -> Attacked:
        if output.images.shape != batch.images.shape:
            raise BenchError(f"it returned {tuple(output.images.shape)} for {tuple(batch.images.shape)}")
        details = output.details[0] if output.details else {}
        if output.status[0] == "failed":
            return Attacked(None, None, "failed", str(details.get("reason", "the attack failed")))
        if not torch.isfinite(output.images).all():
            return Attacked(None, None, "failed", "the attack returned NaN or infinite pixels")
        image, mask = to_pixels(output.images.clamp(0, 1))[0], output.masks[0, 0].cpu().numpy()
        return settle(victim.image, image, mask, output.status[0], str(details.get("reason", "")))


def settle(before: Pixels, after: Pixels, mask: NDArray[np.float32], status: str, reason: str) -> Attacked:
    """Call an unchanged picture passed through, whatever the attack says of itself.

    Args:
        before: (H, W, 3) uint8.
        after: (H, W, 3) uint8.
        mask: (H, W) the attack's mask.
        status: The attack's word.
        reason: The attack's word.
    """
    if np.array_equal(before, after):
        return Attacked(after, mask, "passed_through", reason or "the output equals the input")
    return Attacked(after, mask, status, reason)


def build_in_process(job: Job, seed: int) -> InProcessAttack:
    """The attack of a control or white-box job.

    Args:
        job: Any job but a black-box one.
        seed: Of the benchmark.
    """
    return Control(job) if job.attack in (NO_ATTACK, ALIGN_ONLY) and job.box == "control" else WhiteBox(job, seed)
