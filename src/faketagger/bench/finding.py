"""Face finders in processes of their own: dlib holds Python's lock, and half of a blind read is finding the face.

``python -m faketagger.bench.finding`` answers pictures on stdin with landmarks on stdout until stdin is closed; it
needs no torch and is gone when its parent is.
"""

import contextlib
import os
import queue
import struct
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from faketagger.errors import FaceError, FakeTaggerError
from faketagger.faces.detect import find_faces

Landmarks = NDArray[np.float32]
MOST = 4
_SIZE, _ANSWER = struct.Struct("<II"), struct.Struct("<BI")
_NOTHING, _FACE, _TROUBLE = 0, 1, 2


class FacePool:
    """Looks for the largest face of pictures, in the background.

    Args:
        workers: Processes; None for one a core, at most :data:`MOST`.
    """

    def __init__(self, workers: int | None = None) -> None:
        count = workers or min(MOST, os.cpu_count() or 1)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="face-finder")
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._processes = [_start() for _ in range(count)]
        for process in self._processes:
            self._idle.put(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            process.communicate()

    def look(self, image: NDArray[np.uint8]) -> "Future[Landmarks | None]":
        """Look for the largest face.

        Args:
            image: (H, W, 3) uint8.

        Returns:
            A promise of (68, 2) pixel coordinates, or None where there is no face; raises FaceError where the
            finder cannot run.
        """
        return self._threads.submit(self._ask, image)

    def _ask(self, image: NDArray[np.uint8]) -> Landmarks | None:
        process = self._idle.get()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(_SIZE.pack(*image.shape[:2]) + np.ascontiguousarray(image).tobytes())
            process.stdin.flush()
            kind, length = _ANSWER.unpack(_read(process.stdout, _ANSWER.size))
            content = _read(process.stdout, length)
        except (OSError, EOFError, ValueError) as error:
            raise FaceError(f"A face finder ended with code {process.poll()}.", "Run it again.") from error
        finally:
            self._idle.put(process)
        if kind == _TROUBLE:
            raise FaceError(content.decode())
        return np.frombuffer(content, np.float32).reshape(68, 2).copy() if kind == _FACE else None


def _start() -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "faketagger.bench.finding"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, start_new_session=True)


def _read(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise EOFError
    return content


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer pictures until there are no more.

    Args:
        requests: Height and width as two uint32, then the pixels; again and again.
        answers: Kind (uint8), length (uint32) and content of each answer.
    """
    while head := requests.read(_SIZE.size):
        height, width = _SIZE.unpack(head)
        image = np.frombuffer(_read(requests, height * width * 3), np.uint8).reshape(height, width, 3)
        try:
            faces = find_faces(image, max_faces=1)
            kind, content = (_FACE, faces[0].landmarks.astype("<f4").tobytes()) if faces else (_NOTHING, b"")
        except FakeTaggerError as error:
            kind, content = _TROUBLE, error.message.encode()
        answers.write(_ANSWER.pack(kind, len(content)) + content)
        answers.flush()


if __name__ == "__main__":
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent was killed in the middle of a picture
        serve(sys.stdin.buffer, sys.stdout.buffer)
