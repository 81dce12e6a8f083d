"""What ``apply`` gives back, and the attacked pictures in the caller's folder."""

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from faketagger.errors import AdapterError
from faketagger.zoo.cache import Entry
from faketagger.zoo.events import Status
from faketagger.zoo.runner import RunReport
from faketagger.zoo.sandbox import Sandbox
from faketagger.zoo.sections import Value


@dataclass(frozen=True)
class ImageResult:
    """What became of one picture.

    Attributes:
        input: The picture as given.
        output: PNG of the same size; None if failed.
        status: ``attacked``, ``passed_through`` (output equals input) or ``failed``.
        reason: Why it is not attacked.
        changed: Share of changed pixels in [0, 1].
        psnr_db: Output against input, None if equal or failed.
        cached: Taken from an earlier run.
        mask: Grey PNG of the same size, white where the tool says that it made the pixel; None where it does not say.
    """

    input: Path
    output: Path | None
    status: Status
    reason: str | None
    changed: float = 0.0
    psnr_db: float | None = None
    cached: bool = False
    mask: Path | None = None


@dataclass(frozen=True)
class Timings:
    """Wall seconds: all of ``apply``, and the tool's own part of it."""

    total_s: float
    tool_s: float


@dataclass(frozen=True)
class AttackRun:
    """One call of :func:`apply`.

    Attributes:
        images: One result per input, in order.
        run: How the driver's run ended; None if everything came from the cache.
        sandbox: What held the tool in; None if nothing was run.
        log: What the tool printed; None if nothing was run.
    """

    adapter: str
    version: int
    family: str
    parameters: dict[str, Value]
    seed: int
    images: tuple[ImageResult, ...]
    run: RunReport | None
    sandbox: Sandbox | None
    timings: Timings
    log: Path | None

    def count(self, status: Status) -> int:
        """Number of images with a status."""
        return sum(image.status == status for image in self.images)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; paths as text."""
        plain = asdict(self)
        plain["log"] = str(self.log) if self.log else None
        for image in plain["images"]:
            for name in ("input", "output", "mask"):
                image[name] = image[name] and str(image[name])
        return plain


def from_entry(path: Path, entry: Entry, cached: bool) -> ImageResult:
    """The result that a cache entry tells of."""
    facts = entry.facts
    figures = (facts["status"], facts["reason"], facts["changed"], facts["psnr_db"])
    return ImageResult(path, entry.output, *figures, cached, entry.mask)


def deliver(results: list[ImageResult], out_dir: Path) -> tuple[ImageResult, ...]:
    """Copy outputs and masks out of the cache under the names of the inputs, numbered where two share one."""
    taken: set[str] = set()
    delivered = []
    for index, result in enumerate(results):
        name = result.input.stem if result.input.stem not in taken else f"{result.input.stem}-{index}"
        taken.add(name)
        target = out_dir / f"{name}.png"
        if result.mask is None:
            (out_dir / "masks" / target.name).unlink(missing_ok=True)
        if result.output is None:
            target.unlink(missing_ok=True)
            delivered.append(result)
            continue
        mask = None if result.mask is None else make_folder(out_dir / "masks") / target.name
        try:
            shutil.copyfile(result.output, make_folder(out_dir) / target.name)
            if result.mask is not None and mask is not None:
                shutil.copyfile(result.mask, mask)
        except OSError as error:
            raise AdapterError(f"{target} cannot be written: {error.strerror}.") from error
        delivered.append(replace(result, output=target, mask=mask))
    return tuple(delivered)


def make_folder(folder: Path) -> Path:
    """Make a folder, or say in one sentence why not.

    Raises:
        AdapterError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AdapterError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return folder
