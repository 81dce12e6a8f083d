"""Lets upstream's code of 2021 run on a torch of today; for every device.

Nothing upstream is edited: functions are replaced in this process.
"""

import torch


class _Sample(torch.autograd.Function):
    """``grid_sample`` (bilinear, zeros, unaligned) whose gradient has a gradient.

    Upstream's own version asks torch for an operation in the form it had in version 1.9; without a second gradient
    the R1 penalty cannot pass through the augmentation.
    """

    @staticmethod
    def forward(ctx, picture, grid):
        ctx.save_for_backward(picture, grid)
        return torch.nn.functional.grid_sample(picture, grid, "bilinear", "zeros", align_corners=False)

    @staticmethod
    def backward(ctx, slope):
        picture, grid = ctx.saved_tensors
        return _SampleBackward.apply(slope, picture, grid), None


class _SampleBackward(torch.autograd.Function):
    """The gradient in the picture; upstream's grid is never learned."""

    @staticmethod
    def forward(ctx, slope, picture, grid):
        ctx.save_for_backward(grid)
        return torch.ops.aten.grid_sampler_2d_backward(slope, picture, grid, 0, 0, False, [True, False])[0]

    @staticmethod
    def backward(ctx, second):
        (grid,) = ctx.saved_tensors
        return _Sample.apply(second, grid), None, None


def repair():
    """Call it once after upstream is on the path and before a network is made."""
    if torch.utils.data.Sampler.__init__ is object.__init__:
        torch.utils.data.Sampler.__init__ = lambda self, data_source=None: None
    from torch_utils.ops import grid_sample_gradfix

    grid_sample_gradfix.grid_sample = _Sample.apply
