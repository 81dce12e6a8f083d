"""Reads offline W&B runs back, as ``wandb sync`` will."""

import base64
import hashlib
import json
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any


class OfflineRun:
    """One offline run, read by ``wandb leet inspect`` as far as it is asked for.

    Args:
        folder: ``offline-run-...``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def told(self) -> dict[str, Any]:
        """State, configuration and summary."""
        return dict(json.loads(_inspect("--summary", self.folder)))

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """Everything in the run's file, in order."""
        return [json.loads(line) for line in _inspect(self.folder).splitlines()]

    @property
    def header(self) -> dict[str, Any]:
        """Group, job type, tags and name."""
        return next(record["run"] for record in self.records if record["type"] == "run")

    @property
    def axes(self) -> dict[str, str]:
        """Axis by metric."""
        metrics = [record["metric"] for record in self.records if record["type"] == "metric"]
        return {one.get("name") or one["glob_name"]: one["step_metric"] for one in metrics if one.get("step_metric")}

    @property
    def history(self) -> list[dict[str, Any]]:
        """Rows that were logged."""
        return [record["history"]["item"] for record in self.records if record["type"] == "history"]

    @property
    def artifacts(self) -> dict[str, dict[str, Any]]:
        """Artifacts by type, without those that hold the tables."""
        found = [record["artifact"] for record in self.records if record["type"] == "artifact"]
        return {one["type"]: one for one in found if one["type"] != "run_table"}

    def table(self, key: str) -> "tuple[list[list[Any]], dict[str, Path]]":
        """Rows of a table, and the files of the artifact that holds it.

        Args:
            key: It was logged under.
        """
        name = f"{key}.table.json"
        found = (record["artifact"] for record in self.records if record["type"] == "artifact")
        files = next(files for one in found if name in (files := contents(one)))
        return list(json.loads(files[name].read_text())["data"]), files


def read_runs(folder: Path) -> list[OfflineRun]:
    """All offline runs below a folder, in the order they were written.

    Args:
        folder: Holds ``wandb``.
    """
    runs = [OfflineRun(path) for path in (folder / "wandb").glob("offline-run-*")]
    return sorted(runs, key=lambda run: next(run.folder.glob("*.wandb")).stat().st_ctime_ns)


def contents(artifact: dict[str, Any]) -> dict[str, Path]:
    """Files of an artifact by their name in it, each checked to lie where ``wandb sync`` will look, unharmed.

    Args:
        artifact: Of :attr:`OfflineRun.artifacts`.
    """
    found = {}
    for entry in artifact["manifest"]["contents"]:
        path = Path(entry["local_path"])
        assert base64.b64encode(hashlib.md5(path.read_bytes()).digest()).decode() == entry["digest"], entry["path"]
        found[entry["path"]] = path
    return found


def _inspect(*words: Any) -> str:
    command = [Path(sys.executable).with_name("wandb"), "leet", "inspect", "--json", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
