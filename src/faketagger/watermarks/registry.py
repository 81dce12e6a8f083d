"""Every watermark by name: our taggers, the built-in ones, entry points of other packages, adapters of the zoo."""

import difflib
import hashlib
import importlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Any

import yaml

from faketagger import zoo
from faketagger.errors import CheckpointError, WatermarkError
from faketagger.tagger.checkpoint import CONFIG, WEIGHTS, checkpoint_folder
from faketagger.watermarks.checked import CheckedWatermark, Kind

GROUP = "faketagger.watermarks"
"""Entry-point group in which other packages announce a class, or a function, that makes a watermark."""


@dataclass(frozen=True)
class _BuiltIn:
    home: str
    summary: str
    package: str | None = None


_HERE = "faketagger.watermarks"
_EXTRA = "pip install 'faketagger[rivals]'"
_BUILT_IN = {
    "spread": _BuiltIn(f"{_HERE}.spread:SpreadSpectrum", "low-frequency spread spectrum, no training"),
    "lattice": _BuiltIn(f"{_HERE}.lattice:Lattice", "low-frequency dither modulation, no training"),
    "face-lattice": _BuiltIn(
        f"{_HERE}.face_lattice:FaceLattice", "dither modulation of slow waves within the face, no training"
    ),
    "dwtDct": _BuiltIn(f"{_HERE}.invisible:DwtDct", "wavelet and cosine quantisation", "invisible-watermark"),
    "dwtDctSvd": _BuiltIn(
        f"{_HERE}.invisible:DwtDctSvd", "the same on singular values", "invisible-watermark"
    ),
}


@dataclass(frozen=True)
class Listed:
    """One watermark that can be named.

    Attributes:
        name: To give to ``--model``.
        kind: Where it comes from.
        summary: In a few words.
        missing: What it lacks; empty where it can run.
        command: What to type next where it lacks something.
    """

    name: str
    kind: Kind
    summary: str
    missing: str = ""
    command: str = ""


@dataclass(frozen=True)
class _Found:
    kind: Kind
    name: str
    settings: dict[str, Any]
    origin: Any


def listed() -> list[Listed]:
    """Every watermark there is, whether it can run or not."""
    shipped = sorted(path.parent.name for path in checkpoint_folder("face-128").parent.glob(f"*/{CONFIG}"))
    rows = [Listed(name, "tagger", "a tagger of ours") for name in shipped]
    rows += [Listed(name, "built in", one.summary, *_lack(one)) for name, one in _BUILT_IN.items()]
    rows += [Listed(name, "entry point", f"{point.value} of {_dist(point)}") for name, point in _points().items()]
    for name, adapter in _adapters().items():
        diagnosis = zoo.doctor(adapter)
        ready = diagnosis.state == "ready"
        lack = ("", "") if ready else ("; ".join(diagnosis.missing), diagnosis.next_command)
        rows.append(Listed(name, "adapter", adapter.manifest.summary, *lack))
    return rows


def names() -> list[str]:
    """Names of every watermark but checkpoints elsewhere on disk."""
    shipped = sorted(path.parent.name for path in checkpoint_folder("face-128").parent.glob(f"*/{CONFIG}"))
    return [*shipped, *_BUILT_IN, *_points(), *_adapters()]


def missing_of(spec: str) -> tuple[str, str] | None:
    """Why a watermark cannot run here, and what to type; None where it can.

    Args:
        spec: As for :func:`load_watermark`.

    Raises:
        WatermarkError: There is none of this name.
    """
    found = _find(spec)
    if found.kind == "built in":
        why, command = _lack(found.origin)
        return (why, command) if why else None
    if found.kind == "adapter":
        diagnosis = zoo.doctor(found.origin)
        if diagnosis.state != "ready":
            return f"it is {diagnosis.state.replace('_', ' ')} and lacks {'; '.join(diagnosis.missing)}", (
                diagnosis.next_command
            )
    return None


