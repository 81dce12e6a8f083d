"""Lets upstream's training loop, which is written for CUDA alone, run on a processor.

Nothing upstream is edited: torch's CUDA entry points are replaced in this process before upstream is imported.
"""

import torch


class _NoEvent:
    """Stands for ``torch.cuda.Event``; upstream only measures phases with it."""

    def __init__(self, **options):
        pass

    def record(self, *stream):
        pass

    def synchronize(self):
        pass

    def elapsed_time(self, other):
        return 0.0


def pretend():
    """Map every ``torch.device('cuda', …)`` to the CPU, and make the CUDA calls of upstream's loop harmless."""
    real = torch.device

    class _Kind(type):
        def __instancecheck__(cls, thing):
            return isinstance(thing, real)

        def __call__(cls, *arguments, **options):
            if arguments and str(arguments[0]).startswith("cuda"):
                return real("cpu")
            return real(*arguments, **options)

    torch.device = _Kind("device", (), {})
    torch.cuda.Event = _NoEvent
    torch.cuda.current_stream = lambda *device: None
    torch.cuda.max_memory_allocated = lambda *device: 0
    torch.cuda.reset_peak_memory_stats = lambda *device: None
    torch.Tensor.pin_memory = lambda self, *device: self
