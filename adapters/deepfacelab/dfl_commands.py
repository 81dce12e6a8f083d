"""DeepFaceLab's command lines, the answers to its prompts, and what its training prints."""

import math
import os
import pickle
import re
import sys
import time

from dfl_tool import FATAL, ToolError, Watcher

NAME = "run"
MASKS = ("full", "dst", "learned-prd", "learned-dst", "learned-prd*learned-dst", "learned-prd+learned-dst")
SAVE_EVERY_S = 300
LOST_S = 10.0
# exec'd by the training loop, so it stays a fixed text: numbers and paths reach it through the environment
CLOSE_WHEN_DONE = (
    "model.target_iter = int(os.environ['DFL_ITERATIONS'])\n"
    "if model.is_reached_iter_goal() or os.path.exists(os.environ['DFL_STOP_FILE']): s2c.put({'op': 'close'})"
)
SAVE = "s2c.put({'op': 'save'})"
LINE = re.compile(r"\[#(\d+)\]\[[^\]]*\]\[([^\]]*)\]\[([^\]]*)\]")
WEIGHTS = {
    "df": ("encoder.npy", "inter.npy", "decoder_src.npy", "decoder_dst.npy"),
    "liae": ("encoder.npy", "inter_AB.npy", "inter_B.npy", "decoder.npy"),
}


def environment(landmarks, threads, stop_file=None, iterations=0):
    """The tool's environment: the driver's own, with the shims told what to do.

    Args:
        landmarks: ``dlib`` or ``s3fd``.
        threads: Cores; the tool starts half of what it takes for the machine's cores as workers of each kind.
        stop_file: File whose existence ends training.
        iterations: Where training ends.
    """
    return os.environ | {
        "DFL_SHIM": "1",
        "DFL_LANDMARKS": landmarks,
        "DFL_CPUS": str(2 * threads),
        "DFL_ITERATIONS": str(iterations),
        "DFL_STOP_FILE": str(stop_file or ""),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONUNBUFFERED": "1",
    }


def extract(pictures, faces, size):
    """One face of every picture, cut out and aligned into the new folder ``faces``."""
    options = ["--detector", "s3fd", "--face-type", "full_face", "--max-faces-from-image", "1"]
    options += ["--image-size", str(size), "--jpeg-quality", "95", "--no-output-debug", "--cpu-only"]
    return [sys.executable, "main.py", "extract", "--input-dir", str(pictures), "--output-dir", str(faces), *options]


def train(model, folder, src, dst):
    """Training from two folders of faces; ends through the two programs, as it never does by itself."""
    command = [sys.executable, "main.py", "train", "--model", model, "--model-dir", str(folder)]
    command += ["--force-model-name", NAME, "--training-data-src-dir", str(src), "--training-data-dst-dir", str(dst)]
    command += ["--cpu-only", "--no-preview", "--execute-program", "-1", CLOSE_WHEN_DONE]
    return [*command, "--execute-program", str(-SAVE_EVERY_S), SAVE]


def merge(model, folder, frames, faces, merged, masks):
    """The trained face put into every frame."""
    command = [sys.executable, "main.py", "merge", "--model", model, "--model-dir", str(folder)]
    command += ["--force-model-name", NAME, "--input-dir", str(frames), "--aligned-dir", str(faces)]
    return [*command, "--output-dir", str(merged), "--output-mask-dir", str(masks), "--cpu-only"]


def merge_answers(parameters, threads):
    """What is typed at the merger's prompts, one line each, in their order.

    The first must be ``n``: the default opens a window. The number of workers must not exceed the cores.
    """
    answers = {
        "Use interactive merger?": "n",
        "Choose mode": 1,
        "Choose mask mode": MASKS.index(parameters["mask_mode"]),
        "Choose erode mask modifier": parameters["erode"],
        "Choose blur mask modifier": parameters["blur"],
        "Choose motion blur power": 0,
        "Choose output face scale modifier": 0,
        "Color transfer to predicted face": "" if parameters["colour"] == "none" else parameters["colour"],
        "Choose sharpen mode": 0,
        "Choose super resolution power": 0,
        "Choose image degrade by denoise power": 0,
        "Choose image degrade by bicubic rescale power": 0,
        "Degrade color power of final image": 0,
        "Number of workers?": threads,
    }
    return "".join(f"{answer}\n" for answer in answers.values())


