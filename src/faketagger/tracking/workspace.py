"""The saved W&B workspace: which panels stand where. ``python -m faketagger.tracking.workspace ENTITY`` applies it."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from faketagger.errors import FakeTaggerError
from faketagger.tracking.layout import PROJECT

NAME = "FakeTagger"
_STEP = "trainer/global_step"


def build_workspace(entity: str, project: str = PROJECT) -> Any:
    """The workspace as ``wandb-workspaces`` describes it; nothing is sent.

    Args:
        entity: W&B user or team.
        project: Where the runs are.

    Raises:
        FakeTaggerError: The package is not installed.
    """
    try:
        import wandb_workspaces.reports.v2 as panels
        from wandb_workspaces import workspaces
    except ModuleNotFoundError as error:
        raise FakeTaggerError("wandb-workspaces is not installed.", "pip install 'faketagger[dashboard]'") from error
    bits: list[Any] = [f"val/bits/{name}" for name in ("none", "jpeg", "resize", "blur")]
    training = [
        panels.LinePlot(title="Bits right in validation", x=_STEP, y=bits, range_y=(0.45, 1.0)),
        panels.LinePlot(title="PSNR, dB", x=_STEP, y=["val/psnr_db"]),
        panels.LinePlot(title="Loss", x=_STEP, y=["train/loss"], log_y=True),
        panels.MediaBrowser(title="original | tagged | residual x10", media_keys=["pictures"]),
    ]
    attacks = [
        panels.BarPlot(title="Bits right, frame", metrics=["frame/bit_accuracy"], max_runs_to_show=40),
        panels.BarPlot(title="Bits right, face only", metrics=["face/bit_accuracy"], max_runs_to_show=40),
        panels.LinePlot(
            title="Found against false positive rate", x="roc/fpr", y=["roc/frame"], log_x=True, max_runs_to_show=40
        ),
        panels.ScatterPlot(title="Bits right against attack dB", x="frame/attack_psnr_db", y="frame/bit_accuracy"),
    ]
    bench = [
        panels.LinePlot(
            title="Bits right by row of the table",
            x="bench/scenario",
            y=["bench/ci_low", "bench/bit_accuracy", "bench/ci_high"],
        ),
        panels.MediaBrowser(title="Pictures", media_keys=["tables/pictures"]),
        panels.MediaBrowser(title="Table", media_keys=["tables/scenarios"]),
    ]
    sections: dict[str, list[Any]] = {"Training": training, "Attacks": attacks, "Benchmarks": bench}
    return workspaces.Workspace(
        entity=entity,
        project=project,
        name=NAME,
        sections=[workspaces.Section(name=name, panels=shown, is_open=True) for name, shown in sections.items()],
    )


def metrics_of(workspace: Any) -> set[str]:
    """Every metric, axis and media key that the panels name.

    Args:
        workspace: Of :func:`build_workspace`.
    """
    return {name for section in workspace.sections for panel in section.panels for name in _named(panel)}


def _named(panel: Any) -> Iterator[str]:
    for field in ("x", "y", "metrics", "media_keys"):
        value = getattr(panel, field, None) or []
        for one in value if isinstance(value, list | tuple) else [value]:
            yield str(getattr(one, "name", one))


def main(arguments: list[str] | None = None) -> int:
    """Save the workspace in W&B, which needs a network and an API key.

    Args:
        arguments: Words after the module's name.

    Returns:
        Exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m faketagger.tracking.workspace", description=__doc__)
    parser.add_argument("entity", help="W&B user or team")
    parser.add_argument("--project", default=PROJECT)
    chosen = parser.parse_args(arguments)
    try:
        print(_save(build_workspace(chosen.entity, chosen.project)))
    except FakeTaggerError as error:
        print(f"error: {error.message}\ntry: {error.hint}", file=sys.stderr)
        return 2
    return 0


def _save(workspace: Any) -> str:
    try:
        return str(workspace.save().url)
    except Exception as error:  # the client's own errors share no class
        reason = " ".join(str(error).split())[:200]
        raise FakeTaggerError(
            f"W&B does not save the workspace: {reason}", "Run 'wandb login', and check the entity and the network."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
