"""``prepare``: lets a tool learn from facesets, once for the same pictures, parameters and seed."""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faketagger.errors import AdapterError
from faketagger.zoo.attack import Progress, check_device, description
from faketagger.zoo.attributes import read_attributes
from faketagger.zoo.cache import file_digest, job_digest
from faketagger.zoo.installation import require
from faketagger.zoo.jobs import Job, new_job
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
) -> Prepared:
    """Train a tool, or whatever it needs before it can be applied.

    A training that is stopped keeps its working folder where the driver asked for time to save (``grace_s``); the
    same call goes on from there.

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
    key = job_digest(adapter, "prepare", parameters, seed, device, hashlib.sha256(lesson.encode()).hexdigest())
    folder = cache_folder() / "prepared" / adapter.name / key[:32]
    if (folder / "digest").is_file():
        return Prepared(folder, True, None, time.monotonic() - started)
    make_folder(folder.parent)
    with new_job() as job:
        for name_of_set in wanted:
            _stage(facesets[name_of_set], job.inputs / name_of_set)
        sets = {name_of_set: str(job.inputs / name_of_set) for name_of_set in wanted}
        told = {"facesets": sets} | ({"attributes": labels} if labels else {})
        job.write(description(adapter, "prepare", place, parameters, seed, device) | told)
        limits = adapter.manifest.limits
        with _kept_work(job, folder.with_suffix(".work"), limits.grace_s > 0):
            report = run_driver(
                adapter,
                "prepare",
                job,
                python=place.python,
                readable=[place.folder],
                sandbox=choose(sandbox),
                log_path=log or folder.with_suffix(".log"),
                wall_s=limits.wall_s + limits.wall_s_per_image * sum(map(len, facesets.values())),
                device=device,
                on_image=lambda event: None,
                on_progress=progress,
            )
            if report.outcome != "finished":
                raise AdapterError(
                    f"{adapter.name} could not be prepared: {report.reason}.",
                    f"Its output is in {log or folder.with_suffix('.log')}",
                )
        if job.out.is_symlink() or not any(job.out.iterdir()):
            raise AdapterError(f"{adapter.name} said it was prepared and wrote nothing.")
        (job.out / "digest").write_text(key)
        part = folder.with_suffix(f".{os.getpid()}.part")
        shutil.move(job.out, part)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
    return Prepared(folder, False, report, time.monotonic() - started)


@contextlib.contextmanager
def _kept_work(job: Job, shelf: Path, wanted: bool) -> Iterator[None]:
    """Hand a job the working folder of an earlier call that was stopped, and keep its own if it is stopped too."""
    if wanted and shelf.is_dir():
        shutil.rmtree(job.work)
        with contextlib.suppress(OSError):  # another call took it meanwhile
            shelf.rename(job.work)
        job.work.mkdir(exist_ok=True)
    try:
        yield
    except BaseException:
        if wanted and not job.work.is_symlink() and any(job.work.iterdir()):
            shutil.rmtree(shelf, ignore_errors=True)
            shutil.move(job.work, shelf)
        raise


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
