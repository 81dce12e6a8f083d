"""Which adapters there are, and where the zoo keeps its things."""

import os
from pathlib import Path

from faketagger.errors import AdapterError
from faketagger.places import cache_root, repository_root
from faketagger.zoo.manifest import Adapter, load_manifest, suggest


def cache_folder() -> Path:
    """Where the zoo keeps installations and results."""
    return cache_root() / "zoo"


def adapter_folders() -> list[Path]:
    """Folders of adapters: those in ``FAKETAGGER_ADAPTERS`` first, then the repository's ``adapters/``."""
    given = os.environ.get("FAKETAGGER_ADAPTERS", "")
    own = repository_root() / "adapters"
    return [Path(part).expanduser() for part in given.split(os.pathsep) if part] + ([own] if own.is_dir() else [])


def find_adapters() -> dict[str, Adapter]:
    """All adapters by name; where two share a name, the folder named first wins.

    Raises:
        AdapterError: A manifest is wrong.
    """
    found: dict[str, Adapter] = {}
    for folder in adapter_folders():
        for manifest in sorted(folder.glob("*/adapter.yaml")):
            adapter = load_manifest(manifest)
            found.setdefault(adapter.name, adapter)
    return dict(sorted(found.items()))


def get_adapter(name_or_path: str | Path | Adapter) -> Adapter:
    """One adapter by name, or by the path of its folder.

    Raises:
        AdapterError: There is none; the hint names the nearest.
    """
    if isinstance(name_or_path, Adapter):
        return name_or_path
    text = str(name_or_path)
    if os.sep in text or Path(text, "adapter.yaml").is_file():
        return load_manifest(text)
    for folder in adapter_folders():
        if (folder / text / "adapter.yaml").is_file():
            return load_manifest(folder / text)
    adapters = find_adapters()
    if text not in adapters:
        hint = suggest(text, list(adapters)) if adapters else "Set FAKETAGGER_ADAPTERS to a folder of adapters."
        raise AdapterError(f"There is no adapter {text!r}.", hint)
    return adapters[text]
