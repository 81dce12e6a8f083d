"""What an object in memory is, as a digest: enough to notice that a result was made with another one."""

import hashlib
import inspect
from typing import Any

import numpy as np

_PLAIN = (str, bytes, int, float, bool, type(None))


def object_digest(thing: Any, label: str) -> str:
    """Digest of an object's class, its source where it can be had, and everything in it that has a value.

    Args:
        thing: Any object; networks count with their tensors.
        label: Goes in as well.

    Returns:
        64 hex digits. Values that say nothing of themselves (open sessions, functions) count by their type alone.
    """
    total = hashlib.sha256(label.encode())
    _add(total, thing, set())
    return total.hexdigest()


def _add(total: Any, value: Any, seen: set[int]) -> None:
    if isinstance(value, _PLAIN):
        total.update(repr(value).encode())
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    kind = type(value)
    total.update(f"{kind.__module__}.{kind.__qualname__}\0".encode())
    if isinstance(value, np.ndarray):
        total.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, dict):
        for key in sorted(value, key=repr):
            total.update(repr(key).encode())
            _add(total, value[key], seen)
    elif isinstance(value, list | tuple):
        for one in value:
            _add(total, one, seen)
    elif hasattr(value, "state_dict"):
        _add(total, {name: one.detach().cpu().numpy() for name, one in value.state_dict().items()}, seen)
        _add(total, {key: one for key, one in vars(value).items() if isinstance(one, _PLAIN)}, seen)
    else:
        total.update(_source(kind).encode())
        _add(total, getattr(value, "__dict__", {}), seen)


def _source(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ""
