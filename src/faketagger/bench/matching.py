"""Quality at equal PSNR: the strength at which a watermark costs a given mean PSNR.

The strength is a factor on the watermark's own knob (quantisation step, margin, PSNR of the crop), or on its residual
where it has none. It is looked for on up to eight of the benchmark's pictures, spread over the set, each with its own
message and rounded to 8 bits, until their mean PSNR is within 0.05 dB, in at most twelve trials. What the whole set
costs then is in the table like any other PSNR.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from faketagger.bench.messages import MessageSource
from faketagger.bench.pictures import Cut, load_png
from faketagger.bench.quality import psnr_db
from faketagger.bench.store import Store
from faketagger.bench.subject import Subject
from faketagger.errors import WatermarkError

PICTURES = 8
TRIALS = 12
CLOSE_DB = 0.05
TOLERANCE_DB = 1.0
"""Further off than this and the comparison would not be at equal PSNR."""


def hold_psnr(
    target_db: float | None, subject: Subject, messages: MessageSource, cuts: list[Cut], store: Store
) -> dict[str, Any] | None:
    """Set the subject's strength so that it costs a given PSNR; what was found before in this folder is used again.

    Args:
        target_db: Mean PSNR of whole pictures; None leaves the subject as it is.
        subject: Its strength is set.
        messages: Source of messages.
        cuts: The benchmark's pictures.
        store: Remembers the strength.

    Returns:
        ``target_db, reached_db, strength, knob, pictures``, for the summary; None where nothing was asked.

    Raises:
        WatermarkError: No strength comes within 1 dB.
    """
    if target_db is None:
        return None
    found: dict[str, Any] | None = store.state.get("psnr_match")
    if found is None:
        places = np.linspace(0, len(cuts) - 1, min(PICTURES, len(cuts))).round().astype(int)
        chosen = [cuts[place] for place in places]
        images = [load_png(cut.path) for cut in chosen]
        bits = [messages.message("tagged", cut.name) for cut in chosen]

        def cost(strength: float) -> float:
            subject.set_strength(strength)
            made = subject.embed(images, bits, [cut.landmarks for cut in chosen])
            return float(np.mean([psnr_db(image, tagged) for image, tagged in zip(images, made, strict=True)]))

        strength, reached = find_strength(cost, target_db, subject.name)
        found = {
            "target_db": target_db,
            "reached_db": round(reached, 3),
            "strength": strength,
            "knob": subject.knob,
            "pictures": len(chosen),
        }
        store.save_state(psnr_match=found)
    subject.set_strength(found["strength"])
    return found


def find_strength(cost: Callable[[float], float], target_db: float, name: str) -> tuple[float, float]:
    """Look for the strength that costs a PSNR: steps of 20 dB a decade, inside the bracket once there is one.

    Args:
        cost: Mean PSNR in dB at a strength.
        target_db: What it should be.
        name: Of the watermark, for the message.

    Returns:
        The nearest strength tried, and its PSNR.

    Raises:
        WatermarkError: The nearest is more than 1 dB off.
    """
    weak, strong = 0.0, math.inf
    strength, best = 1.0, (1.0, math.inf)
    for _ in range(TRIALS):
        reached = cost(strength)
        if abs(reached - target_db) < abs(best[1] - target_db):
            best = (strength, reached)
        if abs(reached - target_db) <= CLOSE_DB:
            break
        if reached > target_db:
            weak = max(weak, strength)
        else:
            strong = min(strong, strength)
        strength *= 10 ** ((reached - target_db) / 20)
        if not weak < strength < strong:
            strength = math.sqrt(weak * strong) if weak and math.isfinite(strong) else (weak or strong / 2) * 1.3
    if abs(best[1] - target_db) > TOLERANCE_DB:
        raise WatermarkError(
            f"The watermark {name} cannot be held at {target_db:g} dB: the nearest it comes is {best[1]:.1f} dB.",
            "Choose another --match-psnr, or leave it out.",
        )
    return best
