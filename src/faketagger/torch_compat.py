"""Makes torchvision importable beside a torch that it was not built for.

torchvision's wheel on the package index is a CUDA build. Beside a CPU-only torch its operator library does
not load, and the import stops at the first operator that it wants to describe. Declaring those two operators
first lets the pure Python part, all that timm and kornia need, come in.
"""

import importlib
import sys
from types import ModuleType

_declared: list[object] = []


def ensure_torchvision() -> ModuleType:
    """Import torchvision, with its detection operators declared first where its own library cannot load.

    Returns:
        The torchvision module.

    Raises:
        ImportError: torchvision is not installed.
        RuntimeError: torchvision fails for another reason.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    from torch.library import Library

    library = Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)  # the declaration lives as long as this object
    return importlib.import_module("torchvision")
