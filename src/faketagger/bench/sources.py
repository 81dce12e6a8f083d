"""Where the faces come from, and whether the attacks exist. No torch until attacks are checked."""

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from faketagger.bench.protocol import BenchConfig, FacesConfig
from faketagger.bench.scenario import Job
from faketagger.data.samples import MANIFEST, list_folder
from faketagger.errors import ConfigError
from faketagger.places import cache_root

DEMO, BENCH, OTHERS = "demo", "bench", "others"


@dataclass(frozen=True)
class Source:
    """A photograph that may take part.

    Attributes:
        name: Unique, relative to the set; goes into message labels.
        identity: Whose face it is.
        path: Where it is.
    """

    name: str
    identity: str
    path: Path


def find_sources(faces: FacesConfig) -> list[Source]:
    """Photographs that a benchmark may choose from.

    Args:
        faces: The benchmark's ``faces``.

    Returns:
        Every photograph of the demo set or of the folder.

    Raises:
        DataError: The folder is missing, or its manifest does not fit.
        ImageError: The folder holds no picture.
    """
    return list_sources(faces.source)


def list_sources(source: str) -> list[Source]:
    """Every photograph of one source.

    Args:
        source: ``demo`` or a folder.

    Raises:
        DataError: The folder is missing, or its manifest does not fit.
        ImageError: The folder holds no picture.
    """
    root = source_root(source)
    return [
        Source(sample.path.relative_to(root).as_posix(), sample.identity, sample.path) for sample in list_folder(root)
    ]


def source_root(source: str) -> Path:
    """Folder of a source.

    Args:
        source: ``demo`` or a folder.
    """
    return demo_folder() if source == DEMO else Path(source).expanduser()


def faceset_folders(config: BenchConfig) -> list[str]:
    """Sources beside ``faces.source`` that the facesets of a benchmark are drawn from.

    Args:
        config: The benchmark.
    """
    named = {faceset.source for scenario in config.scenarios for faceset in scenario.facesets.values()}
    rest = {config.faces.others} if config.faces.others is not None else set()
    return sorted((named - {BENCH, OTHERS}) | rest)


def demo_folder() -> Path:
    """The demo faces as a folder in the user's cache, rendered the first time."""
    from faketagger.data import demo, rendered

    code = [Path(demo.__file__), *Path(rendered.__file__).parent.glob("*.*")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(code))).hexdigest()
    folder = cache_root() / "bench" / f"demo-{digest[:12]}"
    if not (folder / MANIFEST).is_file():
        demo.materialise_demo(folder)
    return folder


def check_attacks(jobs: list[Job]) -> None:
    """Refuse attacks that do not exist, before anything is measured.

    Args:
        jobs: All jobs.

    Raises:
        ConfigError: With the nearest name as a hint.
    """
    from faketagger import simulator, zoo

    names = list(simulator.names())
    unsure = [job for job in jobs if job.box == "black" or (job.box == "white" and job.attack not in names)]
    found = zoo.find_adapters() if unsure else {}
    known = {"white": names, "black": [name for name, one in found.items() if one.manifest.kind == "attack"]}
    for job in unsure:
        if job.attack in known[job.box]:
            continue
        kind, other = ("simulator attack", "black") if job.box == "white" else ("zoo adapter", "white")
        close = difflib.get_close_matches(job.attack, known[job.box], n=1, cutoff=0.5)
        if close:
            hint = f"Did you mean {close[0]!r}?"
        elif job.attack in known[other]:
            hint = f"There is one with box: {other}."
        else:
            hint = f"Known: {', '.join(known[job.box])}."
        raise ConfigError(f"There is no {kind} called {job.attack!r}.", hint)
