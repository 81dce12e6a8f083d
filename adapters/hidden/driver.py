"""HiDDeN by the networks of the public re-implementation; its settings file is a pickle and is not read."""

import sys
import types
from pathlib import Path

import zoo_watermark


class Hidden:
    """Encoder and decoder; pictures in [-1, 1], messages of 0 and 1."""

    def __init__(self, job):
        import torch

        torch.set_num_threads(1)
        sys.path.insert(0, job["install"]["upstream"])
        from model.decoder import Decoder
        from model.encoder import Encoder

        given, self.torch, self.strength = job["parameters"], torch, job["parameters"]["strength"]
        settings = types.SimpleNamespace(
            H=given["size"],
            W=given["size"],
            message_length=given["message_bits"],
            encoder_blocks=given["blocks"],
            encoder_channels=given["channels"],
            decoder_blocks=given["decoder_blocks"],
            decoder_channels=given["channels"],
        )
        weights = Path(job["install"]["weights"]) / "hidden.pyt"
        state = zoo_watermark.state_dict(weights, "enc-dec-model", "state_dict")
        self.encoder, self.decoder = Encoder(settings), Decoder(settings)
        self.encoder.load_state_dict(zoo_watermark.without_prefix(state, "encoder."))
        self.decoder.load_state_dict(zoo_watermark.without_prefix(state, "decoder."))
        self.encoder.eval()
        self.decoder.eval()

    def embed(self, picture, bits):
        """The marked picture."""
        with self.torch.no_grad():
            message = self.torch.tensor([bits], dtype=self.torch.float32)
            made = self.encoder(zoo_watermark.unit_tensor(picture), message)
        return zoo_watermark.strengthened(picture, zoo_watermark.from_unit(made), self.strength)

    def read(self, picture):
        """The decoder answers about 0 or 1; soft bits turn at one half."""
        with self.torch.no_grad():
            return (self.decoder(zoo_watermark.unit_tensor(picture))[0] - 0.5).tolist()


if __name__ == "__main__":
    zoo_watermark.run(sys.argv[1:], Hidden)
