"""Gives every adapter a virtual environment of its own, with its code and weights, in the cache."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from faketagger.errors import AdapterError
from faketagger.zoo.manifest import Adapter, Weight
from faketagger.zoo.registry import adapter_folders, cache_folder, get_adapter
from faketagger.zoo.upstream import check_weight, download, fetch_commit

_MARKER = "installed.json"


@dataclass(frozen=True)
class Installation:
    """Where an adapter's tool is, or would be.

    Attributes:
        folder: Holds ``env/`` (virtual environment), ``upstream/`` (code), ``weights/`` and installed.json.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """Interpreter of the adapter's environment."""
        return self.folder / "env" / "bin" / "python"

    @property
    def complete(self) -> bool:
        """Whether an installation got to its end; its marker is written last."""
        return (self.folder / _MARKER).is_file() and self.python.exists()

    @property
    def begun(self) -> bool:
        """Whether there is anything at all."""
        return self.folder.exists()

    @property
    def packages(self) -> Path:
        """Site-packages of the environment."""
        return next(iter(sorted((self.folder / "env" / "lib").glob("python3*/site-packages"))), self.folder)

    def weight_path(self, weight: Weight) -> Path:
        """Where a weight file belongs."""
        roots = {"package": self.packages, "upstream": self.folder / "upstream"}
        return roots.get(weight.origin, self.folder / "weights") / weight.path

    def describe(self) -> dict[str, str]:
        """The folders a driver is told of."""
        names = ("upstream", "weights")
        return {"packages": str(self.packages)} | {name: str(self.folder / name) for name in names}


def installation(adapter: Adapter) -> Installation:
    """Where this version of an adapter is installed; another pin or other requirements are another place."""
    environment = adapter.manifest.environment
    requirements = (adapter.folder / environment.requirements).read_bytes() if environment.requirements else b""
    parts = [adapter.manifest.upstream.pin, environment.python, str(environment.complete)]
    key = hashlib.sha256("\0".join(parts).encode() + requirements).hexdigest()[:12]
    return Installation(cache_folder() / "installed" / f"{adapter.name}-{key}")


def install(
    name: str | Path | Adapter,
    *,
    source: str | None = None,
    weights: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Installation:
    """Install an adapter; does nothing if that was done before, and starts again if it was left half done.

    Args:
        name: Adapter or its name or folder.
        source: Git URL or path to fetch upstream code from instead of the manifest's URL.
        weights: Folder with weight files that the user brings.
        progress: Told in words what happens.

    Returns:
        Where it is.

    Raises:
        AdapterError: Something cannot be fetched or is not what the manifest promises.
    """
    adapter = get_adapter(name)
    place = installation(adapter)
    with _lock(place.folder):
        if place.complete:
            _take_weights(adapter, place, weights, progress)
            progress(f"{adapter.name} is installed")
            return place
        if place.begun:
            progress("removing a half-finished installation")
            shutil.rmtree(place.folder)
        started = time.monotonic()
        place.folder.mkdir(parents=True)
        _make_environment(adapter, place, progress)
        upstream = adapter.manifest.upstream
        if upstream.source == "git":
            progress(f"fetching {source or upstream.url} @ {upstream.pin[:12]}")
            fetch_commit(source or str(upstream.url), upstream.pin, place.folder / "upstream")
        missing = _take_weights(adapter, place, weights, progress)
        record = {
            "adapter": adapter.name,
            "pin": upstream.pin,
            "missing": missing,
            "source": source or "manifest",
        }
        marker = place.folder / (_MARKER + ".part")
        marker.write_text(json.dumps(record | {"seconds": round(time.monotonic() - started, 1)}, indent=1))
        os.replace(marker, place.folder / _MARKER)
        progress(f"{adapter.name} is installed ({time.monotonic() - started:.0f} s)")
    return place


def require(adapter: Adapter) -> Installation:
    """The installation of an adapter.

    Raises:
        AdapterError: It is not installed, or only half; the hint is the command that mends it.
    """
    place = installation(adapter)
    if not place.complete:
        state = "only half installed" if place.begun else "not installed"
        raise AdapterError(f"{adapter.name} is {state}.", f"Run: {install_command(adapter)}")
    return place


def install_command(adapter: Adapter) -> str:
    """The command that installs an adapter."""
    by_user = any(weight.origin == "user" and weight.required for weight in adapter.manifest.weights)
    known = any(adapter.folder.parent == folder.resolve() for folder in adapter_folders())
    name = adapter.name if known else str(adapter.folder)
    return f"faketagger zoo install {name}" + (" --weights DIR" if by_user else "")


def find_python(adapter: Adapter) -> str:
    """An interpreter in the adapter's range: this one, else ``python3.X`` on the PATH.

    Raises:
        AdapterError: There is none.
    """
    environment = adapter.manifest.environment
    if environment.accepts(sys.version_info[:2]):
        return sys.executable
    for minor in range(20, 6, -1):
        found = shutil.which(f"python3.{minor}")
        if found and environment.accepts((3, minor)):
            return found
    raise AdapterError(
        f"{adapter.name} needs Python {environment.python}, and there is none here.",
        "Install such an interpreter so that python3.X is on the PATH.",
    )


def _make_environment(adapter: Adapter, place: Installation, progress: Callable[[str], None]) -> None:
    environment = adapter.manifest.environment
    progress("making a virtual environment")
    bare = [] if environment.requirements else ["--without-pip"]
    _run([find_python(adapter), "-m", "venv", *bare, str(place.folder / "env")], progress)
    if environment.requirements:
        file = adapter.folder / environment.requirements
        options = ["--no-input", "--no-cache-dir", *(["--no-deps"] if environment.complete else [])]
        _run([str(place.python), "-m", "pip", "install", *options, "-r", str(file)], progress)


def _take_weights(
    adapter: Adapter, place: Installation, given: Path | None, progress: Callable[[str], None]
) -> list[str]:
    """Bring every weight file into place; names of optional ones that are not there."""
    missing = []
    for weight in adapter.manifest.weights:
        path = place.weight_path(weight)
        problem = check_weight(path, weight)
        brought = given / Path(weight.path).name if given is not None else None
        if problem and brought is not None and brought.is_file():
            if wrong := check_weight(brought, weight):
                raise AdapterError(f"{brought} {wrong}.", "It is another file than the adapter was made for.")
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(brought, path)
            problem = None
        if problem and weight.origin == "url":
            download(weight, path, progress)
            problem = None
        if problem and weight.required:
            where = f" It can be had from {weight.url}." if weight.url else ""
            raise AdapterError(
                f"The weight file {weight.path} {problem}; without it: {weight.without}.",
                f"Give the folder that holds it: {install_command(adapter)}{where}",
            )
        if problem:
            missing.append(weight.path)
            progress(f"{weight.path} {problem}; without it: {weight.without}")
        else:
            progress(f"{weight.path}: sha256 is right")
    return missing


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


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One installation of an adapter at a time."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = folder.with_name(folder.name + ".lock").open("w")
    except OSError as error:
        raise AdapterError(
            f"The cache {folder.parent} cannot be written: {error.strerror}.",
            "Set FAKETAGGER_CACHE elsewhere.",
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
