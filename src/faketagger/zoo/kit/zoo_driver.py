"""The driver's side of the contract in docs/adapters.md, for drivers in Python that want it: ``import zoo_driver``."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONTRACT = 1
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


def say(event: str, **facts: Any) -> None:
    """Print one event line."""
    print(json.dumps({"event": event, **facts}), flush=True)


def run(arguments: list[str], **phases: Callable[[dict[str, Any]], None]) -> None:
    """``driver.py PHASE job.json``: hand the job to its phase and say done.

    Args:
        arguments: Of the command line, without the program.
        **phases: What to do with the description of a job, by ``prepare`` and ``apply``.

    Raises:
        SystemExit: The arguments or the contract are others than expected.
    """
    if len(arguments) != 2 or arguments[0] not in phases:
        raise SystemExit(f"usage: driver.py {'|'.join(phases)} job.json")
    job = json.loads(Path(arguments[1]).read_text(encoding="utf-8"))
    if job["contract"] != CONTRACT:
        raise SystemExit(f"contract {job['contract']} is not spoken here")
    phases[arguments[0]](job)
    say("done")


def threads() -> int:
    """Cores that the job may use."""
    return max(1, int(os.environ.get("OMP_NUM_THREADS", "1")))


def pictures_in(folder: str | Path) -> list[Path]:
    """The pictures of a faceset, by name."""
    return sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in PICTURES)


def read_rgb(path: Path) -> Any:
    """A picture as (H, W, 3) uint8 RGB."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def write_png(pixels: Any, path: Path) -> None:
    """Write (H, W, 3) or (H, W) uint8 as a PNG that is whole as soon as it is there under its name."""
    from PIL import Image

    part = path.with_name(path.name + ".part")
    Image.fromarray(pixels).save(part, format="PNG", compress_level=1)
    os.replace(part, path)
