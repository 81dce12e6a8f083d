"""Photographs on disk: decode safely, work in sRGB, write back with everything else kept. No torch here."""

from faketagger.imaging.find import find_images
from faketagger.imaging.given import Image, as_photo
from faketagger.imaging.photo import Metadata, Photo, to_float, to_uint8
from faketagger.imaging.read import MAX_PIXELS, MIN_SIDE, read_photo
from faketagger.imaging.write import WRITABLE, output_path, write_atomically, write_photo

__all__ = [
    "MAX_PIXELS",
    "MIN_SIDE",
    "WRITABLE",
    "Image",
    "Metadata",
    "Photo",
    "as_photo",
    "find_images",
    "output_path",
    "read_photo",
    "to_float",
    "to_uint8",
    "write_atomically",
    "write_photo",
]
