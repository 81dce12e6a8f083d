"""The driver's side of a watermark: ``zoo_watermark.run(sys.argv[1:], load)``; see docs/adapters.md."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zoo_driver

_declared: list[Any] = []


def run(arguments: list[str], load: Callable[[dict[str, Any]], Any]) -> None:
    """Answer ``embed`` and ``read``.

    Args:
        arguments: Of the command line, without the program.
        load: Gets the description of the job; returns an object with ``embed(picture, bits)``, which gives the marked
            picture, and ``read(picture)``, which gives the soft bits. Pictures are (H, W, 3) uint8 RGB; bits are
            a list of 0 and 1. It is not called where there is no picture.
    """
    zoo_driver.run(
        arguments,
        embed=lambda job: _each(job, load, _embed),
        read=lambda job: _each(job, load, _read),
    )


def state_dict(path: str | Path, *keys: str) -> Any:
    """Tensors of a checkpoint, never unpickled as code.

    Args:
        path: A ``.safetensors`` file, or one of ``torch.save``, which is read with ``weights_only=True``.
        *keys: Where in it the tensors lie; those that are not there are passed over.

    Raises:
        SystemExit: It holds more than tensors and plain values.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler of torch raises many kinds
        sys.exit(f"{path.name} holds more than weights, and is not unpickled: {' '.join(str(error).split())[:160]}")
    for key in keys:
        state = state[key] if key in state else state
    return state


def without_prefix(state: dict[str, Any], *prefixes: str) -> dict[str, Any]:
    """Names of tensors without what a wrapper put in front; where a prefix is found, only those that have it.

    Args:
        state: Tensors by name.
        *prefixes: Tried one after another, each on what is left.
    """
    for prefix in prefixes:
        if any(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): one for name, one in state.items() if name.startswith(prefix)}
    return state


def import_torchvision() -> None:
    """Import torchvision also beside a CPU-only torch, where its operators do not load: two of them are declared."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        from torch.library import Library

        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _declared.append(Library("torchvision", "DEF"))
        for operator in ("nms", "qnms"):
            _declared[0].define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401


def strengthened(picture: Any, made: Any, strength: float) -> Any:
    """A marked picture with its residual multiplied before anything is rounded.

    Args:
        picture: (H, W, 3) uint8, unmarked.
        made: (H, W, 3) floats on the scale of 0 to 255.
        strength: The factor.

    Returns:
        (H, W, 3) uint8.
    """
    import numpy as np

    return np.clip(np.rint(picture + strength * (made - picture.astype(np.float32))), 0, 255).astype(np.uint8)


def unit_tensor(picture: Any) -> Any:
    """(H, W, 3) uint8 as a torch tensor (1, 3, H, W) in [-1, 1]."""
    import torch

    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def from_unit(tensor: Any) -> Any:
    """(1, 3, H, W) in [-1, 1] as (H, W, 3) floats of 0 to 255, not rounded."""
    return ((tensor[0].detach().clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).cpu().numpy()


def _each(job: dict[str, Any], load: Callable[[dict[str, Any]], Any], work: Callable[..., dict[str, Any]]) -> None:
    images = job["images"]
    watermark = load(job) if images else None
    for done, image in enumerate(images, start=1):
        try:
            facts = work(job, watermark, image)
        except Exception as error:  # one picture must not take the others with it
            facts = {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
        zoo_driver.say("image", name=image["name"], **facts)
        zoo_driver.say("progress", done=done, total=len(images))


def _embed(job: dict[str, Any], watermark: Any, image: dict[str, Any]) -> dict[str, Any]:
    made = watermark.embed(zoo_driver.read_rgb(Path(job["input"]) / image["name"]), image["message"])
    zoo_driver.write_png(made, Path(job["output"]) / image["name"])
    return {"status": "embedded"}


def _read(job: dict[str, Any], watermark: Any, image: dict[str, Any]) -> dict[str, Any]:
    soft = watermark.read(zoo_driver.read_rgb(Path(job["input"]) / image["name"]))
    return {"status": "read", "soft": [round(float(one), 6) for one in soft]}
