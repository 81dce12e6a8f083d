"""What a configuration trains, and what of it others load."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from faketagger.coding import Codec, key_from
from faketagger.errors import ConfigError
from faketagger.tagger.checkpoint import checkpoint_config, load, save
from faketagger.tagger.growth import grow
from faketagger.tagger.surround import Surround
from faketagger.tagger.tagger import Tagger
from faketagger.training.autoencoder import AutoencoderModule
from faketagger.training.config import ReaderConfig, TaggerConfig, TrainConfig
from faketagger.training.reader_module import ReaderModule
from faketagger.training.surround_module import SurroundModule
from faketagger.training.tagger_module import TaggerModule


def build_module(config: TrainConfig) -> pl.LightningModule:
    """The LightningModule of a configuration.

    Raises:
        ConfigError: It asks for both a tagger and an autoencoder, or for neither.
        PayloadError: The message is too short for a payload.
        CheckpointError: The tagger to start from is missing or of another shape.
    """
    if config.tagger and not config.autoencoder:
        _codec(config.tagger)
        return _tagger_module(config, config.tagger)
    if config.autoencoder and not config.tagger:
        return AutoencoderModule(
            **config.autoencoder.plain(), max_steps=config.trainer.max_steps, seed=config.seed
        )
    raise ConfigError("A training file needs either 'tagger' or 'autoencoder'.", "See experiments/train for examples.")


def _codec(tagger: TaggerConfig) -> Codec:
    return Codec(tagger.network.message_bits, tagger.payload_bits, tagger.crc_bits, key_from())


def _tagger_module(config: TrainConfig, tagger: TaggerConfig) -> TaggerModule:
    arguments = tagger.plain()
    start, around, _ = (arguments.pop(name) for name in ("start_from", "surround", "reader"))
    for name in ("payload_bits", "crc_bits"):
        del arguments[name]
    _leave_out(arguments["attacks"], arguments.pop("leave_out"))
    arguments |= {"max_steps": config.trainer.max_steps, "seed": config.seed}
    if tagger.reader is not None:
        return _reader_module(tagger.reader, tagger, arguments)
    if around is None:
        module = TaggerModule(**arguments)
    else:
        _face_tagger(tagger, around["of"])
        module = SurroundModule(around["zoom"], around["lost"], **arguments)
    if start is not None:
        begun = load(start)
        grow(begun.surround.networks if around and begun.surround else begun.networks, module.networks)
    return module


def _reader_module(reader: ReaderConfig, tagger: TaggerConfig, arguments: dict[str, Any]) -> ReaderModule:
    if tagger.start_from is not None or tagger.surround is not None:
        raise ConfigError("tagger.reader begins with its own taggers.", "Remove tagger.start_from and tagger.surround.")
    return ReaderModule(reader.of, reader.lost, **arguments)


def _face_tagger(tagger: TaggerConfig, of: str) -> Tagger:
    face = load(of)
    bits = tagger.network.message_bits
    if face.message_bits != bits:
        raise ConfigError(
            f"tagger.surround.of: '{of}' writes {face.message_bits} bits, tagger.network {bits}.",
            f"Set tagger.network.message_bits={face.message_bits}.",
        )
    return face


def _leave_out(attacks: dict[str, Any], names: list[str]) -> None:
    for name in names:
        if attacks.pop(name, None) is None:
            raise ConfigError(f"tagger.leave_out names '{name}', which is none of tagger.attacks.")


def compile_networks(module: pl.LightningModule) -> None:
    """Compile the networks in place, under the names that checkpoints know; they stay as they are elsewhere."""
    if isinstance(module, TaggerModule):
        module.networks.encoder.compile()
        module.networks.decoder.compile()
    elif isinstance(module, AutoencoderModule):
        module.network.compile()


def result_path(config: TrainConfig, out: Path) -> Path:
    """Where the result of a run goes: a tagger's folder, or an autoencoder's safetensors."""
    return out / (config.name if config.tagger else f"{config.name}.safetensors")


def write_result(module: pl.LightningModule, config: TrainConfig, out: Path) -> Path:
    """Write what others load: a tagger's checkpoint folder, or an autoencoder's safetensors.

    Args:
        module: The trained module.
        config: Its configuration.
        out: Folder of the run.

    Returns:
        What was written.
    """
    path = result_path(config, out)
    if isinstance(module, ReaderModule) and config.tagger and config.tagger.reader:
        return _write_reader(module, config.tagger, config.tagger.reader.of[0], path)
    if isinstance(module, SurroundModule) and config.tagger and config.tagger.surround:
        around = config.tagger.surround
        face = _face_tagger(config.tagger, around.of)
        surround = Surround(module.networks, around.zoom, module.curriculum.psnr)
        psnr_db = around.psnr_db or face.psnr_db
        tagger = Tagger(face.networks, _codec(config.tagger), psnr_db, config.name, surround)
        return save(tagger, path, checkpoint_config(around.of).network, config.tagger.network)
    if isinstance(module, TaggerModule) and config.tagger:
        tagger = Tagger(module.networks, _codec(config.tagger), module.curriculum.psnr, config.name)
        return save(tagger, path, config.tagger.network)
    from safetensors.torch import save_file

    network_state: dict[str, Any] = module.network.state_dict()  # type: ignore[union-attr,operator]
    save_file({name: tensor.half().contiguous().cpu() for name, tensor in network_state.items()}, path)
    return path


def _write_reader(module: ReaderModule, config: TaggerConfig, of: str, path: Path) -> Path:
    tagger, shapes = load(of), checkpoint_config(of)
    if module.lost is None:
        around = None if shapes.surround is None else shapes.surround.network
        tagger.networks.decoder = module.networks.decoder
        return save(tagger, path, config.network, around)
    assert tagger.surround is not None
    tagger.surround.networks.decoder = module.networks.decoder
    return save(tagger, path, shapes.network, config.network)
