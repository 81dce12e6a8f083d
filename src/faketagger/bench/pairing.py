"""The same pictures measured twice: what changed, with an interval over people and a test. For gaps and for runs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from faketagger.bench.evidence import sign_flip_p_value
from faketagger.bench.statistics import Interval, clustered_interval


@dataclass(frozen=True)
class Pairing:
    """One quantity of the same pictures, measured twice.

    Attributes:
        interval: Of the second's share of right bits minus the first's, over people.
        p_value: That of a two-sided test against no difference.
    """

    interval: Interval
    p_value: float


def paired(first: pd.DataFrame, second: pd.DataFrame, seed: int, resamples: int) -> Pairing:
    """The second's share of right bits minus the first's, on the pictures that both have.

    Args:
        first: Records of one scenario and kind, one a picture.
        second: The same of another scenario or another run; messages may have another length.
        seed: Of the resampling.
        resamples: Bootstrap replicates.
    """
    both = first.merge(second, on="picture", suffixes=("", "_second"), validate="one_to_one")
    columns = ("matched", "bits", "matched_second", "bits_second")
    matched, bits, other_matched, other_bits = (both[name].to_numpy(np.int64) for name in columns)
    unit = np.lcm(bits, other_bits)
    gained = other_matched * (unit // other_bits) - matched * (unit // bits)
    people = both["identity"].astype("category").cat.codes.to_numpy()
    interval = clustered_interval(gained, unit, people, seed, resamples)
    return Pairing(interval, sign_flip_p_value(gained, people, seed, resamples))
