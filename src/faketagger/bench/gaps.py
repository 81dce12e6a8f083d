"""White minus black on the same pictures and messages: how far the simulator is from the real tool."""

from typing import Any

import pandas as pd

from faketagger.bench.evidence import holm
from faketagger.bench.pairing import paired
from faketagger.bench.scenario import Job


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
            gap = paired(sides[1], sides[0], seed, resamples)
            if gap.interval.n_clusters == 1:  # shows no spread
                continue
            found.append(
                {
                    "pair": white.pair,
                    "white": white.scenario_id(view),
                    "black": black.scenario_id(view),
                    "view": view,
                    "n_images": gap.interval.n,
                    "n_clusters": gap.interval.n_clusters,
                    "difference": gap.interval.estimate,
                    "ci_low": gap.interval.low,
                    "ci_high": gap.interval.high,
                    "p_value": gap.p_value,
                }
            )
    corrected = holm([gap["p_value"] for gap in found])
    return [{**gap, "p_holm": p_value} for gap, p_value in zip(found, corrected, strict=True)]


def _pairs(jobs: list[Job]) -> list[tuple[Job, Job]]:
    twins = [job for job in jobs if job.pair]
    return [
        (white, black)
        for white in twins
        for black in twins
        if white.box == "white" and black.box == "black" and white.pair == black.pair
    ]
