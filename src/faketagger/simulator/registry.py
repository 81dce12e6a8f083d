"""The table of white-box attacks: a name, and where its class lives.

Modules are imported when their attack is built, so that listing names costs nothing.
"""

import difflib
import importlib
from typing import Any

from torch import Tensor

from faketagger.errors import ConfigError
from faketagger.simulator.interface import Attack

_DEGRADATIONS = "faketagger.simulator.degradations"

ATTACKS: dict[str, tuple[str, str]] = {
    "identity": (f"{_DEGRADATIONS}.plain", "Identity"),
    "quantise": (f"{_DEGRADATIONS}.plain", "Quantise"),
    "jpeg": (f"{_DEGRADATIONS}.compression", "Jpeg"),
    "jpeg_diff": (f"{_DEGRADATIONS}.compression", "JpegDifferentiable"),
    "webp": (f"{_DEGRADATIONS}.compression", "Webp"),
    "h264": (f"{_DEGRADATIONS}.video", "H264"),
    "blur": (f"{_DEGRADATIONS}.filters", "Blur"),
    "median": (f"{_DEGRADATIONS}.filters", "Median"),
    "resize": (f"{_DEGRADATIONS}.filters", "Resize"),
    "noise": (f"{_DEGRADATIONS}.noise", "Noise"),
    "grain": (f"{_DEGRADATIONS}.noise", "Grain"),
    "crop": (f"{_DEGRADATIONS}.geometry", "Crop"),
    "rotation": (f"{_DEGRADATIONS}.geometry", "Rotation"),
    "flip": (f"{_DEGRADATIONS}.geometry", "Flip"),
    "perspective": (f"{_DEGRADATIONS}.geometry", "Perspective"),
    "brightness": (f"{_DEGRADATIONS}.tone", "Brightness"),
    "gain": (f"{_DEGRADATIONS}.tone", "Gain"),
    "contrast": (f"{_DEGRADATIONS}.tone", "Contrast"),
    "gamma": (f"{_DEGRADATIONS}.tone", "Gamma"),
    "exposure": (f"{_DEGRADATIONS}.tone", "Exposure"),
    "saturation": (f"{_DEGRADATIONS}.tone", "Saturation"),
    "hue": (f"{_DEGRADATIONS}.tone", "Hue"),
    "haze": (f"{_DEGRADATIONS}.weather", "Haze"),
    "rain": (f"{_DEGRADATIONS}.weather", "Rain"),
    "vignette": (f"{_DEGRADATIONS}.weather", "Vignette"),
    "swap": ("faketagger.simulator.swap", "Swap"),
    "reenact": ("faketagger.simulator.reenact", "Reenact"),
    "edit": ("faketagger.simulator.edit", "Edit"),
    "synthesis": ("faketagger.simulator.synthesis", "Synthesis"),
    "synthesis_spatial": ("faketagger.simulator.synthesis", "SynthesisSpatial"),
    "synthesis_gan": ("faketagger.simulator.synthesis", "SynthesisGan"),
    "synthesis_super": ("faketagger.simulator.synthesis", "SynthesisSuper"),
    "synthesis_strided": ("faketagger.simulator.synthesis", "SynthesisStrided"),
    "synthesis_mixer": ("faketagger.simulator.synthesis", "SynthesisMixer"),
    "synthesis_quantised": ("faketagger.simulator.synthesis", "SynthesisQuantised"),
    "synthesis_unseen": ("faketagger.simulator.synthesis", "SynthesisUnseen"),
    "synthesis_taef2": ("faketagger.simulator.synthesis", "SynthesisTaef2"),
}


def names() -> list[str]:
    """Names of every white-box attack, in the order of the table."""
    return list(ATTACKS)


def attack_class(name: str) -> type[Attack]:
    """The class behind a name.

    Args:
        name: One of :func:`names`.

    Returns:
        The attack class, imported now.

    Raises:
        ConfigError: No attack has this name.
    """
    if name not in ATTACKS:
        close = difflib.get_close_matches(name, ATTACKS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known attacks: {', '.join(ATTACKS)}"
        raise ConfigError(f"there is no white-box attack called {name!r}", hint)
    module, class_name = ATTACKS[name]
    found: type[Attack] = getattr(importlib.import_module(module), class_name)
    return found


def build(name: str, severity: float | Tensor | None = None, **params: Any) -> Attack:
    """Build a white-box attack.

    Args:
        name: One of :func:`names`.
        severity: Strength in the attack's own unit; the class's default when None.
        **params: Further arguments of the attack's class.

    Returns:
        The attack, ready to be applied.

    Raises:
        ConfigError: Unknown name or parameter, or a severity outside the attack's range.
    """
    cls = attack_class(name)
    if severity is not None:
        params = {"severity": severity, **params}
    try:
        return cls(**params)
    except TypeError as error:
        raise ConfigError(f"attack {name!r} cannot be built: {error}", f"see describe({name!r})") from error


def describe(name: str) -> dict[str, Any]:
    """What an attack does and how its severity is measured, as plain values.

    Args:
        name: One of :func:`names`.

    Returns:
        ``name, family, version, differentiable, roles, summary`` and, for graded attacks,
        ``unit, mildest, default_severity, training_range, valid_range``.

    Raises:
        ConfigError: No attack has this name.
    """
    cls = attack_class(name)
    facts: dict[str, Any] = {
        "name": name,
        "family": cls.family,
        "version": cls.version,
        "differentiable": cls.differentiable,
        "roles": list(cls.roles),
        "summary": (cls.__doc__ or "").strip().splitlines()[0],
    }
    for key in ("unit", "mildest", "default_severity", "training_range", "valid_range"):
        if hasattr(cls, key):
            facts[key] = getattr(cls, key)
    return facts
