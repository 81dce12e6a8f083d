"""Anyone's watermark held to the protocol: what it does wrong is said in one sentence that names it."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from faketagger.errors import FakeTaggerError, WatermarkError
from faketagger.watermarks.interface import Bits, FaceWatermark, Landmarks, Pixels, Soft, Watermark
from faketagger.watermarks.resizing import add_residual, landmarks_to_side, to_side

Kind = Literal["tagger", "built in", "entry point", "adapter", "object"]
Knob = Literal["own", "residual"]


class CheckedWatermark:
    """A watermark whose every answer is checked, and which takes pictures of any size.

    Args:
        inner: The plug-in.
        kind: Where it comes from.
        strength: Factor on its own knob, or on its residual where it has none.
        name: Instead of its own.

    Raises:
        WatermarkError: It lacks a member of the protocol.
    """

    def __init__(
        self, inner: Watermark | FaceWatermark, kind: Kind = "object", strength: float = 1.0, name: str | None = None
    ) -> None:
        check_watermark(inner)
        self.name, self.kind, self.strength = name or str(inner.name), kind, strength
        self.message_bits, self.native_size = int(inner.message_bits), inner.native_size
        self.version = str(getattr(inner, "version", "1"))
        self.payload_bits: int | None = getattr(inner, "payload_bits", None)
        self.crc_bits: int | None = getattr(inner, "crc_bits", None)
        self.uses_landmarks = bool(getattr(inner, "uses_landmarks", False))
        self.knob: Knob = "own" if hasattr(inner, "with_strength") else "residual"
        self._inner = inner
        working: Any = inner
        if strength != 1.0 and self.knob == "own":
            working = self._called("be set to another strength", lambda: working.with_strength(strength))
        self._working: Any = working

    @property
    def digest(self) -> str:
        """Digest of what the object is, as far as that shows: its code, version, plain values and tensors."""
        from faketagger.watermarks.objects import object_digest

        return object_digest(self._inner, f"{self.kind}/{self.strength}")

    def with_strength(self, factor: float) -> "CheckedWatermark":
        """The same watermark, as strong as ``factor`` times its own default.

        Args:
            factor: Above 0.
        """
        return CheckedWatermark(self._inner, self.kind, factor, self.name)

    def embed(self, images: Pixels, messages: Bits, landmarks: Landmarks | None = None) -> Pixels:
        """Write one message into each picture.

        Args:
            images: (N, H, W, 3) uint8.
            messages: (N, L) of 0 and 1.
            landmarks: (N, 68, 2); needed where ``uses_landmarks``.

        Returns:
            (N, H, W, 3) uint8.

        Raises:
            WatermarkError: It raised, or returned another shape, values that are no numbers, or a picture as it was.
        """
        seen, extra = self._view(images, landmarks)
        made = np.asarray(self._called("embed", self._working.embed, seen, messages, **extra))
        if made.shape != seen.shape:
            raise self._wrong(f"returned pictures of shape {made.shape} for {seen.shape}", "Return (N, H, W, 3).")
        if not np.issubdtype(made.dtype, np.number) or not np.isfinite(made).all():
            raise self._wrong("returned NaN or infinite pixels", "Look at its weights and at the range of its input.")
        plain = made.dtype == np.uint8 and seen.shape == images.shape
        scale = self.strength if self.knob == "residual" else 1.0
        tagged = made if plain and scale == 1.0 else add_residual(images, seen, made, scale)
        same = [place for place in range(len(images)) if np.array_equal(tagged[place], images[place])]
        if same:
            raise self._wrong(
                f"left {len(same)} of {len(images)} pictures unchanged, so nothing was embedded",
                "Return the marked pictures on the scale of 0 to 255.",
            )
        return np.ascontiguousarray(tagged)

    def read(self, images: Pixels, landmarks: Landmarks | None = None) -> Soft:
        """Read every picture.

        Args:
            images: (N, H, W, 3) uint8.
            landmarks: (N, 68, 2); needed where ``uses_landmarks``.

        Returns:
            (N, L) soft bits.

        Raises:
            WatermarkError: It raised, or returned another shape or values that are no numbers.
        """
        seen, extra = self._view(images, landmarks)
        soft = np.asarray(self._called("read", self._working.read, seen, **extra))
        if soft.shape != (len(images), self.message_bits):
            raise self._wrong(
                f"returned soft bits of shape {soft.shape} instead of {(len(images), self.message_bits)}",
                "Return one row of message_bits values a picture.",
            )
        if soft.dtype == bool or (np.issubdtype(soft.dtype, np.integer) and set(np.unique(soft)) <= {0, 1}):
            return (2.0 * soft.astype(np.float32) - 1.0).astype(np.float32)
        if not np.issubdtype(soft.dtype, np.number) or not np.isfinite(soft).all():
            raise self._wrong("returned soft bits that are NaN or infinite", "Return finite numbers, positive for 1.")
        return soft.astype(np.float32)

    def _view(self, images: Pixels, landmarks: Landmarks | None) -> tuple[Pixels, dict[str, Landmarks]]:
        side, extra = self.native_size, {}
        if self.uses_landmarks:
            if landmarks is None:
                raise self._wrong("needs to know where the faces are", "Hand it landmarks (N, 68, 2).")
            size = (images.shape[1], images.shape[2])
            extra["landmarks"] = landmarks if side is None else landmarks_to_side(landmarks, size, side)
        return images if side is None else to_side(images, side), extra

    def _called(self, what: str, function: Callable[..., Any], *values: Any, **named: Any) -> Any:
        try:
            return function(*values, **named)
        except FakeTaggerError as error:
            raise self._wrong(f"could not {what}: {error.message.rstrip('.')}", error.hint) from error
        except Exception as error:  # a plug-in may raise anything
            text = " ".join(str(error).split())[:300]
            raise self._wrong(f"could not {what}: {type(error).__name__}: {text}", None) from error

    def _wrong(self, what: str, hint: str | None) -> WatermarkError:
        return WatermarkError(f"The watermark {self.name} {what}.", hint)


def check_watermark(candidate: Any) -> None:
    """Refuse an object that is no watermark.

    Args:
        candidate: Anything.

    Raises:
        WatermarkError: Naming the first member of the protocol that is missing or wrong.
    """
    called = getattr(candidate, "name", None) or type(candidate).__name__
    for member in ("name", "message_bits", "native_size", "embed", "read"):
        if not hasattr(candidate, member):
            raise WatermarkError(f"The watermark {called} has no {member}.", "See docs/watermarks.md for the protocol.")
    bits, side = candidate.message_bits, candidate.native_size
    if not isinstance(bits, int) or isinstance(bits, bool) or bits < 1:
        raise WatermarkError(f"The watermark {called} has message_bits {bits!r}.", "It is a whole number from 1 on.")
    if side is not None and (not isinstance(side, int) or isinstance(side, bool) or side < 8):
        raise WatermarkError(f"The watermark {called} has native_size {side!r}.", "It is a side in pixels, or None.")
