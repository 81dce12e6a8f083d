"""A video through an external tool: its frames as pictures, the attacked ones put back in their place and time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faketagger.errors import AdapterError
from faketagger.imaging.video import Frame, read_frames
from faketagger.imaging.video_write import CRF, WRITABLE_VIDEOS, rewrite_video
from faketagger.zoo.attack import apply
from faketagger.zoo.jobs import new_job
from faketagger.zoo.manifest import Adapter
from faketagger.zoo.outputs import read_png, write_png
from faketagger.zoo.results import AttackRun


@dataclass(frozen=True)
class VideoAttack:
    """What became of a video.

    Attributes:
        path: The new video.
        frames: How many it has; those that are not ``attacked`` are as they were.
        run: One result a frame; the paths in it are gone.
    """

    path: Path
    frames: int
    run: AttackRun


def apply_to_video(
    name: str | Path | Adapter,
    source: Path,
    target: Path,
    params: dict[str, Any] | None = None,
    preset: str | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    crf: float = CRF,
    lossless: bool = False,
    masks: Path | None = None,
    **settings: Any,
) -> VideoAttack:
    """Attack every frame of a video with an external tool.

    Args:
        name: Adapter, its name or its folder.
        source: The video.
        target: The new one, with the frames' order, time stamps and sound.
        params: Parameters of the adapter.
        preset: ``smoke`` or ``paper``.
        seed: Fixes every draw of the tool.
        progress: Called with (finished frames, all frames).
        crf: Constant rate factor of the new video.
        lossless: Keep every pixel that the tool made.
        masks: A second video, white where the tool says that it made the pixel, black where it says nothing.
        **settings: Passed on to :func:`faketagger.zoo.apply`: device, prepared, sandbox, fresh.

    Returns:
        One result a frame. The driver's log lies beside the target where something was run.

    Raises:
        AdapterError: As :func:`faketagger.zoo.apply`; or no frame could be attacked, and nothing is written.
        ImageError: The video is unusable or cannot be written.
    """
    for path in (target, *([masks] if masks else [])):
        if path.suffix.lower() not in WRITABLE_VIDEOS:
            raise AdapterError(f"{path} is no name for a new video.", f"Use one of {', '.join(WRITABLE_VIDEOS)}.")
    with new_job() as job:
        pictures = [_keep(frame, job.inputs) for frame in read_frames(source)]
        run = apply(name, pictures, job.out, params, preset, seed, progress, **settings)
        if run.log is not None and run.log.is_file():
            shutil.copyfile(run.log, target.with_suffix(".driver.log"))
        if run.count("failed") == len(pictures):
            raise AdapterError(f"{run.adapter} failed on every frame: {run.images[0].reason}.")

        def attacked(frame: Frame) -> NDArray[np.uint8] | None:
            result = run.images[frame.index]
            return read_png(result.output) if result.status == "attacked" and result.output else None

        def mask(frame: Frame) -> NDArray[np.uint8]:
            told = run.images[frame.index].mask
            return read_png(told) if told else np.zeros_like(frame.pixels)

        frames = rewrite_video(source, target, attacked, crf=crf, lossless=lossless)
        if masks is not None:
            rewrite_video(source, masks, mask, lossless=True, sound=False)
    return VideoAttack(target, frames, run)


def _keep(frame: Frame, folder: Path) -> Path:
    path = folder / f"{frame.index:06d}.png"
    try:
        write_png(frame.pixels, path)
    except OSError as error:
        raise AdapterError(f"The frames cannot be written: {error.strerror}.", "Free some space.") from error
    return path
