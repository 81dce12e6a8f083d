"""Encoder and decoder as one module, at their native size."""

from torch import Tensor, nn

from faketagger.errors import ConfigError
from faketagger.tagger.attenuation import hold_power
from faketagger.tagger.decoder import TagDecoder, TimmDecoder
from faketagger.tagger.encoder import TagEncoder


class TaggerNetworks(nn.Module):
    """Writes and reads raw messages in square pictures of the native size.

    Args:
        message_bits: Length L of the message.
        size: Native side in pixels, a multiple of four patches.
        encoder_width: Channels of the encoder at its finest scale.
        decoder_width: Channels of our own decoder at its finest scale.
        backbone: A timm model name to read with instead.
        patch: Side in pixels of what one cell of the networks' grid holds: 8 at 256 px costs what 4 does at 128.
        smooth: Standard deviation in pixels of the Gaussian that every residual passes; 0 for none.
        decoder_depth: Residual blocks of our own decoder at each of its three scales, the finest first.
        encoder_depth: The same of the encoder, each on the way down and again on the way up.
        band: Half cycles per side below which every residual stays, exactly; 0 for no limit.

    Raises:
        ConfigError: The size is no multiple of four patches, or smaller than eight.
    """

    def __init__(
        self,
        message_bits: int = 64,
        size: int = 128,
        encoder_width: int = 32,
        decoder_width: int = 48,
        backbone: str | None = None,
        patch: int = 4,
        smooth: float = 0.0,
        decoder_depth: tuple[int, int, int] = (1, 2, 2),
        encoder_depth: tuple[int, int, int] = (1, 1, 1),
        band: float = 0.0,
    ) -> None:
        super().__init__()
        unit = 4 * patch
        if size % unit or size < 2 * unit:
            hint = f"try {max(2 * unit, size // unit * unit)}"
            raise ConfigError(f"a native size of {size} is no multiple of {unit} from {2 * unit} on", hint)
        self.message_bits, self.size = message_bits, size
        self.encoder = TagEncoder(message_bits, size, encoder_width, patch, smooth, encoder_depth, band)
        self.decoder: nn.Module = (
            TimmDecoder(message_bits, backbone)
            if backbone
            else TagDecoder(message_bits, size, decoder_width, patch, decoder_depth)
        )

    def residual(self, images: Tensor, message: Tensor, psnr_db: float, mask: Tensor | None = None) -> Tensor:
        """What to add to (N, 3, size, size) pictures in [0, 1] so that they carry (N, L) bits at a PSNR."""
        return hold_power(self.encoder(images, message, mask), psnr_db)

    def embed(self, images: Tensor, message: Tensor, psnr_db: float, mask: Tensor | None = None) -> Tensor:
        """Tagged pictures (N, 3, size, size) in [0, 1]."""
        return (images + self.residual(images, message, psnr_db, mask)).clamp(0, 1)

    def read(self, images: Tensor) -> Tensor:
        """Logits (N, L) from (N, 3, size, size) pictures in [0, 1]."""
        return self.decoder(images)
