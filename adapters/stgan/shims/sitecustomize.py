"""Lets STGAN's code of 2019 (TensorFlow 1, numpy 1, scipy 1.1) run unmodified on today's TensorFlow and numpy.

- ``import tensorflow`` gives TensorFlow 1's names; ``tensorflow.contrib`` has the two parts that upstream uses.
- tf_slim looks for ``Tensor`` where TensorFlow had it before 2.14.
- ``numpy.str`` is back; ``scipy.misc`` and ``matplotlib.pyplot`` are what upstream takes of them.
- Upstream has no option for a seed or for the threads of a session: ``STGAN_SEED`` and ``OMP_NUM_THREADS`` are heeded.
"""

import importlib
import importlib.abc
import importlib.util
import os
import sys
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(name, os.environ.get("OMP_NUM_THREADS", "1"))


def module(name, **names):
    """A module that is found under its name from now on."""
    made = types.ModuleType(name)
    made.__dict__.update(names)
    sys.modules[name] = made
    return made


def dropping_remainders(batch_size):
    """``tf.contrib.data.batch_and_drop_remainder``."""
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def as_version_1(real):
    """Put ``tensorflow.compat.v1`` in the place of the package, its submodules still found."""
    version_1 = importlib.import_module("tensorflow.compat.v1")
    version_1.disable_v2_behavior()
    version_1.__path__ = real.__path__
    sys.modules["tensorflow"] = version_1
    ops, tensor = (importlib.import_module(f"tensorflow.python.framework.{name}") for name in ("ops", "tensor"))
    for name in ("Tensor", "TensorSpec"):
        if not hasattr(ops, name):
            setattr(ops, name, getattr(tensor, name))
    slim = importlib.import_module("tf_slim")
    sys.modules["tensorflow.contrib.slim"] = slim
    data = module("tensorflow.contrib.data", batch_and_drop_remainder=dropping_remainders)
    real.contrib = version_1.contrib = module("tensorflow.contrib", __path__=[], slim=slim, data=data)
    if "STGAN_SEED" in os.environ:
        version_1.set_random_seed(int(os.environ["STGAN_SEED"]))


def with_str(numpy):
    """numpy 1's alias of the builtin."""
    numpy.str = str


def imsave(path, pixels):
    """``scipy.misc.imsave`` for uint8, which is all that upstream hands it."""
    from PIL import Image

    Image.fromarray(pixels).save(path)


class Finder(importlib.abc.MetaPathFinder):
    """Waits for the first import of each package that has to be changed after its loading."""

    def __init__(self, changes):
        self.changes = changes

    def find_spec(self, name, path=None, target=None):
        """The package's own specification, with the change after its loading."""
        change = self.changes.pop(name, None)
        spec = importlib.util.find_spec(name) if change else None
        if spec is None:
            return None
        load = spec.loader.exec_module

        def load_and_change(loaded):
            load(loaded)
            change(loaded)

        spec.loader.exec_module = load_and_change
        return spec


module("scipy", __path__=[], misc=module("scipy.misc", imsave=imsave))
module("matplotlib", __path__=[], pyplot=module("matplotlib.pyplot", show=None))
sys.meta_path.insert(0, Finder({"tensorflow": as_version_1, "numpy": with_str}))
