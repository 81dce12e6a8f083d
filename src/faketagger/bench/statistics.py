"""Numbers one can defend: intervals that respect identities, exact tests, paired gaps. NumPy and SciPy only.

Pictures of one person (or frames of one video) succeed and fail together, so the unit that is resampled is
the *cluster*, not the picture and not the bit; intervals that resample bits or pictures are far too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits.

    Attributes:
        estimate: Ratio of sums over all pictures.
        low: Lower limit.
        high: Upper limit.
        n: Pictures.
        n_clusters: Identities (or source videos) among them.
    """

    estimate: float
    low: float
    high: float
    n: int
    n_clusters: int


def clustered_interval(
    numerator: ArrayLike,
    denominator: ArrayLike,
    clusters: Sequence[str] | NDArray[np.str_],
    seed: int,
    resamples: int = 2000,
    level: float = LEVEL,
) -> Interval:
    """Bootstrap interval of ``sum(numerator) / sum(denominator)``, resampling whole clusters.

    The percentile limits are expanded for few clusters. Where every cluster gives the same ratio the
    bootstrap has no spread; an all-right or all-wrong result then gets the exact binomial limit counting each
    cluster once.

    Args:
        numerator: (n,) per picture, matched bits for a bit accuracy.
        denominator: (n,) per picture, bits read.
        clusters: (n,) identity of each picture.
        seed: Fixes the resampling.
        resamples: Bootstrap replicates.
        level: Nominal coverage.

    Returns:
        The estimate with limits; all NaN for no pictures, and no limits for one cluster, which shows no spread.

    Source: C. Field and A. Welsh, "Bootstrapping clustered data", JRSS B 2007 (cluster bootstrap);
        T. Hesterberg, "What teachers should know about the bootstrap", 2015, section 3.5 (expanded
        percentiles); C. Clopper and E. Pearson, Biometrika 1934 (exact limit).
    """
    top, bottom = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    if top.size == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, 0)
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    count = int(codes.max()) + 1
    tops, bottoms = np.bincount(codes, top, count), np.bincount(codes, bottom, count)
    estimate = float(tops.sum() / bottoms.sum())
    if count == 1:
        return Interval(estimate, float("nan"), float("nan"), top.size, count)
    if np.ptp(tops / bottoms) == 0:
        low, high = _degenerate_limits(estimate, count * float(bottom.max()), level)
        return Interval(estimate, low, high, top.size, count)
    weights = _resampled_weights(count, seed, resamples)
    ratios = (weights @ tops) / (weights @ bottoms)
    tail = _expanded_tail(count, level)
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high), top.size, count)


def _degenerate_limits(estimate: float, trials: float, level: float) -> tuple[float, float]:
    reach = ((1 - level) / 2) ** (1 / trials)
    if estimate == 1.0:
        return float(reach), 1.0
    if estimate == 0.0:
        return 0.0, float(1 - reach)
    return estimate, estimate


def _expanded_tail(count: int, level: float) -> float:
    quantile = special.stdtrit(count - 1, (1 - level) / 2)
    return float(special.ndtr(np.sqrt(count / (count - 1)) * quantile))


@lru_cache(maxsize=4)
def _resampled_weights(count: int, seed: int, resamples: int) -> NDArray[np.float32]:
    rng = np.random.default_rng([seed, count])
    weights = np.empty((resamples, count), dtype=np.float32)
    for row in weights:
        row[:] = np.bincount(rng.integers(count, size=count), minlength=count)
    return weights


def exceeds_nominal(hits: int, trials: int, nominal: float, alpha: float = 0.001) -> bool:
    """Whether ``hits`` of ``trials`` nulls is significantly more than the nominal rate.

    Args:
        hits: Nulls called tagged.
        trials: Nulls read.
        nominal: False positive rate promised.
        alpha: Significance of the one-sided exact binomial test.
    """
    return trials > 0 and hits > 0 and float(special.bdtrc(hits - 1, trials, nominal)) < alpha


def rate_at(p_values: ArrayLike, fpr: float) -> float:
    """Share of p-values at or below ``fpr``: the detection rate on tagged, the false positive rate on nulls.

    Args:
        p_values: (n,) exact match p-values.
        fpr: Nominal false positive rate, the threshold.
    """
    values = np.asarray(p_values, dtype=np.float64)
    return float(np.mean(values <= fpr)) if values.size else float("nan")


def p_value_quantiles(p_values: ArrayLike, at: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> dict[str, float]:
    """Observed quantiles of p-values, keyed by the probability as text.

    Args:
        p_values: (n,) p-values.
        at: Probabilities.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not values.size:
        return {}
    return {f"{q:g}": float(np.quantile(values, q, method="inverted_cdf")) for q in at}


def calibration(p_values: ArrayLike, grid: ArrayLike) -> NDArray[np.float64]:
    """Empirical false positive rate of nulls at each nominal rate of ``grid``: below the diagonal is valid.

    Args:
        p_values: (n,) null p-values.
        grid: (m,) nominal rates.
    """
    values = np.sort(np.asarray(p_values, dtype=np.float64))
    return np.searchsorted(values, np.asarray(grid), side="right") / max(len(values), 1)
