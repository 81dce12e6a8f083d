"""Small adapters made by code: one that behaves, and one for every way not to."""

from pathlib import Path
from textwrap import dedent

import yaml

MANIFEST = {
    "contract": 1,
    "name": "rogue",
    "version": 1,
    "family": "synthesis",
    "roles": ["carrier"],
    "summary": "Paints noise from its seed.",
    "licence": "MIT",
    "upstream": {"source": "pypi", "package": "none", "version": "1.0"},
    "limits": {
        "wall_s": 30,
        "wall_s_per_image": 0,
        "silence_s": 30,
        "memory_mb": 200,
        "disk_mb": 20,
        "processes": 12,
        "log_mb": 1,
    },
    "parameters": {
        "shade": {"type": "int", "default": 0, "minimum": 0, "maximum": 255, "help": "Darkest value."},
        "haste": {"type": "int", "default": 1, "changes": "speed", "help": "Nothing you could see."},
    },
    "presets": {"smoke": {}},
    "success": "Every output differs from its input.",
    "cost": {"seconds_per_image": 0.1, "measured": "anywhere"},
}

PRELUDE = """
import json, os, random, shutil, struct, subprocess, sys, time, zlib
from pathlib import Path

job = json.loads(Path(sys.argv[2]).read_text())
source, target = Path(job["input"]), Path(job["output"])
images = job.get("images", [])

def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(width, height, pixels):
    rows = b"".join(b"\\0" + pixels[row * width * 3:(row + 1) * width * 3] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows, 1)), chunk(b"IEND", b"")
    return b"\\x89PNG\\r\\n\\x1a\\n" + b"".join(parts)

def size(name):
    return struct.unpack(">II", (source / name).read_bytes()[16:24])

def paint(image):
    width, height = size(image["name"])
    table = bytes(max(value, job["parameters"]["shade"]) for value in range(256))
    noise = random.Random(image["seed"]).randbytes(width * height * 3).translate(table)
    (target / image["name"]).write_bytes(png(width, height, noise))
    say("image", name=image["name"], status="attacked")
"""

WELL_BEHAVED = """
for image in images:
    paint(image)
say("done")
"""

BEHAVIOURS = {
    "well_behaved": WELL_BEHAVED,
    "hanging": "say('progress', done=0, total=1)\ntime.sleep(3600)\n",
    "chattering": "while True:\n    print('still alive', flush=True)\n    time.sleep(0.05)\n",
    "crashing": "paint(images[0])\nraise RuntimeError('the model fell over')\n",
    "killed": "import signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "lying": "for image in images:\n    say('image', name=image['name'], status='attacked')\nsay('done')\n",
    "silent_liar": "",
    "copying": """
for image in images:
    shutil.copy(source / image["name"], target / image["name"])
    say("image", name=image["name"], status="attacked")
say("done")
""",
    "garbage_output": """
for image in images:
    (target / image["name"]).write_bytes(b"\\x89PNG\\r\\n\\x1a\\n" + b"nonsense" * 100)
    say("image", name=image["name"], status="attacked")
say("done")
""",
    "flat_output": """
for image in images:
    width, height = size(image["name"])
    (target / image["name"]).write_bytes(png(width, height, b"\\xff" * (3 * width * height)))
    say("image", name=image["name"], status="attacked")
say("done")
""",
    "white_garbage": """
for image in images:
    width, height = size(image["name"])
    noise = bytes(random.Random(1).choices(range(250, 256), k=3 * width * height))
    (target / image["name"]).write_bytes(png(width, height, noise))
    say("image", name=image["name"], status="attacked")
say("done")
""",
    "doing_nothing": "print('Done.')\nsay('done')\n",
    "dead_helpers": """
import multiprocessing, signal
samples = multiprocessing.Queue()
helper = multiprocessing.Process(target=lambda: samples.put(1 / 0))
helper.start()
idle = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
say("progress", done=0, total=100)
samples.get()
""",
    "asking_the_terminal": "open('/dev/tty').readline()\n",
    "wrong_size": """
for image in images:
    (target / image["name"]).write_bytes(png(2, 2, bytes(range(12))))
    say("image", name=image["name"], status="attacked")
say("done")
""",
    "linking": """
for image in images:
    os.symlink("/usr/share/pixmaps", target / image["name"])
    say("image", name=image["name"], status="attacked")
say("done")
""",
    "babbling": """
print("{not json")
print('{"event": "image", "name": 5, "status": "attacked"}')
print('{"event": "image", "name": "../../etc/passwd", "status": "attacked"}')
sys.stdout.buffer.write(b"\\xff\\xfe\\0" * 100 + b"\\n" + b"x" * 200000 + b"\\n")
print("[" * 30000)
for image in images:
    paint(image)
print('{"event": "done"', end="", flush=True)
print("}")
""",
    "flooding": "line = b'x' * 65536\nwhile True:\n    os.write(1, line)\n",
    "eating_memory": """
held = []
while True:
    held.append(bytearray(b"x" * 2**23))
    time.sleep(0.01)
""",
    "grabbing_memory": "held = bytearray(2**34)\nsay('done')\n",
    "fork_bomb": """
for _ in range(60):
    if os.fork() == 0:
        os.setsid()
        time.sleep(3600)
time.sleep(3600)
""",
    "filling_disk": """
with open("big", "wb") as file:
    while True:
        file.write(os.urandom(2**20))
""",
    "filling_slowly": """
for index in range(1000):
    Path(f"part{index}").write_bytes(os.urandom(2**20))
    time.sleep(0.01)
time.sleep(3600)
""",
    "trespassing": "Path(__file__).with_name('mine').write_text('I was here')\n" + WELL_BEHAVED,
    "changing_inputs": "(source / images[0]['name']).write_bytes(b'')\n" + WELL_BEHAVED,
    "phoning_home": """
import socket
socket.create_connection(("192.0.2.1", 80), timeout=1)
""",
    "asking": "input('Press any key: ')\n",
    "leaving_children": """
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=True)
""" + WELL_BEHAVED,
    "unseeded": """
for image in images:
    paint({"name": image["name"], "seed": time.time_ns()})
say("done")
""",
    "batch_dependent": """
for index, image in enumerate(images):
    paint({"name": image["name"], "seed": len(images)})
say("done")
""",
    "helpless_without_pictures": "images[0]\n" + WELL_BEHAVED,
    "counting": """
print("run with", len(images), "pictures")
""" + WELL_BEHAVED,
}  # fmt: skip

LEARNING = """
if sys.argv[1] == "prepare":
    counts = {name: len(os.listdir(folder)) for name, folder in job["facesets"].items()}
    say("progress", done=1, total=1)
    (target / "model.json").write_text(json.dumps(counts))
    say("done")
else:
    print("model", Path(job["model"], "model.json").read_text())
    for image in images:
        paint(image)
    say("done")
"""


def make_adapter(folder: Path, driver: str, **changes: object) -> Path:
    """Write an adapter.

    Args:
        folder: To make.
        driver: Body of driver.py, which follows :data:`PRELUDE`.
        changes: Keys of adapter.yaml to replace; a dict under ``limits`` is laid over the usual limits.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    limits = {**MANIFEST["limits"], **dict(changes.pop("limits", {}))}  # type: ignore[dict-item, call-overload]
    (folder / "adapter.yaml").write_text(yaml.safe_dump({**MANIFEST, "limits": limits, **changes}))
    (folder / "driver.py").write_text(PRELUDE + dedent(driver))
    (folder / "README.md").write_text("# A test adapter\n")
    return folder
