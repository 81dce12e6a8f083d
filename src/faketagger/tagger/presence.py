"""Is there a tag already, under whatever key? The decoder is sure of the bits of a tagged face and of no others."""

import numpy as np
import torch
from numpy.typing import NDArray

from faketagger.coding import Codec, corrected_p_value
from faketagger.errors import FaceError
from faketagger.tagger.framing import confidence
from faketagger.tagger.reading import SIGNIFICANCE

CERTAIN = 0.87
"""Mean confidence of a face's bits from which it counts as tagged; docs/faq.md has what was measured."""


def bit_confidence(poses: NDArray[np.float64]) -> float:
    """How sure the decoder is of the bits of one face.

    Args:
        poses: (2, L) logits of the aligned face and of its mirror image.

    Returns:
        The larger of the two poses' mean chance that a bit is what it seems to be, in [0.5, 1].
    """
    return float(confidence(torch.from_numpy(poses.copy())).max())


def refuse_tagged(faces: list[NDArray[np.float64]], codec: Codec) -> None:
    """Keep a second tag from a picture that has one: it would take the place of the first.

    Args:
        faces: (2, L) logits of each face.
        codec: Code and key of who would tag: a payload that it can read counts, however unsure the bits are.

    Raises:
        FaceError: A face is tagged.
    """
    for number, poses in enumerate(faces, start=1):
        decoded = [codec.decode(logits) for logits in poses]
        p_value = corrected_p_value(min(one.p_value for one in decoded), len(poses) * len(faces))
        if bit_confidence(poses) >= CERTAIN or p_value <= SIGNIFICANCE:
            which = f"face {number} of {len(faces)}" if len(faces) > 1 else "the face"
            raise FaceError(
                f"{which} already carries a tag, which a second one would replace",
                "read it with `faketagger read`; `faketagger tag --again` (in Python again=True) replaces it",
            )
