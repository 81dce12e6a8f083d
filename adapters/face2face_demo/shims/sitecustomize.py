"""``import tensorflow`` gives TensorFlow 1's names, so that pix2pix.py and reduce_model.py run unmodified on 2.15."""

import importlib
import importlib.abc
import importlib.util
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def as_version_1(real):
    """Put ``tensorflow.compat.v1`` in the place of the package, its submodules still found."""
    version_1 = importlib.import_module("tensorflow.compat.v1")
    version_1.disable_v2_behavior()
    version_1.__path__ = real.__path__
    sys.modules["tensorflow"] = version_1


class Finder(importlib.abc.MetaPathFinder):
    """Waits for the first import of tensorflow."""

    def find_spec(self, name, path=None, target=None):
        """The package's own specification, with :func:`as_version_1` after its loading."""
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None:
            return None
        load = spec.loader.exec_module

        def load_and_replace(module):
            load(module)
            as_version_1(module)

        spec.loader.exec_module = load_and_replace
        return spec


sys.meta_path.insert(0, Finder())
