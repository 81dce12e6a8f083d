"""The message once more, around the face: in pixels that a tool which remakes faces leaves alone."""

from functools import partial

import torch
from torch import Tensor, nn

from faketagger.faces.geometry import (
    crop_matrix,
    face_mask,
    invert,
    transform_points,
    warp_crop,
)
from faketagger.tagger.attenuation import hold_power
from faketagger.tagger.encoder import amplitude
from faketagger.tagger.framing import moved, surest
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.place import Place, blanked

WRITING, READING = 1.1, 1.0
"""How much larger than its landmarks say a face is taken to be where nothing is written, and where nothing is read."""

_MARGIN = 0.125
_LEAST_SHARE = 1e-3


class Surround(nn.Module):
    """Writes and reads messages around faces, in wide views that are aligned by them.

    What is written is independent of the tag within the face, and is read without a look at the face, in the framing in
    which the decoder is surest. Where a picture has several faces, each has the pixels for itself that are nearest to
    it, measured in sizes of the faces.

    Args:
        networks: Encoder and decoder at the native size of the wide view.
        zoom: Magnification of the wide view relative to the aligned crop, below 1.
        psnr_db: PSNR that the tag costs the pixels that it is written to.
    """

    def __init__(self, networks: TaggerNetworks, zoom: float, psnr_db: float) -> None:
        super().__init__()
        self.networks, self.zoom, self.psnr_db = networks, zoom, psnr_db

    def place(self, images: Tensor, message: Tensor, faces: Tensor, number: int, psnr_db: float) -> Place:
        """What is around one face of each picture, and what would be written there.

        Args:
            images: (N, 3, H, W) in [0, 1].
            message: (N, L) in {0, 1}.
            faces: (N, F, 68, 2) pixel coordinates; nothing is written into any of them.
            number: Which of the F.
            psnr_db: PSNR of the pixels that are written to.
        """
        views, where, matrix = self._view(images, faces, number, WRITING)
        where = where * visible(matrix, views.shape[-1], (images.shape[2], images.shape[3])).to(where)
        raw = unheld(self.networks, views, message, where)
        readable = self._belonging(faces, matrix, number, READING).to(images)
        price = whole_view_psnr(where, psnr_db)
        return Place(self.networks, matrix, self.zoom, raw, amplitude(views, where) * where, price, readable)

    def read(self, images: Tensor, faces: Tensor, number: int = 0, mirrored: bool = False) -> Tensor:
        """Read what is around one face of each picture.

        Args:
            images: (N, 3, H, W) in [0, 1].
            faces: (N, F, 68, 2) pixel coordinates of all faces.
            number: Which of the F.
            mirrored: Read the mirror images too.

        Returns:
            Logits (N, L), positive for bit 1, or (2 N, L) with those of the mirror images last; both poses have the
            same where one of them is believed.
        """
        size = self.networks.size
        margin = round(size * _MARGIN)
        views, where, _ = self._view(images, faces, number, READING, margin)

        def look(canvas: Tensor, moves: Tensor, mirrored: bool) -> Tensor:
            canvas = canvas.flip(2) if mirrored else canvas
            matrices = moved(moves.to(canvas), size, margin)
            return self.networks.read(warp_crop(canvas.expand(len(moves), -1, -1, -1), matrices, size))

        poses = torch.stack([surest(partial(look, canvas)) for canvas in blanked(views, where)], 1)
        return poses.flatten(0, 1) if mirrored else poses[0]

    def _view(
        self, images: Tensor, faces: Tensor, number: int, growth: float, margin: int = 0
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Wide views of one face of each picture, where they belong to its surround, and their matrices."""
        size = self.networks.size + 2 * margin
        matrix = crop_matrix(faces[:, number], size, self.zoom * self.networks.size / size)
        where = self._belonging(faces, matrix, number, growth, margin).to(images)
        return warp_crop(images, matrix, size).clamp(0, 1), where, matrix

    def _belonging(self, faces: Tensor, matrix: Tensor, number: int, growth: float, margin: int = 0) -> Tensor:
        size = self.networks.size + 2 * margin
        seen = [transform_points(face, matrix) for face in faces.unbind(1)]
        where = nearest(seen, number, size)
        for face in seen:
            where = where * outside(face, (size, size), growth)
        return where


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
    return hold_power(unheld(networks, views, message, where), whole_view_psnr(where, psnr_db))


def unheld(networks: TaggerNetworks, views: Tensor, message: Tensor, where: Tensor) -> Tensor:
    """The residual of :func:`around` before its power is fixed."""
    return networks.encoder(views, message, where) * where


def whole_view_psnr(where: Tensor, psnr_db: float) -> Tensor:
    """(N,) PSNR of whole views where the pixels of ``where``, (N, 1, s, s) in [0, 1], have ``psnr_db``."""
    return psnr_db - 10 * where.mean((1, 2, 3)).clamp_min(_LEAST_SHARE).log10()


def outside(landmarks: Tensor, size_hw: tuple[int, int], growth: float | Tensor) -> Tensor:
    """(N, 1, H, W) in [0, 1]: 1 outside faces of landmarks (N, 68, 2), their size times ``growth``."""
    centre = landmarks.mean(1, keepdim=True)
    return 1 - face_mask(centre + growth * (landmarks - centre), size_hw)


def nearest(faces: list[Tensor], number: int, size: int) -> Tensor:
    """(N, 1, size, size): 1 where none of the faces, landmarks (N, 68, 2) each, is nearer in sizes of that face."""
    distance = []
    for landmarks in faces:
        centre = landmarks.mean(1)
        spread = (landmarks - centre[:, None]).square().sum(-1).mean(1).sqrt().clamp_min(1e-3)
        away = _grid(landmarks, size) - centre[:, None]
        distance.append(torch.linalg.norm(away, dim=-1) / spread[:, None])
    mine = (distance[number] <= torch.stack(distance).amin(0)).to(faces[number])
    return mine.reshape(-1, 1, size, size)


def visible(matrix: Tensor, size: int, size_hw: tuple[int, int]) -> Tensor:
    """(N, 1, size, size): 1 where a crop shows its picture, 0 where it shows what lies beyond.

    Args:
        matrix: (N, 2, 3) picture -> crop.
        size: Side of the crop.
        size_hw: Height and width of the pictures.
    """
    places = transform_points(_grid(matrix, size), invert(matrix))
    far = torch.tensor([size_hw[1] - 1, size_hw[0] - 1]).to(matrix)
    return ((places >= 0) & (places <= far)).all(-1).to(matrix).reshape(-1, 1, size, size)


def _grid(like: Tensor, size: int) -> Tensor:
    """(N, size * size, 2) coordinates (x, y) of the pixels of square views, row by row."""
    line = torch.arange(size).to(like)
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([columns, rows], -1).reshape(1, -1, 2).expand(len(like), -1, 2)
