"""VideoSeal and PixelSeal by their own code, weights from the user's folder instead of the network."""

import sys
import types
from pathlib import Path

import zoo_watermark

CARDS = {"videoseal": ("videoseal_1.0", "y_256b_img.pth"), "pixelseal": ("pixelseal", "pixelseal.pth")}
UNUSED = (
    *("lpips", "pycocotools", "pycocotools.mask", "pycocotools.coco", "decord", "ffmpeg", "pytorch_msssim", "calflops"),
    *("tensorboard", "transformers", "diffusers"),
)
"""Imported for training, video and metrics alone."""


class Seal:
    """The authors' model; pictures in [0, 1]; the first channel of what it detects is no bit."""

    def __init__(self, job):
        import torch

        torch.set_num_threads(1)
        zoo_watermark.import_torchvision()
        sys.path.insert(0, job["install"]["upstream"])
        for name in UNUSED:
            sys.modules.setdefault(name, Nothing(name))
        from omegaconf import OmegaConf
        from videoseal.utils.cfg import setup_model

        card, file = CARDS[job["parameters"]["model"]]
        weights = Path(job["install"]["weights"]) / file
        if not weights.is_file():
            raise SystemExit(f"{file} is missing: bring it with faketagger zoo install videoseal --weights DIR")
        config = OmegaConf.load(Path(job["install"]["upstream"]) / "videoseal" / "cards" / f"{card}.yaml")
        self.model = setup_model(config, weights).eval()
        self.torch, self.strength = torch, job["parameters"]["strength"]

    def embed(self, picture, bits):
        """The marked picture."""
        with self.torch.no_grad():
            message = self.torch.tensor([bits], dtype=self.torch.float32)
            made = self.model.embed(tensor(picture), msgs=message, is_video=False)["imgs_w"]
        return zoo_watermark.strengthened(picture, 255 * made[0].permute(1, 2, 0).numpy(), self.strength)

    def read(self, picture):
        """Soft bits."""
        with self.torch.no_grad():
            return self.model.detect(tensor(picture), is_video=False)["preds"][0, 1:].tolist()


class Nothing(types.ModuleType):
    """A module that holds whatever is asked of it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def tensor(picture):
    """(1, 3, H, W) in [0, 1]."""
    return (zoo_watermark.unit_tensor(picture) + 1) / 2


if __name__ == "__main__":
    zoo_watermark.run(sys.argv[1:], Seal)
