"""adapter.yaml: what a tool is, where it comes from, what it may use and which knobs it has."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from faketagger.config import Section, check
from faketagger.errors import AdapterError, ConfigError
from faketagger.zoo.sections import Companion, Cost, Environment, Limits, Parameter, Upstream, Value, Weight

CONTRACT = 1

KIT = Path(__file__).with_name("kit")
"""Modules that every driver in Python may import."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Manifest(Section):
    """One adapter.yaml. See docs/adapters.md for every key with an example."""

    contract: Literal[1]
    kind: Literal["attack", "watermark"] = "attack"
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")
    version: int = Field(ge=1)
    family: Literal["swap", "reenact", "edit", "synthesis", "degradation", "watermark"] = "watermark"
    roles: tuple[Literal["carrier", "donor"], ...] = ()
    message_bits: int | str | None = None
    native_size: int | str | None = None
    strength: str | None = None
    summary: str
    licence: str
    upstream: Upstream
    companions: dict[str, Companion] = {}
    environment: Environment = Environment()
    weights: tuple[Weight, ...] = ()
    limits: Limits = Limits()
    devices: tuple[Literal["cpu", "cuda"], ...] = ("cpu",)
    deterministic: bool = True
    facesets: tuple[str, ...] = ()
    donor: str | None = None
    attributes: bool = False
    masks: bool = False
    parameters: dict[str, Parameter] = {}
    presets: dict[Literal["smoke", "paper"], dict[str, Value]]
    success: str
    cost: Cost

    @model_validator(mode="after")
    def _presets_fit(self) -> "Manifest":
        for preset, values in self.presets.items():
            for name, value in values.items():
                if name not in self.parameters:
                    raise ValueError(f"the preset {preset} sets {name}, which is no parameter")
                if problem := self.parameters[name].problem(value):
                    raise ValueError(f"the preset {preset} sets {name} to {value!r}, which {problem}")
        return self

    @model_validator(mode="after")
    def _kind_fits(self) -> "Manifest":
        if self.kind == "attack":
            if self.family == "watermark" or not self.roles:
                raise ValueError("an attack needs a family and roles")
            if (self.message_bits, self.native_size, self.strength) != (None, None, None):
                raise ValueError("message_bits, native_size and strength belong to kind: watermark")
            return self
        if self.family != "watermark" or self.roles or self.facesets or self.masks:
            raise ValueError("a watermark has no family, roles, facesets or masks")
        if self.message_bits is None:
            raise ValueError("a watermark needs message_bits, a number or the name of a parameter")
        for name in (self.message_bits, self.native_size, self.strength):
            if isinstance(name, str) and name not in self.parameters:
                raise ValueError(f"{name!r} is no parameter")
        return self

    @model_validator(mode="after")
    def _sets_fit(self) -> "Manifest":
        if ("donor" in self.roles) != (self.donor is not None):
            raise ValueError("the role donor and the key donor, the faceset that carries the tag, go together")
        if self.donor is not None and self.donor not in self.facesets:
            raise ValueError(f"the donor {self.donor!r} is none of the facesets")
        if self.attributes and not self.facesets:
            raise ValueError("attributes describe the pictures of facesets, and there are none")
        return self

    @model_validator(mode="after")
    def _companions_fit(self) -> "Manifest":
        for name in self.companions:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"the companion {name!r} has no name in lower case with _")
        for weight in self.weights:
            if weight.origin == "companion" and weight.path.split("/")[0] not in self.companions:
                raise ValueError(f"the weight file {weight.path} lies in no companion")
        return self

    @property
    def pins(self) -> str:
        """The exact versions of everything that is fetched: the tool's own pin, then its companions'."""
        return " ".join([self.upstream.pin, *(f"{name}={self.companions[name].commit}" for name in self.companions)])

    def resolve(self, preset: str | None, given: dict[str, Any] | None) -> dict[str, Value]:
        """All parameters of a job: defaults, then the preset, then what the caller gives.

        Args:
            preset: ``smoke``, ``paper`` or None.
            given: Values by parameter name.

        Returns:
            One checked value per parameter.

        Raises:
            AdapterError: Unknown preset or parameter, or a value of the wrong type or out of range.
        """
        if preset is not None and preset not in self.presets:
            raise AdapterError(f"{self.name} has no preset {preset!r}.", suggest(preset, list(self.presets)))
        values = {name: spec.default for name, spec in self.parameters.items()}
        values |= self.presets[preset] if preset else {}  # type: ignore[index]
        for name, value in (given or {}).items():
            if name not in self.parameters:
                raise AdapterError(f"{self.name} has no parameter {name!r}.", suggest(name, list(self.parameters)))
            if problem := self.parameters[name].problem(value):
                raise AdapterError(f"The parameter {name} of {self.name}: {value!r} {problem}.")
            values[name] = value
        return values


@dataclass(frozen=True)
class Adapter:
    """An adapter on disk: its folder and its checked manifest."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def driver(self) -> Path:
        return self.folder / "driver.py"


def load_manifest(path: str | Path) -> Adapter:
    """Read an adapter.

    Args:
        path: The adapter's folder, or its adapter.yaml.

    Returns:
        The adapter with its checked manifest.

    Raises:
        AdapterError: No adapter there, or the manifest does not fit; the hint says what was probably meant.
    """
    path = Path(path)
    path = path / "adapter.yaml" if path.is_dir() else path
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except OSError:
        raise AdapterError(f"There is no adapter at {path.parent}: adapter.yaml cannot be read.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise AdapterError(f"{path} is no readable YAML: {' '.join(str(error).split())[:200]}.") from error
    if not isinstance(values, dict):
        raise AdapterError(f"{path} holds no keys and values.", "See docs/adapters.md for an example.")
    try:
        manifest = check(values, Manifest, str(path))
    except ConfigError as error:
        raise AdapterError(error.message, error.hint) from None
    folder = path.parent.resolve()
    for name in ("driver.py", manifest.environment.requirements):
        if name and not (folder / name).is_file():
            raise AdapterError(f"The adapter {manifest.name} lacks its {name}.", f"Put {name} beside {path}.")
    return Adapter(folder, manifest)


def suggest(word: str, known: list[str]) -> str:
    """A hint for an unknown word: the nearest known one, or all of them."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(sorted(known)) or 'none'}."
