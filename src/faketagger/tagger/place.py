"""Where a message is written: in a face, or around it."""

from dataclasses import dataclass

from torch import Tensor

from faketagger.faces.geometry import paste_residual
from faketagger.tagger.attenuation import hold_power
from faketagger.tagger.networks import TaggerNetworks

GREY = 0.5
"""Of what is not read in a view."""


@dataclass(frozen=True)
class Place:
    """A square view of each picture, and what an encoder would write there.

    Attributes:
        networks: Who writes and reads.
        matrix: (N, 2, 3) picture -> view.
        zoom: Magnification of the view relative to the aligned crop.
        raw: (N, 3, s, s) the encoder's residual, before its power is fixed.
        strength: (N, 1, s, s) how strong it may be; 0 where nothing is written.
        psnr_db: Of the whole view, a number or (N,).
        readable: (N, 1, s, s) in [0, 1], what of the view is read; all of it if None.
    """

    networks: TaggerNetworks
    matrix: Tensor
    zoom: float
    raw: Tensor
    strength: Tensor
    psnr_db: Tensor | float
    readable: Tensor | None = None

    @property
    def size(self) -> int:
        """Side of the view in pixels."""
        return self.networks.size

    def held(self, residual: Tensor) -> Tensor:
        """A residual (N, 3, s, s) at the place's PSNR, of waves that its encoder may write."""
        return hold_power(self.networks.encoder.limit(residual), self.psnr_db)

    def write(self, images: Tensor, residual: Tensor) -> Tensor:
        """Add a residual (N, 3, s, s) to pictures (N, 3, H, W) in [0, 1]."""
        return paste_residual(images, residual, self.matrix)

    def read(self, views: Tensor) -> Tensor:
        """Logits (N, L) of views (N, 3, s, s) in [0, 1]."""
        return self.networks.read(views if self.readable is None else blanked(views, self.readable))


def blanked(views: Tensor, where: Tensor) -> Tensor:
    """Views (N, 3, s, s) with grey instead of what lies outside ``where``, (N, 1, s, s) in [0, 1]."""
    return GREY + where * (views - GREY)


def beyond_inference(place: Place) -> Place:
    """The same place made of tensors that gradients may flow through."""
    tensors = {name: value.clone() for name, value in vars(place).items() if isinstance(value, Tensor)}
    return Place(**{**vars(place), **tensors})
