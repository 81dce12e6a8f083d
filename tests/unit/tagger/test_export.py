"""Exported networks give what the tagger gives."""

from pathlib import Path

import onnxruntime
import pytest
import torch

from faketagger.coding import Codec
from faketagger.tagger.export import export_tagger
from faketagger.tagger.networks import TaggerNetworks
from faketagger.tagger.surround import Surround, around
from faketagger.tagger.tagger import Tagger


@pytest.fixture
def tagger() -> Tagger:
    torch.manual_seed(0)
    return Tagger(TaggerNetworks(40, 64, 16, 16), Codec(40, 16, 12), 36.0, "little").eval().requires_grad_(False)


def test_onnx_equals_eager_at_another_batch_size(tagger: Tagger, tmp_path: Path) -> None:
    embed, read = (onnxruntime.InferenceSession(path) for path in export_tagger(tagger, tmp_path, "onnx"))
    images, message = torch.rand(5, 3, 64, 64), torch.randint(0, 2, (5, 40)).float()
    (tagged,) = embed.run(None, {"images": images.numpy(), "message": message.numpy()})
    assert torch.allclose(torch.from_numpy(tagged), tagger.embed_message(images, message), atol=1e-5)
    (logits,) = read.run(None, {"images": tagged})
    assert torch.allclose(torch.from_numpy(logits), tagger.read_message(torch.from_numpy(tagged)), atol=1e-3)


def test_pt2_equals_eager_at_another_batch_size(tagger: Tagger, tmp_path: Path) -> None:
    embed, read = export_tagger(tagger, tmp_path, "pt2")
    images, message = torch.rand(5, 3, 64, 64), torch.randint(0, 2, (5, 40)).float()
    tagged = torch.export.load(embed).module()(images, message)
    assert torch.allclose(tagged, tagger.embed_message(images, message), atol=1e-5)
    logits = torch.export.load(read).module()(tagged)
    assert torch.allclose(logits, tagger.read_message(tagged), atol=1e-3)


def test_a_surround_is_exported_too(tagger: Tagger, tmp_path: Path) -> None:
    surround = Surround(TaggerNetworks(40, 64, 8, 8), 0.6, 44.0)
    wide = Tagger(tagger.networks, tagger.codec, 36.0, "wide", surround).eval().requires_grad_(False)
    files = export_tagger(wide, tmp_path, "onnx")
    assert [path.name for path in files][2:] == ["wide-surround-embed.onnx", "wide-surround-read.onnx"]
    embed, read = (onnxruntime.InferenceSession(path) for path in files[2:])
    views, message = torch.rand(3, 3, 64, 64), torch.randint(0, 2, (3, 40)).float()
    where = (torch.rand(3, 1, 64, 64) < 0.7).float()
    (tagged,) = embed.run(None, {"views": views.numpy(), "message": message.numpy(), "where": where.numpy()})
    wanted = (views + around(surround.networks, views, message, where, 44.0)).clamp(0, 1)
    assert torch.allclose(torch.from_numpy(tagged), wanted, atol=1e-5)
    (logits,) = read.run(None, {"images": tagged})
    assert torch.allclose(torch.from_numpy(logits), surround.networks.read(torch.from_numpy(tagged)), atol=1e-3)
