"""Synthesis: from the shipped latents, and from TAEF2 where its weights are given."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from faketagger.errors import CheckpointError, ConfigError
from faketagger.simulator import AttackBatch, build
from faketagger.simulator.face_attack import regenerate
from faketagger.simulator.graded import GradedAttack
from faketagger.simulator.narrow import QuantisedAutoencoder
from faketagger.simulator.registry import ATTACKS, attack_class
from faketagger.simulator.synthesis import (
    Synthesis,
    SynthesisGan,
    SynthesisMixer,
    SynthesisQuantised,
    SynthesisSpatial,
    SynthesisStrided,
    SynthesisSuper,
    SynthesisTaef2,
    SynthesisUnseen,
)
from faketagger.simulator.taef2 import ENVIRONMENT, Taef2, load_taef2
from tests.unit.simulator.attack_suite import psnr, scene
from tests.unit.simulator.face_suite import FaceSuite, PastedSuite, untrained


def small_taef2() -> Taef2:
    """TAEF2 with seeded random weights of a useful size."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Taef2().eval().requires_grad_(False)


class TestSynthesis(PastedSuite):
    name = "synthesis"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return Synthesis(severity, network=untrained("latent"), **params)


class TestSynthesisSpatial(PastedSuite):
    name = "synthesis_spatial"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return SynthesisSpatial(severity, network=untrained("spatial"), **params)


class TestSynthesisGan(PastedSuite):
    name = "synthesis_gan"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return SynthesisGan(severity, network=untrained("gan"), **params)


class TestSynthesisSuper(PastedSuite):
    name = "synthesis_super"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return SynthesisSuper(severity, network=untrained("super"), **params)


class TestSynthesisStrided(PastedSuite):
    name = "synthesis_strided"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return SynthesisStrided(severity, network=untrained("strided"), **params)


class TestSynthesisMixer(PastedSuite):
    name = "synthesis_mixer"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return SynthesisMixer(severity, network=untrained("mixer"), **params)


class TestSynthesisQuantised(PastedSuite):
    name = "synthesis_quantised"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return SynthesisQuantised(severity, network=untrained("quantised"), **params)

    def test_gradient_is_the_slope(self, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[override]
        """But for the steps that it passes as they are: with them there is no slope to compare with."""
        monkeypatch.setattr(QuantisedAutoencoder, "to_levels", lambda self, values: values)
        super().test_gradient_is_the_slope()

    def test_code_has_eight_levels(self) -> None:
        network, seen = untrained("quantised"), []
        network.decoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        network(scene(2, 128, 128))
        levels = (seen[0] + 1) * 4 - 0.5
        torch.testing.assert_close(levels, levels.round())
        assert set(levels.round().unique().tolist()) <= set(range(8))


class TestSynthesisUnseen(PastedSuite):
    name = "synthesis_unseen"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return SynthesisUnseen(severity, network=untrained("resize"), **params)


class TestSynthesisTaef2(FaceSuite):
    name = "synthesis_taef2"

    def build(self, severity: float | Tensor | None = None, **params: Any) -> GradedAttack:
        return SynthesisTaef2(severity, network=small_taef2(), **params)

    def test_needs_no_face(self) -> None:
        images = scene(1, 33, 50)
        batch = AttackBatch(images, torch.full((1, 68, 2), torch.nan))
        output = self.build(resolution="half")(batch, torch.Generator().manual_seed(0))
        assert output.status == ["attacked"]
        assert output.images.shape == images.shape
        assert bool((output.masks == 1).all())

    def test_unknown_resolution_is_an_error(self) -> None:
        with pytest.raises(ConfigError, match="quarter"):
            self.build(resolution="quarter")


def test_only_the_unseen_row_is_held_out() -> None:
    held = [name for name in ATTACKS if getattr(attack_class(name), "held_out", False)]
    assert held == ["synthesis_unseen"]


def test_latent_noise_is_in_units_of_each_latents_spread() -> None:
    network = untrained("latent")
    images = scene(2, 128, 128)
    rng = torch.Generator().manual_seed(0)
    seen: list[Tensor] = []
    network.decode = lambda latent, identity=0: seen.append(latent) or images  # type: ignore[method-assign, func-returns-value]
    regenerate(network, images, torch.tensor([0.1, 0.4]), rng)
    latent = network.encode(images)
    noise = (seen[0] - latent).flatten(1).std(1) / latent.flatten(1).std(1)
    torch.testing.assert_close(noise, torch.tensor([0.1, 0.4]), rtol=0.05, atol=0)


def save_taef2(folder: Path, suffix: str) -> None:
    """Write TAEF2's random weights as a user would have them."""
    from safetensors.torch import save_file

    network = small_taef2()
    for name, part in (("encoder", network.encoder), ("decoder", network.decoder)):
        state = {key: value.half() for key, value in part.state_dict().items()}
        path = folder / f"taef2_{name}{suffix}"
        save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)


class TestTaef2Weights:
    @pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
    def test_loads_from_a_folder(self, tmp_path: Path, suffix: str) -> None:
        save_taef2(tmp_path, suffix)
        loaded, source = load_taef2(tmp_path), small_taef2()
        images = scene(1, 32, 40)
        torch.testing.assert_close(loaded(images), source(images), atol=1e-2, rtol=1e-2)
        assert not any(weight.requires_grad for weight in loaded.parameters())

    def test_folder_from_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        save_taef2(tmp_path, ".pth")
        monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
        assert build("synthesis_taef2").name == "synthesis_taef2"

    def test_without_weights_the_error_says_what_to_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(ENVIRONMENT, raising=False)
        with pytest.raises(CheckpointError) as caught:
            build("synthesis_taef2")
        assert ENVIRONMENT in str(caught.value.hint)

    def test_missing_broken_and_foreign_files_are_errors(self, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="no taef2_encoder"):
            load_taef2(tmp_path)
        save_taef2(tmp_path, ".pth")
        (tmp_path / "taef2_decoder.pth").write_bytes(b"not weights")
        with pytest.raises(CheckpointError, match="taef2_decoder"):
            load_taef2(tmp_path)
        torch.save({"weight": torch.zeros(3)}, tmp_path / "taef2_decoder.pth")
        with pytest.raises(CheckpointError, match="does not fit"):
            load_taef2(tmp_path)


@pytest.mark.skipif(not os.environ.get(ENVIRONMENT), reason=f"TAEF2's weights are not given ({ENVIRONMENT})")
def test_real_taef2_reconstructs() -> None:
    images = scene(1, 128, 128)
    assert psnr(regenerate(load_taef2(), images), images) > 24
