"""The tagger as people use it: photographs and payloads on top, batches of tensors below."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from faketagger.coding import Codec, Payload, Register, key_from
from faketagger.errors import FaceError, ImageError, PayloadError
from faketagger.faces import Face, find_faces
from faketagger.faces.geometry import crop_matrix, face_mask, paste_residual, transform_points, warp_crop
from faketagger.imaging import Image, Photo, as_photo
from faketagger.tagger.attenuation import hold_power
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.pooling import VideoReading
from faketagger.tagger.presence import refuse_tagged
from faketagger.tagger.reading import SIGNIFICANCE, TagReading, read_face, read_picture
from faketagger.tagger.surround import Surround

if TYPE_CHECKING:
    from faketagger.tagger.video import TaggedVideo


class Tagger(nn.Module):
    """Embeds and reads tags.

    Args:
        networks: Encoder and decoder at their native size.
        codec: Code and key; its message length is the networks'.
        psnr_db: PSNR that the tag costs the aligned crop; less is stronger.
        name: What the tagger is called in results.
        surround: Writes the message a second time, around the face.

    Raises:
        PayloadError: Codec and networks disagree about the length of a message.
    """

    def __init__(
        self,
        networks: TaggerNetworks,
        codec: Codec,
        psnr_db: float,
        name: str = "tagger",
        surround: Surround | None = None,
    ) -> None:
        super().__init__()
        if codec.message_bits != networks.message_bits:
            raise PayloadError(f"The code has {codec.message_bits} bits, the networks {networks.message_bits}.")
        self.networks = networks
        self.codec = codec
        self.psnr_db = psnr_db
        self.name = name
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

    def with_key(self, key: str | bytes | None) -> "Tagger":
        """The same networks under another key."""
        codec = Codec(self.message_bits, self.codec.payload_bits, self.codec.crc_bits, key_from(key))
        return Tagger(self.networks, codec, self.psnr_db, self.name, self.surround)

    @torch.no_grad()
    def embed(
        self, image: Image, payload: Payload | str | int | bytes, psnr_db: float | None = None, *, again: bool = False
    ) -> Photo:
        """Tag every face of a photograph.

        Args:
            image: A path, the bytes of a file, a :class:`Photo`, or an array (H, W, 3).
            payload: Anything :meth:`Payload.parse` reads.
            psnr_db: PSNR of the aligned crop instead of the tagger's own.
            again: Tag what is tagged already; the first tag is lost.

        Returns:
            The photograph with the tag; size, depth, alpha, profile and metadata as before.

        Raises:
            ImageError: The image is unusable.
            PayloadError: The payload does not fit.
            FaceError: No face was found, or one carries a tag.
        """
        message = torch.from_numpy(self.codec.encode(payload)).float()[None].to(self.device)
        photo = as_photo(image)
        faces = find_faces(photo.rgb8)
        if not faces:
            raise FaceError("no face was found, so there is nothing to tag", "use a picture whose face is larger")
        pixels = torch.from_numpy(photo.rgb).permute(2, 0, 1)[None].to(self.device)
        if not again:
            refuse_tagged(self.face_logits(pixels, faces), self.codec)
        pixels = self.embed_faces(pixels, message, self.points(faces), psnr_db)
        return photo.with_rgb(pixels[0].permute(1, 2, 0).cpu().numpy())

    @torch.no_grad()
    def read(self, image: Image, significance: float = SIGNIFICANCE, among: Register | None = None) -> TagReading:
        """Look for a tag in every face of a photograph.

        Args:
            image: As for :meth:`embed`.
            significance: Largest p-value at which a payload is reported.
            among: Payloads that it can only be, of this tagger's codec; any payload if None.

        Returns:
            Payload, message probabilities and p-value; no faces and p = 1 where none was found.

        Raises:
            ImageError: The image is unusable.
        """
        photo = as_photo(image)
        faces, codec = find_faces(photo.rgb8), among or self.codec
        if not faces:
            return read_picture([], codec, significance)
        pixels = torch.from_numpy(photo.rgb).permute(2, 0, 1)[None].to(self.device)
        found = zip(faces, self.face_logits(pixels, faces), strict=True)
        return read_picture([read_face(face, poses, codec) for face, poses in found], codec, significance)

    @torch.no_grad()
    def face_logits(self, pixels: Tensor, faces: list[Face]) -> list[NDArray[np.float64]]:
        """What is read in and around each face of one picture (1, 3, H, W): logits (2, L), as it is and mirrored."""
        logits, points = [], self.points(faces)
        for number, landmarks in enumerate(points.unbind(1)):
            crop = warp_crop(pixels, crop_matrix(landmarks, self.size), self.size)
            poses = self.networks.read(torch.cat([crop, crop.flip(3)]))
            if self.surround is not None:
                poses = poses + self.surround.read(pixels, points, number, mirrored=True)
            logits.append(poses.double().cpu().numpy())
        return logits

    def points(self, faces: list[Face]) -> Tensor:
        """Landmarks (1, F, 68, 2) of the faces of one picture, on the tagger's device."""
        points = np.array([face.landmarks for face in faces], np.float32).reshape(1, -1, 68, 2)
        return torch.from_numpy(points).to(self.device)

    def embed_video(
        self, source: str | PathLike[str], target: str | PathLike[str], payload: Any, **settings: Any
    ) -> "TaggedVideo":
        """Tag every frame of a video; see :func:`faketagger.tagger.video.embed_video`."""
        from faketagger.tagger.video import embed_video

        return embed_video(self, Path(source), Path(target), payload, **settings)

    def read_video(
        self, source: str | PathLike[str], significance: float = SIGNIFICANCE, **settings: Any
    ) -> VideoReading:
        """Pool a video's frames into one p-value; see :func:`faketagger.tagger.video.read_video`."""
        from faketagger.tagger.video import read_video

        return read_video(self, Path(source), significance, **settings)

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
        for landmarks in faces.unbind(1):
            matrix = crop_matrix(landmarks, self.size)
            crops = warp_crop(images, matrix, self.size).clamp(0, 1)
            mask = face_mask(transform_points(landmarks, matrix), (self.size, self.size))
            residual = self.networks.residual(crops, message, wanted, mask.to(images))
            images = paste_residual(images, residual, matrix)
        if self.surround is None:
            return images
        return self.surround.embed(images, message, faces, self.surround.psnr_db + wanted - self.psnr_db)

    def read_aligned(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Read raw messages from the faces of pictures.

        Args:
            images: (N, 3, H, W) in [0, 1].
            landmarks: (N, 68, 2) pixel coordinates of one face a picture.

        Returns:
            Logits (N, L), positive for bit 1.

        Raises:
            ImageError: ``images`` has another shape or holds NaN.
        """
        self._check(images)
        logits = self.networks.read(warp_crop(images, crop_matrix(landmarks, self.size), self.size))
        return logits if self.surround is None else logits + self.surround.read(images, landmarks[:, None])

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
