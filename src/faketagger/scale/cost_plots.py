"""How the cost grows: with picture size, faces per picture, collection and workers, each with its interval."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from faketagger.scale.plan import CostModel, Estimate, plan


def plot_plan(
    model: CostModel, path: Path, images: int, workers: int, side: float, faces: float, efficiency: Estimate
) -> None:
    """Four panels around one plan.

    Args:
        model: Fitted cost.
        path: PNG, SVG or PDF to write.
        images: Pictures of the collection.
        workers: Processes at a time.
        side: Square root of the mean number of pixels.
        faces: Mean number of faces.
        efficiency: Of several workers together against one.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    table = model.table
    seconds = table.seconds()
    seen_sides = np.array([one.side for one in table.observations])
    seen_faces = np.array([one.faces for one in table.observations])

    def hours(count: float, crew: float) -> Estimate:
        return plan(model, max(1, round(count)), max(1, round(crew)), side, faces, efficiency).hours

    sides = np.linspace(seen_sides.min(), max(seen_sides.max(), side), 60)
    _band(axes[0], sides, lambda value: model.seconds(value, faces))
    one_face = seen_faces == seen_faces.min()
    axes[0].plot(seen_sides[one_face], seconds[one_face], "k.", alpha=0.6, label=f"measured, {seen_faces.min()} face")
    axes[0].set(xlabel="side of the picture, pixels", ylabel="seconds a picture", title=f"{faces:g} faces a picture")
    axes[0].legend()

    counts = np.linspace(seen_faces.min(), max(seen_faces.max(), faces), 60)
    _band(axes[1], counts, lambda value: model.seconds(side, value))
    near = seen_sides == seen_sides[np.abs(seen_sides - side).argmin()]
    label = f"measured, {seen_sides[near][0]} px"
    axes[1].plot(seen_faces[near], seconds[near], "k.", alpha=0.6, label=label)
    axes[1].set(xlabel="faces a picture", ylabel="seconds a picture", title=f"{side:g} pixels")
    axes[1].legend()

    sizes = np.geomspace(max(100, images / 1000), images, 40)
    _band(axes[2], sizes, lambda value: hours(value, workers))
    axes[2].set(xlabel="pictures", ylabel="hours", xscale="log", yscale="log", title=f"{workers} workers, extrapolated")

    crews = np.unique(np.geomspace(1, max(2, 4 * workers), 40).round())
    _band(axes[3], crews, lambda value: hours(images, value))
    axes[3].set(
        xlabel="workers", ylabel="hours", xscale="log", yscale="log",
        title=f"{images:,} pictures, efficiency {efficiency.value:.2f}",
    )  # fmt: skip
    for axis in axes:
        axis.set_ylim(bottom=0 if axis.get_yscale() == "linear" else None)
        axis.grid(alpha=0.3, which="both")
    figure.suptitle(f"{table.model} on {table.machine}, {table.device}; line: fit, band: 95 % interval of its mean")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _band(axis: object, places: np.ndarray, cost: Callable[[float], Estimate]) -> None:
    found = [cost(float(place)) for place in places]
    axis.plot(places, [one.value for one in found])  # type: ignore[attr-defined]
    axis.fill_between(places, [one.low for one in found], [one.high for one in found], alpha=0.25)  # type: ignore[attr-defined]
