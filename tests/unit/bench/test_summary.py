"""Records in, summary out: flags when they should, gaps on the same pictures, fast at size."""

import json
import time
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faketagger.bench.scenario import Job, plan
from faketagger.bench.summary import Measured, Missing, summarise
from faketagger.coding import match_p_value
from tests.unit.bench.test_scenario import config

BITS = 64
P_VALUES = np.array([match_p_value(k, BITS) for k in range(BITS + 1)])
TWINS = [{"attack": "w", "pair": "t"}, {"attack": "b", "box": "black", "pair": "t"}]


def make_records(
    jobs: list[Job], accuracy: dict[str, float], people: int = 30, each: int = 2, null: float = 0.5
) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = people * each
    parts = []
    for job in jobs:
        for view in job.views:
            for kind in ("tagged", "null"):
                rate = accuracy.get(job.id, 0.95) if kind == "tagged" else null
                matched = rng.binomial(BITS, rate, n)
                parts.append(
                    pd.DataFrame(
                        {
                            "scenario": job.scenario_id(view),
                            "kind": kind,
                            "picture": [f"p{i:05d}" for i in range(n)],
                            "identity": [f"who{i // each}" for i in range(n)],
                            "cluster": [f"who{i // each}" for i in range(n)],
                            "role": job.role,
                            "version": 1,
                            "family": "synthesis",
                            "attack_status": "attacked",
                            "read_status": "read",
                            "bits": BITS,
                            "matched": matched,
                            "p_value": P_VALUES[matched],
                            "exact": matched > 55,
                            "attack_psnr_db": 30.0,
                            "changed": 1.0,
                            "moved": np.nan,
                            "donor_distance": np.nan,
                            "donor_distance_before": np.nan,
                            "agreement": None,
                            "psnr_db": 38.0,
                            "ssim": 0.98,
                            "psnr_face_db": 37.0,
                            "ssim_face": 0.97,
                        }
                    )
                )
    frame = pd.concat(parts, ignore_index=True)
    for name in ("scenario", "kind", "picture", "identity", "cluster", "role", "attack_status", "read_status"):
        frame[name] = frame[name].astype("category")
    return frame


def summary_of(jobs: list[Job], records: pd.DataFrame, **changes: Any) -> dict[str, Any]:
    return summarise(Measured({}, records, jobs, **changes))


def flags_of(summary: dict[str, Any]) -> set[str]:
    return {flag["flag"] for flag in summary["flags"]}


def test_a_sound_table_has_no_flags_and_a_paired_gap() -> None:
    jobs = plan(config(*TWINS))
    summary = summary_of(jobs, make_records(jobs, {"w": 0.97, "b": 0.85}))
    assert flags_of(summary) == set()
    gap = summary["gaps"][0]
    assert (gap["white"], gap["black"], gap["n_images"], gap["n_clusters"]) == ("w/frame", "b/frame", 60, 30)
    assert gap["ci_low"] < gap["difference"] < gap["ci_high"]
    rows = {row["scenario"]: row for row in summary["scenarios"]}
    assert gap["difference"] == pytest.approx(rows["w/frame"]["bit_accuracy"] - rows["b/frame"]["bit_accuracy"])


@pytest.mark.parametrize(
    ("flag", "accuracy", "changes"),
    [
        ("black_above_white", {"w": 0.8, "b": 0.95}, {}),
        ("null_above_nominal", {}, {"null": 0.6}),
        ("below_chance", {"b": 0.4}, {}),
        ("few_clusters", {}, {"people": 19}),
    ],
)
def test_each_flag_is_raised_by_its_cause(flag: str, accuracy: dict[str, float], changes: dict[str, Any]) -> None:
    jobs = plan(config(*TWINS))
    assert flag in flags_of(summary_of(jobs, make_records(jobs, accuracy, **changes)))


def test_an_attack_that_did_nothing_is_flagged_but_no_attack_is_not() -> None:
    jobs = plan(config(*TWINS))
    records = make_records(jobs, {})
    records["attack_status"] = records["attack_status"].cat.add_categories("passed_through")
    idle = records["scenario"].isin(["no_attack/frame", "no_attack/face", "b/face"])
    records.loc[idle, "attack_status"] = "passed_through"
    records.loc[records["scenario"].str.startswith("no_attack"), "family"] = "control"
    named = [flag["scenario"] for flag in summary_of(jobs, records)["flags"] if flag["flag"] == "attack_did_nothing"]
    assert named == ["b/face"]


