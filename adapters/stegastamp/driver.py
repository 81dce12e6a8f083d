"""StegaStamp by two ONNX graphs that the user converts from the authors' TensorFlow model; no TensorFlow here."""

import sys
from pathlib import Path

import zoo_driver
import zoo_watermark


class StegaStamp:
    """``encoder.onnx``: secret (1, L) and image (1, H, W, 3) in [0, 1]; ``decoder.onnx``: image to bits.

    Inputs are told apart by their rank, outputs by their shape; channels may come first or last.
    """

    def __init__(self, job):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = zoo_driver.threads()
        folder, self.strength = Path(job["install"]["weights"]), job["parameters"]["strength"]
        self.bits = job["parameters"]["message_bits"]
        self.encoder, self.decoder = (
            onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), options, ["CPUExecutionProvider"])
            for name in ("encoder", "decoder")
        )

    def embed(self, picture, bits):
        """The marked picture."""
        import numpy as np

        feed = {
            one.name: laid_out(picture, one.shape) if len(one.shape) == 4 else np.array([bits], np.float32)
            for one in self.encoder.get_inputs()
        }
        made = next(out for out in self.encoder.run(None, feed) if out.ndim == 4)[0]
        made = made.transpose(1, 2, 0) if made.shape[0] == 3 else made
        if made.min() < -0.05:  # the graph gives the residual
            made = made + picture.astype(np.float32) / 255
        return zoo_watermark.strengthened(picture, np.clip(made, 0, 1) * 255, self.strength)

    def read(self, picture):
        """Soft bits: rounded answers of 0 and 1, probabilities and logits all turn where they should."""
        feed = {one.name: laid_out(picture, one.shape) for one in self.decoder.get_inputs()}
        found = next(out for out in self.decoder.run(None, feed) if out.size == self.bits).ravel()
        return found - 0.5 if found.min() >= 0 and found.max() <= 1 else found


def laid_out(picture, shape):
    """(H, W, 3) uint8 in [0, 1], channels where the graph wants them."""
    import numpy as np

    image = picture.astype(np.float32)[None] / 255
    return np.ascontiguousarray(image.transpose(0, 3, 1, 2)) if shape[1] == 3 else image


if __name__ == "__main__":
    zoo_watermark.run(sys.argv[1:], StegaStamp)
