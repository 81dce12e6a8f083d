"""Runs upstream's own training loop with upstream's own options, and takes its generator out as plain numbers."""

import json
import sys
from pathlib import Path

EXPORT = "generator.safetensors"
SHAPE = "generator.json"
TICK_KIMG = {"cpu": 1, "cuda": 4}


def enter(upstream, device):
    """Put upstream on the path and make it fit today's torch and, without a GPU, the CPU."""
    import torch

    sys.path.insert(0, str(upstream))
    if device == "cpu":
        import cpu

        cpu.pretend()
    import modern

    modern.repair()
    return torch


def options(parameters, data, seed, device):
    """Upstream's options for a training, with this adapter's sizes on top.

    Args:
        parameters: Of the job.
        data: Folder of square pictures.
        seed: Of the training.
        device: ``cpu`` or ``cuda``.

    Returns:
        Keyword arguments of upstream's ``training_loop``.
    """
    import train

    given = {"kimg": parameters["kimg"], "mirror": parameters["mirror"], "aug": parameters["augment"]}
    given |= {name: parameters[name] for name in ("batch", "gamma") if parameters[name]}
    _, chosen = train.setup_training_loop_kwargs(
        gpus=1, metrics=[], seed=seed, data=str(data), cfg=parameters["cfg"], fp32=device == "cpu", **given
    )
    resize(chosen, parameters)
    chosen.kimg_per_tick = TICK_KIMG[device]
    chosen.image_snapshot_ticks = None
    chosen.network_snapshot_ticks = 1 if device == "cpu" else 50
    if device == "cpu":
        chosen.data_loader_kwargs = {"num_workers": 0}
        chosen.batch_gpu = chosen.batch_size
    return chosen


def resize(chosen, parameters):
    """Write the sizes that a job names over those of upstream's base configuration; 0 leaves them."""
    synthesis, discriminator = chosen.G_kwargs.synthesis_kwargs, chosen.D_kwargs
    for name in ("channel_base", "channel_max"):
        if parameters[name]:
            synthesis[name] = discriminator[name] = parameters[name]
    if parameters["latent"]:
        chosen.G_kwargs.z_dim = chosen.G_kwargs.w_dim = parameters["latent"]
    if parameters["inputs"] == "plain":
        synthesis.use_noise = False
    if parameters["rate"]:
        chosen.G_opt_kwargs.lr = chosen.D_opt_kwargs.lr = parameters["rate"]
    if parameters["ema"]:
        chosen.ema_kimg = parameters["ema"]
    # the discriminator compares the pictures of a group, and groups must share out the batch
    group = min(discriminator.epilogue_kwargs.mbstd_group_size, chosen.batch_size)
    while chosen.batch_size % group:
        group -= 1
    discriminator.epilogue_kwargs.mbstd_group_size = group


def snapshots(runs):
    """The newest network of each run so far: list of (thousands of pictures shown in that run, file)."""
    found = []
    for run in sorted(path for path in runs.glob("*") if path.is_dir()):
        files = sorted(run.glob("network-snapshot-*.pkl"))
        if files:
            found.append((int(files[-1].stem.split("-")[-1]), files[-1]))
    return found


def few_pictures(training_set, random_seed=0):
    """Stands for upstream's sheet of a thousand samples at the start, which takes a CPU minutes."""
    import numpy as np

    pictures, labels = zip(*[training_set[index % len(training_set)] for index in range(4)], strict=True)
    return (2, 2), np.stack(pictures), np.stack(labels)


def train(parameters, data, runs, seed, device, progress):
    """Train, going on from the newest snapshot of an earlier, stopped call.

    Args:
        parameters: Of the job.
        data: Folder of square pictures.
        runs: Folder of runs; one is added.
        seed: Of the job.
        device: ``cpu`` or ``cuda``.
        progress: Called with (thousands of pictures shown, total).

    Returns:
        (newest snapshot, upstream's options).
    """
    from training import training_loop

    before = snapshots(runs)
    done, total = sum(kimg for kimg, _ in before), parameters["kimg"]
    number = len(list(runs.glob("*"))) if runs.is_dir() else 0
    chosen = options(parameters, data, seed + number, device)
    if done >= total:
        return before[-1][1], chosen
    chosen.run_dir = str(runs / f"{number:05d}")
    chosen.total_kimg = total - done
    if before:
        chosen.resume_pkl = str(before[-1][1])
        chosen.ema_rampup = None
    Path(chosen.run_dir).mkdir(parents=True)

    def note(kimg, _):
        for _, old in [file for file in snapshots(runs)[:-1] if file not in before]:
            old.unlink()
        for old in sorted(Path(chosen.run_dir).glob("network-snapshot-*.pkl"))[:-1]:
            old.unlink()
        progress(done + kimg, total)

    training_loop.setup_snapshot_image_grid = few_pictures
    training_loop.training_loop(rank=0, progress_fn=note, **chosen)
    return snapshots(runs)[-1][1], chosen


def export(snapshot, chosen, resolution, folder):
    """Write the averaged generator as safetensors with the arguments that make its network.

    The pickle that is read was written by :func:`train` in this very job or in the stopped one before it.
    """
    import legacy
    from safetensors.torch import save_file

    with snapshot.open("rb") as file:
        generator = legacy.load_network_pkl(file)["G_ema"]
    state = {name: tensor.detach().contiguous().cpu() for name, tensor in generator.state_dict().items()}
    save_file(state, folder / EXPORT)
    shape = {name: value for name, value in chosen.G_kwargs.items() if name != "class_name"}
    shape |= {"c_dim": 0, "img_resolution": resolution, "img_channels": 3}
    (folder / SHAPE).write_text(json.dumps(shape, indent=1), encoding="utf-8")


def restore(folder, upstream, device):
    """The exported generator, ready to make samples."""
    sys.path.insert(0, str(upstream))
    from safetensors.torch import load_file
    from training.networks import Generator

    shape = json.loads((folder / SHAPE).read_text(encoding="utf-8"))
    generator = Generator(**shape)
    generator.load_state_dict(load_file(folder / EXPORT))
    return generator.eval().requires_grad_(False).to(device)
