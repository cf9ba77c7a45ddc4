"""Small requests over kept connections, for replies that say all in their headers: to a HEAD, to a put that succeeds.

The general way of urllib3 and http.client costs five times the processor time, and the threads that ask for ten
thousand objects take turns at the interpreter.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

MOST_IDLE = 64
"""Connections that are kept: more threads than this do not ask at a time."""

IDLE_SECONDS = 20.0
"""After which a connection is not used again: what lies between may have forgotten it."""

_LONGEST_BLOCK = 64 << 10
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_BODY = b"0\r\n\r\n"
"""How a reply in pieces says that there are none."""

_Place = tuple[str, str, int]


class HeaderBlock(Mapping[str, str]):
    """The headers of a reply; names are looked up in any case, values of a repeated name are joined by commas."""

    def __init__(self, lines: list[str]) -> None:
        self._values: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            known = self._values.get(name)
            self._values[name] = value.strip() if known is None else f"{known}, {value.strip()}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class _Unanswered(ConnectionError):
    """The connection ended before a byte of the reply had come."""


class KeptExchange:
    """Sends requests, from any number of threads, each over a connection of its own that is used again.

    Times in seconds. `make_context` gives the TLS settings when they are first needed.
    """

    def __init__(self, connect_seconds: float, read_seconds: float, make_context: Callable[[], ssl.SSLContext]) -> None:
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._make_context = make_context
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._idle: dict[_Place, list[tuple[socket.socket, float]]] = {}
        self._is_closed = False
        self._finalizer = weakref.finalize(self, _close_all, self._idle)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, HeaderBlock]:
        """Returns status and headers of the reply; a redirect is a reply like any other.

        What a reply has besides is thrown away with its connection. A request that found its kept connection closed
        is sent a second time: the first may have been obeyed all the same.

        Raises: OSError when there is no reply that can be read; ValueError for a line break in the headers.
        """
        parts = urlsplit(url)
        place = (parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme])
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        request = _write_request(method, target, {"Host": host_header(parts), **headers}) + body
        kept = self._take(place)
        if kept is not None:
            with contextlib.suppress(_Unanswered):  # the server has closed it meanwhile: that says nothing
                return self._ask(place, kept, request)
        return self._ask(place, self._connect(place), request)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
        self._finalizer()

    def _ask(self, place: _Place, connection: socket.socket, request: bytes) -> tuple[int, HeaderBlock]:
        try:
            status, headers, may_be_kept = _exchange(connection, request)
        except BaseException:
            connection.close()
            raise
        if not (may_be_kept and self._give(place, connection)):
            connection.close()
        return status, headers

    def _take(self, place: _Place) -> socket.socket | None:
        with self._lock:
            idle = self._idle.get(place, [])
            while idle:
                connection, since = idle.pop()
                if time.monotonic() - since < IDLE_SECONDS:
                    return connection
                connection.close()
        return None

    def _give(self, place: _Place, connection: socket.socket) -> bool:
        with self._lock:
            idle = self._idle.setdefault(place, [])
            if self._is_closed or len(idle) >= MOST_IDLE:
                return False
            idle.append((connection, time.monotonic()))
            return True

    def _connect(self, place: _Place) -> socket.socket:
        scheme, host, port = place
        connection = socket.create_connection((host, port), self._connect_seconds)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == "https":
                with self._lock:
                    self._context = self._context or self._make_context()
                connection = self._context.wrap_socket(connection, server_hostname=host)
            connection.settimeout(self._read_seconds)
        except BaseException:
            connection.close()
            raise
        return connection


def _close_all(idle: dict[_Place, list[tuple[socket.socket, float]]]) -> None:
    for connections in idle.values():
        while connections:
            connections.pop()[0].close()


def host_header(url: SplitResult) -> str:
    """Returns the Host header that goes with a URL: the port only where it is not the scheme's own."""
    host = url.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else f"{host}:{url.port}"


def _write_request(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "User-Agent: archive-tui", "Accept-Encoding: identity"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\n" in line or "\r" in line for line in lines):
        raise ValueError("a line break in the headers of a request")
    return "\r\n".join([*lines, "", ""]).encode()


def _exchange(connection: socket.socket, request: bytes) -> tuple[int, HeaderBlock, bool]:
    """Returns status, headers, and whether another request may follow on the same connection."""
    try:
        connection.sendall(request)
        received = connection.recv(_LONGEST_BLOCK)
    except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise _Unanswered("the connection ended before the reply") from error
    if not received:
        raise _Unanswered("the connection ended before the reply")
    while True:
        block, rest, received = _split_block(connection, received)
        version, status, headers = _parse_block(block)
        if not 100 <= status < 200:
            break
        received = rest
    is_open = version == "HTTP/1.1" and "close" not in headers.get("connection", "").lower()
    return status, headers, is_open and _ends_here(connection, request, headers, rest)


def _ends_here(connection: socket.socket, request: bytes, headers: HeaderBlock, rest: bytes) -> bool:
    """Returns whether the reply has nothing but its headers, so that what comes next is the next reply."""
    if request.startswith(b"HEAD ") or headers.get("content-length") == "0":
        return not rest
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return False
    while len(rest) < len(_NO_BODY) and _NO_BODY.startswith(rest):
        more = connection.recv(len(_NO_BODY))
        if not more:
            return False
        rest += more
    return rest == _NO_BODY


def _split_block(connection: socket.socket, received: bytes) -> tuple[bytes, bytes, bytes]:
    """Reads to the empty line that ends a block; returns the block, what has come beyond it, and both."""
    while (end := received.find(b"\r\n\r\n")) < 0:
        if len(received) > _LONGEST_BLOCK:
            raise ConnectionError("the headers of the reply do not end")
        more = connection.recv(_LONGEST_BLOCK)
        if not more:
            raise ConnectionError("the connection ended within the reply")
        received += more
    return received[:end], received[end + 4 :], received


def _parse_block(block: bytes) -> tuple[str, int, HeaderBlock]:
    first, *lines = block.decode("latin-1").split("\r\n")
    words = first.split(None, 2)
    if len(words) < 2 or words[0] not in ("HTTP/1.1", "HTTP/1.0") or not (words[1].isdecimal() and len(words[1]) == 3):
        raise ConnectionError("the reply is none of HTTP")
    return words[0], int(words[1]), HeaderBlock(lines)
