"""White minus black on the same pictures and messages: how far the simulator is from the real tool."""

from typing import Any

import numpy as np
import pandas as pd

from faketagger.bench.evidence import holm, sign_flip_p_value
from faketagger.bench.scenario import Job
from faketagger.bench.statistics import clustered_interval


def find_gaps(
    jobs: list[Job], missing: set[str], groups: dict[tuple[str, str], pd.DataFrame], seed: int, resamples: int
) -> list[dict[str, Any]]:
    """Paired differences of bit accuracy between all white and black jobs that share a word.

    Args:
        jobs: All jobs.
        missing: Ids of those without records.
        groups: Records by scenario and kind.
        seed: Of the resampling.
        resamples: Bootstrap replicates.

    Returns:
        One ``pair, white, black, view, n_images, n_clusters, difference, ci_low, ci_high, p_value, p_holm`` for each
        pair and view; the last corrects for all gaps of the table.
    """
    found: list[dict[str, Any]] = []
    for white, black in _pairs(jobs):
        for view in (view for view in white.views if view in black.views):
            sides = [groups.get((job.scenario_id(view), "tagged")) for job in (white, black)]
            if missing & {white.id, black.id} or sides[0] is None or sides[1] is None:
                continue
            both = sides[0].merge(sides[1], on="picture", suffixes=("", "_black"), validate="one_to_one")
            difference = both["matched"].to_numpy(np.int64) - both["matched_black"].to_numpy(np.int64)
            identities = both["identity"].cat.codes.to_numpy()
            gap = clustered_interval(difference, both["bits"], identities, seed, resamples)
            if gap.n_clusters == 1:  # shows no spread
                continue
            found.append(
                {
                    "pair": white.pair,
                    "white": white.scenario_id(view),
                    "black": black.scenario_id(view),
                    "view": view,
                    "n_images": gap.n,
                    "n_clusters": gap.n_clusters,
                    "difference": gap.estimate,
                    "ci_low": gap.low,
                    "ci_high": gap.high,
                    "p_value": sign_flip_p_value(difference, identities, seed, resamples),
                }
            )
    corrected = holm([gap["p_value"] for gap in found])
    return [{**gap, "p_holm": p_value} for gap, p_value in zip(found, corrected, strict=True)]


def _pairs(jobs: list[Job]) -> list[tuple[Job, Job]]:
    paired = [job for job in jobs if job.pair]
    return [
        (white, black)
        for white in paired
        for black in paired
        if white.box == "white" and black.box == "black" and white.pair == black.pair
    ]
