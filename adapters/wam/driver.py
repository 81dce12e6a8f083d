"""Watermark Anything by its own code: bits are averaged over the pixels that it calls marked."""

import json
import os
import sys
import types
from pathlib import Path

import zoo_watermark

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Wam:
    """The authors' model; pictures normalised as ImageNet's."""

    def __init__(self, job):
        import torch

        torch.set_num_threads(1)
        zoo_watermark.import_torchvision()
        upstream = Path(job["install"]["upstream"])
        sys.path.insert(0, str(upstream))
        os.chdir(upstream)  # its settings are found from here
        for name in ("lpips", "pycocotools", "pycocotools.mask", "pycocotools.coco"):
            sys.modules.setdefault(name, Nothing(name))
        from omegaconf import OmegaConf
        from watermark_anything.data.transforms import normalize_img, unnormalize_img
        from watermark_anything.models import Wam as Model
        from watermark_anything.models import build_embedder, build_extractor
        from watermark_anything.modules.jnd import JND

        facts = types.SimpleNamespace(**json.loads(Path("checkpoints/params.json").read_text()))
        embedders, extractors = OmegaConf.load(facts.embedder_config), OmegaConf.load(facts.extractor_config)
        attenuations = OmegaConf.load(facts.attenuation_config)
        embedder = build_embedder(facts.embedder_model, embedders[facts.embedder_model], facts.nbits)
        extractor = build_extractor(
            extractors.model, extractors[facts.extractor_model], facts.img_size, facts.nbits
        )
        jnd = JND(**attenuations[facts.attenuation], preprocess=unnormalize_img, postprocess=normalize_img)
        self.model = Model(embedder, extractor, None, jnd, facts.scaling_w, facts.scaling_i)
        state = zoo_watermark.state_dict(Path(job["install"]["weights"]) / "wam_mit.pth", "model")
        missing = self.model.load_state_dict(state, strict=False).missing_keys
        if missing:
            raise SystemExit(f"wam_mit.pth lacks {len(missing)} tensors, among them {missing[0]}")
        self.model.eval()
        self.torch, self.strength = torch, job["parameters"]["strength"]

    def embed(self, picture, bits):
        """The marked picture."""
        with self.torch.no_grad():
            message = self.torch.tensor([bits], dtype=self.torch.float32)
            made = self.model.embed(self.normalised(picture), message)["imgs_w"][0]
        std, mean = (self.torch.tensor(values)[:, None, None] for values in (STD, MEAN))
        return zoo_watermark.strengthened(picture, 255 * (made * std + mean).permute(1, 2, 0).numpy(), self.strength)

    def read(self, picture):
        """Soft bits: each the mean over the pixels, weighted by how marked they look."""
        with self.torch.no_grad():
            found = self.model.detect(self.normalised(picture))["preds"][0]
        weight = self.torch.sigmoid(found[:1])
        return ((found[1:] * weight).sum((1, 2)) / weight.sum().clamp_min(1e-6)).tolist()

    def normalised(self, picture):
        """(1, 3, H, W)."""
        std, mean = (self.torch.tensor(values)[:, None, None] for values in (STD, MEAN))
        return ((zoo_watermark.unit_tensor(picture) + 1) / 2 - mean) / std


class Nothing(types.ModuleType):
    """A module that holds whatever is asked of it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


if __name__ == "__main__":
    zoo_watermark.run(sys.argv[1:], Wam)
