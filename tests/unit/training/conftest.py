"""Lightning imports torchvision, which beside a CPU build of torch needs the guard first, whatever file runs alone."""

from faketagger.torch_compat import ensure_torchvision

ensure_torchvision()
