"""W&B's parameter space, translated once into Optuna's distributions.

Whatever Optuna has no distribution for is drawn as its quantile in (0, 1), so that every engine and every sampler sees
the same space.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from faketagger.errors import ConfigError
from faketagger.sweep.schema import Parameter

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_EDGE = 1e-6
"""Quantiles are drawn this far from 0 and 1, where a normal distribution has no value."""


@dataclass(frozen=True)
class Dimension:
    """One parameter of the space.

    Attributes:
        name: Dotted.
        distribution: What Optuna draws a coordinate from; None for a constant.
        decode: From the coordinate to the value.
        choices: The values of a grid; None where there is no finite number of them.
    """

    name: str
    distribution: "BaseDistribution | None"
    decode: Callable[[Any], Any]
    choices: list[Any] | None = None

    def coordinate(self, place: int) -> Any:
        """What Optuna would have drawn for the choice at a place of the grid."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if isinstance(self.distribution, CategoricalDistribution):
            return place
        value = (self.choices or [])[place]
        if isinstance(self.distribution, FloatDistribution | IntDistribution):
            return min(max(value, self.distribution.low), self.distribution.high)
        return value


def dimensions(parameters: Mapping[str, Parameter], prefix: str = "") -> list[Dimension]:
    """Translate a space; nested parameters get dotted names.

    Args:
        parameters: As in the file.
        prefix: Of the names.

    Returns:
        Dimensions in the order of the file.

    Raises:
        ConfigError: Two parameters have one name.
    """
    found: list[Dimension] = []
    for name, parameter in parameters.items():
        full = f"{prefix}{name}"
        if parameter.parameters is not None:
            found += dimensions(parameter.parameters, f"{full}.")
        else:
            found.append(_dimension(full, parameter))
    names = [dimension.name for dimension in found]
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"The parameter {twins[0]!r} is there twice.", "Give it once, nested or with dots.")
    return found


def _dimension(name: str, parameter: Parameter) -> Dimension:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    kind = parameter.kind
    values = parameter.values or []
    if kind == "constant":
        return Dimension(name, None, lambda _: parameter.value, [parameter.value])
    if kind == "categorical":
        # Places, because Optuna's choices cannot be lists or mappings and take 1 and true for the same.
        return Dimension(name, CategoricalDistribution(range(len(values))), values.__getitem__, values)
    if kind == "int_uniform":
        low, high = int(parameter.min or 0), int(parameter.max or 0)
        return Dimension(name, IntDistribution(low, high), int, list(range(low, high + 1)))
    if kind.removeprefix("q_") in ("uniform", "log_uniform", "log_uniform_values") or kind.startswith("inv_"):
        low, high = _bounds(parameter)
        distribution: BaseDistribution = FloatDistribution(low, high, log="log" in kind)
        value: Callable[[Any], Any] = float
    else:
        distribution, value = FloatDistribution(_EDGE, 1 - _EDGE), _quantile(parameter)
    if not kind.startswith("q_"):
        return Dimension(name, distribution, value)
    q = parameter.q
    choices = None
    if kind == "q_uniform":
        first, last = (round((bound or 0) / q) for bound in (parameter.min, parameter.max))
        choices = [place * q for place in range(first, last + 1)]
    return Dimension(name, distribution, lambda coordinate: round(value(coordinate) / q) * q, choices)


def _bounds(parameter: Parameter) -> tuple[float, float]:
    low, high = float(parameter.min or 0), float(parameter.max or 0)
    if parameter.kind in ("log_uniform", "q_log_uniform"):
        return math.exp(low), math.exp(high)
    if parameter.kind == "inv_log_uniform":
        return math.exp(-high), math.exp(-low)
    return low, high


def _quantile(parameter: Parameter) -> Callable[[float], Any]:
    from scipy import stats

    kind = parameter.kind.removeprefix("q_")
    if kind == "categorical_w_probabilities":
        values, weights = parameter.values or [], parameter.probabilities or []
        steps = [step / sum(weights) for step in accumulate(weights)]
        return lambda u: values[next((i for i, step in enumerate(steps) if u <= step), len(values) - 1)]
    if kind == "beta":
        curve = stats.beta(parameter.a, parameter.b)
    elif kind == "normal":
        curve = stats.norm(parameter.mu, parameter.sigma)
    else:
        curve = stats.lognorm(s=parameter.sigma, scale=math.exp(parameter.mu))
    return lambda u: float(curve.ppf(u))


def nested(values: Mapping[str, Any], parameters: Mapping[str, Parameter], prefix: str = "") -> dict[str, Any]:
    """Values by dotted name in the shape in which W&B hands them to a program: nested where the file is.

    Args:
        values: By dotted name.
        parameters: As in the file.
        prefix: Of the names.
    """
    return {
        name: nested(values, parameter.parameters, f"{prefix}{name}.")
        if parameter.parameters is not None
        else values[f"{prefix}{name}"]
        for name, parameter in parameters.items()
    }


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted name; the way back from :func:`nested`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found[f"{prefix}{name}"] = value
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
    return found


def shown(value: Any) -> str:
    """A value in a table: short, lists and mappings as JSON."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
