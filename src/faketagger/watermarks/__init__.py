"""Watermarks behind one protocol: our taggers, rivals, anyone's plug-in. Nothing heavy is imported until it is used."""

from faketagger.watermarks.checked import CheckedWatermark, check_watermark
from faketagger.watermarks.interface import Bits, Landmarks, Pixels, Soft, Watermark
from faketagger.watermarks.registry import GROUP, Listed, digest_of, listed, load_watermark, missing_of, names

__all__ = [
    "GROUP",
    "Bits",
    "CheckedWatermark",
    "Landmarks",
    "Listed",
    "Pixels",
    "Soft",
    "Watermark",
    "check_watermark",
    "digest_of",
    "listed",
    "load_watermark",
    "missing_of",
    "names",
]
