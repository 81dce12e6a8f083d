"""What tagging costs, measured on the device at hand: pictures of several sizes with several faces, whole pipeline."""

import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faketagger.errors import DataError, FakeTaggerError
from faketagger.places import cache_root
from faketagger.ray_cluster import ScaleError

SIZES, FACES = (256, 512, 1024), (1, 2, 4)


@dataclass(frozen=True)
class Observation:
    """One tagged picture.

    Attributes:
        side: Of the square picture, in pixels.
        faces: Faces in it.
        seconds: By the clock.
        core_seconds: Of processor time.
    """

    side: int
    faces: int
    seconds: float
    core_seconds: float

    @property
    def megapixels(self) -> float:
        """Size in millions of pixels."""
        return self.side**2 / 1e6


@dataclass(frozen=True)
class Scaling:
    """Pictures a second with one worker and with several, in rounds that took all four in turn.

    Attributes:
        workers: How many several are.
        one: One worker of Ray, each round.
        several: That many workers of Ray.
        plain_one: The same work in a process of its own, without Ray.
        plain_several: That many such processes, which know nothing of each other: what the machine gives.
    """

    workers: int
    one: tuple[float, ...]
    several: tuple[float, ...]
    plain_one: tuple[float, ...]
    plain_several: tuple[float, ...]

    @property
    def efficiency(self) -> NDArray[np.float64]:
        """Of Ray's workers together against one, each round."""
        return np.array(self.several) / (self.workers * np.array(self.one))

    @property
    def allowed(self) -> NDArray[np.float64]:
        """The same of processes without Ray: cores share caches, memory and clock."""
        return np.array(self.plain_several) / (self.workers * np.array(self.plain_one))


@dataclass(frozen=True)
class CostTable:
    """Everything that was measured on one device.

    Attributes:
        model: Tagger.
        device: ``cpu`` or ``cuda``.
        machine: Name of the processor or the GPU.
        cores: Cores that the process might use; it used one.
        load: Processes that wanted a core meanwhile, mean of one minute.
        observations: One per tagged picture.
        scaling: How far several workers scale, where that was measured.
    """

    model: str
    device: str
    machine: str
    cores: int
    load: float
    observations: tuple[Observation, ...]
    scaling: Scaling | None = None

    def seconds(self) -> NDArray[np.float64]:
        """What an observation costs: processor time on a CPU, which other processes do not stretch; else the clock."""
        cpu = self.device == "cpu"
        return np.array([one.core_seconds if cpu else one.seconds for one in self.observations])

    def kept_beside(self, path: Path) -> "CostTable":
        """This one with the scaling of the measurement that lies there, if that is of the same machine."""
        try:
            before = load_table(path)
        except DataError:  # there is none, or it is to be replaced
            return self
        same = (before.machine, before.cores) == (self.machine, self.cores)
        return replace(self, scaling=before.scaling) if same else self

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1))


def table_path(model: str, device: str) -> Path:
    """Where the measurement of a tagger on a kind of device is kept."""
    return cache_root() / "cost" / f"{Path(model).name}-{device}.json"


def load_table(path: Path) -> CostTable:
    """Read a measurement.

    Raises:
        DataError: The file is no measurement.
    """
    try:
        values = json.loads(path.read_text())
        seen = tuple(Observation(**one) for one in values.pop("observations"))
        scaled = values.pop("scaling", None)
        scaling = scaled and Scaling(scaled.pop("workers"), **{name: tuple(rates) for name, rates in scaled.items()})
        table = CostTable(**values, observations=seen, scaling=scaling)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path} is no measurement.", "Measure again: faketagger plan --measure.") from error
    if len(seen) < 4:
        raise DataError(f"{path} holds {len(seen)} observations, too few to fit a cost.", "faketagger plan --measure")
    return table


def measure_cost(
    model: str,
    device: str,
    rounds: int = 3,
    sizes: tuple[int, ...] = SIZES,
    faces: tuple[int, ...] = FACES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CostTable:
    """Tag pictures of every size with every number of faces: decode, find, embed, encode, write.

    Args:
        model: Tagger.
        device: ``cpu`` (one core) or ``cuda``.
        rounds: Pictures of each kind; other faces each time.
        sizes: Sides in pixels.
        faces: Faces in a picture.
        progress: Called with (done, total).

    Raises:
        ScaleError: There is no such device.
    """
    import torch

    from faketagger.data.demo import demo_faces
    from faketagger.tagger.checkpoint import load

    if device == "cuda" and not torch.cuda.is_available():
        raise ScaleError("There is no GPU to measure on.", "faketagger plan --measure --device cpu")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    tagger = load(model, device=device)
    portraits = [pixels for _, _, pixels in demo_faces(max(faces) + rounds)]
    kinds = list(itertools.product(range(rounds), sizes, faces))
    seen = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            _once(tagger, gathered(portraits[:1], sizes[0]), Path(folder))  # what is loaded on first use
            for done, (turn, side, count) in enumerate(kinds):
                picture = gathered(portraits[turn : turn + count], side)
                seen.append(Observation(side, count, *_once(tagger, picture, Path(folder))))
                progress(done + 1, len(kinds))
    finally:
        torch.set_num_threads(before)
    machine = torch.cuda.get_device_name() if device == "cuda" else _processor()
    return CostTable(model, device, machine, len(os.sched_getaffinity(0)), os.getloadavg()[0], tuple(seen))


def gathered(portraits: list[NDArray[np.uint8]], side: int) -> bytes:
    """A square JPEG of some portraits side by side in a grid."""
    import io

    cells = int(np.ceil(np.sqrt(len(portraits))))
    sheet = Image.new("RGB", (side, side), (120, 118, 115))
    for place, pixels in enumerate(portraits):
        row, column = divmod(place, cells)
        cell = side // cells
        sheet.paste(Image.fromarray(pixels).resize((cell, cell), Image.Resampling.LANCZOS), (column * cell, row * cell))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=95)
    return file.getvalue()


def _once(tagger: Any, content: bytes, folder: Path) -> tuple[float, float]:
    from faketagger.imaging import read_photo, write_photo

    clock, processor = time.perf_counter(), time.process_time()
    try:
        write_photo(tagger.embed(read_photo(content), 1), folder / "tagged.jpg")
    except FakeTaggerError as error:
        raise ScaleError(f"A picture of the measurement cannot be tagged: {error.message}.") from error
    return time.perf_counter() - clock, time.process_time() - processor


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
