"""RivaGAN by its two ONNX graphs; runs in the adapter's own environment (onnxruntime, numpy, pillow)."""

import sys
from pathlib import Path

import zoo_driver
import zoo_watermark

EVEN = 0.52
"""The share from which invisible-watermark calls a bit 1 (``rivaGan.py``)."""


class RivaGan:
    """Both networks see one picture as a video of one frame, (1, 3, 1, H, W) BGR in [-1, 1]."""

    def __init__(self, job):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = zoo_driver.threads()
        options.inter_op_num_threads = 1
        self.strength = job["parameters"]["strength"]
        folder = Path(job["install"]["packages"]) / "imwatermark"
        self.encoder, self.decoder = (
            onnxruntime.InferenceSession(str(folder / f"rivagan_{name}.onnx"), options, ["CPUExecutionProvider"])
            for name in ("encoder", "decoder")
        )

    def embed(self, picture, bits):
        """The marked picture."""
        import numpy as np

        data = np.array([bits], np.float32)
        made = self.encoder.run(None, {"frame": frame(picture), "data": data})[0]
        made = (np.clip(made[0, ::-1, 0], -1, 1) + 1) * 127.5
        return zoo_watermark.strengthened(picture, made.transpose(1, 2, 0), self.strength)

    def read(self, picture):
        """Soft bits, 0 where the package would turn from 0 to 1."""
        return self.decoder.run(None, {"frame": frame(picture)})[0][0] - EVEN


def frame(picture):
    """(H, W, 3) RGB as the networks want it."""
    import numpy as np

    return np.ascontiguousarray(picture[..., ::-1].astype(np.float32).transpose(2, 0, 1)[None, :, None] / 127.5 - 1)


if __name__ == "__main__":
    zoo_watermark.run(sys.argv[1:], RivaGan)