@pytest.mark.parametrize(
    ("changes", "idle"),
    [
        ({"changed": 0.0004}, True),
        ({"moved": 0.08}, True),
        ({"moved": 0.5}, False),
        ({"moved": 0.5, "donor_distance": 0.75, "donor_distance_before": 0.7}, True),
        ({"moved": 0.5, "donor_distance": 0.45, "donor_distance_before": 0.7}, False),
    ],
)
def test_a_swap_that_did_not_swap_is_flagged(changes: dict[str, float], idle: bool) -> None:
    jobs = plan(config(*TWINS))
    records = make_records(jobs, {}).assign(family="swap")
    for name, value in changes.items():
        records.loc[records["scenario"] == "b/frame", name] = value
    named = [flag["scenario"] for flag in summary_of(jobs, records)["flags"] if flag["flag"] == "attack_did_nothing"]
    assert named == (["b/frame"] if idle else [])


def donor_records(jobs: list[Job], donors: int, strength: float) -> pd.DataFrame:
    """Records of the donor role whose soft bits lean towards the message by ``strength``."""
    rng = np.random.default_rng(0)
    records = make_records([job for job in jobs if job.role == "carrier"], {})
    one = make_records([job for job in jobs if job.role == "donor"], {"b-donor": 0.55}, people=30, each=1)
    parts = []
    for donor in range(donors):
        words = rng.standard_normal((len(one), BITS))
        words[(one["kind"] == "tagged").to_numpy()] += strength
        parts.append(one.assign(cluster=f"donor {donor:04d}", agreement=list(words)))
    frame = pd.concat([records, *parts], ignore_index=True)
    for name in ("scenario", "kind", "picture", "identity", "cluster", "role", "attack_status", "read_status"):
        frame[name] = frame[name].astype("category")
    return frame


@pytest.mark.parametrize(("donors", "strength", "found"), [(1, 0.4, True), (4, 0.4, True), (1, 0.0, False)])
def test_donors_are_one_test_and_the_clusters(donors: int, strength: float, found: bool) -> None:
    jobs = plan(config({"attack": "w"}, {"attack": "b", "box": "black", "role": "donor", "donors": donors}))
    summary = summary_of(jobs, donor_records(jobs, donors, strength))
    row = next(row for row in summary["scenarios"] if row["scenario"] == "b-donor/frame")
    assert (row["n_images"], row["n_clusters"], row["pooled_bits"]) == (30 * donors, donors, BITS * donors)
    assert (row["pooled_p_value"] < 1e-6) == found
    assert row["null_pooled_p_value"] > 1e-3
    assert (row["ci_low"] is None) == (donors == 1)
    pooled_null = next(row for row in summary["scenarios"] if row["scenario"] == "untagged_null/frame")
    assert pooled_null["n_null"] == 60
    names = [flag["flag"] for flag in summary["flags"] if flag["scenario"] == "b-donor/frame"]
    assert names == ["few_clusters"]


def test_a_control_that_reads_as_tagged_raises_the_alarm() -> None:
    jobs = plan(config({"attack": "b", "box": "black", "role": "donor"}))
    records = donor_records(jobs, 1, 0.5)
    records["kind"] = records["kind"].map({"tagged": "null", "null": "tagged"})
    assert "null_above_nominal" in flags_of(summary_of(jobs, records))


def test_a_job_that_did_not_run_is_a_row_with_a_reason_and_gives_no_gap() -> None:
    jobs = plan(config(*TWINS))
    missing = {"b": Missing("the tool is not installed", "faketagger zoo install b", "synthesis", 1)}
    records = make_records([job for job in jobs if job.id != "b"], {})
    summary = summary_of(jobs, records, missing=missing)
    row = next(row for row in summary["scenarios"] if row["scenario"] == "b/face")
    assert (row["status"], row["command"], row["n_images"]) == ("not run", "faketagger zoo install b", 0)
    assert row["bit_accuracy"] is None
    assert summary["gaps"] == []
    assert "not_run" in flags_of(summary)


def test_the_summary_is_plain_json_and_a_pure_function() -> None:
    jobs = plan(config(*TWINS))
    records = make_records(jobs, {})
    once = json.dumps(summary_of(jobs, records), allow_nan=False)
    assert once == json.dumps(summary_of(jobs, records), allow_nan=False)
    assert once != json.dumps(summary_of(jobs, records, seed=1), allow_nan=False)


@pytest.mark.slow
def test_ten_thousand_pictures_times_forty_scenarios_are_summarised_in_time_and_memory() -> None:
    jobs = plan(config(*({"attack": f"a{i}", "view": "frame"} for i in range(38))))
    records = make_records(jobs, {}, people=5000, each=2)
    tracemalloc.start()
    start = time.process_time()
    summary = summary_of(jobs, records)
    spent, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(records) == 800_000
    assert len(summary["scenarios"]) == 42
    assert spent < 30
    assert peak < 1.5e9
