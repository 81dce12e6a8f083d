"""Configuration files: YAML read by OmegaConf, checked by pydantic, mistakes answered in one sentence."""

import difflib
import json
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from faketagger.errors import ConfigError


class Section(BaseModel):
    """Base of every part of a configuration: unknown keys, NaN and silent type changes are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, validate_default=True)

    def plain(self) -> dict[str, Any]:
        """The section as plain JSON values, the form that wandb and Lightning may keep.

        Returns:
            Nested dict of str, int, float, bool, None, list and dict.
        """
        return self.model_dump(mode="json")


SectionT = TypeVar("SectionT", bound=Section)


def load_config(path: str | Path, schema: type[SectionT], overrides: list[str] | None = None) -> SectionT:
    """Read a YAML file, lay overrides over it and check the result.

    Args:
        path: YAML file; OmegaConf interpolations (``${seed}``) are resolved.
        schema: The pydantic model that the file has to fit.
        overrides: ``key=value`` texts as typed on the command line; dots go into nested sections.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: The file is missing or no YAML mapping, or a key or a value does not fit the schema.
    """
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    path = Path(path)
    for text in overrides or []:
        if "=" not in text:
            raise ConfigError(f"The override {text!r} has no value.", "Write key=value, without spaces.")
    try:
        config = OmegaConf.load(path)
        if not isinstance(config, DictConfig):
            raise ConfigError(f"{path} holds no keys and values.", "A configuration is a YAML mapping.")
        merged = OmegaConf.merge(config, OmegaConf.from_dotlist(list(overrides or [])))
        values = OmegaConf.to_container(merged, resolve=True)
    except FileNotFoundError:
        raise ConfigError(f"There is no configuration file {path}.", _nearby(path)) from None
    except (YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise ConfigError(f"{path} is no readable YAML: {_first_line(error)}.") from error
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(f"{path} does not resolve: {_first_line(error)}.") from error
    assert isinstance(values, dict)
    return check(values, schema, str(path))


def check(values: dict[Any, Any], schema: type[SectionT], origin: str) -> SectionT:
    """Check plain values against a schema.

    Args:
        values: Nested plain values, as YAML gives them.
        schema: The pydantic model that they have to fit.
        origin: Where the values come from; used in messages.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: A key or a value does not fit.
    """
    try:
        # JSON mode is the strict mode that still turns text into paths and lists into tuples.
        return schema.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    sentence, hint = _explain(dict(problems[0]), schema)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise ConfigError(f"{origin}: {sentence}{more}.", hint)


def _explain(problem: dict[str, Any], schema: type[BaseModel]) -> tuple[str, str | None]:
    location = ".".join(str(part) for part in problem["loc"]) or "the file"
    if problem["type"] == "extra_forbidden":
        known = _keys_at(schema, problem["loc"][:-1])
        close = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]!r}?" if close else f"Known keys here: {', '.join(sorted(known))}."
        return f"unknown key {location!r}", hint
    if problem["type"] == "missing":
        return f"the key {location!r} is missing", f"Add {location} to the file or give {location}=VALUE."
    message = str(problem["msg"])
    message = message[0].lower() + message[1:]
    if isinstance(problem["input"], dict | list):
        return f"{location!r}: {message}", None
    return f"{location!r} is {problem['input']!r}, but: {message}", None


def _keys_at(schema: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    models: list[type[BaseModel]] = [schema]
    for part in location:
        annotations = [m.model_fields[str(part)].annotation for m in models if str(part) in m.model_fields]
        deeper = [model for annotation in annotations for model in _models_in(annotation)]
        models = deeper or models  # list positions and union tags name no field
    return sorted({field.alias or name for model in models for name, field in model.model_fields.items()})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _nearby(path: Path) -> str:
    siblings = sorted(str(found) for found in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    close = difflib.get_close_matches(str(path), siblings, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Files there: {', '.join(siblings)}." if siblings else "Look into experiments/ for examples."


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__
