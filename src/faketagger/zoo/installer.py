"""Gives every adapter a virtual environment of its own, with its code and weights, in the cache."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from faketagger.errors import AdapterError
from faketagger.zoo.installation import BUILT, MARKER, Installation, find_python, installation
from faketagger.zoo.locks import only_one
from faketagger.zoo.manifest import Adapter, suggest
from faketagger.zoo.registry import get_adapter
from faketagger.zoo.upstream import fetch_commit
from faketagger.zoo.weights import take_weights

MAIN = "upstream"
"""The name under which ``sources`` speaks of the tool's own repository."""


def install(
    name: str | Path | Adapter,
    *,
    sources: Mapping[str, str] | None = None,
    weights: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Installation:
    """Install an adapter; does nothing if that was done before, and starts again if it was left half done.

    Code and environment are kept if only weights are missing: the next call brings those alone. A further copy of a
    repository fills the holes that an earlier one left.

    Args:
        name: Adapter or its name or folder.
        sources: Git URL or path by companion, or by ``upstream`` for the tool itself, to fetch code from instead of
            the manifest's URL.
        weights: Folder with weight files that the user brings.
        progress: Told in words what happens.

    Returns:
        Where it is.

    Raises:
        AdapterError: Something cannot be fetched or is not what the manifest promises.
    """
    adapter = get_adapter(name)
    sources = dict(sources or {})
    _check_sources(adapter, sources)
    place = installation(adapter)
    with only_one(place.folder):
        started = time.monotonic()
        known = place.complete
        if not place.built:
            if place.begun:
                progress("removing a half-finished installation")
                shutil.rmtree(place.folder)
            place.folder.mkdir(parents=True)
            absent = _fetch_code(adapter, place, sources, None, progress)  # what fails soonest comes first
            _make_environment(adapter, place, progress)
            pins = {"adapter": adapter.name, "pin": adapter.manifest.pins}
            _write_record(place, BUILT, pins | {"sources": sources, "absent": absent})
        elif holes := {name: found for name, found in place.record.get("absent", {}).items() if name in sources}:
            record = place.record
            record["absent"] |= {name: [] for name in holes} | _fetch_code(adapter, place, sources, holes, progress)
            record["absent"] = {name: left for name, left in record["absent"].items() if left}
            _write_record(place, MARKER if place.complete else BUILT, record)
        missing, found = take_weights(adapter, place, weights, progress)
        record = place.record | {"missing": missing, "weights": found}
        record.setdefault("seconds", round(time.monotonic() - started, 1))
        _write_record(place, MARKER, record)
        (place.folder / BUILT).unlink(missing_ok=True)
        progress(f"{adapter.name} is installed" + ("" if known else f" ({time.monotonic() - started:.0f} s)"))
    return place


def _check_sources(adapter: Adapter, sources: Mapping[str, str]) -> None:
    known = [*adapter.manifest.companions, *([MAIN] if adapter.manifest.upstream.source == "git" else [])]
    for name in sources:
        if name not in known:
            raise AdapterError(f"{adapter.name} fetches no repository called {name!r}.", suggest(name, known))


def _fetch_code(
    adapter: Adapter,
    place: Installation,
    sources: Mapping[str, str],
    holes: Mapping[str, list[str]] | None,
    progress: Callable[[str], None],
) -> dict[str, list[str]]:
    """Export every repository, or what earlier copies of some lacked; by its name what is absent then."""
    manifest = adapter.manifest
    beside = place.folder / "companions"
    wanted = {name: (one.url, one.commit, beside / name) for name, one in manifest.companions.items()}
    if manifest.upstream.source == "git":
        wanted[MAIN] = (str(manifest.upstream.url), str(manifest.upstream.commit), place.folder / "upstream")
    absent = {}
    for name, (url, commit, folder) in wanted.items():
        if holes is not None and name not in holes:
            continue
        only = None if holes is None else [text.rpartition(" (")[0] for text in holes[name]]
        source = sources.get(name, url)
        progress(f"fetching {source} @ {commit[:12]}")
        lacks = fetch_commit(source, commit, folder, only)
        if lacks:
            absent[name] = list(lacks)
            progress(f"{name}: {len(lacks)} files are absent, among them {lacks[0]}")
    return absent


def _write_record(place: Installation, name: str, record: dict[str, Any]) -> None:
    part = place.folder / (name + ".part")
    part.write_text(json.dumps(record, indent=1))
    os.replace(part, place.folder / name)


def _make_environment(adapter: Adapter, place: Installation, progress: Callable[[str], None]) -> None:
    environment = adapter.manifest.environment
    progress("making a virtual environment")
    bare = [] if environment.requirements else ["--without-pip"]
    _run([find_python(adapter), "-m", "venv", *bare, str(place.folder / "env")], progress)
    if environment.requirements:
        file = adapter.folder / environment.requirements
        options = ["--no-input", "--no-cache-dir", *(["--no-deps"] if environment.complete else [])]
        _run([str(place.python), "-m", "pip", "install", *options, "-r", str(file)], progress)


def _run(command: list[str], progress: Callable[[str], None]) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean,
    )
    assert process.stdout is not None
    last = "no message"
    try:
        for line in process.stdout:
            if line.strip():
                last = line.strip() if "ERROR" in line or "ERROR" not in last else last
                progress(f"  {line.strip()}")
    except BaseException:
        process.kill()
        raise
    finally:
        process.wait()
    if process.returncode != 0:
        raise AdapterError(f"Installing failed: {last[:300]}", "Check the network and run the same command again.")
