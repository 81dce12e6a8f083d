"""Training: LightningModules, curriculum, data flow. Needs torchvision importable before Lightning is."""

from faketagger.torch_compat import ensure_torchvision

ensure_torchvision()
