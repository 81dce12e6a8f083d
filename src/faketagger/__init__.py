"""Tag face photographs with a message that survives deepfakes."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faketagger.bench.api import BenchmarkResult, benchmark
    from faketagger.tagger import Tagger, TagReading, VideoReading, load

__version__ = "0.1.0"
__all__ = ["BenchmarkResult", "TagReading", "Tagger", "VideoReading", "__version__", "benchmark", "load"]

_HOMES = {
    **dict.fromkeys(("load", "Tagger", "TagReading", "VideoReading"), "tagger"),
    **dict.fromkeys(("benchmark", "BenchmarkResult"), "bench.api"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
