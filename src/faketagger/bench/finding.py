"""Face finders in processes of their own: dlib holds Python's lock, and half of a blind read is finding the face.

``python -m faketagger.bench.finding`` answers pictures on stdin with landmarks or face embeddings on stdout until stdin
is closed; it needs no torch and is gone when its parent is.
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

from faketagger.bench.cores import usable_cores
from faketagger.errors import FaceError, FakeTaggerError
from faketagger.faces.detect import find_faces
from faketagger.faces.embedding import embed_face

Landmarks = NDArray[np.float32]
Embedding = NDArray[np.float64]
MOST = 4
_REQUEST, _ANSWER = struct.Struct("<BII"), struct.Struct("<BI")
_LOOK, _EMBED, _GUESS = 0, 1, 2
_LANDMARK_BYTES = 68 * 2 * 4
_NOTHING, _FACE, _TROUBLE = 0, 1, 2


class FacePool:
    """Looks for the largest face of pictures, in the background.

    Args:
        workers: Processes; None for one a usable core, at most :data:`MOST`.
    """

    def __init__(self, workers: int | None = None) -> None:
        count = workers or min(MOST, usable_cores())
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

    def look(self, image: NDArray[np.uint8], *, guess: bool = False) -> "Future[Landmarks | None]":
        """Look for the largest face.

        Args:
            image: (H, W, 3) uint8.
            guess: Where there is none, take what looks most like one, as a reader does.

        Returns:
            A promise of (68, 2) pixel coordinates, or None where there is no face; raises FaceError where the
            finder cannot run.
        """
        return self._threads.submit(self._look, _GUESS if guess else _LOOK, image)

    def embed(self, image: NDArray[np.uint8], landmarks: Landmarks) -> "Future[Embedding]":
        """Describe a face.

        Args:
            image: (H, W, 3) uint8.
            landmarks: (68, 2) pixel coordinates.

        Returns:
            A promise of the (128,) embedding; raises FaceError where it cannot be made.
        """
        return self._threads.submit(self._embed, image, landmarks)

    def _look(self, wish: int, image: NDArray[np.uint8]) -> Landmarks | None:
        content = self._ask(wish, image, b"")
        return None if content is None else np.frombuffer(content, np.float32).reshape(68, 2).copy()

    def _embed(self, image: NDArray[np.uint8], landmarks: Landmarks) -> Embedding:
        content = self._ask(_EMBED, image, landmarks.astype("<f4").tobytes())
        return np.frombuffer(content or b"", np.float64).copy()

    def _ask(self, wish: int, image: NDArray[np.uint8], more: bytes) -> bytes | None:
        process = self._idle.get()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(_REQUEST.pack(wish, *image.shape[:2]) + np.ascontiguousarray(image).tobytes() + more)
            process.stdin.flush()
            kind, length = _ANSWER.unpack(_read(process.stdout, _ANSWER.size))
            content = _read(process.stdout, length)
        except (OSError, EOFError, ValueError) as error:
            raise FaceError(f"A face finder ended with code {process.poll()}.", "Run it again.") from error
        finally:
            self._idle.put(process)
        if kind == _TROUBLE:
            raise FaceError(content.decode())
        return content if kind == _FACE else None


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
        requests: Wish (uint8), height and width (uint32), then the pixels, and for an embedding the landmarks; again
            and again.
        answers: Kind (uint8), length (uint32) and content of each answer.
    """
    while head := requests.read(_REQUEST.size):
        wish, height, width = _REQUEST.unpack(head)
        image = np.frombuffer(_read(requests, height * width * 3), np.uint8).reshape(height, width, 3)
        points = _read(requests, _LANDMARK_BYTES) if wish == _EMBED else b""
        try:
            content = _described(image, points) if wish == _EMBED else _found(image, wish == _GUESS)
            kind = _NOTHING if content is None else _FACE
        except FakeTaggerError as error:
            kind, content = _TROUBLE, error.message.encode()
        content = content or b""
        answers.write(_ANSWER.pack(kind, len(content)) + content)
        answers.flush()


def _found(image: NDArray[np.uint8], guess: bool) -> bytes | None:
    faces = find_faces(image, max_faces=1, guess=guess)
    return faces[0].landmarks.astype("<f4").tobytes() if faces else None


def _described(image: NDArray[np.uint8], points: bytes) -> bytes:
    return embed_face(image, np.frombuffer(points, "<f4").reshape(68, 2)).astype("<f8").tobytes()


if __name__ == "__main__":
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent was killed in the middle of a picture
        serve(sys.stdin.buffer, sys.stdout.buffer)
