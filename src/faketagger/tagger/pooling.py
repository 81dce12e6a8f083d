"""One verdict from many frames: soft bits of one face are added up, decoded once, and every choice is paid for.

All frames of a tagged video carry one message. What the frames read is *not* independent, tagged or not: they show
the same face to the same decoder. So nothing is multiplied over frames. The soft bits of a track are pooled into one
word by a rule that knows neither key nor message, and that one word is compared with the code. Whatever the frames
have in common, under the null hypothesis the message is random given the word, and the p-value is that of a single
read. What is chosen afterwards (the track, the pose) is corrected for; a frame's own p-value is shown but never used.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faketagger.coding import Codec, Payload, Register, corrected_p_value
from faketagger.faces import Face
from faketagger.tagger.reading import POSES

REACH = 0.5
"""How far a face may move between two sampled frames, in its own sides."""
GROWTH = 1.6
"""How much larger or smaller it may become."""
MISSES = 10
"""Sampled frames without a face after which its track ends."""


@dataclass
class Track:
    """One face followed through a video, by its position.

    Attributes:
        number: From 0, in order of appearance.
        box: Left, top, right and bottom where it was last seen.
        seen: Place among the sampled frames where it was last seen.
        first_s: When it was first seen.
        last_s: When it was last seen.
        frames: How many frames were pooled.
        sums: (2, L) soft bits added up, as they are and as in a mirror.
    """

    number: int
    box: NDArray[np.float32]
    seen: int
    first_s: float
    last_s: float
    frames: int
    sums: NDArray[np.float64]

    def add(self, face: Face, poses: NDArray[np.float64], place: int, time_s: float) -> None:
        """Pool the logits (2, L) of one more frame."""
        self.box, self.seen, self.last_s = face.box, place, time_s
        self.frames += 1
        self.sums += np.tanh(poses / 2)


class Tracks:
    """The faces of a video, kept apart by where they are."""

    def __init__(self) -> None:
        self.all: list[Track] = []

    def follow(self, faces: list[Face], poses: list[NDArray[np.float64]], place: int, time_s: float) -> list[int]:
        """Put the faces of one sampled frame where they belong.

        Args:
            faces: What was found.
            poses: (2, L) logits of each.
            place: Number of the frame among the sampled ones.
            time_s: Its time.

        Returns:
            The track of each face; a face near no running track begins one.
        """
        running = [track for track in self.all if place - track.seen <= MISSES]
        pairs = sorted(
            (step, track.number, index)
            for track in running
            for index, face in enumerate(faces)
            if (step := _step(track.box, face.box)) < REACH
        )
        taken: dict[int, int] = {}
        for _, number, index in pairs:
            if index not in taken and number not in taken.values():
                taken[index] = number
        for index, (face, logits) in enumerate(zip(faces, poses, strict=True)):
            if index not in taken:
                taken[index] = len(self.all)
                self.all.append(
                    Track(len(self.all), face.box, place, time_s, time_s, 0, np.zeros(logits.shape, np.float64))
                )
            self.all[taken[index]].add(face, logits, place, time_s)
        return [taken[index] for index in range(len(faces))]


@dataclass(frozen=True)
class TrackReading:
    """What one track holds.

    Attributes:
        number: The track.
        first_s: When it was first seen.
        last_s: When it was last seen.
        frames: Frames pooled.
        payload: What was decoded, or None.
        probabilities: (L,) mean chance of each message bit to be 1.
        p_value: Chance that an untagged face reads as well, all payloads and poses tried counted.
        confidence: Share of the soft evidence that agrees with the decoded message.
        mirrored: True where the face was read as in a mirror.
    """

    number: int
    first_s: float
    last_s: float
    frames: int
    payload: Payload | None
    probabilities: NDArray[np.float64]
    p_value: float
    confidence: float
    mirrored: bool

    def plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "track": self.number,
            "first_s": round(self.first_s, 4),
            "last_s": round(self.last_s, 4),
            "frames": self.frames,
            "payload": self.payload.hex if self.payload else None,
            "p_value": self.p_value,
            "confidence": self.confidence,
            "mirrored": self.mirrored,
            "probabilities": [round(float(one), 4) for one in self.probabilities],
        }


@dataclass(frozen=True)
class VideoReading:
    """What a video holds: its most significant track speaks for it.

    Attributes:
        payload: The payload where the pooled tag is significant, else None.
        p_value: Chance that an untagged video reads as well, every track and pose counted; 1 without a face.
        tracks: One reading a face, in order of appearance.
        frames: One entry a sampled frame: index, time and what each face reads by itself.
    """

    payload: Payload | None
    p_value: float
    tracks: list[TrackReading] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)

    @property
    def with_face(self) -> int:
        """Sampled frames in which a face was found."""
        return sum(bool(frame["faces"]) for frame in self.frames)

    def plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "payload": self.payload.hex if self.payload else None,
            "text": self.payload.text if self.payload else None,
            "p_value": self.p_value,
            "frames_read": len(self.frames),
            "frames_with_face": self.with_face,
            "tracks": [track.plain() for track in self.tracks],
            "frames": self.frames,
        }


def read_track(track: Track, codec: Codec | Register) -> TrackReading:
    """Decode the pooled soft bits of a track once a pose; the better pose counts, corrected for the choice."""
    decoded = [codec.decode(sums) for sums in track.sums]
    best = min(range(len(decoded)), key=lambda pose: (decoded[pose].p_value, -decoded[pose].confidence))
    return TrackReading(
        track.number,
        track.first_s,
        track.last_s,
        track.frames,
        decoded[best].payload,
        0.5 + 0.5 * track.sums[best] / track.frames,
        corrected_p_value(decoded[best].p_value, POSES),
        decoded[best].confidence,
        mirrored=best == 1,
    )


def read_tracks(
    tracks: list[Track], codec: Codec | Register, significance: float, frames: list[dict[str, Any]]
) -> VideoReading:
    """Sum up a video.

    Args:
        tracks: Its faces.
        codec: The tagger's code and key, or the payloads known.
        significance: Largest p-value at which a payload is reported.
        frames: What the single frames read, to be passed on.
    """
    if not tracks:
        return VideoReading(None, 1.0, [], frames)
    readings = [read_track(track, codec) for track in tracks]
    best = min(readings, key=lambda reading: reading.p_value)
    p_value = corrected_p_value(best.p_value, len(readings))
    return VideoReading(best.payload if p_value <= significance else None, p_value, readings, frames)


def _step(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Distance of two boxes' centres in their mean side; infinite where their sizes do not fit."""
    sides = [max(float(np.sqrt(max((b[2] - b[0]) * (b[3] - b[1]), 1e-6))), 1e-3) for b in (one, other)]
    if max(sides) > GROWTH * min(sides):
        return float("inf")
    centres = [(b[:2] + b[2:]) / 2 for b in (one, other)]
    return float(np.linalg.norm(centres[0] - centres[1])) / (sum(sides) / 2)
