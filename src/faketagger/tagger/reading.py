"""What a read found: one result for the picture, one for each face in it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faketagger.coding import Codec, Payload, Register, corrected_p_value
from faketagger.faces import Face

POSES = 2
SIGNIFICANCE = 1e-6
"""Largest p-value at which a payload is reported, unless a caller chooses another."""


@dataclass(frozen=True)
class FaceReading:
    """What one face holds.

    Attributes:
        face: Where it is.
        payload: What was decoded, or None.
        probabilities: (L,) chance of each message bit to be 1, in [0, 1].
        p_value: Chance that an untagged face reads as well, all payloads and poses tried counted.
        confidence: Share of the soft evidence that agrees with the decoded message, in [0, 1].
        mirrored: True where the face was read as in a mirror.
    """

    face: Face
    payload: Payload | None
    probabilities: NDArray[np.float64]
    p_value: float
    confidence: float
    mirrored: bool

    def plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "box": [round(float(edge), 1) for edge in self.face.box],
            "payload": self.payload.hex if self.payload else None,
            "p_value": self.p_value,
            "confidence": self.confidence,
            "mirrored": self.mirrored,
            "probabilities": [round(float(one), 4) for one in self.probabilities],
        }


@dataclass(frozen=True)
class TagReading:
    """What a picture holds: its most significant face speaks for it.

    Attributes:
        payload: The payload where the tag is significant, else None.
        probabilities: (L,) chance of each message bit to be 1; all 0.5 where there is no face.
        p_value: Chance that an untagged picture reads as well, every face and pose tried counted; 1 without a face.
        faces: One reading a face, largest face first; empty where no face was found.
    """

    payload: Payload | None
    probabilities: NDArray[np.float64]
    p_value: float
    faces: list[FaceReading] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "payload": self.payload.hex if self.payload else None,
            "text": self.payload.text if self.payload else None,
            "p_value": self.p_value,
            "faces": [face.plain() for face in self.faces],
        }


def read_face(face: Face, poses: NDArray[np.float64], codec: Codec | Register) -> FaceReading:
    """Decode the logits of one face.

    Args:
        face: Where it is.
        poses: (2, L) logits of the aligned face and of its mirror image.
        codec: The tagger's code and key, or the payloads known.

    Returns:
        The more significant of the two poses, its p-value corrected for the choice.
    """
    decoded = [codec.decode(logits) for logits in poses]
    best = min(range(len(decoded)), key=lambda pose: (decoded[pose].p_value, -decoded[pose].confidence))
    return FaceReading(
        face,
        decoded[best].payload,
        1 / (1 + np.exp(-poses[best])),
        corrected_p_value(decoded[best].p_value, POSES),
        decoded[best].confidence,
        mirrored=best == 1,
    )


def read_picture(faces: list[FaceReading], codec: Codec | Register, significance: float) -> TagReading:
    """Sum up the faces of one picture.

    Args:
        faces: Readings of its faces.
        codec: The tagger's code and key, or the payloads known.
        significance: Largest p-value at which a payload is reported.
    """
    if not faces:
        return TagReading(None, np.full(codec.message_bits, 0.5), 1.0)
    best = min(faces, key=lambda reading: reading.p_value)
    p_value = corrected_p_value(best.p_value, len(faces))
    return TagReading(best.payload if p_value <= significance else None, best.probabilities, p_value, faces)
