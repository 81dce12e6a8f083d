"""A tagger in a folder: safetensors, a configuration that names their digest, nothing that is ever unpickled."""

import difflib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from faketagger.config import Section, load_config
from faketagger.errors import CheckpointError, FakeTaggerError
from faketagger.places import repository_root

if TYPE_CHECKING:
    from faketagger.tagger.networks import TaggerNetworks
    from faketagger.tagger.tagger import Tagger

CONFIG, WEIGHTS, SURROUND = "config.yaml", "model.safetensors", "surround.safetensors"


class NetworkConfig(Section):
    """Arguments of :class:`faketagger.tagger.networks.TaggerNetworks`."""

    message_bits: int = 64
    size: int = 128
    encoder_width: int = 32
    decoder_width: int = 48
    backbone: str | None = None
    patch: int = 4
    smooth: float = Field(default=0.0, ge=0)
    decoder_depth: tuple[int, int, int] = (1, 2, 2)
    encoder_depth: tuple[int, int, int] = (1, 1, 1)
    band: float = Field(default=0.0, ge=0)


class SurroundConfig(Section):
    """What a checkpoint says of its :class:`faketagger.tagger.surround.Surround`.

    Attributes:
        network: Shape of the networks.
        zoom: Magnification of the wide view relative to the aligned crop.
        psnr_db: PSNR that the tag costs the pixels around the face.
        sha256: Digest of the weights file.
    """

    network: NetworkConfig
    zoom: float
    psnr_db: float
    sha256: str


class CheckpointConfig(Section):
    """What a checkpoint says of itself.

    Attributes:
        network: Shape of the networks.
        payload_bits: Payload bits a message carries.
        crc_bits: Width of the check.
        psnr_db: PSNR that the tag costs the aligned crop.
        sha256: Digest of the weights file.
        surround: What it writes around the face; null for nothing.
    """

    network: NetworkConfig
    payload_bits: int = 24
    crc_bits: int = 12
    psnr_db: float = 38.0
    sha256: str
    surround: SurroundConfig | None = None


def checkpoint_folder(name_or_path: str | os.PathLike[str]) -> Path:
    """Folder of a checkpoint.

    Args:
        name_or_path: Name of a shipped tagger, or the path of a folder.

    Raises:
        CheckpointError: There is none.
    """
    shipped = repository_root() / "checkpoints"
    for folder in (Path(name_or_path).expanduser(), shipped / name_or_path):
        if (folder / CONFIG).is_file():
            return folder
    known = sorted(path.parent.name for path in shipped.glob(f"*/{CONFIG}"))
    close = difflib.get_close_matches(str(name_or_path), known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"shipped taggers: {', '.join(known) or 'none'}"
    raise CheckpointError(f"there is no tagger '{name_or_path}'", hint)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checkpoint_config(name_or_path: str | os.PathLike[str]) -> CheckpointConfig:
    """What a checkpoint says of itself.

    Args:
        name_or_path: Name of a shipped tagger, or the path of a folder.

    Raises:
        CheckpointError: There is none, or it says nothing usable.
    """
    folder = checkpoint_folder(name_or_path)
    try:
        return load_config(folder / CONFIG, CheckpointConfig)
    except FakeTaggerError as error:
        raise CheckpointError(f"the tagger in {folder} has no usable {CONFIG}: {error.message}", error.hint) from error


def load(name_or_path: str | os.PathLike[str], key: str | bytes | None = None, device: str = "cpu") -> "Tagger":
    """Load a tagger.

    Args:
        name_or_path: Name of a shipped tagger, or the path of a folder.
        key: The secret; ``$FAKETAGGER_KEY`` or the public default if None.
        device: Where its networks go.

    Returns:
        The tagger, in evaluation mode.

    Raises:
        CheckpointError: It is missing, damaged, or does not fit its own configuration.
    """
    from faketagger.coding import Codec, key_from
    from faketagger.tagger.surround import Surround
    from faketagger.tagger.tagger import Tagger

    folder, config = checkpoint_folder(name_or_path), checkpoint_config(name_or_path)
    networks = _networks(folder / WEIGHTS, config.network, config.sha256)
    surround = None
    if config.surround is not None:
        around = config.surround
        surround = Surround(_networks(folder / SURROUND, around.network, around.sha256), around.zoom, around.psnr_db)
    codec = Codec(config.network.message_bits, config.payload_bits, config.crc_bits, key_from(key))
    tagger = Tagger(networks, codec, config.psnr_db, folder.resolve().name, surround)
    return tagger.to(device).eval().requires_grad_(False)


def save(tagger: "Tagger", folder: Path, network: NetworkConfig, around: NetworkConfig | None = None) -> Path:
    """Write a tagger's weights (half precision) and configuration.

    Args:
        tagger: What to write.
        folder: Where to; made if missing.
        network: Shape of its networks.
        around: Shape of the networks of its surround; needed where it has one.

    Returns:
        The folder.
    """
    import yaml

    folder.mkdir(parents=True, exist_ok=True)
    surround = None
    if tagger.surround is not None:
        assert around is not None
        sha256 = _write(tagger.surround.networks, folder / SURROUND)
        surround = SurroundConfig(
            network=around, zoom=tagger.surround.zoom, psnr_db=tagger.surround.psnr_db, sha256=sha256
        )
    config = CheckpointConfig(
        network=network,
        payload_bits=tagger.codec.payload_bits,
        crc_bits=tagger.codec.crc_bits,
        psnr_db=tagger.psnr_db,
        sha256=_write(tagger.networks, folder / WEIGHTS),
        surround=surround,
    )
    (folder / CONFIG).write_text(yaml.safe_dump(config.plain(), sort_keys=False))
    return folder


def _networks(weights: Path, shape: NetworkConfig, sha256: str) -> "TaggerNetworks":
    if not weights.is_file():
        raise CheckpointError(f"the tagger in {weights.parent} has no {weights.name}", "copy the whole folder again")
    found = digest(weights)
    if found != sha256:
        raise CheckpointError(
            f"{weights} is not the file its {CONFIG} describes (sha256 {found[:12]}…, not {sha256[:12]}…)",
            "copy the whole folder again",
        )
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from faketagger.tagger.networks import TaggerNetworks

    networks = TaggerNetworks(**shape.plain())
    try:
        networks.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    except (RuntimeError, SafetensorError) as error:
        first = " ".join(str(error).split())[:160]
        raise CheckpointError(f"{weights} does not fit the networks that {CONFIG} describes: {first}") from error
    # 16 views are read in 0.8 to 0.9 of the time; one alone, and what the encoder does, take as long either way.
    networks.decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return networks


def _write(networks: "TaggerNetworks", path: Path) -> str:
    import torch
    from safetensors.torch import save_file

    state = networks.state_dict()
    save_file({name: tensor.to(torch.float16).contiguous().cpu() for name, tensor in state.items()}, path)
    return digest(path)
