"""The tagger: networks, placing, checkpoints. Torch comes in when something is asked for, never Lightning."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faketagger.tagger.checkpoint import load, save
    from faketagger.tagger.pooling import VideoReading
    from faketagger.tagger.reading import FaceReading, TagReading
    from faketagger.tagger.tagger import Tagger

__all__ = ["FaceReading", "TagReading", "Tagger", "VideoReading", "load", "save"]

_HOMES = {
    "load": "checkpoint",
    "save": "checkpoint",
    "Tagger": "tagger",
    "TagReading": "reading",
    "FaceReading": "reading",
    "VideoReading": "pooling",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
