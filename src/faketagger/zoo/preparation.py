"""``prepare``: lets a tool learn from facesets, once for the same pictures, parameters and seed."""

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faketagger.errors import AdapterError
from faketagger.zoo.attack import Progress, check_device, description
from faketagger.zoo.attributes import read_attributes
from faketagger.zoo.cache import file_digest, job_digest
from faketagger.zoo.installation import require
from faketagger.zoo.jobs import Job, lasting_job, new_job
from faketagger.zoo.locks import only_one
from faketagger.zoo.manifest import Adapter
from faketagger.zoo.outputs import write_png
from faketagger.zoo.registry import cache_folder, get_adapter
from faketagger.zoo.results import make_folder
from faketagger.zoo.runner import RunReport, run_driver
from faketagger.zoo.sandbox import Wish, choose


@dataclass(frozen=True)
class Prepared:
    """A tool made ready.

    Attributes:
        folder: Give it to :func:`faketagger.zoo.apply` as ``prepared``; its ``digest`` names its origin.
        cached: Made by an earlier call.
        run: How the driver's run ended; None if cached.
        seconds: Wall time.
    """

    folder: Path
    cached: bool
    run: RunReport | None
    seconds: float


def prepare(
    name: str | Path | Adapter,
    facesets: dict[str, list[Path]],
    params: dict[str, Any] | None = None,
    preset: str | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
    *,
    device: str = "cpu",
    sandbox: Wish = "auto",
    log: Path | None = None,
    attributes: Path | None = None,
    fresh: bool = False,
) -> Prepared:
    """Train a tool, or whatever it needs before it can be applied.

    A training that is stopped keeps its working folder where the driver asked for time to save (``grace_s``); the
    same call goes on from there. Of two such calls at once the second waits for the first and takes its result.

    Args:
        name: Adapter, its name or its folder.
        facesets: Picture files by faceset name; the names are the manifest's ``facesets``.
        params: Parameters; they win over the preset.
        preset: ``smoke`` or ``paper``.
        seed: Fixes every draw of the tool.
        progress: Called with the driver's own (done, total) steps.
        device: One of the manifest's devices.
        sandbox: ``auto``, or insist on ``bubblewrap`` or ``rlimits``.
        log: File for what the tool prints; beside the result by default.
        attributes: CelebA's ``list_attr_celeba.txt``, or a CSV with a ``file`` column, about the pictures; for
            adapters that ask for it.
        fresh: Start anew, whatever is finished or was begun.

    Returns:
        Where the result is.

    Raises:
        AdapterError: The adapter takes no facesets or others, or the driver's run did not finish (unlike with
            ``apply`` there is nothing to keep then).
        ImageError: A picture cannot be read.
    """
    started = time.monotonic()
    adapter = get_adapter(name)
    wanted = adapter.manifest.facesets
    if not wanted:
        raise AdapterError(f"{adapter.name} needs no preparation.", f"Run: faketagger zoo apply {adapter.name}")
    if set(facesets) != set(wanted) or not all(facesets.values()):
        raise AdapterError(f"{adapter.name} is prepared with pictures for each of: {', '.join(wanted)}.")
    parameters = adapter.manifest.resolve(preset, params)
    check_device(adapter, device)
    place = require(adapter)
    labels = _labels(adapter, facesets, attributes)
    pictures = "".join(f"{name}:" + ",".join(map(file_digest, facesets[name])) for name in wanted)
    lesson = pictures + json.dumps(labels, sort_keys=True)
    digest = hashlib.sha256(lesson.encode()).hexdigest()
    key = job_digest(adapter, "prepare", parameters, seed, device, digest, place.varying_weights(adapter))
    folder = prepared_folder(adapter) / key[:32]
    shelf = unfinished_folder(adapter) / key[:32]
    if (folder / "digest").is_file() and not fresh:
        return Prepared(folder, True, None, time.monotonic() - started)
    with only_one(shelf):
        if fresh:
            for stale in (shelf, folder):
                shutil.rmtree(stale, ignore_errors=True)
        if (folder / "digest").is_file():  # another call made it while this one waited
            return Prepared(folder, True, None, time.monotonic() - started)
        make_folder(folder.parent)
        log = log or folder.with_suffix(".log")
        limits = adapter.manifest.limits
        with lasting_job(shelf) if limits.grace_s else new_job() as job:
            sets = {name_of_set: str(job.inputs / name_of_set) for name_of_set in wanted}
            for name_of_set in wanted:
                _stage(facesets[name_of_set], job.inputs / name_of_set)
            told = {"facesets": sets} | ({"attributes": labels} if labels else {})
            job.write(description(adapter, "prepare", place, parameters, seed, device) | told)
            report = run_driver(
                adapter,
                "prepare",
                job,
                python=place.python,
                readable=[place.folder],
                sandbox=choose(sandbox),
                log_path=log,
                wall_s=limits.wall_s + limits.wall_s_per_image * sum(map(len, facesets.values())),
                device=device,
                on_image=lambda event: None,
                on_progress=progress,
            )
            _expect_result(adapter, job, report, log)
            (job.out / "digest").write_text(key)
            part = folder.with_suffix(f".{os.getpid()}.part")
            shutil.move(job.out, part)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(part, folder)
    return Prepared(folder, False, report, time.monotonic() - started)


def prepared_folder(adapter: Adapter) -> Path:
    """Where what an adapter has learnt is kept, a folder a lesson."""
    return cache_folder() / "prepared" / adapter.name


def unfinished_folder(adapter: Adapter) -> Path:
    """Where the working folders of an adapter's stopped trainings wait to go on."""
    return cache_folder() / "unfinished" / adapter.name


def _expect_result(adapter: Adapter, job: Job, report: RunReport, log: Path) -> None:
    if report.outcome == "trespass":
        shutil.rmtree(job.work, ignore_errors=True)
    if report.outcome != "finished":
        hint = f"Its output is in {log}."
        if adapter.manifest.limits.grace_s and job.work.is_dir() and any(job.work.iterdir()):
            hint += " The same command goes on where it stopped; with --fresh it starts anew."
        raise AdapterError(f"{adapter.name} could not be prepared: {report.reason}.", hint)
    if job.out.is_symlink() or not any(job.out.iterdir()):
        raise AdapterError(f"{adapter.name} said it was prepared and wrote nothing.", f"Its output is in {log}.")


def _labels(
    adapter: Adapter, facesets: dict[str, list[Path]], attributes: Path | None
) -> dict[str, dict[str, dict[str, bool]]]:
    """Attributes by faceset and staged file name; empty for adapters that want none."""
    if not adapter.manifest.attributes:
        if attributes is not None:
            raise AdapterError(f"{adapter.name} needs no attributes.", "Leave the file out.")
        return {}
    if attributes is None:
        raise AdapterError(f"{adapter.name} learns attributes and needs a list of them.", "Give --attributes FILE.")
    table = read_attributes(attributes)
    return {name: table.of(paths, staged_name) for name, paths in facesets.items()}


def staged_name(index: int) -> str:
    """What the picture at a place of a faceset is called in the job's folder."""
    return f"{index:05d}.png"


def _stage(pictures: list[Path], folder: Path) -> None:
    from faketagger.imaging import read_photo

    folder.mkdir()
    for index, path in enumerate(pictures):
        write_png(read_photo(path).rgb8, folder / staged_name(index))
