"""From a benchmark file to numbers: what must be there, what must be equal, what must go on."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from faketagger.bench import chunks as chunking
from faketagger.bench.controls import align_only
from faketagger.errors import AdapterError, BenchError, ConfigError, FakeTaggerError, ImageError
from faketagger.places import working_alone
from faketagger.simulator.interface import AttackBatch, AttackOutput
from tests.helpers.toy_tagger import ToyFacePool, promised, toy_find_faces

Bench = Callable[..., dict[str, Any]]
PROMISED = {
    *("attack", "version", "family", "role", "view", "black_box", "severity", "n_images", "n_clusters"),
    *("bit_accuracy", "ci_low", "ci_high", "exact_match", "tpr_at_fpr", "null_fpr", "psnr_db"),
    *("attacked", "passed_through", "failed"),
}


def rows_of(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["scenario"]: row for row in summary["scenarios"]}


def test_the_table_has_what_is_promised_and_the_rows_that_must_be_there(bench: Bench, tmp_path: Path) -> None:
    summary = bench()
    rows = rows_of(summary)
    assert set(summary) >= {"protocol", "model", "faces", "scenarios", "gaps", "flags"}
    for row in rows.values():
        assert set(row) >= PROMISED
    for view in ("frame", "face"):
        assert rows[f"no_attack/{view}"]["bit_accuracy"] == 1.0
        assert rows[f"no_attack/{view}"]["exact_match"] == 1.0
        assert rows[f"align_only/{view}"]["bit_accuracy"] > 0.95
        assert rows[f"chance/{view}"]["ci_low"] <= 0.5 <= rows[f"chance/{view}"]["ci_high"]
        assert 0.4 < rows[f"untagged_null/{view}"]["bit_accuracy"] < 0.6
        assert rows[f"untagged_null/{view}"]["exact_match"] == 0.0
    assert rows["untagged_null/frame"]["n_images"] == 36
    assert rows["jpeg-90/frame"]["attacked"] == 12
    assert rows["jpeg-90/face"]["n_clusters"] == 6
    assert rows["jpeg-30/frame"]["attack_psnr_db"] < rows["jpeg-90/frame"]["attack_psnr_db"]
    assert "noise/face" not in rows
    assert rows["jpeg-90/frame"]["tpr_at_fpr"] == {"0.01": 1.0, "0.001": 1.0}
    assert [flag["flag"] for flag in summary["flags"] if flag["scenario"] is None] == ["few_clusters"]
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary


def test_two_calls_never_work_in_one_folder(bench: Bench, tmp_path: Path) -> None:
    first, out = bench(), tmp_path / "out"
    (out / "summary.json").unlink()
    with working_alone(out), pytest.raises(FakeTaggerError, match="Another call is working on"):
        bench()
    assert bench() == first


def test_records_hold_every_picture_with_fresh_messages(bench: Bench, tmp_path: Path) -> None:
    bench()
    records = pq.read_table(tmp_path / "out" / "records.parquet").to_pandas()
    assert len(records) == 12 * 2 * (2 * 2 + 2 * 2 + 1)
    assert not records.duplicated(["scenario", "kind", "picture"]).any()
    nulls = records[(records.kind == "null") & (records.scenario == "no_attack/frame")]
    assert nulls.matched.nunique() > 3


def test_two_runs_and_any_order_of_the_faces_give_the_same_bytes(bench: Bench, tmp_path: Path) -> None:
    bench("one")
    manifest = tmp_path / "faces" / "manifest.csv"
    head, *lines = manifest.read_text().splitlines()
    random.Random(1).shuffle(lines)
    manifest.write_text("\n".join([head, *lines]) + "\n")
    bench("two")
    assert (tmp_path / "one" / "summary.json").read_bytes() == (tmp_path / "two" / "summary.json").read_bytes()


def test_a_run_stopped_anywhere_resumes_to_the_same_bytes(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench("straight")
    save = chunking.write_part
    for index, stop_after in enumerate(random.Random(4).sample(range(20), 4)):
        written = 0

        def interrupted(*values: Any, limit: int = stop_after) -> None:
            nonlocal written
            if written == limit:
                raise KeyboardInterrupt
            written += 1
            save(*values)

        monkeypatch.setattr(chunking, "write_part", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench(f"stopped{index}")
        parts = list((tmp_path / f"stopped{index}" / "parts").glob("*/*.parquet"))
        assert len(parts) == stop_after
        dates = {part: part.stat().st_mtime_ns for part in parts}
        monkeypatch.setattr(chunking, "write_part", save)
        bench(f"stopped{index}")
        assert dates == {part: part.stat().st_mtime_ns for part in parts}
        straight = (tmp_path / "straight" / "summary.json").read_bytes()
        assert (tmp_path / f"stopped{index}" / "summary.json").read_bytes() == straight


def test_a_finished_run_loads_nothing(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench()
    monkeypatch.setattr("faketagger.load", lambda name: pytest.fail("a finished benchmark loaded its model"))
    assert bench() == first


def test_other_inputs_are_refused(bench: Bench, tmp_path: Path) -> None:
    bench(scenarios=[{"attack": "noise"}])
    with pytest.raises(BenchError, match="another benchmark file"):
        bench(scenarios=[{"attack": "noise"}], seed=1)
    (tmp_path / "toy" / "config.yaml").write_text("toy: 2\n")
    with pytest.raises(BenchError, match="another model"):
        bench(scenarios=[{"attack": "noise"}])
    with pytest.raises(BenchError, match="holds no benchmark"):
        bench("faces")


def test_a_broken_attack_is_named_and_the_others_go_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(self: object, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:
        raise RuntimeError("the noise ran out")

    monkeypatch.setattr("faketagger.simulator.degradations.noise.Noise.apply", explode)
    summary = bench()
    rows = rows_of(summary)
    broken = rows["noise/frame"]
    assert broken["status"] == "not run"
    assert "the noise ran out" in broken["reason"]
    assert broken["command"]
    assert broken["bit_accuracy"] is None
    assert rows["jpeg-90/frame"]["bit_accuracy"] > 0.95
    assert any(flag["flag"] == "not_run" and flag["scenario"] == "noise/frame" for flag in summary["flags"])


def test_failures_count_as_chance_and_unchanged_pictures_as_passed_through(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moody(self: object, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:
        broken = bool(batch.images[0, 0, 0, 0] * 255 % 2 < 1)
        images = torch.full_like(batch.images, torch.nan) if broken else batch.images
        return AttackOutput(images, ["attacked"], torch.ones_like(images[:, :1]), [{}])

    monkeypatch.setattr("faketagger.simulator.degradations.noise.Noise.apply", moody)
    summary = bench(scenarios=[{"attack": "noise", "view": "frame"}])
    row = rows_of(summary)["noise/frame"]
    assert row["failed"] + row["passed_through"] == 12
    assert row["attacked"] == 0
    assert row["failed"] > 0
    assert row["bit_accuracy"] == pytest.approx((0.5 * row["failed"] + row["passed_through"]) / 12)
    names = {flag["flag"] for flag in summary["flags"]}
    assert "many_failures" in names or row["failed"] * 5 <= 12
    assert "attack_did_nothing" in names


def test_an_attack_that_hides_the_face_reads_as_chance(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def flatten(self: object, batch: AttackBatch, rng: torch.Generator) -> AttackOutput:
        images = torch.full_like(batch.images, 0.5)
        return AttackOutput(images, ["attacked"], torch.ones_like(images[:, :1]), [{}])

    monkeypatch.setattr("faketagger.simulator.degradations.noise.Noise.apply", flatten)
    row = rows_of(bench(scenarios=[{"attack": "noise"}]))["noise/face"]
    assert (row["no_face"], row["bit_accuracy"], row["tpr_at_fpr"]["0.01"]) == (12, 0.5, 0.0)


def test_what_cannot_start_says_so_in_a_sentence(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as wrong:
        bench("a", scenarios=[{"attack": "jpg"}])
    assert wrong.value.hint == "Did you mean 'jpeg'?"
    with pytest.raises(AdapterError, match="no adapter 'jpeg'"):
        bench("b", scenarios=[{"attack": "jpeg", "box": "black"}])
    with pytest.raises(ConfigError, match="the same"):
        bench("c", scenarios=[{"attack": "jpeg"}, {"attack": "jpeg"}])
    with pytest.raises(ConfigError, match="pair"):
        bench("d", scenarios=[{"attack": "jpeg", "pair": "twins"}])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="no picture"):
        bench("e", faces={"source": str(tmp_path / "empty")})
    (tmp_path / "blocked").write_text("a file where the folder should go")
    with pytest.raises(BenchError, match="cannot be written"):
        bench("blocked/out")
    monkeypatch.setattr(ToyFacePool, "look", lambda self, image: promised(None))
    with pytest.raises(BenchError, match="No usable face"):
        bench("g")


def test_align_only_stays_close_and_says_where_it_resampled() -> None:
    image = np.random.default_rng(0).integers(60, 200, (6, 6, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    landmarks = torch.from_numpy(toy_find_faces(image)[0].landmarks)[None]
    images = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    back, masks = align_only(images, landmarks)
    assert back.shape == images.shape
    assert masks.shape == (1, 1, 96, 96)
    assert torch.equal(back[masks.expand_as(back) == 0], images[masks.expand_as(back) == 0])
    assert (back - images).abs().mean() < 0.02
