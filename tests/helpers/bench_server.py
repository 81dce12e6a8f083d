"""Benchmarks in processes that may be killed: torch is imported once, every run is a fork of it.

``python -m tests.helpers.bench_server FOLDER`` takes one output folder a line on stdin, answers ``started PID`` and,
when that process has ended, ``ended CODE`` (negative: the signal that killed it). The first run says what it had to
import; the server imports the same, so that later runs have nothing to load.
"""

import contextlib
import importlib
import json
import os
import sys
import traceback
from pathlib import Path

import torch
from rich.console import Console

import faketagger
from faketagger.bench import benchmark, measure, outside, prepare, results, runner, tagging
from faketagger.bench.protocol import BenchConfig
from faketagger.bench.wandb_log import RunWriter
from faketagger.config import check
from tests.helpers.toy_tagger import ToyFacePool, ToyTagger

_ = measure
CONFIG, MODULES = "bench.json", "modules.json"


def _run(folder: Path, out: str) -> None:
    config = check(json.loads((folder / CONFIG).read_text()), BenchConfig, CONFIG)
    benchmark.run_benchmark(config, folder / out, Console(quiet=True), "faketagger bench toy.yaml")


def _import_the_same(folder: Path) -> None:
    names = json.loads((folder / MODULES).read_text()) if (folder / MODULES).is_file() else []
    for name in names:
        if name not in sys.modules and name != "__main__":
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def main(folder: Path) -> None:
    """Answer until stdin is closed.

    Args:
        folder: Holds ``bench.json`` and gets the output folders.
    """
    torch.set_num_threads(1)
    tagger = ToyTagger()
    faketagger.load = lambda name: tagger
    benchmark.FacePool = ToyFacePool
    prepare.CHUNK = tagging.CHUNK = runner.CHUNK = outside.CHUNK = 3  # more moments between chunks
    RunWriter.open = lambda self: None
    RunWriter.write = lambda self, logged: None
    results.write_page = lambda folders: (folders[0] / "report.html").write_text("left out")
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _run(folder, line.strip())
                (folder / MODULES).write_text(json.dumps(list(sys.modules)))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        print(f"started {pid}", flush=True)
        status = os.waitpid(pid, 0)[1]
        _import_the_same(folder)
        print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
