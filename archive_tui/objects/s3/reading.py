"""Reads an object as a stream that survives broken connections, and never mixes two versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from archive_tui.errors import ArchiveError, StorageError, StorageUnavailable
from archive_tui.objects.s3.connection import ATTEMPTS, Reply, S3Connection, pause
from archive_tui.objects.s3.failures import Where, refusal_error, translated
from archive_tui.objects.s3.replies import plain_etag
from archive_tui.progress import never

LARGEST_READ = 1 << 20

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class Body(Protocol):
    """Bytes of one reply. `read` raises StorageUnavailable when the connection breaks; b"" is the end of the reply."""

    def read(self, size: int) -> bytes: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """`start` is the position of its first byte in the object, `end` behind its last (None: not said)."""

    body: Body
    start: int
    end: int | None
    version: str | None


OpenBody = Callable[[int, int | None, str | None], OpenedBody | None]
"""(position, end or None, version or None) → a body; None: there is nothing at that position."""


class S3Reader:
    """See `ObjectReader`. A reply that ends too soon, or a connection that breaks, is taken up where it stopped."""

    def __init__(self, open_body: OpenBody, where: Where, offset: int, length: int | None) -> None:
        self._open_body = open_body
        self._where = where
        self._position = offset
        self._end = None if length is None else offset + length
        self._version: str | None = None
        self._failures = 0
        self._body: Body | None = None
        self._open()

    @property
    def version(self) -> str | None:
        """The `ObjectInfo.version` of what is read; None: the server has not said."""
        return self._version

    def read(self, size: int = -1, /) -> bytes:
        if size >= 0:
            return self._read_some(min(size, LARGEST_READ)) if size else b""
        parts: list[bytes] = []
        while part := self._read_some(LARGEST_READ):
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()

    def _open(self) -> None:
        opened = self._open_body(self._position, self._end, self._version)
        if opened is None:
            self._end = self._position
            return
        self._body = opened.body
        self._version = self._version or opened.version
        if self._version is not None and opened.version not in (None, self._version):
            self.close()
            raise self._changed()
        if opened.end is not None:
            self._end = opened.end if self._end is None else min(self._end, opened.end)
        if opened.start < self._position:
            self._skip(self._position - opened.start)

    def _skip(self, count: int) -> None:
        """A server that answers a range with the whole object: the head is read and thrown away."""
        assert self._body is not None
        while count > 0:
            thrown = len(self._body.read(min(count, LARGEST_READ)))
            if not thrown and self._end is None:
                self._end = self._position
            if not thrown:
                return
            count -= thrown

    def _read_some(self, size: int) -> bytes:
        while self._end is None or self._position < self._end:
            try:
                if self._body is None:
                    self._open()
                    continue
                wanted = size if self._end is None else min(size, self._end - self._position)
                part = self._body.read(wanted)
                if not part and self._end is not None:
                    raise self._broken()
            except StorageUnavailable:
                self._recover()
                continue
            if not part:
                self._end = self._position
                break
            self._position += len(part)
            self._failures = 0
            return part
        self.close()
        return b""

    def _recover(self) -> None:
        self.close()
        self._failures += 1
        if self._failures >= ATTEMPTS:
            raise self._broken()
        pause(self._failures, never)

    def _broken(self) -> StorageUnavailable:
        return StorageUnavailable(
            f"{self._where.label} breaks off at byte {self._position} of: {self._where.key}",
            key=self._where.key,
            store=self._where.label,
            hint="Check the network, then repeat the command.",
        )

    def _changed(self) -> StorageError:
        return changed_error(self._where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def changed_error(where: Where) -> StorageError:
    return StorageError(
        f"Replaced while it was read: {where.key}",
        key=where.key,
        store=where.label,
        code="object-changed",
        hint="Repeat the command to read the new version.",
    )


class _StreamBody:
    def __init__(self, stream: Any, where: Where) -> None:
        self._stream = stream
        self._where = where
        self._is_whole = False

    def read(self, size: int) -> bytes:
        with translated(self._where):
            part = bytes(self._stream.read(size, decode_content=False))
        self._is_whole = not part
        return part

    def close(self) -> None:
        """A connection with unread bytes cannot serve again."""
        if not self._is_whole and self._stream.length_remaining != 0:
            self._stream.close()
        self._stream.release_conn()


def range_header(position: int, end: int | None) -> dict[str, str]:
    if position == 0 and end is None:
        return {}
    return {"Range": f"bytes={position}-{'' if end is None else end - 1}"}


def open_streamed(
    connection: S3Connection, key: str, where: Where, position: int, end: int | None, version: str | None
) -> OpenedBody | None:
    """One signed GET, repeated while the server is busy.

    Raises: ObjectNotFound; StorageError (code `object-changed`) when `version` is no longer there.
    """
    headers = range_header(position, end) | ({"If-Match": f'"{version}"'} if version else {})
    for attempt in range(ATTEMPTS):
        try:
            reply = connection.send_once("GET", key, headers=headers, streamed=True)
        except StorageUnavailable:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            if reply.is_success:
                return _opened(reply, position, where)
            if reply.status == 416:
                return None
            if attempt == ATTEMPTS - 1 or not reply.refusal.is_busy:
                raise refused_read(connection, reply, where)
        pause(attempt, never)
    raise AssertionError("the last attempt returns or raises")


def refused_read(connection: S3Connection, reply: Reply, where: Where) -> ArchiveError:
    if reply.refusal.is_precondition:
        return changed_error(where)
    if reply.status == 404:
        connection_error = connection.error(reply)
        return refusal_error(reply.refusal, where) if connection_error.code == "object-not-found" else connection_error
    return refusal_error(reply.refusal, where)


def _opened(reply: Reply, position: int, where: Where) -> OpenedBody:
    body = _StreamBody(reply.stream, where)
    version = plain_etag(reply.headers.get("etag"))
    found = _CONTENT_RANGE.match(reply.headers.get("content-range", ""))
    if found is not None and int(found.group(1)) <= position:  # some servers answer a range with 200
        return OpenedBody(body, int(found.group(1)), int(found.group(2)) + 1, version)
    if found is not None or reply.status == 206:
        body.close()
        raise StorageError(f"{where.label} answers another range than asked for: {where.key}", key=where.key)
    length = reply.headers.get("content-length")
    return OpenedBody(body, 0, int(length) if length is not None else None, version)
