"""The First Order Motion Model: upstream's own networks, configuration and key point arithmetic, unmodified."""

import sys
import types
from pathlib import Path

FILES = {"vox": ("vox-256.yaml", "vox-cpk.pth.tar"), "vox_adv": ("vox-adv-256.yaml", "vox-adv-cpk.pth.tar")}


def upstream_modules(upstream):
    """Upstream's generator, key point detector and ``normalize_kp``.

    animate.py also imports its data loader, logger and imageio, for functions that are not called here; empty modules
    take their place.
    """
    sys.path.insert(0, str(upstream))
    for name, words in (("frames_dataset", ["PairedDataset"]), ("logger", ["Logger", "Visualizer"]), ("imageio", [])):
        module = types.ModuleType(name)
        for word in words:
            setattr(module, word, None)
        sys.modules[name] = module
    from animate import normalize_kp
    from modules.generator import OcclusionAwareGenerator
    from modules.keypoint_detector import KPDetector

    return OcclusionAwareGenerator, KPDetector, normalize_kp


class Motion:
    """A source face moved like a driving face."""

    def __init__(self, install, checkpoint, device):
        import torch
        import yaml

        config, weights = FILES[checkpoint]
        path = Path(install["weights"]) / weights
        if not path.is_file():
            raise SystemExit(f"{weights} is missing: give its folder with faketagger zoo install fomm --weights DIR")
        generator, detector, self._normalize = upstream_modules(install["upstream"])
        parts = yaml.safe_load((Path(install["upstream"]) / "config" / config).read_text())["model_params"]
        self._torch, self._device = torch, device
        self._generator = generator(**parts["generator_params"], **parts["common_params"])
        self._detector = detector(**parts["kp_detector_params"], **parts["common_params"])
        state = torch.load(path, map_location="cpu", weights_only=True)
        for module, key in ((self._generator, "generator"), (self._detector, "kp_detector")):
            module.load_state_dict(state[key])
            module.to(device).eval()

    def _tensor(self, picture):
        pixels = self._torch.from_numpy(picture.copy()).to(self._device)
        return pixels.permute(2, 0, 1)[None].float() / 255

    def move(self, source, driving, first, relative, adapt_scale):
        """One picture.

        Args:
            source: (256, 256, 3) uint8, the face that is moved.
            driving: (256, 256, 3) uint8, the face whose pose and expression are taken.
            first: (256, 256, 3) uint8, the driving face at rest, for relative movement.
            relative: Add the difference between ``driving`` and ``first`` to the source instead of taking
                ``driving`` as it is.
            adapt_scale: Scale that difference by the size of the faces.

        Returns:
            (256, 256, 3) uint8.
        """
        import numpy as np

        with self._torch.no_grad():
            pixels = self._tensor(source)
            at_source, at_driving, at_first = (self._detector(self._tensor(face)) for face in (source, driving, first))
            wanted = self._normalize(
                kp_source=at_source,
                kp_driving=at_driving,
                kp_driving_initial=at_first,
                use_relative_movement=relative,
                use_relative_jacobian=relative,
                adapt_movement_scale=adapt_scale,
            )
            made = self._generator(pixels, kp_source=at_source, kp_driving=wanted)["prediction"][0]
        values = made.permute(1, 2, 0).cpu().numpy()
        if not np.isfinite(values).all():
            raise ValueError("the network made values that are no numbers")
        return np.rint(values * 255).clip(0, 255).astype(np.uint8)
