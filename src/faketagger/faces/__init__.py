"""Where the face is: detect, landmarks, align, mask, warp back. Torch is imported at first use of the geometry."""

from typing import TYPE_CHECKING, Any

from faketagger.faces.detect import BACKENDS, backend_in_use, find_faces
from faketagger.faces.face import Face
from faketagger.faces.template import STABLE, TEMPLATE

if TYPE_CHECKING:
    from faketagger.faces.geometry import (
        crop_matrix,
        edge_window,
        face_mask,
        invert,
        paste,
        paste_residual,
        scale_of,
        transform_points,
        warp_back,
        warp_crop,
    )

__all__ = [
    "BACKENDS",
    "STABLE",
    "TEMPLATE",
    "Face",
    "backend_in_use",
    "crop_matrix",
    "edge_window",
    "face_mask",
    "find_faces",
    "invert",
    "paste",
    "paste_residual",
    "scale_of",
    "transform_points",
    "warp_back",
    "warp_crop",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from faketagger.faces import geometry

    return getattr(geometry, name)
