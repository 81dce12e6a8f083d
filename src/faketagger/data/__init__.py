"""Faces to train and test on: the demo set, any folder, CelebA-HQ."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faketagger.data.celebahq import CelebAHQ
    from faketagger.data.config import DataConfig
    from faketagger.data.demo import demo_faces, materialise_demo
    from faketagger.data.folder import FolderFaces
    from faketagger.data.module import FaceDataModule

_HOMES = {
    "CelebAHQ": "celebahq",
    "DataConfig": "config",
    "FaceDataModule": "module",
    "FolderFaces": "folder",
    "demo_faces": "demo",
    "materialise_demo": "demo",
}
__all__ = ["CelebAHQ", "DataConfig", "FaceDataModule", "FolderFaces", "demo_faces", "materialise_demo"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"faketagger.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
