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
from faketagger.zoo.installation import MARKER, Installation, find_python, installation
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
        if place.complete:
            record = place.record
            record["missing"], record["weights"] = take_weights(adapter, place, weights, progress)
            _write_record(place, record)
            progress(f"{adapter.name} is installed")
            return place
        if place.begun:
            progress("removing a half-finished installation")
            shutil.rmtree(place.folder)
        started = time.monotonic()
        place.folder.mkdir(parents=True)
        _make_environment(adapter, place, progress)
        absent = _fetch_code(adapter, place, sources, progress)
        missing, found = take_weights(adapter, place, weights, progress)
        record = {"adapter": adapter.name, "pin": adapter.manifest.pins, "sources": sources, "absent": absent}
        record |= {"missing": missing, "weights": found, "seconds": round(time.monotonic() - started, 1)}
        _write_record(place, record)
        progress(f"{adapter.name} is installed ({time.monotonic() - started:.0f} s)")
    return place


def _check_sources(adapter: Adapter, sources: Mapping[str, str]) -> None:
    known = [*adapter.manifest.companions, *([MAIN] if adapter.manifest.upstream.source == "git" else [])]
    for name in sources:
        if name not in known:
            raise AdapterError(f"{adapter.name} fetches no repository called {name!r}.", suggest(name, known))


def _fetch_code(
    adapter: Adapter, place: Installation, sources: Mapping[str, str], progress: Callable[[str], None]
) -> dict[str, list[str]]:
    """Export every repository; by its name what the copies lack."""
    manifest = adapter.manifest
    beside = place.folder / "companions"
    wanted = {name: (one.url, one.commit, beside / name) for name, one in manifest.companions.items()}
    if manifest.upstream.source == "git":
        wanted[MAIN] = (str(manifest.upstream.url), str(manifest.upstream.commit), place.folder / "upstream")
    absent = {}
    for name, (url, commit, folder) in wanted.items():
        source = sources.get(name, url)
        progress(f"fetching {source} @ {commit[:12]}")
        holes = fetch_commit(source, commit, folder)
        if holes:
            absent[name] = list(holes)
            progress(f"{name}: {len(holes)} files are absent, among them {holes[0]}")
    return absent


def _write_record(place: Installation, record: dict[str, Any]) -> None:
    part = place.folder / (MARKER + ".part")
    part.write_text(json.dumps(record, indent=1))
    os.replace(part, place.folder / MARKER)


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
