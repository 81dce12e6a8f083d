"""The parts of an adapter.yaml."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from faketagger.config import Section

Value = bool | int | float | str


class Upstream(Section):
    """Where the tool's code comes from: a package of the Python index, or one commit of a git repository."""

    source: Literal["pypi", "git"]
    package: str | None = None
    version: str | None = None
    url: str | None = None
    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")

    @model_validator(mode="after")
    def _complete(self) -> "Upstream":
        needed = ("package", "version") if self.source == "pypi" else ("url", "commit")
        for name in ("package", "version", "url", "commit"):
            if (getattr(self, name) is None) == (name in needed):
                raise ValueError(f"source {self.source} is described by {needed[0]} and {needed[1]} alone")
        return self

    @property
    def pin(self) -> str:
        """The exact version: ``package==version`` or the 40-character commit."""
        return f"{self.package}=={self.version}" if self.source == "pypi" else str(self.commit)


class Companion(Section):
    """A further repository that the tool needs beside its own, at one commit."""

    source: Literal["git"] = "git"
    url: str
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")


class Environment(Section):
    """The virtual environment of the tool.

    Attributes:
        python: Range of interpreter versions, e.g. ``>=3.9,<3.13``.
        requirements: Pinned requirements file beside the manifest; None for a driver of the standard library.
        complete: The requirements file names every package, so that nothing else gets installed.
        variables: Environment variables that the tool needs.
        programs: Executables that must be on the PATH, each with the command that installs it.
        download_mb: Megabytes to fetch.
        disk_mb: Megabytes on disk once installed.
    """

    python: str = Field(default=">=3.9", pattern=r"^(>=|<)3\.\d+(,(>=|<)3\.\d+)*$")
    requirements: str | None = None
    complete: bool = False
    variables: dict[str, str] = {}
    programs: dict[str, str] = {}
    download_mb: int = Field(default=0, ge=0)
    disk_mb: int = Field(default=0, ge=0)

    def accepts(self, version: tuple[int, int]) -> bool:
        """Whether an interpreter ``(major, minor)`` is in range."""
        for clause in self.python.split(","):
            operator, text = re.split(r"(?<=[=<])(?=3)", clause)
            bound = (3, int(text.split(".")[1]))
            if not (version >= bound if operator == ">=" else version < bound):
                return False
        return True


class Weight(Section):
    """One weight file.

    Attributes:
        path: Path below the place that ``origin`` names.
        origin: ``package``: in the environment's site-packages; ``upstream``: in the git tree; ``companion``:
            in a companion's tree, the path begins with its name; ``url``: fetched; ``user``: from the folder
            given to ``zoo install --weights``.
        url: Where it is fetched from (origin ``url``) or where a person can get it (origin ``user``).
        sha256: Left out where it is not known beforehand; what is there first is then recorded and held to.
        bytes: Its size, where it is known.
        without: What is lost without this file, and what takes its place if there is something.
    """

    path: str = Field(min_length=1)
    origin: Literal["package", "upstream", "companion", "url", "user"]
    url: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    bytes: int | None = Field(default=None, gt=0)
    licence: str
    without: str
    required: bool = True

    @model_validator(mode="after")
    def _stays_below(self) -> "Weight":
        if Path(self.path).is_absolute() or ".." in Path(self.path).parts:
            raise ValueError("the path of a weight file stays below the adapter's own folder")
        if self.origin == "url" and not self.url:
            raise ValueError("a weight file of origin url needs a url")
        if self.origin in ("url", "package") and (self.sha256 is None or self.bytes is None):
            raise ValueError(f"a weight file of origin {self.origin} needs its sha256 and bytes")
        return self


class Limits(Section):
    """What one job may use before the runner ends it.

    Attributes:
        wall_s: Seconds for a job, plus ``wall_s_per_image`` for every image.
        silence_s: Seconds without a byte of output.
        memory_mb: Resident memory of all processes together.
        disk_mb: Size of the job folder.
        processes: Processes at the same time.
        log_mb: Output kept in the log; 16 times as much output ends the job.
        threads: Cores that the tool uses.
        grace_s: Seconds that a stopped job gets to save its work after an interrupt.
    """

    wall_s: float = Field(default=600, gt=0)
    wall_s_per_image: float = Field(default=60, ge=0)
    silence_s: float = Field(default=300, gt=0)
    memory_mb: int = Field(default=4096, gt=0)
    disk_mb: int = Field(default=2048, gt=0)
    processes: int = Field(default=64, gt=0)
    log_mb: int = Field(default=4, gt=0)
    threads: int = Field(default=1, gt=0)
    grace_s: float = Field(default=0, ge=0)


class Parameter(Section):
    """One knob of the tool.

    Attributes:
        phase: Which call it matters to.
        changes: ``result``: part of the cache key; ``speed``: not.
    """

    type: Literal["int", "float", "str", "bool"]
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Value, ...] | None = None
    phase: Literal["prepare", "apply"] = "apply"
    changes: Literal["result", "speed"] = "result"
    help: str

    @model_validator(mode="after")
    def _default_fits(self) -> "Parameter":
        if problem := self.problem(self.default):
            raise ValueError(f"the default {self.default!r} {problem}")
        return self

    def problem(self, value: object) -> str | None:
        """What is wrong with a value, or None."""
        kinds: dict[str, tuple[type, ...]] = {
            "int": (int,),
            "float": (int, float),
            "str": (str,),
            "bool": (bool,),
        }
        if not isinstance(value, kinds[self.type]) or (isinstance(value, bool) and self.type != "bool"):
            return f"is no {self.type}"
        if self.choices is not None and value not in self.choices:
            return f"is none of {', '.join(map(str, self.choices))}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            if self.minimum is not None and not value >= self.minimum:
                return f"is below {self.minimum:g}"
            if self.maximum is not None and not value <= self.maximum:
                return f"is above {self.maximum:g}"
        return None


class Cost(Section):
    """What one picture costs, as measured once: seconds, and on which machine and size."""

    seconds_per_image: float = Field(gt=0)
    measured: str
