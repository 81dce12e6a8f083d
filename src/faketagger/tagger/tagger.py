"""The tagger as people use it: photographs, videos and payloads."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from faketagger.coding import Codec, Payload, Register, key_from
from faketagger.errors import ConfigError, FaceError, PayloadError
from faketagger.faces import Face, find_faces
from faketagger.imaging import Image, Photo, as_photo
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.pooling import VideoReading
from faketagger.tagger.presence import refuse_tagged
from faketagger.tagger.raw import RawTagger
from faketagger.tagger.reading import SIGNIFICANCE, TagReading, read_face, read_picture
from faketagger.tagger.surround import Surround

if TYPE_CHECKING:
    from faketagger.tagger.video import TaggedVideo


class Tagger(RawTagger):
    """Embeds and reads payloads in photographs and videos.

    Args:
        networks: Encoder and decoder of the face, at their native size.
        codec: Code and key; its message length is the networks'.
        psnr_db: PSNR that the tag costs the aligned crop; less is stronger.
        name: What the tagger is called in results.
        surround: Writes the message a second time, around the face.
        polish: Rounds in which a tag is improved before it is written, each a fraction of a second on a CPU core.

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
        polish: int = 0,
    ) -> None:
        super().__init__(networks, psnr_db, surround, polish)
        if codec.message_bits != networks.message_bits:
            raise PayloadError(f"The code has {codec.message_bits} bits, the networks {networks.message_bits}.")
        self.codec = codec
        self.name = name

    def with_key(self, key: str | bytes | None) -> "Tagger":
        """The same networks under another key."""
        codec = Codec(self.message_bits, self.codec.payload_bits, self.codec.crc_bits, key_from(key))
        return Tagger(self.networks, codec, self.psnr_db, self.name, self.surround, self.polish)

    def with_polish(self, rounds: int) -> "Tagger":
        """The same tagger, improving every tag before it is written; see :mod:`faketagger.tagger.polish`.

        Args:
            rounds: How often; 0 writes what the encoder made.

        Raises:
            ConfigError: The number is negative.
        """
        if rounds < 0:
            raise ConfigError(f"a tag cannot be polished in {rounds} rounds", "use 0 or more")
        return Tagger(self.networks, self.codec, self.psnr_db, self.name, self.surround, rounds)

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
            refuse_tagged(self.face_logits(pixels, faces, search=False), self.codec)
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
        faces, codec = find_faces(photo.rgb8, guess=True), among or self.codec
        if not faces:
            return read_picture([], codec, significance)
        pixels = torch.from_numpy(photo.rgb).permute(2, 0, 1)[None].to(self.device)
        found = zip(faces, self.face_logits(pixels, faces, search=True), strict=True)
        return read_picture([read_face(face, poses, codec) for face, poses in found], codec, significance)

    @torch.no_grad()
    def face_logits(self, pixels: Tensor, faces: list[Face], search: bool) -> list[NDArray[np.float64]]:
        """What is read in and around each face of one picture (1, 3, H, W): logits (2, L), as it is and mirrored.

        ``search`` is that of :meth:`read_poses`.
        """
        points = self.points(faces)
        poses = [self.read_poses(pixels, points, number, search) for number in range(len(faces))]
        return [logits.double().cpu().numpy() for logits in poses]

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
