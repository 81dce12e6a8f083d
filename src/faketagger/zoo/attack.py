"""``apply``: pictures through a tool, each one checked, the finished ones kept, only the missing ones run."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faketagger.errors import AdapterError, ImageError
from faketagger.zoo.cache import ResultCache, file_digest, image_key, job_digest
from faketagger.zoo.events import ImageEvent
from faketagger.zoo.installation import Installation, require
from faketagger.zoo.jobs import Job, new_job
from faketagger.zoo.manifest import CONTRACT, Adapter, Value
from faketagger.zoo.outputs import judge, read_png, stage_png
from faketagger.zoo.registry import get_adapter
from faketagger.zoo.results import AttackRun, ImageResult, Timings, deliver, from_entry, make_folder
from faketagger.zoo.runner import RunReport, run_driver
from faketagger.zoo.sandbox import Sandbox, Wish, choose

Progress = Callable[[int, int], None]


def apply(
    name: str | Path | Adapter,
    inputs: list[Path],
    out_dir: Path,
    params: dict[str, Any] | None = None,
    preset: str | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
    *,
    device: str = "cpu",
    prepared: Path | None = None,
    sandbox: Wish = "auto",
    fresh: bool = False,
) -> AttackRun:
    """Attack pictures with an external tool.

    Args:
        name: Adapter, its name or its folder.
        inputs: Picture files in any format that :mod:`faketagger.imaging` reads.
        out_dir: Folder for the attacked pictures (PNG, named after the inputs) and ``driver.log``.
        params: Parameters of the adapter; they win over the preset.
        preset: ``smoke`` or ``paper``.
        seed: Fixes every draw of the tool.
        progress: Called with (finished images, all images).
        device: One of the manifest's devices.
        prepared: Folder made by :func:`faketagger.zoo.prepare`, for tools that need it.
        sandbox: ``auto``, or insist on ``bubblewrap`` or ``rlimits``.
        fresh: Run everything again, whatever the cache holds.

    Returns:
        One result per input. A misbehaving tool never raises: its pictures are ``failed`` with the reason.

    Raises:
        AdapterError: Unknown adapter, preset or parameter; not installed; not prepared; the cache or
            ``out_dir`` cannot be written.
    """
    started = time.monotonic()
    adapter = get_adapter(name)
    if adapter.manifest.kind != "attack":
        hint = f"Run: faketagger bench experiments/bench/demo.yaml --model {adapter.name}"
        raise AdapterError(f"{adapter.name} is a watermark and attacks nothing.", hint)
    parameters = adapter.manifest.resolve(preset, params)
    check_device(adapter, device)
    place = require(adapter)
    walls = choose(sandbox)
    model = _model_digest(adapter, prepared)
    job_key = job_digest(adapter, "apply", parameters, seed, device, model, place.varying_weights(adapter))
    cache = ResultCache(adapter.name)
    results: dict[Path, ImageResult] = {}
    waiting: dict[str, list[Path]] = {}
    for path in inputs:
        try:
            key = image_key(job_key, file_digest(path))
        except OSError as error:
            results[path] = ImageResult(path, None, "failed", f"it cannot be read: {error.strerror}")
            continue
        entry = None if fresh else cache.get(key)
        if entry:
            results[path] = from_entry(path, entry, cached=True)
        elif path not in waiting.get(key, []):
            waiting.setdefault(key, []).append(path)
    progress(len(results), len(inputs))
    log = make_folder(out_dir) / "driver.log" if waiting else None
    batch = _Batch(adapter, parameters, seed, device, cache, waiting, results)
    if log is not None:
        batch.run(place, walls, prepared, log, lambda: progress(len(results), len(inputs)))
    images = deliver([results[path] for path in inputs], out_dir)
    report = batch.report
    timings = Timings(time.monotonic() - started, report.seconds if report else 0.0)
    manifest = adapter.manifest
    used = report.sandbox if report else None
    return AttackRun(
        adapter.name, manifest.version, manifest.family, parameters, seed, images, report, used, timings, log
    )


@dataclass
class _Batch:
    """The images that are not in the cache, all given to one process."""

    adapter: Adapter
    parameters: dict[str, Value]
    seed: int
    device: str
    cache: ResultCache
    waiting: dict[str, list[Path]]
    results: dict[Path, ImageResult]
    report: RunReport | None = None

    def run(
        self, place: Installation, walls: Sandbox, prepared: Path | None, log: Path, tell: Callable[[], None]
    ) -> None:
        with new_job() as job:
            staged = self._stage(job)
            if not staged:
                return
            images = [
                {"name": file, "seed": image_seed(self.seed, self.waiting[key][0])} for file, key in staged.items()
            ]
            job.write(
                description(self.adapter, "apply", place, self.parameters, self.seed, self.device)
                | {"images": images, "model": str(prepared) if prepared else None}
            )
            made: dict[str, ImageEvent] = {}

            def on_image(event: ImageEvent) -> None:
                if event.name in staged and event.name not in made:
                    made[event.name] = event
                    self._settle(job, staged[event.name], event)
                    tell()

            limits = self.adapter.manifest.limits
            self.report = run_driver(
                self.adapter,
                "apply",
                job,
                python=place.python,
                readable=[place.folder, *([prepared] if prepared else [])],
                sandbox=walls,
                log_path=log,
                wall_s=limits.wall_s + limits.wall_s_per_image * len(staged),
                device=self.device,
                on_image=on_image,
                on_progress=lambda done, total: None,
            )
        reason = self.report.reason or "the driver never reported on it"
        distrusted = self.report.outcome == "trespass"
        for name, key in staged.items():
            if name not in made or distrusted:
                self.cache.drop(key)
                self._fail(key, reason)

    def _stage(self, job: Job) -> dict[str, str]:
        """Write the waiting pictures as 8-bit sRGB PNG; file name to key."""
        from faketagger.imaging import read_photo

        staged = {}
        for index, (key, paths) in enumerate(self.waiting.items()):
            try:
                pixels = read_photo(paths[0]).rgb8
            except ImageError as error:
                self._fail(key, error.message)
                continue
            name = f"{index:05d}.png"
            try:
                stage_png(pixels, paths[0], job.inputs / name)
            except OSError as error:
                raise AdapterError(f"The job folder cannot be written: {error}.", "Free some space.") from error
            staged[name] = key
        return staged

    def _settle(self, job: Job, key: str, event: ImageEvent) -> None:
        finding = judge(
            event,
            job.out / event.name,
            read_png(job.inputs / event.name),
            job.masks / event.name,
            self.adapter.manifest.masks,
        )
        if finding.pixels is None:
            self._fail(key, finding.reason)
            return
        entry = self.cache.put(key, finding)
        for path in self.waiting[key]:
            self.results[path] = from_entry(path, entry, cached=False)

    def _fail(self, key: str, reason: str | None) -> None:
        for path in self.waiting[key]:
            self.results[path] = ImageResult(path, None, "failed", reason)


def description(
    adapter: Adapter, phase: str, place: Installation, parameters: dict[str, Value], seed: int, device: str
) -> dict[str, Any]:
    """The part of job.json that ``prepare`` and ``apply`` share."""
    job = {"contract": CONTRACT, "adapter": adapter.name, "phase": phase, "install": place.describe(adapter)}
    return job | {"parameters": parameters, "seed": seed, "device": device}


def image_seed(seed: int, path: Path) -> int:
    """The seed of one image in [0, 2^31): from its bytes, so independent of what else is in the batch."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{file_digest(path)}".encode()).digest()[:4]) >> 1


def check_device(adapter: Adapter, device: str) -> None:
    """Refuse a device that the adapter does not name.

    Raises:
        AdapterError: With the devices that it does name.
    """
    if device not in adapter.manifest.devices:
        known = ", ".join(adapter.manifest.devices)
        raise AdapterError(f"{adapter.name} does not run on {device!r}.", f"It runs on {known}.")


def _model_digest(adapter: Adapter, prepared: Path | None) -> str | None:
    if not adapter.manifest.facesets:
        if prepared is not None:
            raise AdapterError(f"{adapter.name} needs no preparation.", "Leave the prepared folder out.")
        return None
    try:
        return (prepared / "digest").read_text() if prepared else _unprepared(adapter)
    except OSError:
        raise AdapterError(f"{prepared} was not made by faketagger zoo prepare.") from None


def _unprepared(adapter: Adapter) -> str:
    sets = " ".join(f"{name}=FOLDER" for name in adapter.manifest.facesets)
    raise AdapterError(f"{adapter.name} must be prepared first.", f"Run: faketagger zoo prepare {adapter.name} {sets}")
