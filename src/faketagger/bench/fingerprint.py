"""What a result depends on, as digests; found without torch, so that finished work is recognised at once."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import faketagger
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.scenario import Job
from faketagger.bench.sources import DEMO, Source, faceset_folders, list_sources
from faketagger.watermarks import digest_of

PACKAGE = Path(faketagger.__file__).parent
_ROOMS = ("coding", "imaging", "faces", "tagger", "watermarks", "simulator", "zoo", "data/rendered")
_SHOWING = (
    *("card", "flags", "gaps", "plots", "report", "statistics", "strips", "summary", "table", "wandb_log"),
    *("costs", "curves", "figures", "page", "picture_table", "report_rows", "wandb_tables"),
    *("zoo_kept", "zoo_page", "zoo_rows"),
    *("differences", "pairing", "spread"),
    *("capacity", "evidence", "nulls", "scores", "entries", "leaderboard", "leaderboard_page"),
)
_PACKAGES = ("torch", "numpy", "scipy", "pillow", "opencv-python", "kornia", "dlib-bin", "scikit-image", "av")


def inputs_digests(
    config: BenchConfig, sources: list[Source], jobs: list[Job], model: str | None = None
) -> dict[str, str]:
    """Digest by name of everything the records depend on.

    Args:
        config: The benchmark.
        sources: All photographs that may be chosen.
        jobs: Its jobs.
        model: Digest of the watermark, where it is an object and has no name to look it up by.

    Returns:
        ``benchmark file, model, faces, code, packages``; names are chosen to fit "made with another ...".
    """
    plain = config.plain()
    plain["faces"].pop("source")
    plain["faces"].pop("others")
    plain.pop("model")
    plain.pop("rivals")
    return {
        "benchmark file": _text_digest(json.dumps(plain, sort_keys=True)),
        "model": model or digest_of(config.model),
        "faces": faces_digest(config, sources),
        **_facesets(config),
        "version of the code": _code_digest(tuple(sorted({j.attack for j in jobs if j.box == "black"}))),
        "set of packages": _text_digest("\n".join(f"{name} {_version(name)}" for name in _PACKAGES)),
    }


def faces_digest(config: BenchConfig, sources: list[Source]) -> str:
    """Digest of names, identities and contents of the photographs.

    Args:
        config: The benchmark.
        sources: All photographs that may be chosen.
    """
    total = hashlib.sha256(_pictures_digest(sources))
    if config.faces.source == DEMO:
        total.update(DEMO.encode())
    return total.hexdigest()


def _facesets(config: BenchConfig) -> dict[str, str]:
    folders = faceset_folders(config)
    if not folders:
        return {}
    total = hashlib.sha256(b"".join(_pictures_digest(list_sources(folder)) for folder in folders))
    tables = sorted({str(f.attributes) for s in config.scenarios for f in s.facesets.values() if f.attributes})
    for table in tables:
        total.update(Path(table).expanduser().read_bytes())
    return {"set of facesets": total.hexdigest()}


def _pictures_digest(sources: list[Source]) -> bytes:
    lines = []
    for source in sorted(sources, key=lambda source: source.name):
        content = hashlib.sha256(source.path.read_bytes()).hexdigest()
        lines.append(f"{source.name}\0{source.identity}\0{content}\n")
    return "".join(lines).encode()


def presentation_digest() -> str:
    """Digest of the code that turns records into tables and pages."""
    own = PACKAGE / "bench"
    files = [own / f"{name}.py" for name in _SHOWING] + _files([own / "templates", PACKAGE / "tracking"])
    return files_digest(files, PACKAGE)


def files_digest(files: Iterable[Path], root: Path) -> str:
    """Digest of files with their names relative to a root.

    Args:
        files: Regular files below ``root``.
        root: Folder.
    """
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path.relative_to(root).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


@cache
def _code_digest(adapters: tuple[str, ...]) -> str:
    from faketagger.zoo import get_adapter

    measuring = [path for path in (PACKAGE / "bench").glob("*.py") if path.stem not in _SHOWING]
    rooms = _files([PACKAGE / room for room in _ROOMS])
    digests = [files_digest([*measuring, *rooms, PACKAGE / "torch_compat.py"], PACKAGE)]
    for name in adapters:
        folder = get_adapter(name).folder
        digests.append(files_digest(_files([folder]), folder))
    return _text_digest("\n".join(digests))


def _files(folders: Iterable[Path]) -> list[Path]:
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
    ]


def _text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
