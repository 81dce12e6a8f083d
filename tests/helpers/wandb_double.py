"""A test double of the W&B server, on this machine only. It is not W&B's server and shows nothing about it.

It answers the GraphQL operations, the file stream and the uploads that the installed client sends, by what that client
asks for, and keeps what arrives. It refuses what a store has to refuse: a wrong key, a file that nobody announced,
bytes that are not those of their digest, an artifact with a file missing. An operation that it does not know is
answered with an error and kept in :attr:`WandbDouble.unknown`.
"""

import base64
import gzip
import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.helpers.wandb_double_answers import Answers, Refused

KEY = "madeup" * 7
"""Made up; the client wants forty characters and more."""
ENTITY = "somebody"


@dataclass
class Run:
    """What arrived of a run."""

    told: dict[str, Any]
    lines: dict[str, dict[int, str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def config(self) -> dict[str, Any]:
        """Values by key, W&B's own left out."""
        return {key: one["value"] for key, one in json.loads(self.told["config"]).items() if key != "_wandb"}

    @property
    def history(self) -> list[dict[str, Any]]:
        """Rows in order."""
        rows = self.lines.get("wandb-history.jsonl", {})
        return [json.loads(rows[number]) for number in sorted(rows)]

    @property
    def summary(self) -> dict[str, Any]:
        """The last that was sent."""
        sent = self.lines.get("wandb-summary.json", {})
        return dict(json.loads(sent[max(sent)])) if sent else {}

    @property
    def axes(self) -> dict[str, str]:
        """Axis by metric, as the client writes them into its part of the configuration."""
        told = json.loads(self.told["config"])["_wandb"]["value"]["m"]
        names = [one.get("1") or one["2"].replace("\\.", ".") for one in told]
        return {name: names[one["5"] - 1] for name, one in zip(names, told, strict=True) if "5" in one}


@dataclass
class Artifact:
    """What arrived of an artifact."""

    id: str
    told: dict[str, Any]
    manifest: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    committed: bool = False

    @property
    def aliases(self) -> list[str]:
        """Names of the version."""
        return [one["alias"] for one in self.told["aliases"]]


class WandbDouble:
    """Everything that arrived.

    Attributes:
        runs: By id.
        artifacts: By id.
        sweeps: By id.
        views: Saved workspaces.
        asked: Names of the operations, in order.
        unknown: Requests that nobody wrote an answer for.
        refused: What was turned away, and why.
        url: Where it listens.
    """

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.artifacts: dict[str, Artifact] = {}
        self.sweeps: dict[str, dict[str, Any]] = {}
        self.views: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.unknown: list[str] = []
        self.refused: list[str] = []
        self.url = ""
        self._lock = threading.Lock()
        self._announced: dict[str, tuple[Artifact | Run, str, str | None]] = {}
        self._answers = Answers(self)

    def artifact(self, told: dict[str, Any]) -> Artifact:
        """A version: the one that is there already, if type, name and digest are its own; else a new one.

        Args:
            told: By the client.
        """
        same = ("artifactTypeName", "artifactCollectionName", "digest")
        for known in self.artifacts.values():
            if all(known.told.get(key) == told.get(key) for key in same):
                return known
        made = Artifact(f"artifact-{len(self.artifacts)}", told)
        self.artifacts[made.id] = made
        return made

    def announce(self, owner: Artifact | Run, name: str, digest: str | None) -> str:
        """Where a file may be put from now on.

        Args:
            owner: Whose it is.
            name: In its owner; empty for an artifact's manifest.
            digest: MD5 in base64, where the client names one.

        Returns:
            The URL.
        """
        place = f"/storage/{len(self._announced)}"
        self._announced[place] = owner, name, digest
        return self.url + place

    def handle(self, method: str, path: str, body: bytes) -> Any:
        """One request.

        Args:
            method: Of HTTP.
            path: Without the host.
            body: Unpacked.

        Raises:
            Refused: A server would turn it away.
        """
        with self._lock:
            if path == "/graphql":
                return self._graphql(json.loads(body))
            if path.endswith("/file_stream"):
                return self._stream(path.split("/")[-2], json.loads(body))
            if method == "PUT":
                return self._put(path, body)
            if path.startswith("/sdk/otel/"):  # the client's own telemetry
                return {}
            self.unknown.append(f"{method} {path}")
            raise Refused(404, f"{method} {path} is not part of this double")

    def _graphql(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request.get("operationName") or request["query"].split("(")[0].split("{")[0].split()[-1]
        self.asked.append(name)
        answer = getattr(self._answers, name[0].lower() + name[1:], None)
        if answer is None:
            self.unknown.append(f"{name}: {request['query']}")
            return {"data": None, "errors": [{"message": f"{name} is not part of this double"}]}
        return {"data": answer(request.get("variables") or {})}

    def _stream(self, run: str, sent: dict[str, Any]) -> dict[str, Any]:
        for name, part in (sent.get("files") or {}).items():
            kept = self.runs[run].lines.setdefault(name, {})
            kept.update(enumerate(part["content"], start=part["offset"]))
        if sent.get("complete"):
            self.runs[run].exit_code = sent["exitcode"]
        return {}

    def _put(self, path: str, body: bytes) -> dict[str, Any]:
        if path not in self._announced:
            raise Refused(403, f"{path} was not announced")
        owner, name, digest = self._announced[path]
        if digest is not None and md5(body) != digest:
            raise Refused(400, f"{name} is not what its digest says")
        if name:
            owner.files[name] = body
        elif isinstance(owner, Artifact):
            owner.manifest = json.loads(body)
        return {}


def md5(body: bytes) -> str:
    """As W&B writes digests: base64."""
    return base64.b64encode(hashlib.md5(body).digest()).decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: WandbDouble

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            if not self.path.startswith(("/storage/", "/sdk/")):
                self._check_key()
            code, out = 200, self.double.handle(self.command, self.path, body)
        except Refused as error:
            code, out = error.code, {"errors": [{"message": str(error)}]}
            self.double.refused.append(str(error))
        text = json.dumps(out).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = _answer

    def _check_key(self) -> None:
        given = self.headers.get("Authorization", "")
        if given != f"Basic {base64.b64encode(f'api:{KEY}'.encode()).decode()}":
            raise Refused(401, "wrong key")

    def log_message(self, *_: Any) -> None:
        """Silence on stderr."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client drops connections it needs no more; everything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def wandb_double() -> Iterator[WandbDouble]:
    """The double, listening on a free port of this machine."""
    double = WandbDouble()
    handler = type("Handler", (_Handler,), {"double": double})
    server = _Server(("127.0.0.1", 0), handler)
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
