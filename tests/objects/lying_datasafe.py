"""A datasafe's server in a thread, small and honest, until a test tells it to lie about the next requests."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Lie = Callable[["Handler"], None]


@dataclass
class Dataset:
    """`archive` None: reserved."""

    archive: bytes | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    old: list[bytes] = field(default_factory=list)
    manifest: dict[str, Any] | None = None

    @property
    def state(self) -> str:
        return "reserved" if self.archive is None else "deposited"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class LyingDatasafe:
    """Holds `datasets` by LOI. `lies` answer the next requests, one each; None in it: an honest answer. `asked` has all
    requests. `token`: what it asks for. `replies` counts bodies that were sent."""

    def __init__(self) -> None:
        self.datasets: dict[str, Dataset] = {}
        self.lies: list[Lie | None] = []
        self.asked: list[Asked] = []
        self.token: str | None = None
        self.open_files: Callable[[bytes], dict[str, bytes]] = lambda archive: {}
        owner = self

        class Bound(Handler):
            safe = owner

        self._server = _QuietServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def hold(self, loi: str, archive: bytes) -> None:
        self.datasets[loi] = Dataset(archive, self.open_files(archive))

    def methods(self) -> list[str]:
        return [asked.method for asked in self.asked]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _QuietServer(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *details: object) -> None:
        """Connections break here on purpose."""


@contextlib.contextmanager
def lying_datasafe() -> Iterator[LyingDatasafe]:
    safe = LyingDatasafe()
    try:
        yield safe
    finally:
        safe.close()


class Handler(BaseHTTPRequestHandler):
    safe: LyingDatasafe
    body: bytes
    protocol_version = "HTTP/1.1"
    server_version = "datasafe"

    def log_message(self, *details: object) -> None:
        pass

    def do_GET(self) -> None:
        self.body = body = self._read_body()
        self.safe.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        lie = self.safe.lies.pop(0) if self.safe.lies else None
        if lie is not None:
            return lie(self)
        if self.safe.token and self.headers["Authorization"] != f"Bearer {self.safe.token}":
            return self.say(401, "A token is asked for.")
        return self.answer_honestly()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815  (the names of http.server)

    def answer_honestly(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if not parts.path.startswith("/api/"):
            return self.say(404, "<!doctype html><title>404 Not Found</title>", kind="text/html")
        loi = unquote(parts.path[len("/api/") :])
        if not loi:
            return self._index(query.get("prefix", ""))
        if self.command == "POST":
            return self._reserve(loi)
        dataset = self.safe.datasets.get(loi)
        if dataset is None:
            return self.say(404 if self.command in ("GET", "HEAD") else 400, "LOI does not exist.")
        if self.command in ("PUT", "PATCH"):
            return self._take(loi, dataset, self.body)
        if self.headers.get("Accept") == "application/json":
            return self.say_json(self.describe(loi, dataset))
        return self._hand_out(dataset, query.get("old"))

    def describe(self, loi: str, dataset: Dataset) -> dict[str, Any]:
        files = [
            {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in sorted(dataset.files.items())
        ]
        olds = [
            {"number": number, "replaced_at": None, "size": len(old), "digest": hashlib.sha256(old).hexdigest()}
            for number, old in enumerate(dataset.old, 1)
        ]
        return {
            "entry": self.row(loi, dataset), "manifest": dataset.manifest, "files": files, "metadata": [],
            "old_versions": olds,
        }  # fmt: skip

    def row(self, loi: str, dataset: Dataset) -> dict[str, Any]:
        digest = None if dataset.archive is None else hashlib.sha256(dataset.archive).hexdigest()
        return {"loi": loi, "state": dataset.state, "files": len(dataset.files), "size": 1, "digest": digest}

    def say(self, status: int, text: str | bytes = b"", kind: str = "text/plain", **headers: str) -> None:
        """`headers`: with `_` for `-`; a Content-Length among them is sent as it is."""
        content = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(len(content))}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(content)
        if sent["Content-Length"] != str(len(content)):
            self.drop()

    def say_json(self, document: object) -> None:
        self.say(200, json.dumps(document), kind="application/json")

    def drop(self) -> None:
        """Ends the connection as a killed process does."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _index(self, prefix: str) -> None:
        if self.headers.get("Accept") != "application/json":
            return self.say(200, "alive")
        rows = [self.row(*pair) for pair in sorted(self.safe.datasets.items()) if pair[0].startswith(prefix)]
        return self.say_json({"datasets": rows})

    def _reserve(self, loi: str) -> None:
        loi = loi.rstrip("/")
        parent = loi if not loi.rpartition("/")[2].isdigit() else loi.rpartition("/")[0]
        taken = [int(other.rpartition("/")[2]) for other in self.safe.datasets if other.startswith(parent + "/")]
        new = f"{parent}/{max(taken, default=0) + 1}"
        self.safe.datasets[new] = Dataset()
        self.say(201, new)

    def _take(self, loi: str, dataset: Dataset, body: bytes) -> None:
        if not body:
            return self.say(400, "No content provided to deposit.")
        if self.command == "PUT" and dataset.archive is not None:
            return self.say(405, "Directory not empty.", Allow="PATCH")
        if self.command == "PATCH" and dataset.archive is None:
            return self.say(405, "Directory empty", Allow="PUT")
        if dataset.archive is not None:
            dataset.old.append(dataset.archive)
        dataset.archive, dataset.files = body, self.safe.open_files(body)
        return self.say_json({"all": True, "data": True})

    def _hand_out(self, dataset: Dataset, old: str | None) -> None:
        archive = dataset.archive if old is None else dict(enumerate(dataset.old, 1)).get(int(old))
        if archive is None:
            return self.say(204) if old is None else self.say(404, "There is no such old version.")
        return self.hand_out(archive)

    def hand_out(self, archive: bytes, **headers: str) -> None:
        raw = hashlib.sha256(archive).digest()
        etag = f'"{raw.hex()}"'
        said = {"ETag": etag, "Repr_Digest": f"sha-256=:{base64.b64encode(raw).decode()}:", "Accept_Ranges": "bytes"}
        said |= headers
        ranged = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if ranged is None or self.headers.get("If-Range", etag) != etag:
            return self.say(200, archive, "application/zip", **said)
        first, last = int(ranged[1]), min(int(ranged[2] or len(archive)), len(archive) - 1)
        if first >= len(archive):
            return self.say(416, Content_Range=f"bytes */{len(archive)}")
        said["Content_Range"] = f"bytes {first}-{last}/{len(archive)}"
        return self.say(206, archive[first : last + 1], "application/zip", **{**said, **headers})
