"""Of the payloads that arrive, how many does a reading report at its significance? Through attacks, and without a tag.

.venv/bin/python benchmarks/payload_reading.py [--tagger NAME] [--faces FOLDER] [--count N]
"""

from pathlib import Path

import numpy as np
import torch
from reading_calibration import ATTACKS, arguments, attacked_logits, batches, pictures

import faketagger
from faketagger.coding import Payload, Register, corrected_p_value
from faketagger.coding.pvalues import blind_p_value
from faketagger.tagger.reading import POSES, SIGNIFICANCE
from faketagger.training.tagger_module import round_to_uint8

KNOWN = 1000


def measure(tagger: str = "face-128", faces: Path | None = None, count: int = 32) -> dict[str, dict[str, float]]:
    """For each attack the share of bits right, of payloads decoded, and of payloads reported at the significance.

    *counted* reports by the number of wrong bits, *weighed* by their soft evidence, as readings do; *known* reads among
    ``KNOWN`` payloads, the right one among them. *wrong* counts reports of another payload by either.
    """
    torch.set_num_threads(1)
    model = faketagger.load(tagger)
    images, landmarks = pictures(faces, count)
    codec, payload_bits = model.codec, model.codec.payload_bits
    values = np.random.default_rng(5).integers(0, 2**payload_bits, len(images))
    payloads = [Payload(int(value), payload_bits) for value in values]
    messages = codec.encode_batch(payloads)
    register = Register(codec, [*payloads, *range(KNOWN - len(payloads))])
    parts = batches(len(images))
    ones = torch.from_numpy(messages).float()
    with torch.no_grad():
        tagged = torch.cat([model.embed_aligned(images[p], ones[p], landmarks[p]) for p in parts])
    tagged = round_to_uint8(tagged)
    found = {}
    for attack in (None, *ATTACKS):
        logits = torch.cat([attacked_logits(model, attack, tagged[p], landmarks[p]) for p in parts]).double().numpy()
        reads = [codec.decode(row) for row in logits]
        right = np.array([read.payload == payload for read, payload in zip(reads, payloads, strict=True)])
        counted = np.array([blind_p_value(read.matched, max(read.compared, 1), 2**payload_bits) for read in reads])
        known = [register.decode(row) for row in logits]
        right_known = np.array([read.payload == payload for read, payload in zip(known, payloads, strict=True)])
        sure_known = np.array([corrected_p_value(read.p_value, POSES) for read in known]) <= SIGNIFICANCE
        weighed = np.array([corrected_p_value(read.p_value, POSES) for read in reads]) <= SIGNIFICANCE
        found[attack or "no attack"] = {
            "bits_right": float(((logits > 0) == (messages > 0)).mean()),
            "decoded": float(right.mean()),
            "counted": float((right & (counted * POSES <= SIGNIFICANCE)).mean()),
            "weighed": float((right & weighed).mean()),
            "known": float((right_known & sure_known).mean()),
            "wrong": float((~right & weighed).sum() + (~right_known & sure_known).sum()),
        }
    return found


if __name__ == "__main__":
    print("| attack | bits right | decoded | reported, counted | reported, weighed | of 1,000 known | wrong |")
    print("|---|---|---|---|---|---|---|")
    for name, row in measure(**arguments(__doc__)).items():
        shares = " | ".join(f"{row[key]:.1%}" for key in ("bits_right", "decoded", "counted", "weighed", "known"))
        print(f"| {name} | {shares} | {row['wrong']:.0f} |")
