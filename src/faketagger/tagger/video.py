"""Videos through the tagger: one message into every face of every frame, one verdict out of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faketagger.coding import Payload, Register
from faketagger.errors import ConfigError, FaceError
from faketagger.faces import find_faces
from faketagger.imaging import to_uint8
from faketagger.imaging.video import Frame, probe_video, read_frames
from faketagger.imaging.video_write import CRF, rewrite_video
from faketagger.tagger.pooling import Tracks, VideoReading, read_tracks
from faketagger.tagger.presence import refuse_tagged
from faketagger.tagger.reading import SIGNIFICANCE, read_face

if TYPE_CHECKING:
    from faketagger.tagger.tagger import Tagger

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TaggedVideo:
    """What was done to a video.

    Attributes:
        path: The new file.
        frames: How many it has.
        tagged: How many of them show a face and carry the message; the others are as they were.
    """

    path: Path
    frames: int
    tagged: int


@torch.no_grad()
def embed_video(
    tagger: Tagger,
    source: str | Path,
    target: str | Path,
    payload: Payload | str | int | bytes,
    psnr_db: float | None = None,
    *,
    again: bool = False,
    crf: float = CRF,
    lossless: bool = False,
    progress: Progress = lambda done, total: None,
) -> TaggedVideo:
    """Tag every face in every frame of a video with the same message.

    Args:
        tagger: Who tags.
        source: The video.
        target: The new video; see :func:`faketagger.imaging.video_write.rewrite_video`.
        payload: Anything :meth:`Payload.parse` reads.
        psnr_db: PSNR of the aligned crop instead of the tagger's own.
        again: Tag what is tagged already, as far as the first frame with a face shows it; the first tag is lost.
        crf: Constant rate factor of the new video.
        lossless: Keep every pixel of the tagged frames.
        progress: Called with (frames done, all frames).

    Raises:
        ImageError: The video is unusable or cannot be written.
        PayloadError: The payload does not fit.
        FaceError: No frame shows a face, or the first that does is tagged. No file is written then.
    """
    message = torch.from_numpy(tagger.codec.encode(payload)).float()[None].to(tagger.device)
    total = probe_video(source).frames
    tagged = 0

    def change(frame: Frame) -> NDArray[np.uint8] | None:
        nonlocal tagged
        progress(frame.index, total)
        faces = find_faces(frame.pixels)
        if not faces:
            return None
        pixels = _tensor(frame.pixels, tagger)
        if not (tagged or again):
            refuse_tagged(tagger.face_logits(pixels, faces, search=False), tagger.codec)
        tagged += 1
        pixels = tagger.embed_faces(pixels, message, tagger.points(faces), psnr_db)
        return to_uint8(pixels[0].permute(1, 2, 0).cpu().numpy())

    def approve() -> None:
        if not tagged:
            raise FaceError(f"{source}: no face was found in any frame.", "Use a video whose faces are larger.")

    frames = rewrite_video(source, target, change, crf=crf, lossless=lossless, approve=approve)
    progress(frames, frames)
    return TaggedVideo(Path(target), frames, tagged)


@torch.no_grad()
def read_video(
    tagger: Tagger,
    source: str | Path,
    significance: float = SIGNIFICANCE,
    *,
    every: int = 1,
    max_frames: int | None = None,
    among: Register | None = None,
    progress: Progress = lambda done, total: None,
) -> VideoReading:
    """Look for a tag in a video; the evidence of all frames becomes one p-value.

    Args:
        tagger: Who reads.
        source: The video.
        significance: Largest p-value at which a payload is reported.
        every: Read each n-th frame only.
        max_frames: Read at most so many frames, spread evenly over the video.
        among: Payloads that it can only be; any payload if None.
        progress: Called with (frames read, frames to read).

    Returns:
        Payload and p-value of the video, its tracks, and what the single frames read.

    Raises:
        ConfigError: ``every`` or ``max_frames`` is below 1.
        ImageError: The video is unusable.
    """
    if every < 1 or (max_frames is not None and max_frames < 1):
        raise ConfigError("Each n-th frame and the largest number of frames must be at least 1.")
    total = probe_video(source).frames
    step = max(every, -(-total // max_frames)) if max_frames else every
    tracks, codec = Tracks(), among or tagger.codec
    frames: list[dict[str, Any]] = []
    for place, frame in enumerate(read_frames(source, step, max_frames)):
        faces = find_faces(frame.pixels)
        poses = tagger.face_logits(_tensor(frame.pixels, tagger), faces, search=False)
        numbers = tracks.follow(faces, poses, place, frame.time_s)
        alone = [read_face(face, logits, codec).plain() for face, logits in zip(faces, poses, strict=True)]
        entry = [{"track": number} | reading for number, reading in zip(numbers, alone, strict=True)]
        for one in entry:
            del one["probabilities"]
        frames.append({"index": frame.index, "time_s": round(frame.time_s, 4), "faces": entry})
        progress(place + 1, -(-total // step))
    return read_tracks(tracks.all, codec, significance, frames)


def _tensor(pixels: NDArray[np.uint8], tagger: Tagger) -> Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float().to(tagger.device) / 255
