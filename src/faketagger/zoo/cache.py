"""Finished images by content: the same input, tool, parameters and seed are never run twice."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faketagger.errors import AdapterError
from faketagger.zoo.manifest import KIT, Adapter, Value
from faketagger.zoo.outputs import Finding, write_png
from faketagger.zoo.registry import cache_folder


def file_digest(path: Path) -> str:
    """sha256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def job_digest(
    adapter: Adapter,
    phase: str,
    parameters: dict[str, Value],
    seed: int,
    device: str,
    prepared: str | None,
    weights: dict[str, str],
) -> str:
    """Digest of everything but the pictures that decides a result.

    Args:
        adapter: Its version and pins count, and the bytes of its Python files, its requirements, its shims and the
            kit.
        phase: ``prepare`` or ``apply``; parameters of the other phase, or of speed, do not count.
        parameters: All resolved parameters.
        seed: Seed of the job.
        device: ``cpu`` or ``cuda``.
        prepared: Digest of the preparation that is used.
        weights: Hashes of weight files that are not the same in every installation.

    Returns:
        64 hex digits.
    """
    manifest = adapter.manifest
    specs = manifest.parameters
    telling = {n: v for n, v in parameters.items() if specs[n].phase == phase and specs[n].changes == "result"}
    files = [*sorted(adapter.folder.glob("*.py")), *sorted((adapter.folder / "shims").rglob("*.py"))]
    if manifest.environment.requirements:
        files.append(adapter.folder / manifest.environment.requirements)
    code = {str(path.relative_to(adapter.folder)): file_digest(path) for path in files}
    code |= {f"kit/{path.name}": file_digest(path) for path in sorted(KIT.glob("*.py"))}
    tool = [manifest.contract, manifest.name, manifest.version, manifest.pins, code, *([weights] if weights else [])]
    task = [manifest.environment.variables, phase, telling, seed, device, prepared]
    text = json.dumps([tool, task], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def image_key(job: str, image: str) -> str:
    """Key of one image in one job, both given as digests."""
    return hashlib.sha256(f"{job}{image}".encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One finished image.

    Attributes:
        output: The PNG in the cache.
        mask: The mask's PNG in the cache, if the tool gave one.
        facts: ``status``, ``reason``, ``changed``, ``psnr_db``.
    """

    output: Path
    mask: Path | None
    facts: dict[str, Any]


class ResultCache:
    """Results of one adapter: a folder an image, made whole or not at all.

    Args:
        name: The adapter's name.
    """

    def __init__(self, name: str) -> None:
        self._home = cache_folder() / "results" / name

    def get(self, key: str) -> Entry | None:
        """The entry, or None if there is none or its picture is damaged."""
        folder = self._folder(key)
        try:
            facts = json.loads((folder / "entry.json").read_text())
            output, mask = folder / "output.png", folder / "mask.png"
            whole = file_digest(output) == facts["sha256"]
            if facts["mask_sha256"] is not None:
                whole = whole and file_digest(mask) == facts["mask_sha256"]
            return Entry(output, mask if facts["mask_sha256"] else None, facts) if whole else None
        except (OSError, ValueError, KeyError):
            return None

    def put(self, key: str, finding: Finding) -> Entry:
        """Keep a finding that has pixels.

        Raises:
            AdapterError: The cache cannot be written.
        """
        assert finding.pixels is not None
        folder = self._folder(key)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
            try:
                write_png(finding.pixels, part / "output.png")
                facts = {"status": finding.status, "reason": finding.reason, "changed": finding.changed}
                facts |= {"psnr_db": finding.psnr_db, "sha256": file_digest(part / "output.png")}
                if finding.mask is not None:
                    write_png(finding.mask, part / "mask.png")
                facts["mask_sha256"] = None if finding.mask is None else file_digest(part / "mask.png")
                (part / "entry.json").write_text(json.dumps(facts))
                shutil.rmtree(folder, ignore_errors=True)
                try:
                    os.replace(part, folder)
                except OSError:
                    if self.get(key) is None:  # else another run was first
                        raise
            finally:
                shutil.rmtree(part, ignore_errors=True)
        except OSError as error:
            raise AdapterError(
                f"The cache {self._home} cannot be written: {error.strerror or error}.",
                "Free some space or set FAKETAGGER_CACHE to another folder.",
            ) from error
        return Entry(folder / "output.png", None if finding.mask is None else folder / "mask.png", facts)

    def drop(self, key: str) -> None:
        """Forget an entry."""
        shutil.rmtree(self._folder(key), ignore_errors=True)

    def _folder(self, key: str) -> Path:
        return self._home / key[:2] / key
