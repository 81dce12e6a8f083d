"""Is there a tag already, under whatever key? The decoder is sure of the bits of a tagged face and of no others."""

import numpy as np
from numpy.typing import NDArray

from faketagger.errors import FaceError

CERTAIN = 0.87
"""Mean confidence of a face's bits from which it counts as tagged; docs/faq.md has what was measured."""


def bit_confidence(poses: NDArray[np.float64]) -> float:
    """How sure the decoder is of the bits of one face.

    Args:
        poses: (2, L) logits of the aligned face and of its mirror image.

    Returns:
        The larger of the two poses' mean chance that a bit is what it seems to be, in [0.5, 1].
    """
    return float((1 / (1 + np.exp(-np.abs(poses)))).mean(1).max())


def refuse_tagged(faces: list[NDArray[np.float64]]) -> None:
    """Keep a second tag from a picture that has one: it would take the place of the first.

    Args:
        faces: (2, L) logits of each face.

    Raises:
        FaceError: A face is tagged.
    """
    for number, poses in enumerate(faces, start=1):
        if (confidence := bit_confidence(poses)) >= CERTAIN:
            which = f"face {number} of {len(faces)}" if len(faces) > 1 else "the face"
            raise FaceError(
                f"{which} already carries a tag (its bits are {confidence:.0%} sure), which a second one would replace",
                "read it with `faketagger read`; `faketagger tag --again` (in Python again=True) replaces it",
            )