def load_watermark(spec: str) -> CheckedWatermark:
    """Make a watermark ready.

    Args:
        spec: A name (case, ``-`` and ``_`` do not matter), or the path of a checkpoint of ours or of an adapter's
            folder. Settings may follow: ``face-256@polish=40``, ``spread@message_bits=64``,
            ``videoseal@model=pixelseal``.

    Raises:
        WatermarkError: There is none, it lacks something, or it cannot be made.
        CheckpointError: A checkpoint of ours is damaged.
    """
    found = _find(spec)
    if found.kind == "tagger":
        from faketagger.watermarks.taggers import load_tagger

        return _made(found, lambda: partial(load_tagger, str(found.origin)))
    lack = missing_of(spec)
    if lack is not None:
        raise WatermarkError(f"The watermark {found.name} cannot run: {lack[0]}.", f"Run: {lack[1]}")
    if found.kind == "adapter":
        from faketagger.watermarks.outside import OutsideWatermark

        return CheckedWatermark(OutsideWatermark(found.origin, found.settings), "adapter")
    if found.kind == "built in":
        module, _, member = found.origin.home.partition(":")
        return _made(found, lambda: getattr(importlib.import_module(module), member))
    return _made(found, found.origin.load)


def digest_of(spec: str) -> str:
    """Digest of everything but this package's code that decides what a watermark does; imports none of it.

    Args:
        spec: As for :func:`load_watermark`.
    """
    found = _find(spec)
    total = hashlib.sha256(f"{found.kind}\0{found.name}\0{sorted(found.settings.items())}".encode())
    if found.kind == "tagger":
        folder = Path(found.origin)
        total = hashlib.sha256(str(sorted(found.settings.items())).encode() if found.settings else b"")
        for path in sorted(path for name in (CONFIG, WEIGHTS) if (path := folder / name).is_file()):
            total.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    elif found.kind == "adapter":
        total.update(zoo.watermark_digest(found.origin).encode())
    elif found.kind == "built in" and found.origin.package:
        total.update(_version(found.origin.package).encode())
    elif found.kind == "entry point":
        total.update(_dist(found.origin).encode())
        spot = importlib.util.find_spec(found.origin.module.split(".")[0])
        for path in _sources(spot):
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _made(found: _Found, fetch: Callable[[], Any]) -> CheckedWatermark:
    try:
        candidate = fetch()(**found.settings)
    except CheckpointError:
        raise
    except Exception as error:  # anything may be wrong with the code of others
        text = " ".join(str(error).split())[:300]
        sentence = f"The watermark {found.name} cannot be made: {type(error).__name__}: {text}."
        hint = f"It is {found.origin.value}." if found.kind == "entry point" else None
        raise WatermarkError(sentence, hint) from error
    said = ",".join(f"{key}={value}" for key, value in sorted(found.settings.items()))
    return CheckedWatermark(candidate, found.kind, name=f"{found.name}@{said}" if said else None)


def _find(spec: str) -> _Found:
    name, _, rest = spec.partition("@")
    settings = {}
    for part in rest.split(",") if rest else []:
        key, equals, value = part.partition("=")
        if not equals:
            raise WatermarkError(f"The setting {part!r} of {name} has no value.", f"Write {name}@key=value,key=value.")
        settings[key] = yaml.safe_load(value)
    try:
        return _Found("tagger", checkpoint_folder(name).name, settings, checkpoint_folder(name))
    except CheckpointError as error:
        lost = error
    if Path(name, "adapter.yaml").is_file():
        return _Found("adapter", zoo.get_adapter(name).name, settings, zoo.get_adapter(name))
    shelves: list[tuple[Kind, Callable[[], dict[str, Any]]]] = [
        ("built in", lambda: _BUILT_IN),
        ("entry point", _points),
        ("adapter", _adapters),
    ]
    for kind, shelf in shelves:
        for known, origin in shelf().items():
            if _plain(known) == _plain(name):
                return _Found(kind, known, settings, origin)
    close = difflib.get_close_matches(name, names(), n=1, cutoff=0.5)
    if "/" in name:
        raise lost
    hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names())}; or the folder of a checkpoint."
    raise WatermarkError(f"There is no tagger and no watermark called {name!r}.", hint)


def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def _adapters() -> dict[str, zoo.Adapter]:
    return {name: one for name, one in zoo.find_adapters().items() if one.manifest.kind == "watermark"}


def _plain(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).lower()


def _lack(one: _BuiltIn) -> tuple[str, str]:
    if one.package is None or _version(one.package) != "none":
        return "", ""
    return f"the package {one.package} is not installed", _EXTRA


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _dist(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown package"


def _sources(spot: Any) -> list[Path]:
    if spot is None:
        return []
    if spot.submodule_search_locations:
        return sorted(path for place in spot.submodule_search_locations for path in Path(place).rglob("*.py"))
    return [Path(spot.origin)] if spot.origin and Path(spot.origin).is_file() else []
