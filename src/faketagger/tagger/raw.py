"""Raw messages in batches of tensors: what the tagger does below payloads and photographs."""

from functools import partial

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from faketagger.errors import ImageError, PayloadError
from faketagger.faces.geometry import chained, crop_matrix, face_mask, transform_points, warp_crop
from faketagger.tagger.attenuation import hold_power
from faketagger.tagger.encoder import amplitude
from faketagger.tagger.framing import agreed, moved, turned
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.place import Place
from faketagger.tagger.polish import polished
from faketagger.tagger.surround import Surround


class RawTagger(nn.Module):
    """Embeds and reads raw messages.

    Args:
        networks: Encoder and decoder of the face, at their native size.
        psnr_db: PSNR that the tag costs the aligned crop; less is stronger.
        surround: Writes the message a second time, around the face.
        polish: Rounds in which a tag is improved before it is written; see :mod:`faketagger.tagger.polish`.
    """

    def __init__(
        self, networks: TaggerNetworks, psnr_db: float, surround: Surround | None = None, polish: int = 0
    ) -> None:
        super().__init__()
        self.polish = polish
        self.networks = networks
        self.psnr_db = psnr_db
        self.surround = surround

    @property
    def message_bits(self) -> int:
        """Length L of a message."""
        return self.networks.message_bits

    @property
    def size(self) -> int:
        """Native side in pixels."""
        return self.networks.size

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.networks.parameters()).device

    def embed_message(self, images: Tensor, message: Tensor, psnr_db: float | None = None) -> Tensor:
        """Write raw messages into whole pictures, without looking for faces.

        Args:
            images: (N, 3, H, W) in [0, 1], any size from 32 pixels on.
            message: (N, L) in {0, 1}.
            psnr_db: PSNR instead of the tagger's own.

        Returns:
            (N, 3, H, W) in [0, 1], not rounded.

        Raises:
            ImageError: ``images`` has another shape or holds NaN.
            PayloadError: ``message`` has another shape or other values.
        """
        self._check(images, message)
        small = self._native(images)
        residual = self.networks.encoder(small, message.to(images))
        size = (images.shape[2], images.shape[3])
        if size != (self.size, self.size):
            residual = functional.interpolate(residual, size, mode="bicubic", antialias=True)
        return (images + hold_power(residual, psnr_db or self.psnr_db)).clamp(0, 1)

    def read_message(self, images: Tensor) -> Tensor:
        """Read raw messages from whole pictures.

        Args:
            images: (N, 3, H, W) in [0, 1], framed as they were for :meth:`embed_message`.

        Returns:
            Logits (N, L), positive for bit 1.

        Raises:
            ImageError: ``images`` has another shape or holds NaN.
        """
        self._check(images)
        return self.networks.read(self._native(images))

    def embed_aligned(self, images: Tensor, message: Tensor, landmarks: Tensor, psnr_db: float | None = None) -> Tensor:
        """Write raw messages into the faces of pictures.

        Args:
            images: (N, 3, H, W) in [0, 1].
            message: (N, L) in {0, 1}.
            landmarks: (N, 68, 2) pixel coordinates of one face a picture.
            psnr_db: PSNR of the aligned crop instead of the tagger's own.

        Returns:
            (N, 3, H, W) in [0, 1]; without a surround, pixels outside the aligned crops are unchanged.

        Raises:
            ImageError: ``images`` has another shape or holds NaN.
            PayloadError: ``message`` has another shape or other values.
        """
        return self.embed_faces(images, message, landmarks[:, None], psnr_db)

    def embed_faces(self, images: Tensor, message: Tensor, faces: Tensor, psnr_db: float | None = None) -> Tensor:
        """Write raw messages into all faces of pictures and, with a surround, around them.

        Args:
            images: (N, 3, H, W) in [0, 1].
            message: (N, L) in {0, 1}.
            faces: (N, F, 68, 2) pixel coordinates.
            psnr_db: PSNR of the aligned crop instead of the tagger's own; the surround's moves with it.

        Returns:
            (N, 3, H, W) in [0, 1].

        Raises:
            ImageError: ``images`` has another shape or holds NaN.
            PayloadError: ``message`` has another shape or other values.
        """
        self._check(images, message)
        wanted, message = psnr_db or self.psnr_db, message.to(images)
        passes = [partial(self._in_face, psnr_db=wanted)]
        if self.surround is not None:
            passes.append(partial(self.surround.place, psnr_db=self.surround.psnr_db + wanted - self.psnr_db))
        numbers = range(faces.shape[1])
        if self.polish:
            for number in numbers:
                places = [find(images, message, faces, number) for find in passes]
                residuals = polished(images, faces[:, number], places, message, self.polish)
                for place, residual in zip(places, residuals, strict=True):
                    images = place.write(images, residual)
            return images
        for find in passes:
            for number in numbers:
                place = find(images, message, faces, number)
                images = place.write(images, place.held(place.raw))
        return images

    def _in_face(self, images: Tensor, message: Tensor, faces: Tensor, number: int, psnr_db: float) -> Place:
        landmarks = faces[:, number]
        matrix = crop_matrix(landmarks, self.size)
        crops = warp_crop(images, matrix, self.size).clamp(0, 1)
        mask = face_mask(transform_points(landmarks, matrix), (self.size, self.size)).to(images)
        raw = self.networks.encoder(crops, message, mask)
        return Place(self.networks, matrix, 1.0, raw, amplitude(crops, mask), psnr_db)

    def read_aligned(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Read raw messages from the faces of pictures, or from their mirror images where those are surer of it.

        Where the bits are not sure, faces are looked at moved a little, too.

        Args:
            images: (N, 3, H, W) in [0, 1].
            landmarks: (N, 68, 2) pixel coordinates of one face a picture.

        Returns:
            Logits (N, L), positive for bit 1.

        Raises:
            ImageError: ``images`` has another shape or holds NaN.
        """
        self._check(images)
        return self._read(images, landmarks[:, None], 0, search=True, mirrored=False)

    def read_poses(self, images: Tensor, faces: Tensor, number: int, search: bool = True) -> Tensor:
        """Read raw messages in and around one face of each picture, as it is and as in a mirror.

        Args:
            images: (N, 3, H, W) in [0, 1].
            faces: (N, F, 68, 2) pixel coordinates of all faces.
            number: Which of the F.
            search: Look at faces in moved framings, too, where the bits are not sure, in 25 times the time.

        Returns:
            Logits (2 N, L), those of the mirror images last.
        """
        return self._read(images, faces, number, search, mirrored=True)

    def _read(self, images: Tensor, faces: Tensor, number: int, search: bool, mirrored: bool) -> Tensor:
        matrix = crop_matrix(faces[:, number], self.size)
        crops = warp_crop(images, matrix, self.size)
        poses = self.networks.read(torch.cat([crops, crops.flip(3)])).unflatten(0, (2, -1))
        pose = turned(poses).long()
        for row in range(len(images) if search else 0):
            look = partial(self._look, images[row], matrix[row], bool(pose[row]))
            poses[pose[row], row] = agreed(look, poses[pose[row], row])
        logits = poses.flatten(0, 1) if mirrored else poses[pose, torch.arange(len(images))]
        return logits if self.surround is None else logits + self.surround.read(images, faces, number, mirrored)

    def _look(self, image: Tensor, matrix: Tensor, mirrored: bool, moves: Tensor) -> Tensor:
        matrices = chained(matrix[None], moved(moves.to(matrix), self.size, 0))
        crops = warp_crop(image.expand(len(moves), -1, -1, -1), matrices, self.size)
        return self.networks.read(crops.flip(3) if mirrored else crops)

    def _native(self, images: Tensor) -> Tensor:
        if images.shape[2:] == (self.size, self.size):
            return images
        return functional.interpolate(images, (self.size, self.size), mode="bilinear", antialias=True)

    def _check(self, images: Tensor, message: Tensor | None = None) -> None:
        if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[2:]) < 32:
            raise ImageError(f"Pictures must be N x 3 x H x W from 32 pixels on, not {tuple(images.shape)}.")
        if not torch.isfinite(images).all():
            raise ImageError("The pictures contain NaN or infinite values.")
        if message is None:
            return
        if message.shape != (len(images), self.message_bits):
            wanted = (len(images), self.message_bits)
            raise PayloadError(f"The messages must have shape {wanted}, not {tuple(message.shape)}.")
        if not ((message == 0) | (message == 1)).all():
            raise PayloadError("The messages must hold 0 and 1 only.")
