"""Requests to the one server of a datasafe. Only what changes nothing is ever repeated."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archive_tui.errors import ArchiveError, ConfigurationError, StorageUnavailable
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.http.address import ServerAddress, redirect_target
from archive_tui.objects.http.failures import (
    BUSY_STATUS,
    Refusal,
    read_refusal,
    redirect_error,
    refusal_error,
    translated,
    unreadable_reply,
)
from archive_tui.objects.http.transport import CONNECT_SECONDS, READ_SECONDS, make_pool, time_limits
from archive_tui.progress import StopSignal, check_stop, never

ATTEMPTS = 5
LONGEST_PAUSE = 5.0
MOST_REDIRECTS = 3
LONGEST_REPLY = 1 << 20
"""Bytes of a reply that is read into memory when nothing else is said."""

SENDING_SECONDS = 60.0
SETTLING_SECONDS = 1800.0
"""How long the server may take after the last byte of a dataset: it reads, hashes and syncs all of it."""

Token = str | Callable[[], str] | None
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` by lower-case name. `stream` is set only for a success that was asked for as a stream: close it."""

    method: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    stream: Any = None

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is sent once. `size` in bytes; None: not known, it goes in chunks."""

    chunks: Iterable[Chunk]
    size: int | None = None


def pause(attempt: int, stop: StopSignal = never) -> None:
    """Waits before the next attempt, longer each time, with jitter; obeys stop within 50 ms."""
    deadline = time.monotonic() + min(LONGEST_PAUSE, 0.2 * 2**attempt) * random.uniform(0.5, 1.0)
    while (left := deadline - time.monotonic()) > 0:
        check_stop(stop)
        time.sleep(min(0.05, left))
    check_stop(stop)


class HttpConnection:
    """One server, from any number of threads. Nothing is contacted, and no token read, before the first request."""

    def __init__(self, address: ServerAddress, token: Token = None) -> None:
        """Raises: ConfigurationError for a token that no header can hold."""
        self.address = address
        self.label = f"datasafe {address.url}"
        self._token = token
        self._lock = threading.Lock()
        self._pool: Any = None
        if isinstance(token, str):
            _check_token(token)

    def send(
        self,
        method: str,
        path: str = "",
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        upload: Upload | None = None,
        streamed: bool = False,
        longest: int = LONGEST_REPLY,
    ) -> Reply:
        """Sends one request, once; whatever the server answers is a reply. Redirects of GET and HEAD to the same server
        are followed.

        Raises: StorageUnavailable when there was no whole reply: what became of the request is then unknown;
        StorageError (codes `tls`, `redirected`, `unusable-reply`).
        """
        target = self.address.target(path, query)
        for _ in range(MOST_REDIRECTS + 1):
            with translated(self.label, path):
                reply = self._exchange(method, target, headers or {}, upload, streamed, longest)
            if reply.status not in REDIRECTS:
                return reply
            location = reply.headers.get("location", "")
            found = redirect_target(self.address, target, location) if method in ("GET", "HEAD") else None
            if found is None:
                raise redirect_error(reply.status, location, self.label, path)
            target = found
        raise redirect_error(reply.status, location, self.label, path)

    def fetch(self, method: str, path: str = "", *, stop: StopSignal = never, **request: Any) -> Reply:
        """Sends a GET or a HEAD, again while the server is busy or cannot be reached; any answer of it is a reply.

        Raises: StorageUnavailable; OperationStopped; what `send` raises.
        """
        assert method in ("GET", "HEAD"), "anything else might happen twice"
        for attempt in range(ATTEMPTS):
            check_stop(stop)
            try:
                reply = self.send(method, path, **request)
            except StorageUnavailable:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                if attempt == ATTEMPTS - 1 or reply.status not in BUSY_STATUS:
                    return reply
            pause(attempt, stop)
        raise AssertionError("the last attempt returns or raises")

    def refusal(self, reply: Reply) -> Refusal:
        token = self._read_token()
        return read_refusal(reply.method, reply.status, dict(reply.headers), reply.body, token)

    def error(self, reply: Reply, key: str = "") -> ArchiveError:
        """Returns the error that a reply stands for which is no success."""
        return refusal_error(self.refusal(reply), self.label, key)

    def close(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.clear()

    def _exchange(
        self, method: str, target: str, headers: dict[str, str], upload: Upload | None, streamed: bool, longest: int
    ) -> Reply:
        sent = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "archive-tui", **headers}
        if token := self._read_token():
            sent["Authorization"] = f"Bearer {token}"
        limits = time_limits(CONNECT_SECONDS, READ_SECONDS)
        if upload is not None:
            limits = time_limits(SENDING_SECONDS, SETTLING_SECONDS)
            sent |= {"Content-Type": "application/zip"}
            sent |= {} if upload.size is None else {"Content-Length": str(upload.size)}
        answer = self._prepared().request(
            method,
            target,
            body=None if upload is None else upload.chunks,
            headers=sent,
            timeout=limits,
            preload_content=False,
            decode_content=False,
            redirect=False,
            retries=False,
        )
        found = {name.lower(): value for name, value in answer.headers.items()}
        if streamed and answer.status in (200, 206):
            return Reply(method, answer.status, found, stream=answer)
        return Reply(method, answer.status, found, self._read_body(answer, longest))

    def _read_body(self, answer: Any, longest: int) -> bytes:
        """Of a refusal the beginning, of a success all of it."""
        is_success = answer.status in (200, 201)
        parts: list[bytes] = []
        total = 0
        try:
            while total <= longest and (part := answer.read(1 << 16)):
                parts.append(part)
                total += len(part)
            if total > longest and is_success:
                raise unreadable_reply(self.label, "", f"it has more than {longest} bytes")
            return b"".join(parts)
        finally:
            if total > longest:
                answer.close()
            answer.release_conn()

    def _read_token(self) -> str | None:
        if callable(self._token):
            self._token = _check_token(self._token())
        return self._token

    def _prepared(self) -> Any:
        with self._lock:
            if self._pool is None:
                self._pool = make_pool(self.address)
            return self._pool


def _check_token(token: str) -> str:
    if not token or not all("!" <= letter <= "~" for letter in token):
        raise ConfigurationError(
            "The token of the datasafe cannot be sent: it holds spaces, line ends or letters that are not ASCII.",
            hint="Write it into the settings as the server knows it, or into a file that token_file names.",
        )
    return token
