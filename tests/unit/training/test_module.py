"""The training step: rounding, framing, honesty about held-out attacks, resume at the identical next step."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from faketagger.errors import ConfigError
from faketagger.faces.geometry import transform_points
from faketagger.simulator.landmarks import mirror_order
from faketagger.simulator.registry import ATTACKS, attack_class
from faketagger.simulator.views import Framing, flip, random_similarity, random_views, round_to_uint8
from faketagger.training.callbacks import Watchdog, sheet
from faketagger.training.losses import Critic, image_loss
from faketagger.training.tagger_module import TaggerModule
from tests.helpers.points import template_landmarks

NETWORK = {"message_bits": 16, "size": 64, "encoder_width": 8, "decoder_width": 16}
ATTACKS_MIX = {"jpeg": 1.0, "noise": 1.0, "rotation": 1.0, "quantise": 1.0}


class Faces(Dataset[dict[str, Any]]):
    """Smooth random pictures with template landmarks; sample i is always the same."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict[str, Any]:
        rng = torch.Generator().manual_seed(index)
        coarse = torch.rand(1, 3, 8, 8, generator=rng)
        image = torch.nn.functional.interpolate(coarse, (88, 88), mode="bicubic").clamp(0, 1)[0]
        return {"image": image, "landmarks": template_landmarks(1, 64)[0] + 12}


def module(**changes: Any) -> TaggerModule:
    torch.manual_seed(0)
    settings = {"network": NETWORK, "attacks": ATTACKS_MIX, "max_steps": 6, "warmup": 2, "validation": ()}
    return TaggerModule(**{**settings, **changes})


def trainer(folder: Path, steps: int, **changes: Any) -> pl.Trainer:
    return pl.Trainer(
        max_steps=steps,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        gradient_clip_val=1.0,
        callbacks=[pl.callbacks.ModelCheckpoint(folder, every_n_train_steps=2, save_last=True)],
        **changes,
    )


def loader() -> DataLoader[dict[str, Any]]:
    return DataLoader(Faces(), batch_size=4, shuffle=False)


def test_resume_takes_the_identical_next_step(tmp_path: Path) -> None:
    curriculum = {"message_done": 0.51, "memory": 0.0, "ramp": 2, "attacks_done": 0.51}
    whole = module(curriculum=curriculum, critic_weight=0.1)
    trainer(tmp_path / "whole", 6).fit(whole, loader())
    first = module(curriculum=curriculum, critic_weight=0.1)
    trainer(tmp_path / "parts", 4).fit(first, loader())
    second = module(curriculum=curriculum, critic_weight=0.1)
    trainer(tmp_path / "parts", 6).fit(second, loader(), ckpt_path=tmp_path / "parts" / "last.ckpt", weights_only=True)
    assert second.global_step == whole.global_step == 6
    assert second.curriculum.state() == whole.curriculum.state()
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_rounding_is_exact_forward_and_transparent_backward() -> None:
    x = torch.tensor([-0.1, 0.0, 0.5019, 0.7021, 1.2], requires_grad=True)
    rounded = round_to_uint8(x)
    assert torch.equal((rounded * 255).round() / 255, rounded)
    assert torch.allclose(rounded, torch.tensor([0.0, 0.0, 128 / 255, 179 / 255, 1.0]), atol=1e-6)
    rounded.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 1, 0]


def test_held_out_attacks_are_refused() -> None:
    held = [name for name in ATTACKS if getattr(attack_class(name), "held_out", False)]
    assert held, "one regenerator has to stay unseen"
    with pytest.raises(ConfigError, match="held out"):
        module(attacks={held[0]: 1.0})


def test_views_and_landmarks_move_together() -> None:
    landmarks = template_landmarks(3, 64) + 12
    images = torch.zeros(3, 3, 88, 88)
    eyes = landmarks[:, 36].round().long()
    for index, (x, y) in enumerate(eyes.tolist()):
        images[index, :, y - 1 : y + 2, x - 1 : x + 2] = 1
    rng = torch.Generator().manual_seed(3)
    views, moved = random_views(images, landmarks, 64, Framing(10, 0.05, 0.9, 1.1), rng)
    for index in range(3):
        place = views[index, 0].flatten().argmax()
        found = torch.tensor([place % 64, place // 64])
        assert (found - moved[index, 36]).abs().max() < 2.5


def test_flip_moves_left_to_right_and_renumbers() -> None:
    images = torch.rand(16, 3, 10, 10)
    landmarks = torch.rand(16, 68, 2) * 9
    flipped, moved = flip(images, landmarks, torch.Generator().manual_seed(0))
    changed = [index for index in range(16) if not torch.equal(flipped[index], images[index])]
    assert 0 < len(changed) < 16
    for index in changed:
        assert torch.equal(flipped[index], images[index].flip(2))
        assert torch.allclose(moved[index][:, 0], 9 - landmarks[index][mirror_order()][:, 0])


def test_random_similarity_keeps_the_centre_without_shift() -> None:
    matrix = random_similarity(20, 64, Framing(30, 0.0, 0.5, 2.0), torch.Generator().manual_seed(0))
    centre = torch.full((20, 1, 2), 31.5)
    assert torch.allclose(transform_points(centre, matrix), centre, atol=1e-4)


def test_critic_teaches_the_encoder_to_hide() -> None:
    critic = Critic(4)
    tagged = torch.rand(2, 3, 32, 32, requires_grad=True)
    images = torch.rand(2, 3, 32, 32)
    critic.loss(tagged, images).backward()
    assert tagged.grad is not None
    reversed_gradient = tagged.grad.clone()
    plain = torch.nn.functional.softplus(critic.net(tagged)).mean()
    (straight,) = torch.autograd.grad(plain, tagged)
    assert torch.allclose(reversed_gradient, -straight, atol=1e-7)


def test_image_loss_dislikes_colour_stains() -> None:
    images = torch.full((1, 3, 32, 32), 0.5)
    noise = 0.02 * torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    grey = images + noise
    green = images + torch.cat([-noise, noise, -noise], 1)
    assert image_loss(green, images) > image_loss(grey, images) > image_loss(images, images)


def test_watchdog_speaks_once_in_words(tmp_path: Path) -> None:
    stuck = module(curriculum={"message_done": 1.0})
    runner = trainer(tmp_path, 5)
    runner.callbacks.append(Watchdog(patience=2, chance=1.1))
    with pytest.warns(UserWarning, match="not being learnt") as heard:
        runner.fit(stuck, loader())
    assert sum("not being learnt" in str(one.message) for one in heard) == 1


def test_sheet_lays_original_tagged_residual_side_by_side() -> None:
    images = torch.rand(2, 3, 8, 8)
    page = sheet(images, images)
    assert page.shape == (16, 24, 3)
    assert (page[:, :8] == page[:, 8:16]).all()
    assert (page[:, 16:] == 128).all()
