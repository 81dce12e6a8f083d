"""Watermarks in an environment of their own: pictures and messages in, marked pictures or soft bits out."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from faketagger.errors import AdapterError
from faketagger.zoo.attack import check_device, description
from faketagger.zoo.cache import job_digest
from faketagger.zoo.events import ImageEvent
from faketagger.zoo.installation import installation, require
from faketagger.zoo.jobs import Job, new_job
from faketagger.zoo.manifest import Adapter, Value
from faketagger.zoo.outputs import read_png, write_png
from faketagger.zoo.runner import RunReport, run_driver
from faketagger.zoo.sandbox import Sandbox, choose

Phase = Literal["embed", "read"]


@dataclass(frozen=True)
class Marker:
    """An adapter of kind ``watermark``, with its parameters, ready to be called.

    Attributes:
        adapter: The adapter.
        parameters: All of them, resolved.
        device: ``cpu`` or ``cuda``.
        sandbox: Walls around every call.
    """

    adapter: Adapter
    parameters: dict[str, Value]
    device: str = "cpu"
    sandbox: Sandbox = field(default_factory=choose)

    @classmethod
    def make(cls, adapter: Adapter, given: dict[str, Any], preset: str | None = None, device: str = "cpu") -> "Marker":
        """Resolve parameters.

        Args:
            adapter: Of kind ``watermark``.
            given: Values by parameter name.
            preset: Of the manifest.
            device: One of the manifest's.

        Raises:
            AdapterError: It is no watermark, or a parameter, preset or device does not fit.
        """
        if adapter.manifest.kind != "watermark":
            raise AdapterError(f"{adapter.name} is an attack and no watermark.", "Name it in a scenario with box: black.")
        check_device(adapter, device)
        return cls(adapter, adapter.manifest.resolve(preset, given), device)

    @property
    def message_bits(self) -> int:
        """Length L of a message."""
        return int(self._number(self.adapter.manifest.message_bits))

    @property
    def native_size(self) -> int | None:
        """Side of the pictures that the driver wants to see; None for any."""
        side = self.adapter.manifest.native_size
        return None if side is None else int(self._number(side))

    def stronger(self, factor: float) -> "Marker":
        """The same with its strength parameter multiplied.

        Args:
            factor: Above 0.

        Raises:
            AdapterError: The result is out of the parameter's range.
        """
        name = str(self.adapter.manifest.strength)
        value = float(self.parameters[name]) * factor
        parameters = self.adapter.manifest.resolve(None, {**self.parameters, name: value})
        return Marker(self.adapter, parameters, self.device, self.sandbox)

    def embed(self, images: Sequence[NDArray[np.uint8]], messages: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """Mark pictures in one run of the driver.

        Args:
            images: (H, W, 3) uint8 each.
            messages: (N, L) of 0 and 1.

        Returns:
            A picture of the same size for each.

        Raises:
            AdapterError: The driver failed, on one picture or as a whole.
        """
        told = [{"message": [int(bit) for bit in message]} for message in messages]
        return [marked for _, marked in self._run("embed", images, told) if marked is not None]

    def read(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Read pictures in one run of the driver.

        Args:
            images: (H, W, 3) uint8 each.

        Returns:
            (N, L) soft bits.

        Raises:
            AdapterError: The driver failed, or gave no L numbers for a picture.
        """
        rows = []
        for place, (event, _) in enumerate(self._run("read", images, [{} for _ in images])):
            if event.soft is None or len(event.soft) != self.message_bits:
                found = "none" if event.soft is None else len(event.soft)
                raise AdapterError(f"picture {place} was read without its {self.message_bits} soft bits ({found})")
            rows.append(event.soft)
        return np.array(rows, dtype=np.float32).reshape(len(images), self.message_bits)

    def run_empty(self, phase: Phase) -> RunReport:
        """Run the driver on no picture.

        Args:
            phase: Which call.
        """
        with new_job() as job, tempfile.TemporaryDirectory() as log:
            return self._drive(job, phase, [], Path(log) / "driver.log", lambda event: None)

    def _run(
        self, phase: Phase, images: Sequence[NDArray[np.uint8]], told: list[dict[str, Any]]
    ) -> list[tuple[ImageEvent, NDArray[np.uint8] | None]]:
        found: dict[str, tuple[ImageEvent, NDArray[np.uint8] | None]] = {}
        wanted = [{"name": f"{place:05d}.png", **facts} for place, facts in enumerate(told)]
        with new_job() as job, tempfile.TemporaryDirectory() as logs:
            for facts, image in zip(wanted, images, strict=True):
                write_png(np.ascontiguousarray(image), job.inputs / facts["name"])

            def on_image(event: ImageEvent) -> None:
                if event.name not in found and any(event.name == facts["name"] for facts in wanted):
                    made = None
                    if event.status == "embedded":
                        try:
                            made = read_png(job.out / event.name)
                        except (OSError, ValueError, MemoryError) as error:
                            event = ImageEvent(event.name, "failed", f"its output {error}")
                    found[event.name] = event, made

            report = self._drive(job, phase, wanted, Path(logs) / "driver.log", on_image)
        if report.outcome != "finished":
            raise AdapterError(f"its {phase} ended badly: {report.reason}")
        results = []
        for place, facts in enumerate(wanted):
            event, made = found.get(facts["name"], (ImageEvent("", "failed", "the driver never reported on it"), None))
            if event.status == "failed":
                raise AdapterError(f"picture {place}: {event.reason or 'it failed and gave no reason'}")
            results.append((event, made))
        return results

    def _drive(self, job: Job, phase: Phase, images: list[dict[str, Any]], log: Path, on_image: Any) -> RunReport:
        place, limits = require(self.adapter), self.adapter.manifest.limits
        task = description(self.adapter, phase, place, self.parameters, 0, self.device)
        job.write(task | {"images": images, "model": None})
        return run_driver(
            self.adapter,
            phase,
            job,
            python=place.python,
            readable=[place.folder],
            sandbox=self.sandbox,
            log_path=log,
            wall_s=limits.wall_s + limits.wall_s_per_image * len(images),
            device=self.device,
            on_image=on_image,
            on_progress=lambda done, total: None,
        )

    def _number(self, value: int | str | None) -> float:
        return float(self.parameters[value]) if isinstance(value, str) else float(value or 0)


def watermark_digest(adapter: Adapter) -> str:
    """Digest of an adapter's code, pins and brought weights.

    Args:
        adapter: Of kind ``watermark``.
    """
    place = installation(adapter)
    parts = [
        job_digest(adapter, "embed", {}, 0, "cpu", None, place.varying_weights(adapter)),
        json.dumps({name: one.plain() for name, one in adapter.manifest.parameters.items()}, sort_keys=True),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
