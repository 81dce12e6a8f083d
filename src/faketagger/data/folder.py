"""Any folder of photographs as a dataset of aligned faces."""

from pathlib import Path
from typing import Any

from faketagger.data.crops import FaceCrops
from faketagger.data.samples import Identities, list_folder


class FolderFaces(FaceCrops):
    """The largest face of every photograph in a folder.

    Args:
        root: The folder, with or without a ``manifest.csv`` (columns ``file`` and ``identity``).
        size: Side of the crop in pixels.
        identities: Where names come from, as for :func:`faketagger.data.samples.list_folder`.
        group: Column of the manifest that divides people in two, as for the same function.
        **options: As for :class:`faketagger.data.crops.FaceCrops`.

    Raises:
        DataError: The folder is missing or empty, or no picture has a face.
    """

    def __init__(
        self,
        root: str | Path,
        size: int = 256,
        *,
        identities: Identities = "auto",
        group: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(list_folder(Path(root), identities, group), size, **options)
