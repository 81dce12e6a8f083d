"""The sweep file: W&B's own schema, held with pydantic.

Source: https://docs.wandb.ai/models/sweeps/sweep-config-keys. Keys of W&B Launch (``job``, ``image_uri``) are left out.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from faketagger.config import Section, check
from faketagger.errors import ConfigError

Goal = Literal["minimize", "maximize"]
Number = int | float
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]

_BOUNDS, _BELL = {"min", "max"}, {"mu", "sigma"}
_NEEDS_AND_MAY: dict[str, tuple[set[str], set[str]]] = {
    "constant": ({"value"}, set()),
    "categorical": ({"values"}, set()),
    "categorical_w_probabilities": ({"values", "probabilities"}, set()),
    "int_uniform": (_BOUNDS, set()),
    "uniform": (_BOUNDS, set()),
    "log_uniform": (_BOUNDS, set()),
    "log_uniform_values": (_BOUNDS, set()),
    "inv_log_uniform": (_BOUNDS, set()),
    "inv_log_uniform_values": (_BOUNDS, set()),
    "q_uniform": (_BOUNDS, {"q"}),
    "q_log_uniform": (_BOUNDS, {"q"}),
    "q_log_uniform_values": (_BOUNDS, {"q"}),
    "normal": (set(), _BELL),
    "q_normal": (set(), _BELL | {"q"}),
    "log_normal": (set(), _BELL),
    "q_log_normal": (set(), _BELL | {"q"}),
    "beta": (set(), {"a", "b"}),
    "q_beta": (set(), {"a", "b", "q"}),
}
_POSITIVE = {"log_uniform_values", "inv_log_uniform_values", "q_log_uniform_values"}


class Parameter(Section):
    """What one parameter may be: a value, a list of values, a distribution, or parameters inside it.

    Attributes:
        value: The one value.
        values: The values to choose from.
        probabilities: How likely each of ``values`` is.
        distribution: W&B's name; inferred from the other keys where it is left out.
        min: Lower bound; of its logarithm for ``log_uniform``, ``inv_log_uniform`` (negated) and ``q_log_uniform``.
        max: Upper bound, likewise.
        mu: Mean, of the logarithm for the ``log_normal`` ones.
        sigma: Standard deviation, likewise.
        a: First shape parameter of ``beta``.
        b: Second shape parameter of ``beta``.
        q: The ``q_`` distributions give multiples of it.
        parameters: Parameters of a section.
    """

    value: Any = None
    values: Annotated[list[Any], Field(min_length=1)] | None = None
    probabilities: list[Annotated[float, Field(ge=0)]] | None = None
    distribution: str | None = None
    min: Number | None = None
    max: Number | None = None
    mu: Number = 0
    sigma: Annotated[Number, Field(gt=0)] = 1
    a: Annotated[Number, Field(gt=0)] = 1
    b: Annotated[Number, Field(gt=0)] = 1
    q: Annotated[Number, Field(gt=0)] = 1
    parameters: "Annotated[dict[Name, Parameter], Field(min_length=1)] | None" = None

    @property
    def kind(self) -> str:
        """Name of the distribution, inferred as W&B does; ``parameters`` for a section."""
        given = self.model_fields_set
        if "parameters" in given:
            return "parameters"
        if self.distribution is not None:
            return self.distribution
        if "value" in given:
            return "constant"
        if "values" in given:
            return "categorical_w_probabilities" if "probabilities" in given else "categorical"
        whole = isinstance(self.min, int) and isinstance(self.max, int)
        return "int_uniform" if whole else "uniform"

    @model_validator(mode="after")
    def _keys_fit_the_distribution(self) -> Self:
        given = {name for name in self.model_fields_set if name == "value" or getattr(self, name) is not None}
        given -= {"distribution"}
        if self.kind == "parameters":
            needs, may = {"parameters"}, set[str]()
        elif self.kind in _NEEDS_AND_MAY:
            needs, may = _NEEDS_AND_MAY[self.kind]
        else:
            raise ValueError(f"there is no distribution {self.kind!r}; known: {', '.join(_NEEDS_AND_MAY)}")
        if not needs <= given:
            raise ValueError(f"{self.kind} needs {' and '.join(sorted(needs - given))}")
        if given - needs - may:
            raise ValueError(f"{' and '.join(sorted(given - needs - may))} does not go with {self.kind}")
        self._check_numbers()
        return self

    def _check_numbers(self) -> None:
        if self.min is not None and self.max is not None:
            if self.kind == "int_uniform" and not (isinstance(self.min, int) and isinstance(self.max, int)):
                raise ValueError("int_uniform needs whole numbers")
            if self.min >= self.max:
                raise ValueError(f"min {self.min} is not below max {self.max}")
            if self.kind in _POSITIVE and self.min <= 0:
                raise ValueError(f"{self.kind} needs bounds above 0")
        if self.probabilities is not None:
            if len(self.probabilities) != len(self.values or []):
                raise ValueError("there must be one probability for each value")
            if not sum(self.probabilities) > 0:
                raise ValueError("the probabilities must not all be 0")


class Metric(Section):
    """What is to be made small or large.

    Attributes:
        name: As a trial's ``metrics.json`` calls it, for example ``bench/bit_accuracy`` or ``val/psnr_db``.
        goal: Which way is better.
        target: W&B and the other engines start no further trial once one is as good as that.
    """

    name: Annotated[str, Field(min_length=1)]
    goal: Goal = "minimize"
    target: float | None = None


class EarlyTerminate(Section):
    """Hyperband as W&B does it, one bracket of asynchronous successive halving: of the trials that come to a rung, only
    the best 1/``eta`` go on.

    Attributes:
        type: Always ``hyperband``.
        min_iter: The first rung, counted in validations; then times ``eta`` each.
        max_iter: Instead of ``min_iter``: the last iteration, with the rungs at ``max_iter / eta**s`` and up.
        s: How many rungs below ``max_iter``.
        eta: How many times fewer trials pass each rung.
        strict: Read by W&B's server only.
    """

    type: Literal["hyperband"]
    min_iter: Annotated[int, Field(ge=1)] | None = None
    max_iter: Annotated[int, Field(ge=1)] | None = None
    s: Annotated[int, Field(ge=1)] | None = None
    eta: Annotated[int, Field(ge=2)] = 3
    strict: bool = True

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.min_iter is None) == (self.max_iter is None or self.s is None):
            raise ValueError("give either min_iter, or max_iter and s")
        return self

    @property
    def first_rung(self) -> int:
        """Validations after which trials are compared for the first time."""
        return self.min_iter or max(1, (self.max_iter or 1) // self.eta ** (self.s or 1))


class SweepConfig(Section):
    """A sweep file.

    Attributes:
        name: What the sweep, and the group of its W&B runs, is called.
        description: In words.
        program: What W&B calls the program; ``${program}`` in ``command``.
        project: W&B project.
        entity: W&B user or team.
        method: How the space is searched.
        metric: The objective.
        metrics: Instead of ``metric``: two objectives to trade against each other.
        parameters: The space, by the dotted names of the training file's keys.
        early_terminate: When a trial is stopped before its end.
        command: The words of one trial, with W&B's macros.
        run_cap: How many trials; not needed for ``grid``.
    """

    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    program: str = "faketagger"
    project: str = "faketagger"
    entity: str | None = None
    method: Literal["grid", "random", "bayes"]
    metric: Metric | None = None
    metrics: Annotated[list[Metric], Field(min_length=2, max_length=2)] | None = None
    parameters: Annotated[dict[Name, Parameter], Field(min_length=1)]
    early_terminate: EarlyTerminate | None = None
    command: Annotated[list[str], Field(min_length=1)]
    run_cap: Annotated[int, Field(ge=1)] | None = None

    def plain(self) -> dict[str, Any]:
        """What the file says, as plain values: which keys are given has a meaning."""
        return self.model_dump(mode="json", exclude_unset=True)

    @property
    def objectives(self) -> list[Metric]:
        """One or two of them."""
        return self.metrics or ([self.metric] if self.metric else [])

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.metric is None) == (self.metrics is None):
            raise ValueError("give either metric, or metrics with two objectives")
        if self.early_terminate and self.metrics:
            raise ValueError("trials cannot be stopped early for two objectives at once")
        if self.early_terminate and self.metric and not self.metric.name.startswith("val/"):
            raise ValueError("to stop trials early the metric must be one of validation, such as val/bits/none")
        if self.method != "grid" and self.run_cap is None:
            raise ValueError(f"a {self.method} search needs run_cap, the number of trials")
        return self


def load_sweep(path: str | Path) -> SweepConfig:
    """Read and check a sweep file, as W&B reads it: plain YAML, in which ``${...}`` is a macro.

    Args:
        path: YAML.

    Raises:
        ConfigError: It is unreadable, or a key or a value does not fit.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no sweep file {path}.", "Look into experiments/sweeps for examples.") from None
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise ConfigError(f"{path} is no readable YAML: {' '.join(str(error).split())[:200]}.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds no keys and values.", "A sweep file is a YAML mapping.")
    return check(values, SweepConfig, str(path))
