"""Tag face photographs with a message that survives deepfakes."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faketagger.tagger import Tagger, TagReading, VideoReading, load

__version__ = "0.1.0"
__all__ = ["TagReading", "Tagger", "VideoReading", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name in ("load", "Tagger", "TagReading", "VideoReading"):
        from faketagger import tagger

        return getattr(tagger, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
