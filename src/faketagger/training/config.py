"""The training file: data, networks, attacks, curriculum, trainer."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from faketagger.coding import Codec, key_from
from faketagger.config import Section
from faketagger.data.config import DataConfig
from faketagger.tagger.checkpoint import NetworkConfig, checkpoint_config


class CurriculumConfig(Section):
    """Arguments of :class:`faketagger.training.curriculum.Curriculum`."""

    start_psnr: float = 22.0
    attack_psnr: float = 27.0
    target_psnr: float = 38.5
    message_done: float = Field(default=0.93, gt=0.5, le=1)
    attacks_done: float = Field(default=0.88, gt=0.5, le=1)
    hold: float = Field(default=0.9, gt=0.5, le=1)
    climb: float = Field(default=0.02, gt=0)
    ramp: int = Field(default=150, ge=1)


class SurroundConfig(Section):
    """What is trained writes and reads around faces, beside a tagger that is there already.

    Attributes:
        of: Name or folder of the tagger of the face; its message has as many bits.
        zoom: Magnification of the wide view relative to the aligned crop.
        lost: Share of the pictures of a step whose surround is lost.
        psnr_db: PSNR of the aligned crop at which the tagger of the face works from then on; its own if null.
    """

    of: str
    zoom: float = Field(default=0.6, ge=0.25, lt=1)
    lost: float = Field(default=0.12, gt=0, lt=1)
    psnr_db: float | None = None


class ReaderConfig(Section):
    """A decoder is trained alone, to read what taggers write that are there already.

    Attributes:
        of: Names or folders of those taggers, which share the pictures of a step. The run begins with the weights of
            the first; its result is the first with another decoder.
        lost: Share of the pictures of a step whose tag around the face is lost; null to read within the face.
    """

    of: list[str] = Field(min_length=1)
    lost: float | None = Field(default=None, ge=0, lt=1)


class TaggerConfig(Section):
    """Arguments of :class:`faketagger.training.tagger_module.TaggerModule`.

    Attributes:
        start_from: Name or folder of a tagger whose weights the run begins with; null for fresh ones.
            A surround begins with the weights of that tagger's surround, where it has one.
        network: Shape of the networks. Of a run that begins with a tagger only what is to differ from it: larger cells
            (twice the size and twice the patch), a deeper encoder, a deeper or wider decoder.
        surround: Train what writes and reads around faces instead; null for faces themselves.
        reader: Train the decoder alone, in scenes; ``start_from`` and ``surround`` stay null.
        scenes: Tag, attack and read whole pictures, as benchmarks do, instead of aligned crops.
        unsure: In scenes, the share of the pictures of a step of which the decoder also sees a view that says nothing,
            mirrored or without a tag, and is to be unsure of every bit.
        leave_out: Names of ``attacks`` that this run is not trained against, for leave-one-out tables.
        payload_bits: Payload that a message of the trained tagger carries.
        crc_bits: Width of its check.
        attacked: Share of the pictures of a step that are attacked, once the curriculum attacks at all.
    """

    start_from: str | None = None
    surround: SurroundConfig | None = None
    reader: ReaderConfig | None = None
    scenes: bool = False
    unsure: float = Field(default=0.0, ge=0, le=1)
    network: NetworkConfig = NetworkConfig()
    payload_bits: int = Field(default=24, ge=1)
    crc_bits: int = 12
    attacks: dict[str, Any]
    leave_out: list[str] = []
    curriculum: CurriculumConfig = CurriculumConfig()
    learning_rate: float = Field(default=1.5e-3, gt=0)
    warmup: int = Field(default=50, ge=1)
    image_weight: float = Field(default=0.2, ge=0)
    critic_weight: float = Field(default=0.0, ge=0)
    face_only: float = Field(default=0.25, ge=0, le=1)
    attacked: float = Field(default=0.8, gt=0, lt=1)

    @model_validator(mode="after")
    def _shape_of_what_it_begins_with(self) -> Self:
        begun = self.reader.of[0] if self.reader else self.start_from
        if begun is None:
            return self
        shapes = checkpoint_config(begun)
        around = shapes.surround if self.surround or (self.reader and self.reader.lost is not None) else None
        differs = {name: getattr(self.network, name) for name in self.network.model_fields_set}
        network = (around or shapes).network.model_copy(update=differs)
        return self.model_copy(update={"network": network})

    def codec(self) -> Codec:
        """The code of the trained tagger, under the user's key.

        Raises:
            PayloadError: The message is too short for a payload.
        """
        return Codec(self.network.message_bits, self.payload_bits, self.crc_bits, key_from())


class AutoencoderConfig(Section):
    """Arguments of :class:`faketagger.training.autoencoder.AutoencoderModule`."""

    kind: Literal["spatial", "shared", "latent", "gan", "skip", "strided", "mixer", "quantised", "resize"]
    learning_rate: float = Field(default=2e-3, gt=0)
    latent_noise: float = Field(default=0.0, ge=0)
    critic_weight: float = Field(default=0.0, ge=0)


class TrainerConfig(Section):
    """How long, where, and what is written down.

    Attributes:
        max_steps: Optimiser steps in all.
        accelerator: Lightning's name: ``auto``, ``cpu``, ``gpu``.
        devices: How many of them, on each machine; on a CPU the number of processes.
        num_nodes: Machines.
        strategy: How several processes share the work: ``ddp`` (each holds the whole network), ``fsdp`` (GPUs only,
            each holds a shard of it), ``auto`` (``ddp`` where there are several).
        accumulate_grad_batches: Batches that a process works through before the optimiser steps. What is learnt
            depends on ``devices * num_nodes * accumulate_grad_batches`` only, not on its factors.
        compile: Compile encoder and decoder with ``torch.compile``.
        precision: Lightning's name: ``32-true``, ``bf16-mixed``, ``16-mixed``.
        gradient_clip: Largest gradient norm.
        ema: Decay of the averaged weights; null for none.
        validate_every: Steps between validations.
        save_every: Steps between checkpoints.
        logger: ``wandb`` (offline unless ``WANDB_MODE`` says online), ``tensorboard`` or ``csv``.
        threads: CPU threads of torch; null leaves its own choice.
    """

    max_steps: int = Field(default=4000, ge=1)
    accelerator: str = "auto"
    devices: int = Field(default=1, ge=1)
    num_nodes: int = Field(default=1, ge=1)
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    accumulate_grad_batches: int = Field(default=1, ge=1)
    compile: bool = False
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    gradient_clip: float = Field(default=1.0, gt=0)
    ema: float | None = Field(default=None, gt=0, lt=1)
    validate_every: int = Field(default=500, ge=1)
    save_every: int = Field(default=100, ge=1)
    logger: Literal["wandb", "tensorboard", "csv"] = "wandb"
    threads: int | None = Field(default=None, ge=1)

    @property
    def parts(self) -> int:
        """Parts that the batch of one step is cut into."""
        return self.devices * self.num_nodes * self.accumulate_grad_batches


class TrainConfig(Section):
    """A training run: of a tagger, or of one of the simulator's autoencoders.

    Attributes:
        name: What the result is called.
        seed: Fixes every draw.
        data: Faces.
        tagger: The tagger to train, or null.
        autoencoder: The autoencoder to train, or null.
        trainer: Length, device, logging.
    """

    name: str
    seed: int = Field(default=0, ge=0)
    data: DataConfig = DataConfig()
    tagger: TaggerConfig | None = None
    autoencoder: AutoencoderConfig | None = None
    trainer: TrainerConfig = TrainerConfig()
