"""Lets upstream's training import torchvision beside a torch that it was not built for, and seeds its draws.

torchvision's wheel on the package index is a CUDA build. Beside a CPU-only torch its operator library does not load,
and the import stops at the first operator that it wants to describe; StarGAN uses none of them. Upstream has no option
for a seed: ``STARGAN_SEED`` is set by the driver.
"""

import importlib.abc
import os
import sys

kept = []


def declare_operators(torch):
    """Declare the two operators that torchvision's Python part describes."""
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    kept.append(library)


class Finder(importlib.abc.MetaPathFinder):
    """Waits for the first import of torchvision."""

    def find_spec(self, name, path=None, target=None):
        """Nothing of its own: it only acts before the import goes on."""
        if name != "torchvision":
            return
        sys.meta_path.remove(self)
        import torch

        if torch.version.cuda is None:
            declare_operators(torch)
        if "STARGAN_SEED" in os.environ:
            torch.manual_seed(int(os.environ["STARGAN_SEED"]))


sys.meta_path.insert(0, Finder())
