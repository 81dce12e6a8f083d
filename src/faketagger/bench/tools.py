"""Zoo adapters as the benchmark's black boxes: prepared where they learn, then a folder in and a folder out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faketagger import zoo
from faketagger.bench.attacks import Attacked, AttackFacts, Victim, settle
from faketagger.bench.pictures import Pixels
from faketagger.bench.quality import changed_mask
from faketagger.bench.scenario import Job
from faketagger.errors import BenchError, FakeTaggerError
from faketagger.imaging import read_photo

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Lesson:
    """What a tool is prepared with.

    Attributes:
        facesets: Picture files by the manifest's names.
        attributes: CSV about them, for tools that ask for one.
    """

    facesets: dict[str, list[Path]]
    attributes: Path | None


class BlackBox:
    """A zoo adapter: a folder of lossless PNGs in, a folder of pictures out.

    Args:
        job: A black-box job.
        seed: Of the benchmark.

    Raises:
        AdapterError: There is no such adapter, preset or parameter.
        BenchError: The tool does not offer the role.
    """

    def __init__(self, job: Job, seed: int) -> None:
        self.adapter = zoo.get_adapter(job.attack)
        self.manifest = self.adapter.manifest
        self.facts = AttackFacts(self.manifest.family, self.manifest.version)
        self.job, self._seed = job, seed
        if job.role not in self.manifest.roles:
            offered = " and ".join(self.manifest.roles)
            raise BenchError(f"{job.attack} attacks a {offered}, it has no {job.role} role.", f"Use role: {offered}.")
        self.manifest.resolve(job.preset, job.params)

    def prepare(self, lesson: Lesson, log: Path, progress: Progress) -> zoo.Prepared:
        """Let the tool learn; what the same tool learnt before from the same pictures is used again.

        Args:
            lesson: What it learns from.
            log: File for what the tool prints.
            progress: Called with the tool's own (done, total); what it raises stops the tool.
        """
        job, sets = self.job, lesson.facesets
        if lesson.attributes is None:
            return zoo.prepare(self.adapter, sets, job.params, job.preset, self._seed, progress, log=log)
        return zoo.prepare(
            self.adapter, sets, job.params, job.preset, self._seed, progress, log=log, attributes=lesson.attributes
        )

    def run(self, inputs: list[Path], out_dir: Path, prepared: Path | None, progress: Progress) -> zoo.AttackRun:
        """Run the tool on all pictures.

        Args:
            inputs: PNG files.
            out_dir: Folder for its outputs.
            prepared: What :meth:`prepare` made, for tools that learn.
            progress: Called with (done, total); what it raises stops the tool.

        Returns:
            The run, with one result per input in order.
        """
        job = self.job
        return zoo.apply(
            self.adapter, inputs, out_dir, job.params, job.preset, self._seed, progress, prepared=prepared
        )


def black_outcome(victim: Victim, result: zoo.ImageResult) -> Attacked:
    """Decode what a tool wrote for one picture.

    Args:
        victim: The picture that went in.
        result: The tool's result; its own mask wins over the changed pixels.
    """
    if result.status == "failed" or result.output is None:
        return Attacked(None, None, "failed", result.reason or "the tool made no output")
    try:
        image = read_photo(result.output).rgb8
    except FakeTaggerError as error:
        return Attacked(None, None, "failed", error.message)
    mask = _told(result, image)
    if mask is None and image.shape == victim.image.shape:
        mask = changed_mask(victim.image, image).astype(np.float32)
    whole = np.ones(image.shape[:2], dtype=np.float32)
    return settle(victim.image, image, whole if mask is None else mask, result.status, result.reason or "")


def _told(result: zoo.ImageResult, image: Pixels) -> NDArray[np.float32] | None:
    """The mask that the tool itself gave, in [0, 1]; None where there is none of the right size."""
    if result.mask is None:
        return None
    with Image.open(result.mask) as picture:
        mask = np.asarray(picture.convert("L")).astype(np.float32) / np.float32(255)
    return mask if mask.shape == image.shape[:2] else None


def same_size(image: Pixels, like: Pixels) -> Pixels:
    """A picture resampled to the size of another, for comparing the two.

    Args:
        image: (h, w, 3) uint8.
        like: (H, W, 3) uint8.
    """
    if image.shape == like.shape:
        return image
    return np.asarray(Image.fromarray(image).resize((like.shape[1], like.shape[0]), Image.Resampling.LANCZOS))
