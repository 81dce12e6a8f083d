"""Expressions and poses as moves of the 68 landmarks of an aligned face."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from faketagger.simulator.face_attack import CROP, EYE_DISTANCE
from faketagger.simulator.graded import uniform

_RANGES = {
    "mouth": (-0.6, 1.0),
    "smile": (-0.6, 1.0),
    "brows": (-0.7, 1.0),
    "blink": (-0.3, 0.8),
    "yaw": (-1.0, 1.0),
    "pitch": (-0.6, 0.6),
}
_FULL_TURN = 0.30
_UPPER_LIDS, _LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
_UPPER_LIP, _LOWER_LIP = [61, 62, 63], [67, 66, 65]
_JAW_DROP = {4: 0.12, 5: 0.3, 6: 0.5, 7: 0.7, 8: 0.72, 9: 0.7, 10: 0.5, 11: 0.3, 12: 0.12}
_LIP_DROP = {55: 0.6, 56: 0.95, 57: 1.0, 58: 0.95, 59: 0.6, 65: 0.9, 66: 1.0, 67: 0.9}
_LIP_LIFT = {50: -0.06, 51: -0.06, 52: -0.06, 61: -0.06, 62: -0.06, 63: -0.06}
_SMILE = {48: -1.0, 60: -0.9, 49: -0.5, 59: -0.5, 54: 1.0, 64: 0.9, 53: 0.5, 55: 0.5, 31: -0.15, 35: 0.15}
_BROWS = {17: 0.5, 18: 0.8, 19: 1.0, 20: 1.0, 21: 0.9, 22: 0.9, 23: 1.0, 24: 1.0, 25: 0.8, 26: 0.5}
_NOSE_DEPTH = {27: 0.05, 28: 0.15, 29: 0.27, 30: 0.40, 31: 0.14, 32: 0.2, 33: 0.24, 34: 0.2, 35: 0.14}


@dataclass(frozen=True)
class Expression:
    """How a face changes; every field is (N,), 0 leaves it as it is, 1 is as far as an ordinary face goes.

    Attributes:
        mouth: Opened, or closed where negative.
        smile: Corners of the mouth out and up, or in and down.
        brows: Raised, or lowered.
        blink: Eyes closed, or widened.
        yaw: Head turned, 1 is 17 degrees.
        pitch: Head nodded, 1 is 17 degrees.
    """

    mouth: Tensor
    smile: Tensor
    brows: Tensor
    blink: Tensor
    yaw: Tensor
    pitch: Tensor

    @classmethod
    def draw(cls, amplitude: Tensor, rng: torch.Generator) -> "Expression":
        """Draw one expression per image, scaled by its (N,) amplitude."""
        draws = uniform(rng, (len(amplitude), len(_RANGES)), amplitude)
        spans = zip(_RANGES.items(), draws.unbind(1), strict=True)
        return cls(**{name: amplitude * (low + (high - low) * draw) for (name, (low, high)), draw in spans})

    def plain(self) -> list[dict[str, float]]:
        """One plain dict per image."""
        columns = {name: values.tolist() for name, values in asdict(self).items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def depth(landmarks: Tensor) -> Tensor:
    """(N, 68) depth of landmarks in pixels of the crop: an ellipsoid with a nose, nearer is larger."""
    middle = landmarks[:, 27:31, 0].mean(1, keepdim=True)
    half_width = (landmarks[:, 16, 0] - landmarks[:, 0, 0]).abs()[:, None].clamp_min(1.0) / 2
    across = (landmarks[..., 0] - middle) / (1.05 * half_width)
    down = (landmarks[..., 1] - landmarks[:, 30:31, 1]) / (1.6 * half_width)
    skull = half_width * (1 - across.square() - down.square()).clamp_min(0.02).sqrt()
    return skull + EYE_DISTANCE * _spread(_NOSE_DEPTH, landmarks)


def move_landmarks(landmarks: Tensor, change: Expression) -> Tensor:
    """Where the landmarks of aligned faces go under an expression.

    Args:
        landmarks: (N, 68, 2) in pixels of the 128-pixel crop.
        change: The expression.

    Returns:
        (N, 68, 2), kept inside the crop.
    """
    x, y = landmarks.unbind(-1)
    mouth, smile, brows, blink = (value[:, None] for value in (change.mouth, change.smile, change.brows, change.blink))

    gap = (y[:, _LOWER_LIP] - y[:, _UPPER_LIP]).mean(1, keepdim=True).clamp_min(0)
    drop = torch.where(mouth > 0, 0.26 * EYE_DISTANCE * mouth, 0.8 * gap * mouth.clamp_min(-1))
    down = drop * _spread(_LIP_DROP | _JAW_DROP | _LIP_LIFT, landmarks)

    corner = _spread(_SMILE, landmarks) * EYE_DISTANCE
    down = down - 0.10 * smile * corner.abs()
    across = 0.10 * smile * corner - 0.03 * mouth.clamp_min(0) * corner

    down = down - 0.11 * EYE_DISTANCE * brows * _spread(_BROWS, landmarks)

    lids = torch.zeros_like(down)
    opening = y[:, _LOWER_LIDS] - y[:, _UPPER_LIDS]
    lids[:, _UPPER_LIDS] = 0.7 * opening
    lids[:, _LOWER_LIDS] = -0.12 * opening
    down = down + blink.clamp(-1, 1) * lids

    across, down = across + x, down + y
    z = depth(landmarks)
    z = z - z.mean(1, keepdim=True)
    yaw, pitch = _FULL_TURN * change.yaw[:, None], _FULL_TURN * change.pitch[:, None]
    middle = landmarks.mean(1, keepdim=True)
    turned = torch.stack([
        middle[..., 0] + (across - middle[..., 0]) * yaw.cos() + z * yaw.sin(),
        middle[..., 1] + (down - middle[..., 1]) * pitch.cos() + z * pitch.sin(),
    ], -1)  # fmt: skip
    return turned.clamp(1, CROP - 2)


def mouth_gap(landmarks: Tensor) -> Tensor:
    """(N,) mean distance between the inner lips in pixels."""
    upper, lower = landmarks[:, _UPPER_LIP], landmarks[:, _LOWER_LIP]
    return torch.linalg.norm(lower - upper, dim=-1).mean(1)


def _spread(table: dict[int, float], like: Tensor) -> Tensor:
    """(68,) weights from a table of landmarks."""
    weights = torch.zeros(68).to(like)
    weights[list(table)] = torch.tensor(list(table.values())).to(like)
    return weights
