"""SepMark by its authors' networks; the benchmark reads with the robust decoder, the Tracer, unless asked otherwise."""

import sys
import types
from pathlib import Path

import zoo_watermark

RANGE = 0.1
"""Bits are written as -0.1 and 0.1 (``message_range`` of its training file)."""


class SepMark:
    """Encoder and one decoder; pictures and outputs in [-1, 1]."""

    def __init__(self, job):
        import torch

        torch.set_num_threads(1)
        zoo_watermark.import_torchvision()
        sys.path.insert(0, job["install"]["upstream"])
        for name in ("kornia", "kornia.losses"):  # imported for training alone
            sys.modules.setdefault(name, types.ModuleType(name))
        from network.Decoder_U import DW_Decoder
        from network.Encoder_U import DW_Encoder

        parameters, self.torch = job["parameters"], torch
        length, self.strength = parameters["message_bits"], parameters["strength"]
        state = zoo_watermark.state_dict(Path(job["install"]["weights"]) / "EC.pth", "state_dict")
        state = zoo_watermark.without_prefix(state, "module.")
        self.encoder, self.decoder = DW_Encoder(length, attention="se"), DW_Decoder(length, attention="se")
        part = "decoder_C." if parameters["decoder"] == "tracer" else "decoder_RF."
        self.encoder.load_state_dict(zoo_watermark.without_prefix(state, "encoder."))
        self.decoder.load_state_dict(zoo_watermark.without_prefix(state, part))
        self.encoder.eval()
        self.decoder.eval()

    def embed(self, picture, bits):
        """The marked picture."""
        with self.torch.no_grad():
            message = RANGE * (2 * self.torch.tensor([bits], dtype=self.torch.float32) - 1)
            made = self.encoder(zoo_watermark.unit_tensor(picture), message)
        return zoo_watermark.strengthened(picture, zoo_watermark.from_unit(made), self.strength)

    def read(self, picture):
        """Soft bits."""
        with self.torch.no_grad():
            return self.decoder(zoo_watermark.unit_tensor(picture))[0].tolist()


if __name__ == "__main__":
    zoo_watermark.run(sys.argv[1:], SepMark)
