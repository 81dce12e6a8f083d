"""TrustMark-Q by its own package, weights from the user's folder instead of the network."""

import sys
from pathlib import Path

import zoo_watermark

BITS = 100


class Mark:
    """The package's two networks without its error correction: the benchmark compares raw bits."""

    def __init__(self, job):
        import torch

        zoo_watermark.import_torchvision()
        import trustmark

        torch.set_num_threads(1)
        folder = Path(job["install"]["weights"])

        class Local(trustmark.TrustMark):
            def check_and_download(self, filename):
                if not Path(filename).is_file():
                    raise FileNotFoundError(f"{Path(filename).name} is missing")

            def load_model(self, config_path, weight_path, *values, **named):
                here = (str(folder / Path(path).name) for path in (config_path, weight_path))
                model = super().load_model(*here, *values, **named)
                if model is None:
                    raise SystemExit(f"{Path(weight_path).name} cannot be loaded")
                return model

        self.torch, self.strength = torch, job["parameters"]["strength"]
        self.mark = Local(use_ECC=False, verbose=False, secret_len=BITS, model_type="Q", device="cpu", loadRemover=False)

    def embed(self, picture, bits):
        """The marked picture; as the package does, at 256 pixels, the residual enlarged."""
        functional = self.torch.nn.functional
        cover = resized(self.torch, picture, self.mark.model_resolution_enc)
        with self.torch.no_grad():
            stego, _ = self.mark.encoder(cover, self.torch.tensor([bits], dtype=self.torch.float32))
            residual = functional.interpolate(stego.clamp(-1, 1) - cover, picture.shape[:2], mode="bilinear")
        made = picture + 127.5 * residual[0].permute(1, 2, 0).numpy()
        return zoo_watermark.strengthened(picture, made, self.strength)

    def read(self, picture):
        """Soft bits."""
        with self.torch.no_grad():
            return self.mark.decoder.decoder(resized(self.torch, picture, self.mark.model_resolution_dec))[0].tolist()


def resized(torch, picture, side):
    """(1, 3, side, side) in [-1, 1], by Pillow as the package does."""
    import numpy as np
    from PIL import Image

    return zoo_watermark.unit_tensor(np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR)))


if __name__ == "__main__":
    zoo_watermark.run(sys.argv[1:], Mark)
