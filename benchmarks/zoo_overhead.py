"""What the zoo's runner, its walls and its cache add to a tool's own time. Needs Real-ESRGAN installed."""

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from PIL import Image
from skimage import data

from faketagger import zoo
from faketagger.zoo.attack import description, image_seed
from faketagger.zoo.installation import require
from faketagger.zoo.jobs import new_job
from faketagger.zoo.registry import get_adapter

TOOL, PICTURES, SIDE, ROUNDS = "realesrgan", 24, 256, 3


def _pictures(folder: Path) -> list[Path]:
    """Crops of a photograph, no two alike, because equal pictures are attacked once."""
    photo = Image.fromarray(data.astronaut())
    for index in range(PICTURES):
        box = (8 * index, 4 * index, 8 * index + SIDE, 4 * index + SIDE)
        photo.crop(box).save(folder / f"{index:05d}.png")
    return sorted(folder.iterdir())


def _by_hand(pictures: list[Path]) -> float:
    """Seconds of the tool's driver alone: its own Python, its own job file, nothing around it."""
    adapter = get_adapter(TOOL)
    place = require(adapter)
    with new_job() as job:
        for path in pictures:
            (job.inputs / path.name).write_bytes(path.read_bytes())
        images = [{"name": path.name, "seed": image_seed(0, path)} for path in pictures]
        task = description(adapter, "apply", place, adapter.manifest.resolve("smoke", None), 0, "cpu")
        job.write(task | {"images": images, "model": None})
        start = time.perf_counter()
        command = [str(place.python), str(adapter.driver), "apply", str(job.file)]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=job.work, env={"OMP_NUM_THREADS": "1"}
        )
        seconds = time.perf_counter() - start
        made = [line for line in done.stdout.splitlines() if json.loads(line).get("status") == "attacked"]
        assert len(made) == len(list(job.out.iterdir())) == len(pictures)
    return seconds


def _by_apply(pictures: list[Path], out: Path) -> tuple[float, float]:
    """Seconds of the whole of ``zoo.apply`` with an empty cache, and its own CPU seconds as a share of the tool's."""
    start, busy = time.perf_counter(), time.process_time()
    run = zoo.apply(TOOL, pictures, out, preset="smoke", fresh=True)
    seconds, own = time.perf_counter() - start, time.process_time() - busy
    assert run.count("attacked") == len(pictures)
    assert run.run is not None
    return seconds, own / run.run.cpu_seconds


def measure() -> dict[str, float]:
    """Both in turn, a few rounds.

    Returns:
        ``ratio``: median over rounds of the seconds of ``zoo.apply`` over those of the driver alone; says something on
        a quiet machine only. ``cpu_ratio``: the same in CPU seconds of both sides within ``zoo.apply`` itself.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        pictures = _pictures(Path(folder) / "in")
        pairs = [(_by_apply(pictures, Path(folder) / "out"), _by_hand(pictures)) for _ in range(ROUNDS)]
    return {
        "apply_s": statistics.median(seconds for (seconds, _), _ in pairs),
        "tool_s": statistics.median(seconds for _, seconds in pairs),
        "ratio": statistics.median(whole / alone for (whole, _), alone in pairs),
        "cpu_ratio": 1 + statistics.median(share for (_, share), _ in pairs),
        "target": 1.05,
    }
