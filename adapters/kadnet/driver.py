"""KAD-Net by its authors' networks: the branch that traces the source, unless asked for the other."""

import sys
import types
from pathlib import Path

import zoo_watermark

RANGE = 0.1
"""Bits are written as -0.1 and 0.1 (``message_range`` of its training file)."""
UNUSED = ("kornia", "kornia.losses", "matplotlib", "matplotlib.pyplot", "utils", "network.Random_Noise")
"""Imported by the networks' files for training alone."""


class KadNet:
    """Encoder and decoder of one branch; pictures and outputs in [-1, 1]."""

    def __init__(self, job):
        import torch

        torch.set_num_threads(1)
        zoo_watermark.import_torchvision()
        sys.path.insert(0, job["install"]["upstream"])
        for name in UNUSED:
            sys.modules.setdefault(name, types.ModuleType(name))
        sys.modules["network.Random_Noise"].Random_Noise = object
        torch.cuda.FloatTensor = lambda *shape, device=None: torch.empty(*shape, device=device)  # it asks for CUDA
        import importlib

        parameters, self.torch = job["parameters"], torch
        length, branch, self.strength = (parameters[name] for name in ("message_bits", "branch", "strength"))
        code = importlib.import_module(f"network.{branch}_EncoderDecoder")
        state = zoo_watermark.state_dict(Path(job["install"]["weights"]) / "EC.pth", "state_dict")
        state = zoo_watermark.without_prefix(state, "module.")
        self.encoder = getattr(code, f"{branch}_Encoder")(length, attention="se")
        self.decoder = getattr(code, f"{branch}_Decoder")(length, attention="se")
        self.encoder.load_state_dict(zoo_watermark.without_prefix(state, "encoder."))
        part = "decoder_C." if branch == "ST" else "decoder_RF."
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
    zoo_watermark.run(sys.argv[1:], KadNet)
