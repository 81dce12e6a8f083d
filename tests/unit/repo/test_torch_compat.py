"""torchvision comes in beside any torch, and the guard stays out of the way where it can."""

import subprocess
import sys

import pytest

from faketagger import torch_compat


def test_torchvision_imports_in_a_fresh_process() -> None:
    script = (
        "from faketagger.torch_compat import ensure_torchvision as e; import sys; v = e();"
        "assert v is e() is sys.modules['torchvision']; import timm; from torchvision.transforms import v2"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_torchvision_that_loads_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sentinel = object()
    monkeypatch.setattr(torch_compat.importlib, "import_module", lambda name: sentinel)
    before = list(torch_compat._declared)
    assert torch_compat.ensure_torchvision() is sentinel
    assert torch_compat._declared == before


def test_other_failures_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(torch_compat.importlib, "import_module", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        torch_compat.ensure_torchvision()