def write_options(folder, parameters):
    """Leave SAEHD's answers where it looks for the defaults of its prompts (Quick96 asks nothing)."""
    mine = ("resolution", "archi", "ae_dims", "e_dims", "d_dims", "d_mask_dims", "batch_size", "random_warp")
    options = {name: parameters[name] for name in mine} | {
        "face_type": "f",
        "models_opt_on_gpu": False,
        "masked_training": True,
        "eyes_mouth_prio": False,
        "uniform_yaw": False,
        "blur_out_mask": False,
        "adabelief": True,
        "lr_dropout": "n",
        "random_hsv_power": 0.0,
        "true_face_power": 0.0,
        "face_style_power": 0.0,
        "bg_style_power": 0.0,
        "ct_mode": "none",
        "clipgrad": False,
        "pretrain": False,
        "autobackup_hour": 0,
        "write_preview_history": False,
        "target_iter": parameters["iterations"],
        "random_src_flip": False,
        "random_dst_flip": True,
        "gan_power": 0.0,
        "gan_patch_size": parameters["resolution"] // 8,
        "gan_dims": 16,
    }
    (folder / "SAEHD_default_options.dat").write_bytes(pickle.dumps(options))


def model_files(parameters):
    """Names of the files that merging needs, optimizer left out."""
    kind = "df" if parameters["model"] == "Quick96" else parameters["archi"].split("-")[0]
    names = (*WEIGHTS[kind], "data.dat", "summary.txt")
    return [f"{NAME}_{parameters['model']}_{name}" for name in names]


class Training(Watcher):
    """Follows training: iterations and losses, the sample generators' lives, and silence measured by its own pace."""

    fatal = FATAL
    stall_s = 900.0

    def __init__(self, iterations, report, stop):
        self.iterations, self.report, self.stop = iterations, report, stop
        self.iteration, self.first, self.last, self.reached = 0, None, None, False
        self._rest, self._started, self._said, self._helpers, self._lost_at = "", None, 0.0, None, None

    def read(self, text):
        """Parse the lines of new output."""
        text = self._rest + text
        self._rest = text[-200:]
        self.reached = self.reached or "Reached target iteration." in text
        for number, src, dst in LINE.findall(text):
            number = int(number)
            if number <= self.iteration:
                continue
            try:
                loss = (float(src), float(dst))
            except ValueError:
                loss = (math.nan, math.nan)
            if not all(map(math.isfinite, loss)):
                raise ToolError(f"training broke down at iteration {number}: the loss is no number")
            self.iteration, self.first, self.last = number, self.first or loss, loss
        now = time.monotonic()
        if self.iteration and self._started is None:
            self._started = (now, self.iteration)
        if self._started and self.iteration > self._started[1]:
            pace = (now - self._started[0]) / (self.iteration - self._started[1])
            self.stall_s = max(300.0, 30 * pace)
        if now - self._said > 1:
            self._said = now
            self.report(min(self.iteration, self.iterations), self.iterations)

    def look(self, pids):
        """Once iterations flow, no process may be lost: a dead sample generator means waiting for ever.

        A training that closes by itself ends its generators too; it is given ``LOST_S`` to be gone.
        """
        if self.iteration == 0 or self.reached or self.stop.asked_at is not None:
            return
        if self._helpers is None:
            self._helpers = set(pids)
        if not self._helpers - set(pids):
            self._lost_at = None
        elif self._lost_at is None:
            self._lost_at = time.monotonic()
        elif time.monotonic() - self._lost_at > LOST_S:
            raise ToolError(f"a sample generator of the training died after iteration {self.iteration}")
