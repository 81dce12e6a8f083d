"""From what was measured to what a collection will cost, with the error of saying so.

The cost of a picture is fitted as ``fixed + per_megapixel * megapixels + per_face * faces`` by least squares on
relative errors. The interval is that of the fitted mean (Student's t, 95 %): over millions of pictures the scatter of
single ones averages out, the error of the fit does not. It covers neither pictures unlike the measured ones nor other
machines.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from faketagger.errors import ConfigError
from faketagger.scale.cost import CostTable

_ROUNDS = 6
_LEAST = 0.01
_UNITS = {"": 1, "k": 1e3, "m": 1e6, "b": 1e9}


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Estimate":
        """All three multiplied by a positive number."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

    def over(self, divisor: "Estimate") -> "Estimate":
        """Divided by another one whose error has nothing to do with this one's; both are positive."""
        value = self.value / divisor.value
        up = np.hypot(np.log(self.high / self.value), np.log(divisor.value / divisor.low))
        down = np.hypot(np.log(self.value / self.low), np.log(divisor.high / divisor.value))
        return Estimate(value, float(value * np.exp(-down)), float(value * np.exp(up)))

    def inverse(self, factor: float = 1.0) -> "Estimate":
        """``factor`` divided by it."""
        return Estimate(factor / self.value, factor / self.high, factor / self.low)


CERTAIN = Estimate(1.0, 1.0, 1.0)
"""The efficiency of one worker; of several, what is taken where it was not measured."""


class CostModel:
    """The fitted cost of one picture on one worker.

    Args:
        table: What was measured.

    Raises:
        ConfigError: Sizes and numbers of faces do not vary enough to fit.
    """

    names = ("fixed", "per_megapixel", "per_face")

    def __init__(self, table: CostTable) -> None:
        self.table = table
        seconds = table.seconds()
        design = np.array([self._terms(one.megapixels, one.faces) for one in table.observations])
        if np.linalg.matrix_rank(design) < len(self.names):
            raise ConfigError("The measurement varies neither size nor faces enough.", "faketagger plan --measure")
        fitted = seconds
        for _ in range(_ROUNDS):  # weights from the fit, not from the noise: those would favour low values
            weighted = design / fitted[:, None]
            self._coefficients, *_ = np.linalg.lstsq(weighted, seconds / fitted, rcond=None)
            before, fitted = fitted, np.maximum(design @ self._coefficients, seconds.min() / 10)
        residuals = seconds / before - weighted @ self._coefficients
        self.freedom = len(seconds) - len(self.names)
        variance = float(residuals @ residuals) / max(1, self.freedom)
        self._covariance = variance * np.linalg.inv(weighted.T @ weighted)
        self.scatter = float(np.sqrt(variance))

    @staticmethod
    def _terms(megapixels: float, faces: float) -> NDArray[np.float64]:
        return np.array([1.0, megapixels, faces])

    @property
    def coefficients(self) -> dict[str, float]:
        """Seconds by term."""
        return dict(zip(self.names, self._coefficients.tolist(), strict=True))

    def seconds(self, side: float, faces: float) -> Estimate:
        """Mean cost of a picture.

        Args:
            side: Square root of the mean number of pixels.
            faces: Mean number of faces.
        """
        terms = self._terms(side**2 / 1e6, faces)
        value = float(terms @ self._coefficients)
        reach = float(stats.t.ppf(0.975, max(1, self.freedom)) * np.sqrt(terms @ self._covariance @ terms))
        floor = float(self.table.seconds().min()) / 10
        value = max(value, floor)
        return Estimate(value, max(value - reach, floor), value + reach)

    def efficiency(self) -> Estimate | None:
        """Of several workers together against one, with the error of the rounds' mean; None if not measured."""
        if self.table.scaling is None:
            return None
        shares = self.table.scaling.efficiency
        value = float(shares.mean())
        if len(shares) < 2:
            return Estimate(value, _LEAST, 1.0)
        reach = float(stats.t.ppf(0.975, len(shares) - 1) * shares.std(ddof=1) / np.sqrt(len(shares)))
        return Estimate(value, max(_LEAST, value - reach), value + reach)


@dataclass(frozen=True)
class Plan:
    """What a collection will cost.

    Attributes:
        images: Pictures.
        workers: One core each, or one GPU each.
        efficiency: Of the workers together against one, as a share; 1 for one worker.
        rate: Pictures a second of one worker.
        per_hour: Pictures per core-hour or GPU-hour.
        hours: By the clock.
        worker_hours: Core-hours or GPU-hours.
    """

    images: int
    workers: int
    efficiency: Estimate
    rate: Estimate
    per_hour: Estimate
    hours: Estimate
    worker_hours: Estimate

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


def plan(model: CostModel, images: int, workers: int, side: float, faces: float, efficiency: Estimate) -> Plan:
    """Extrapolate.

    Args:
        model: Fitted cost.
        images: Pictures of the collection.
        workers: Processes at a time.
        side: Square root of the mean number of pixels.
        faces: Mean number of faces.
        efficiency: Of several workers together against one.
    """
    seconds = model.seconds(side, faces)
    share = efficiency if workers > 1 else CERTAIN
    each = seconds.over(share)
    work = each.times(images / 3600)
    hours = work.times(1 / min(workers, max(1, images)))
    return Plan(images, workers, share, seconds.inverse(), each.inverse(3600), hours, work)


def parse_count(text: str) -> int:
    """A number of pictures as people write it: ``50M``, ``30k``, ``1.5B``, ``200000``.

    Raises:
        ConfigError: It is none.
    """
    found = re.fullmatch(r"(\d+(?:[._]\d+)*)\s*([kKmMbB]?)", text.strip())
    number = found and float(found[1].replace("_", "")) * _UNITS[found[2].lower()]
    if not number or number != int(number):
        raise ConfigError(f"{text!r} is no number of pictures.", "Write 200000, 30k, 50M or 1.5B.")
    return int(number)
