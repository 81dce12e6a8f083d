"""The conformance suite for adapters of kind ``watermark``: what the contract asks of ``embed`` and ``read``."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from faketagger.errors import AdapterError
from faketagger.zoo.expectations import check_pictures
from faketagger.zoo.manifest import Adapter
from faketagger.zoo.marking import Marker
from faketagger.zoo.outputs import read_png
from faketagger.zoo.sandbox import Sandbox

_ENOUGH = 0.8


def check_marking(adapter: Adapter, preset: str | None, walls: Sandbox, note: Callable[..., None]) -> None:
    """Hold a watermark against every expectation, by running it.

    Args:
        adapter: Installed.
        preset: Parameters to run it with.
        walls: Around every call.
        note: Told each expectation with what is wrong, or None.
    """
    marker = Marker(adapter, adapter.manifest.resolve(preset, None), sandbox=walls)
    for phase in ("embed", "read"):
        report = marker.run_empty(phase)  # type: ignore[arg-type]
        problem = None if report.outcome == "finished" else report.reason
        note(f"its {phase} ends well without any picture", problem)
        if problem:
            return
    with tempfile.TemporaryDirectory() as folder:
        pictures = [read_png(path) for path in check_pictures(Path(folder) / "in")]
    side = marker.native_size
    images = [picture if side is None else _square(picture, side) for picture in pictures]
    messages = np.random.default_rng(7).integers(0, 2, (len(images), marker.message_bits)).astype(np.uint8)
    try:
        marked = marker.embed(images, messages)
        soft = marker.read(marked)
        again = marker.embed(images[:1], messages[:1])
    except AdapterError as error:
        note("it marks and reads three pictures", error.message)
        return
    note("it marks and reads three pictures", None)
    sizes = [place for place, (a, b) in enumerate(zip(images, marked, strict=True)) if a.shape != b.shape]
    note("every picture keeps its size", f"picture {sizes[0]} has {marked[sizes[0]].shape}" if sizes else None)
    same = [place for place, (a, b) in enumerate(zip(images, marked, strict=True)) if np.array_equal(a, b)]
    note("every picture is really changed", f"picture {same[0]} is as it was" if same else None)
    right = float(np.mean((soft[0] > 0) == (messages[0] == 1)))
    note("the face gives its bits back", None if right >= _ENOUGH else f"only {right:.0%} of them are right")
    differs = not np.array_equal(again[0], marked[0])
    if adapter.manifest.deterministic:
        note("a picture's result does not depend on run or batch", "it came out differently" if differs else None)
    else:
        note("a picture's result does not depend on run or batch", "the manifest says it does", "skipped")
    if walls.network_blocked:
        note("it needs no network", None)
    else:
        note("it needs no network", f"not shown: {walls.note}", "skipped")


def _square(picture: np.ndarray, side: int) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))
