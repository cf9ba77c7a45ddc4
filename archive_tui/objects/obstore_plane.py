"""The data plane of obstore, for stores whose protocol it speaks: reads and small puts for little processor time.

It tells what happened by exceptions whose text holds the server's reply; here they become a status and a body again, so
that a store judges them with the same table as the replies to its own requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from archive_tui.integrity.streams import Chunk

CONNECT_SECONDS = 10
READ_SECONDS = 60
WHOLE_UP_TO = 1 << 20
"""Bytes up to which a body is fetched in one call; more comes as a stream of chunks of this size."""

_STATUS = re.compile(r"status(?:\s+code)?:?\s*(\d{3})\b", re.IGNORECASE)
_BODY = re.compile(r"<Error>.*?</Error>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PlaneRefusal(Exception):
    """The server said no: `status` and, if it sent one, the `body` with its reason."""

    status: int
    body: bytes = b""


class PlaneUnavailable(Exception):
    """There was no whole reply; what became of the request is unknown."""


class PlaneUnable(Exception):
    """This library cannot do it on this server (a range answered with the whole object, an odd key)."""


def client_options() -> dict[str, Any]:
    """No limit for a whole request (bodies may take hours), limits for connecting and for silence."""
    return {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
        "read_timeout": timedelta(seconds=READ_SECONDS),
        "timeout": timedelta(days=7),
        "pool_idle_timeout": timedelta(seconds=20),
    }


def no_retries() -> dict[str, Any]:
    """Repeating is the store's decision: only it knows what a lost reply means."""
    return {"max_retries": 0, "retry_timeout": timedelta(seconds=READ_SECONDS)}


def translate_error(error: Exception) -> Exception:
    """Returns what an exception of obstore stands for: PlaneRefusal, PlaneUnavailable or PlaneUnable."""
    from obstore import exceptions

    text = str(error)
    found = _STATUS.search(text)
    body = match.group(0).encode() if (match := _BODY.search(text)) else b""
    if "ConditionalRequestConflict" in text:
        return PlaneRefusal(409, body)  # undecided: told as "already exists" by the library
    statuses: tuple[tuple[Any, int], ...] = (
        (FileNotFoundError, 404),
        (exceptions.AlreadyExistsError, 412),
        (exceptions.PreconditionError, 412),
        (exceptions.PermissionDeniedError, 403),
        (exceptions.UnauthenticatedError, 401),
    )
    for kind, status in statuses:
        if isinstance(error, kind):
            return PlaneRefusal(status, body)
    unable = (exceptions.NotSupportedError, exceptions.InvalidPathError, ValueError)
    if isinstance(error, unable) or "non-partial" in text:
        return PlaneUnable(text[:200])
    if found is not None:
        return PlaneRefusal(int(found.group(1)), body)
    return PlaneUnavailable(type(error).__name__)


def put_whole(store: Any, key: str, content: bytes, metadata: Mapping[str, str], mode: Any) -> str | None:
    """Puts `content` in one request; returns its entity tag.

    Raises: PlaneRefusal, PlaneUnavailable, PlaneUnable.
    """
    import obstore

    try:
        result = obstore.put(store, key, content, attributes=dict(metadata), mode=mode, use_multipart=False)
    except (obstore.exceptions.BaseError, OSError, ValueError) as error:
        raise translate_error(error) from error
    return result["e_tag"]


class PlaneBody:
    """The body of a get, from position `start` to before `end` of the object; `version` is its entity tag."""

    def __init__(self, store: Any, key: str, position: int, end: int | None, version: str | None) -> None:
        """Raises: PlaneRefusal, PlaneUnavailable, PlaneUnable."""
        import obstore

        options: Any = {"if_match": f'"{version}"'} if version else {}
        if end is not None:
            options["range"] = (position, end)
        elif position:
            options["range"] = {"offset": position}
        try:
            result = obstore.get(store, key, options=options)
            self.start, self.end = result.range
            self.version: str | None = result.meta["e_tag"]
            is_small = self.end - self.start <= WHOLE_UP_TO
            self._chunks: Iterator[Any] = iter([result.bytes()]) if is_small else iter(result.stream(WHOLE_UP_TO))
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise translate_error(error) from error
        self._rest: Chunk = b""

    def read(self, size: int) -> bytes:
        """Returns at most `size` bytes, b"" at the end of the reply.

        Raises: PlaneUnavailable, PlaneRefusal.
        """
        if not self._rest:
            self._rest = self._next_chunk()
        if isinstance(self._rest, bytes) and len(self._rest) <= size:
            piece, self._rest = self._rest, b""
            return piece
        view = memoryview(self._rest)
        self._rest = view[size:]
        return bytes(view[:size])

    def close(self) -> None:
        self._chunks = iter(())
        self._rest = b""

    def _next_chunk(self) -> bytes:
        import obstore

        try:
            chunk = next(self._chunks, None)
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise translate_error(error) from error
        return b"" if chunk is None else bytes(chunk)
