"""The message once more, around the face: in pixels that a tool which remakes faces leaves alone."""

import torch
from torch import Tensor, nn

from faketagger.faces.geometry import (
    crop_matrix,
    face_mask,
    invert,
    paste_residual,
    transform_points,
    warp_crop,
)
from faketagger.tagger.attenuation import hold_power
from faketagger.tagger.networks import TaggerNetworks

WRITING, READING = 1.2, 1.1
"""How much larger than its landmarks say a face is taken to be where nothing is written, and where nothing is read."""

_GREY = 0.5
_LEAST_SHARE = 1e-3


class Surround(nn.Module):
    """Writes and reads messages around faces, in a wide view that is aligned by the face.

    What is written is independent of the tag within the face, and is read without a look at the face.

    Args:
        networks: Encoder and decoder at the native size of the wide view.
        zoom: Magnification of the wide view relative to the aligned crop, below 1.
        psnr_db: PSNR that the tag costs the pixels of the wide view that it is written to.
    """

    def __init__(self, networks: TaggerNetworks, zoom: float, psnr_db: float) -> None:
        super().__init__()
        self.networks, self.zoom, self.psnr_db = networks, zoom, psnr_db

    def embed(self, images: Tensor, message: Tensor, faces: Tensor, psnr_db: float) -> Tensor:
        """Write messages around the first face of each picture.

        Args:
            images: (N, 3, H, W) in [0, 1].
            message: (N, L) in {0, 1}.
            faces: (N, F, 68, 2) pixel coordinates; nothing is written into any of the F faces.
            psnr_db: PSNR of the pixels that are written to.

        Returns:
            (N, 3, H, W) in [0, 1].
        """
        size = self.networks.size
        matrix = crop_matrix(faces[:, 0], size, self.zoom)
        crops = warp_crop(images, matrix, size).clamp(0, 1)
        where = visible(matrix, size, (images.shape[2], images.shape[3])).to(images)
        for face in faces.unbind(1):
            where = where * outside(transform_points(face, matrix), size, WRITING).to(images)
        return paste_residual(images, around(self.networks, crops, message, where, psnr_db), matrix)

    def read(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Logits (N, L) of pictures (N, 3, H, W) in [0, 1], each with the landmarks (N, 68, 2) of one face."""
        return self.networks.read(self._seen(images, landmarks))

    def read_poses(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Logits (2 N, L) of pictures as they are, then as in a mirror; arguments as for :meth:`read`."""
        seen = self._seen(images, landmarks)
        return self.networks.read(torch.cat([seen, seen.flip(3)]))

    def _seen(self, images: Tensor, landmarks: Tensor) -> Tensor:
        matrix = crop_matrix(landmarks, self.networks.size, self.zoom)
        views = warp_crop(images, matrix, self.networks.size)
        return without_face(views, transform_points(landmarks, matrix), READING)


def around(networks: TaggerNetworks, views: Tensor, message: Tensor, where: Tensor, psnr_db: float) -> Tensor:
    """Residual of wide views.

    Args:
        networks: Who writes.
        views: (N, 3, s, s) in [0, 1].
        message: (N, L) in {0, 1}.
        where: (N, 1, s, s) in [0, 1], where it may be written.
        psnr_db: PSNR of the pixels that are written to, whatever their share of the view.

    Returns:
        (N, 3, s, s), zero where ``where`` is.
    """
    share = where.mean((1, 2, 3)).clamp_min(_LEAST_SHARE)
    return hold_power(networks.encoder(views, message, where) * where, psnr_db - 10 * share.log10())


def outside(landmarks: Tensor, size: int, growth: float | Tensor) -> Tensor:
    """(N, 1, size, size) in [0, 1]: 1 outside faces of landmarks (N, 68, 2), their size times ``growth``."""
    centre = landmarks.mean(1, keepdim=True)
    return 1 - face_mask(centre + growth * (landmarks - centre), (size, size))


def without_face(views: Tensor, landmarks: Tensor, growth: float | Tensor) -> Tensor:
    """Square views (N, 3, s, s) with grey instead of their faces, of landmarks (N, 68, 2) times ``growth``."""
    return _GREY + outside(landmarks, views.shape[-1], growth).to(views) * (views - _GREY)


def visible(matrix: Tensor, size: int, size_hw: tuple[int, int]) -> Tensor:
    """(N, 1, size, size): 1 where a crop shows its picture, 0 where it shows what lies beyond.

    Args:
        matrix: (N, 2, 3) picture -> crop.
        size: Side of the crop.
        size_hw: Height and width of the pictures.
    """
    line = torch.arange(size).to(matrix)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    grid = torch.stack([columns, rows], -1).reshape(1, -1, 2).expand(len(matrix), -1, 2)
    places = transform_points(grid, invert(matrix))
    far = torch.tensor([size_hw[1] - 1, size_hw[0] - 1]).to(matrix)
    return ((places >= 0) & (places <= far)).all(-1).to(matrix).reshape(-1, 1, size, size)
