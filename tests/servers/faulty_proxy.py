"""A TCP proxy on loopback that breaks HTTP exchanges: late, cut, lost after the commit, refused, or never answered.

It understands just enough of HTTP to know which request a reply belongs to; clients send one request at a time on a
connection.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

METHODS = (b"GET ", b"PUT ", b"POST ", b"HEAD ", b"DELETE ")
PATIENCE = 20.0

Matches = Callable[[str], bool]


def any_request(request_line: str) -> bool:
    return True


def any_commit(request_line: str) -> bool:
    """Requests after which an object is visible: a put that is no part, and the completion of parts."""
    method, target = request_line.split(" ")[:2]
    return (method == "PUT" and "partNumber=" not in target) or (method == "POST" and "uploadId=" in target)


@dataclass
class Fault:
    """`kind`: lose-reply (the server has acted), cut-reply (after `after` bytes of it), cut-request (a reset after
    `after` bytes of it), answer (with `status` and `code`; the server never sees the request), slam (the same, and the
    connection is closed without taking the body), black-hole (no reply at all), delay (`seconds` before the reply).
    `headers` go with an answer, each line ending in CRLF. `times` is how often."""

    kind: str
    matches: Matches = any_request
    times: int = 1
    after: int = 0
    status: int = 503
    code: str = "SlowDown"
    headers: str = ""
    seconds: float = 0.0


class FaultyProxy:
    """Passes everything on while there is no fault. `requests` are the request lines seen so far, `received` counts the
    bytes that clients have sent."""

    def __init__(self, target_url: str) -> None:
        parts = urlsplit(target_url)
        assert parts.hostname is not None and parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._closing = threading.Event()
        self._exchanges = 0
        self.received = 0
        self.requests: list[str] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="faulty-proxy", daemon=True).start()

    @contextlib.contextmanager
    def fault(self, kind: str, matches: Matches = any_request, times: int = 1, **details: object) -> Iterator[Fault]:
        """The fault applies to the next `times` requests that match, until the block ends."""
        fault = Fault(kind, matches, times, **details)  # type: ignore[arg-type]
        with self._lock:
            self._faults.append(fault)
        try:
            yield fault
        finally:
            with self._lock:
                self._faults.remove(fault)

    def count(self, received: int) -> None:
        with self._lock:
            self.received += received

    def wait_until_idle(self, seconds: float) -> None:
        """Returns when nobody is connected any more, so that what clients have sent has reached the server."""
        deadline = time.monotonic() + seconds
        while self._exchanges:
            assert time.monotonic() < deadline, "somebody stays connected"
            time.sleep(0.01)

    def close(self) -> None:
        self._closing.set()
        self._listener.close()

    def __enter__(self) -> FaultyProxy:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._exchanges += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            self._pass_on(client)
        finally:
            with self._lock:
                self._exchanges -= 1

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Exchange(self, client, server).run(self._closing)

    def choose(self, request_line: str) -> Fault | None:
        with self._lock:
            self.requests.append(request_line)
            for fault in self._faults:
                if fault.times > 0 and fault.matches(request_line):
                    fault.times -= 1
                    return fault
        return None


class _Exchange:
    """One connection, both ways, with the fault of the current request."""

    def __init__(self, proxy: FaultyProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._fault: Fault | None = None
        self._replied = 0
        self._taken = 0
        self._is_head = False

    def run(self, closing: threading.Event) -> None:
        while not closing.is_set():
            readable, _, _ = select.select([self._client, self._server], [], [], 0.2)
            for source in readable:
                data = source.recv(1 << 16)
                if not data:
                    return
                go_on = self._from_client(data) if source is self._client else self._from_server(data)
                if not go_on:
                    return

    def _from_client(self, data: bytes) -> bool:
        if data.startswith(METHODS):
            self._fault = self._proxy.choose(data.split(b"\r\n", 1)[0].decode("latin-1"))
            self._is_head = data.startswith(b"HEAD ")
            self._replied = self._taken = 0
        self._taken += len(data)
        self._proxy.count(len(data))
        if self._fault is not None and self._fault.kind == "cut-request" and self._taken > self._fault.after:
            return self._reset()
        if self._fault is not None and self._fault.kind in ("answer", "slam"):
            return self._answer(self._fault)
        if self._fault is not None and self._fault.kind == "black-hole":
            time.sleep(min(PATIENCE, self._fault.seconds or PATIENCE))
            return False
        self._server.sendall(data)
        return True

    def _from_server(self, data: bytes) -> bool:
        fault, before = self._fault, self._replied
        self._replied += len(data)
        if fault is not None and fault.kind == "lose-reply" and not data.startswith(b"HTTP/1.1 100"):
            return self._reset()
        if fault is not None and fault.kind == "delay" and before == 0:
            time.sleep(fault.seconds)
        if fault is not None and fault.kind == "cut-reply" and self._replied > fault.after:
            self._client.sendall(data[: max(0, fault.after - before)])
            return self._reset() if fault.code == "reset" else False
        self._client.sendall(data)
        return True

    def _answer(self, fault: Fault) -> bool:
        body = f"<Error><Code>{fault.code}</Code><Message>made up</Message></Error>".encode()
        head = f"HTTP/1.1 {fault.status} Made Up\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        self._client.sendall(f"{head}{fault.headers}\r\n".encode() + (b"" if self._is_head else body))
        if fault.kind == "slam":
            return False
        self._client.shutdown(socket.SHUT_WR)
        self._client.settimeout(1.0)
        with contextlib.suppress(OSError):
            while self._client.recv(1 << 16):  # or the kernel resets and the client may lose the answer
                pass
        return False

    def _reset(self) -> bool:
        """Zero linger: the client sees a reset, not an orderly end."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
