"""Upstream's two networks: the discriminator says which attributes a face has, the generator changes them."""

import sys

HAIR = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")


def wanted_edits(text, names):
    """The attributes to toggle.

    Args:
        text: The parameter ``edits``: comma-separated names.
        names: The attributes that were learned.

    Raises:
        SystemExit: One sentence on what cannot be done.
    """
    edits = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not edits:
        raise SystemExit(f"no edit is named; this model has learned {', '.join(names)}")
    if unknown := [name for name in edits if name not in names]:
        raise SystemExit(f"{', '.join(unknown)} was not learned; this model has learned {', '.join(names)}")
    if len([name for name in edits if name in HAIR]) > 1:
        raise SystemExit("hair has one colour at a time: name one of them")
    return edits


def toggled(has, names, edits):
    """Attributes after the edits, as upstream's create_labels has it.

    A hair colour is put on and takes the others off; everything else is turned round.

    Args:
        has: Attribute to yes or no before.
        names: The attributes that were learned.
        edits: Those to toggle.
    """
    after = dict(has)
    for edit in edits:
        if edit in HAIR:
            after.update({name: name == edit for name in names if name in HAIR})
        else:
            after[edit] = not has[edit]
    return after


def load(path):
    """Weights from a checkpoint, which is never unpickled freely."""
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise SystemExit(f"{path.name} is no file of weights ({type(error).__name__})") from None


def shape_of(generator, discriminator):
    """The sizes that upstream's networks had when these weights were saved.

    Args:
        generator: Weights by name.
        discriminator: Weights by name.

    Returns:
        ``attributes``, ``filters``, ``generator_blocks``, ``discriminator_layers`` and ``image_size``.
    """
    try:
        filters, channels = generator["main.0.weight"].shape[:2]
        blocks = len({name.split(".")[1] for name in generator if ".main." in name})
        layers = len([name for name in discriminator if name.startswith("main.") and name.endswith(".weight")])
        attributes, _, kernel, _ = discriminator["conv2.weight"].shape
        widest = discriminator["main.0.weight"].shape[0]
    except (KeyError, ValueError, AttributeError):
        raise SystemExit("these are not the weights of StarGAN's two networks") from None
    if channels != attributes + 3:
        raise SystemExit(f"the generator edits {channels - 3} attributes and the discriminator knows {attributes}")
    return {
        "attributes": attributes,
        "filters": filters,
        "discriminator_filters": widest,
        "generator_blocks": blocks,
        "discriminator_layers": layers,
        "image_size": kernel * 2**layers,
    }


class Editor:
    """Both networks, loaded once.

    Args:
        upstream: Folder of upstream's code.
        model: Folder with ``G.ckpt`` and ``D.ckpt``.
        names: The attributes in the order of the networks' channels.
        device: ``cpu`` or ``cuda``.
    """

    def __init__(self, upstream, model, names, device):
        import torch

        sys.path.insert(0, str(upstream))
        from model import Discriminator, Generator

        self.torch, self.names, self.device = torch, names, device
        made, judged = load(model / "G.ckpt"), load(model / "D.ckpt")
        shape = shape_of(made, judged)
        if shape["attributes"] != len(names):
            raise SystemExit(f"the networks have {shape['attributes']} attributes, {len(names)} are named")
        self.size = shape["image_size"]
        self.generator = Generator(shape["filters"], len(names), shape["generator_blocks"])
        self.discriminator = Discriminator(
            self.size, shape["discriminator_filters"], len(names), shape["discriminator_layers"]
        )
        # both stay in training mode, as upstream tests them: running statistics are never read and may be absent
        fit = self.generator.load_state_dict(made, strict=False)
        if fit.unexpected_keys or [key for key in fit.missing_keys if "running_" not in key and "num_" not in key]:
            raise SystemExit("these are not the weights of StarGAN's generator")
        self.discriminator.load_state_dict(judged)
        self.generator.to(device)
        self.discriminator.to(device)

    def has(self, pixels):
        """Which attributes the discriminator sees; of the hair colours at most the likeliest."""
        with self.torch.no_grad():
            scores = dict(zip(self.names, self.discriminator(pixels)[1][0].tolist(), strict=True))
        seen = {name: score > 0 for name, score in scores.items()}
        hair = [name for name in self.names if name in HAIR]
        if hair:
            likeliest = max(hair, key=scores.__getitem__)
            seen.update({name: seen[name] and name == likeliest for name in hair})
        return seen

    def edit(self, square, edits):
        """One square picture with its attributes toggled.

        Args:
            square: PIL picture of the networks' size.
            edits: Names.

        Returns:
            PIL picture of the same size, and what the discriminator saw before.
        """
        import numpy as np
        from PIL import Image

        pixels = np.asarray(square, np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
        pixels = self.torch.from_numpy(pixels).to(self.device)
        has = self.has(pixels)
        after = toggled(has, self.names, edits)
        label = self.torch.tensor([[float(after[name]) for name in self.names]], device=self.device)
        with self.torch.no_grad():
            made = self.generator(pixels, label)[0].cpu().numpy()
        made = ((made.transpose(1, 2, 0) + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
        return Image.fromarray(made), has
