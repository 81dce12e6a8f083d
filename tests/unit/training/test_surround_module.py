"""Training what is written around faces: hidden faces, borders of pictures, surrounds that are lost."""

from pathlib import Path
from typing import Any

import torch

from faketagger.training.surround_module import SurroundModule, _framed, _frames
from tests.helpers.points import template_landmarks
from tests.unit.training.test_module import ATTACKS_MIX, NETWORK, Faces, loader, trainer


def module(**changes: Any) -> SurroundModule:
    torch.manual_seed(0)
    curriculum = {"message_done": 0.51, "memory": 0.0, "ramp": 1, "attacks_done": 0.51}
    settings = {"network": NETWORK, "attacks": ATTACKS_MIX, "max_steps": 6, "warmup": 2, "validation": ("jpeg",)}
    return SurroundModule(0.6, 0.3, **{**settings, "curriculum": curriculum, **changes})


def test_resume_takes_the_identical_next_step(tmp_path: Path) -> None:
    whole = module()
    trainer(tmp_path / "whole", 6).fit(whole, loader())
    trainer(tmp_path / "parts", 4).fit(module(), loader())
    second = module()
    trainer(tmp_path / "parts", 6).fit(second, loader(), ckpt_path=tmp_path / "parts" / "last.ckpt", weights_only=True)
    assert second.curriculum.state() == whole.curriculum.state()
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_views_are_wide_and_the_face_is_neither_written_to_nor_read() -> None:
    one = module()
    batch = next(iter(loader()))
    images, landmarks = one._still_views(batch["image"], batch["landmarks"], torch.Generator())
    spread = [points[:, 17:48].std(1).mean() for points in (landmarks, template_landmarks(4, 64))]
    assert abs(spread[0] / spread[1] - 0.6) < 0.02
    message = torch.randint(0, 2, (4, 16)).float()
    _, tagged = one._tag(images, landmarks, message, None)
    x, y = landmarks[0].mean(0).round().long().tolist()
    written = (tagged - images).abs().amax(1)[0]
    assert written[y - 3 : y + 4, x - 3 : x + 4].max() <= 1 / 255
    assert written.max() > 2 / 255
    other = tagged.clone()
    other[:, :, y - 5 : y + 6, x - 5 : x + 6] = 0
    read = [one._read(seen, landmarks, images, None)[0] for seen in (tagged, other)]
    torch.testing.assert_close(read[0], read[1], atol=1e-4, rtol=0)


def test_borders_repeat_what_is_at_the_border() -> None:
    rows, columns, inside = _frames(40, 16, torch.Generator().manual_seed(0))
    images = torch.rand(40, 3, 16, 16)
    framed = _framed(images, rows, columns)
    assert torch.equal(framed[inside.expand_as(images)], images[inside.expand_as(images)])
    assert (inside.flatten(1).all(1)).any(), "some views have no border in them"
    assert not inside.flatten(1).all(1).all()
    for picture, shown, place in zip(images, framed, inside[:, 0], strict=True):
        top, left = place.nonzero().amin(0).tolist()
        assert (shown[:, 0, 0] == picture[:, top, left]).all()


def test_a_lost_surround_teaches_to_say_nothing() -> None:
    one = module()
    batch = Faces()[0]
    views = batch["image"][None, :, :64, :64].repeat(200, 1, 1, 1)
    tagged, seen = views + 0.1, []
    one.networks.read = lambda images: seen.append(images) or torch.zeros(len(images), 16)  # type: ignore[method-assign]
    one._read(tagged, template_landmarks(200, 30) + 17, views, torch.Generator().manual_seed(0))
    corner = seen[0][:, :, 5:12, 5:12].mean((1, 2, 3))
    grey = ((corner - 0.5).abs() < 1e-3).sum().item()
    original = ((corner - views[0, :, 5:12, 5:12].mean()).abs() < 0.03).sum().item()
    assert 15 < grey < 45
    assert 15 < original < 45
