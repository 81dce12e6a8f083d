"""Lets the unmodified faceswap run on a CPU-only torch that is newer than it allows.

- torchvision's wheel on the package index is a CUDA build. Beside a CPU-only torch its operators do not load and the
  import stops; declaring the two it asks for lets the part that faceswap needs (picture transforms) come in.
- faceswap refuses a torch above 2.12; 2.13 is what this adapter was tried with.
"""

import importlib.abc
import importlib.util
import sys

_declared = []


def _torchvision(load, module):
    try:
        load(module)
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        from torch.library import Library

        library = Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
        for name in [name for name in sys.modules if name.startswith("torchvision.")]:
            del sys.modules[name]
        load(module)


def _system(load, module):
    load(module)
    module.VALID_TORCH = (module.VALID_TORCH[0], (2, 13))


class _WhileLoading(importlib.abc.MetaPathFinder):
    loaders = {"torchvision": _torchvision, "lib.system.system": _system}

    def find_spec(self, name, path=None, target=None):
        around = self.loaders.pop(name, None)
        if around is None:
            return None
        spec = next(
            (found for finder in sys.meta_path if finder is not self and (found := finder.find_spec(name, path))), None
        )
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module
        spec.loader.exec_module = lambda module: around(load, module)
        return spec


sys.meta_path.insert(0, _WhileLoading())
