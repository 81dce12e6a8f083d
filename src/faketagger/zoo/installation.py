"""Where an adapter's tool is, or would be, and what is on record about it."""

import contextlib
import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faketagger.errors import AdapterError
from faketagger.zoo.manifest import Adapter, Weight
from faketagger.zoo.registry import adapter_folders, cache_folder

MARKER = "installed.json"
BUILT = "built.json"


@dataclass(frozen=True)
class Installation:
    """Where an adapter's tool is, or would be.

    Attributes:
        folder: Holds ``env/`` (virtual environment), ``upstream/`` and ``companions/NAME/`` (code), ``weights/`` and
            installed.json.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """Interpreter of the adapter's environment."""
        return self.folder / "env" / "bin" / "python"

    @property
    def complete(self) -> bool:
        """Whether an installation got to its end; its marker is written last."""
        return (self.folder / MARKER).is_file() and self.python.exists()

    @property
    def built(self) -> bool:
        """Whether code and environment are there, with or without the weights."""
        return self.complete or ((self.folder / BUILT).is_file() and self.python.exists())

    @property
    def begun(self) -> bool:
        """Whether there is anything at all."""
        return self.folder.exists()

    @property
    def record(self) -> dict[str, Any]:
        """What the installer wrote down: pins, source, absent files, hashes; empty before it has."""
        for name in (MARKER, BUILT):
            with contextlib.suppress(OSError, ValueError):
                record = json.loads((self.folder / name).read_text())
                return record if isinstance(record, dict) else {}
        return {}

    @property
    def packages(self) -> Path:
        """Site-packages of the environment."""
        return next(iter(sorted((self.folder / "env" / "lib").glob("python3*/site-packages"))), self.folder)

    def weight_path(self, weight: Weight) -> Path:
        """Where a weight file belongs."""
        roots = {
            "package": self.packages,
            "upstream": self.folder / "upstream",
            "companion": self.folder / "companions",
        }
        return roots.get(weight.origin, self.folder / "weights") / weight.path

    def varying_weights(self, adapter: Adapter) -> dict[str, str]:
        """Hashes, as recorded, of the weight files that differ from one installation to the next or may be missing."""
        recorded = self.record.get("weights", {})
        varying = [weight.path for weight in adapter.manifest.weights if weight.sha256 is None or not weight.required]
        return {path: recorded[path]["sha256"] for path in varying if path in recorded}

    def describe(self, adapter: Adapter) -> dict[str, Any]:
        """The folders a driver is told of."""
        names = ("upstream", "weights")
        companions = {name: str(self.folder / "companions" / name) for name in adapter.manifest.companions}
        return {
            "packages": str(self.packages),
            **{name: str(self.folder / name) for name in names},
            "companions": companions,
        }


def installation(adapter: Adapter) -> Installation:
    """Where this version of an adapter is installed; another pin or other requirements are another place."""
    environment = adapter.manifest.environment
    requirements = (adapter.folder / environment.requirements).read_bytes() if environment.requirements else b""
    parts = [adapter.manifest.pins, environment.python, str(environment.complete)]
    key = hashlib.sha256("\0".join(parts).encode() + requirements).hexdigest()[:12]
    return Installation(cache_folder() / "installed" / f"{adapter.name}-{key}")


def require(adapter: Adapter) -> Installation:
    """The installation of an adapter.

    Raises:
        AdapterError: It is not installed, or only half, or a program is missing; the hint is the command that helps.
    """
    place = installation(adapter)
    if not place.complete:
        if place.built:
            raise AdapterError(f"{adapter.name} lacks weights.", f"Run: {install_command(adapter, brings=True)}")
        state = "only half installed" if place.begun else "not installed"
        raise AdapterError(f"{adapter.name} is {state}.", f"Run: {install_command(adapter)}")
    for program, command in missing_programs(adapter).items():
        raise AdapterError(f"{adapter.name} needs the program {program}, which is not on the PATH.", f"Run: {command}")
    return place


def missing_programs(adapter: Adapter) -> dict[str, str]:
    """Programs of the system that the tool needs and that are not on the PATH, each with what installs it."""
    programs = adapter.manifest.environment.programs
    return {name: command for name, command in programs.items() if not shutil.which(name)}


def install_command(adapter: Adapter, brings: bool | None = None) -> str:
    """The command that installs an adapter.

    Args:
        adapter: The adapter.
        brings: Whether a person has to bring weights; as the manifest says by default.
    """
    if brings is None:
        brings = any(weight.origin == "user" and weight.required for weight in adapter.manifest.weights)
    known = any(adapter.folder.parent == folder.resolve() for folder in adapter_folders())
    name = adapter.name if known else str(adapter.folder)
    return f"faketagger zoo install {name}" + (" --weights DIR" if brings else "")


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
