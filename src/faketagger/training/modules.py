"""What a configuration trains."""

from pathlib import Path
from typing import Any

from faketagger.errors import ConfigError
from faketagger.tagger.checkpoint import load
from faketagger.tagger.growth import grow
from faketagger.training.autoencoder import AutoencoderModule
from faketagger.training.config import ReaderConfig, TaggerConfig, TrainConfig
from faketagger.training.parted import PartedModule
from faketagger.training.reader_module import ReaderModule
from faketagger.training.scene_module import SceneModule
from faketagger.training.surround_module import SurroundModule
from faketagger.training.surround_scene_module import SurroundSceneModule
from faketagger.training.tagger_module import TaggerModule


def build_module(config: TrainConfig) -> PartedModule:
    """The LightningModule of a configuration.

    Raises:
        ConfigError: It asks for both a tagger and an autoencoder, or for neither.
        PayloadError: The message is too short for a payload.
        CheckpointError: The tagger to start from is missing or of another shape.
    """
    if config.tagger and not config.autoencoder:
        config.tagger.codec()
        return _tagger_module(config, config.tagger)
    if config.autoencoder and not config.tagger:
        return AutoencoderModule(
            **config.autoencoder.plain(), max_steps=config.trainer.max_steps, seed=config.seed
        )
    raise ConfigError("A training file needs either 'tagger' or 'autoencoder'.", "See experiments/train for examples.")


def _tagger_module(config: TrainConfig, tagger: TaggerConfig) -> TaggerModule:
    arguments = tagger.plain()
    start, around, _, scenes = (arguments.pop(name) for name in ("start_from", "surround", "reader", "scenes"))
    for name in ("payload_bits", "crc_bits", "unsure"):
        del arguments[name]
    _leave_out(arguments["attacks"], arguments.pop("leave_out"))
    arguments |= {"max_steps": config.trainer.max_steps, "seed": config.seed}
    if scenes and tagger.reader:
        raise ConfigError("tagger.reader is trained in scenes anyway.", "Leave out tagger.scenes.")
    if tagger.unsure and (around or not scenes):
        raise ConfigError("tagger.unsure is for faces in scenes.", "Set tagger.scenes=true, or leave it out.")
    if tagger.reader is not None:
        return _reader_module(tagger.reader, tagger, arguments)
    if around is None:
        module = SceneModule(tagger.unsure, **arguments) if scenes else TaggerModule(**arguments)
    else:
        _check_length(tagger, around["of"])
        module = _surround_module(around, scenes, arguments)
    if start is not None:
        begun = load(start)
        grow(begun.surround.networks if around and begun.surround else begun.networks, module.networks)
    return module


def _surround_module(around: dict[str, Any], scenes: bool, arguments: dict[str, Any]) -> SurroundModule:
    arguments = {"zoom": around["zoom"], "lost": around["lost"], **arguments}
    if not scenes:
        return SurroundModule(**arguments)
    return SurroundSceneModule(around["of"], around["psnr_db"], **arguments)


def _reader_module(reader: ReaderConfig, tagger: TaggerConfig, arguments: dict[str, Any]) -> ReaderModule:
    if tagger.start_from is not None or tagger.surround is not None:
        raise ConfigError("tagger.reader begins with its own taggers.", "Remove tagger.start_from and tagger.surround.")
    return ReaderModule(reader.of, reader.lost, **arguments)


def _check_length(tagger: TaggerConfig, of: str) -> None:
    face, bits = load(of).message_bits, tagger.network.message_bits
    if face != bits:
        raise ConfigError(
            f"tagger.surround.of: '{of}' writes {face} bits, tagger.network {bits}.",
            f"Set tagger.network.message_bits={face}.",
        )


def _leave_out(attacks: dict[str, Any], names: list[str]) -> None:
    for name in names:
        if attacks.pop(name, None) is None:
            raise ConfigError(f"tagger.leave_out names '{name}', which is none of tagger.attacks.")


def result_path(config: TrainConfig, out: Path) -> Path:
    """Where the result of a run goes: a tagger's folder, or an autoencoder's safetensors."""
    return out / (config.name if config.tagger else f"{config.name}.safetensors")
