"""Reads an archive as a stream that survives broken connections, and never mixes two versions of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from archive_tui.errors import InvalidLoiError, ObjectNotFound, StorageError, StorageUnavailable
from archive_tui.objects.http.connection import ATTEMPTS, HttpConnection, Reply, pause
from archive_tui.objects.http.failures import broken_off, changed_error, translated, unreadable_reply

LARGEST_READ = 1 << 20

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})\Z")
_UNSATISFIED = re.compile(r"bytes \*/([0-9]{1,18})\Z")
_LENGTH = re.compile(r"[0-9]{1,18}\Z")
_REPR_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]{44}):")


@dataclass(frozen=True, slots=True)
class ArchiveHeaders:
    """What the headers of a reply say of the whole archive. `size` in bytes; `version` its entity tag as it stands
    there, quotes and all; `digest` its SHA-256."""

    size: int | None
    version: str | None
    digest: str | None


def read_archive_headers(status: int, headers: Mapping[str, str]) -> ArchiveHeaders:
    """Returns what is said; None for what is not, or makes no sense."""
    ranged = _CONTENT_RANGE.match(headers.get("content-range", "")) if status == 206 else None
    whole = _LENGTH.match(headers.get("content-length", "")) if status == 200 else None
    size = int(ranged.group(3)) if ranged else int(whole.group()) if whole else None
    return ArchiveHeaders(size, headers.get("etag") or None, parse_repr_digest(headers.get("repr-digest", "")))


def why_no_archive(reply: Reply) -> str:
    """Says why a success cannot be an archive; empty when it can."""
    if reply.content_type == "text/html":
        return "it is a page for browsers"
    if reply.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        return "something on the way has compressed it"
    if read_archive_headers(reply.status, reply.headers).size is None:
        return "it does not say how long the archive is"
    return ""


def parse_repr_digest(header: str) -> str | None:
    """Returns the SHA-256 of a `Repr-Digest` header (RFC 9530) in hex."""
    found = _REPR_DIGEST.search(header)
    if found is None:
        return None
    try:
        raw = base64.b64decode(found.group(1), validate=True)
    except binascii.Error:
        return None
    return raw.hex() if len(raw) == 32 else None


class HttpReader:
    """See `ObjectReader`. A reply that ends too soon, or a connection that breaks, is taken up where it stopped; the
    entity tag and the digest that the first reply named must be those of every other."""

    def __init__(
        self, connection: HttpConnection, path: str, query: dict[str, str], key: str, offset: int, length: int | None
    ) -> None:
        """Raises: ObjectNotFound; StorageError."""
        self._connection = connection
        self._path = path
        self._query = query
        self._key = key
        self._position = offset
        self._end = None if length is None else offset + length
        self._first: ArchiveHeaders | None = None
        self._failures = 0
        self._stream: Any = None
        self._open()

    @property
    def version(self) -> str | None:
        """The `ObjectInfo.version` of what is read; None: the server has not said."""
        return self._first.version if self._first is not None else None

    def read(self, size: int = -1, /) -> bytes:
        if size >= 0:
            return self._read_some(min(size, LARGEST_READ)) if size else b""
        parts: list[bytes] = []
        while part := self._read_some(LARGEST_READ):
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            if stream.length_remaining != 0:  # a connection with unread bytes cannot serve again
                stream.close()
            stream.release_conn()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_some(self, size: int) -> bytes:
        while self._end is None or self._position < self._end:
            try:
                if self._stream is None:
                    self._open()
                    continue
                part = self._take(size if self._end is None else min(size, self._end - self._position))
                if not part:
                    raise self._broken()
            except StorageUnavailable:
                self._recover()
                continue
            self._position += len(part)
            self._failures = 0
            return part
        self.close()
        return b""

    def _take(self, size: int) -> bytes:
        with translated(self._connection.label, self._key):
            return bytes(self._stream.read(size))

    def _recover(self) -> None:
        self.close()
        self._failures += 1
        if self._failures >= ATTEMPTS:
            raise self._broken()
        pause(self._failures)

    def _open(self) -> None:
        if self._end is not None and self._position >= self._end and self._first is not None:
            return
        headers = self._range_headers()
        try:
            reply = self._connection.fetch("GET", self._path, query=self._query, headers=headers, streamed=True)
        except StorageError as error:
            error.key = self._key
            raise
        if reply.status == 416:
            self._end_beyond(reply)
        elif reply.stream is None:
            raise self._refused(reply)
        else:
            self._stream = reply.stream
            try:
                self._begin(reply)
            except BaseException:
                self.close()
                raise

    def _range_headers(self) -> dict[str, str]:
        if self._position == 0 and self._end is None:
            return {}
        if self._end is not None and self._end <= self._position:
            last = self._position  # one byte: it tells whether the archive is there
        else:
            last = -1 if self._end is None else self._end - 1
        headers = {"Range": f"bytes={self._position}-{'' if last < 0 else last}"}
        version = self.version
        if version is not None and not version.startswith("W/"):
            headers["If-Range"] = version
        return headers

    def _begin(self, reply: Reply) -> None:
        if why := why_no_archive(reply):
            raise self._unusable(why)
        found = read_archive_headers(reply.status, reply.headers)
        assert found.size is not None
        self._check_same(found)
        start = self._start_of(reply)
        if self._end is None or self._end > found.size:
            self._end = max(self._position, found.size)
        if start < self._position:
            self._skip(self._position - start)

    def _start_of(self, reply: Reply) -> int:
        if reply.status == 200:
            return 0
        ranged = _CONTENT_RANGE.match(reply.headers.get("content-range", ""))
        if ranged is None or int(ranged.group(1)) > self._position:
            raise self._unusable("it is another range than was asked for")
        return int(ranged.group(1))

    def _check_same(self, found: ArchiveHeaders) -> None:
        if self._first is None:
            self._first = found
        elif found != self._first:
            raise changed_error(self._connection.label, self._key)

    def _end_beyond(self, reply: Reply) -> None:
        """The server has nothing at that position: so it is the end, unless we know that the archive goes on."""
        said = _UNSATISFIED.match(reply.headers.get("content-range", ""))
        if self._first is not None or (said is not None and int(said.group(1)) > self._position):
            raise changed_error(self._connection.label, self._key)
        self._end = self._position

    def _skip(self, count: int) -> None:
        """A server that answers a range with the whole archive: the head is read and thrown away."""
        while count > 0:
            thrown = len(self._take(min(count, LARGEST_READ)))
            if not thrown:
                self._end = self._position
                return
            count -= thrown

    def _refused(self, reply: Reply) -> Exception:
        error = self._connection.error(reply, self._key)
        if self._first is not None and isinstance(error, ObjectNotFound):
            return changed_error(self._connection.label, self._key)
        return as_absent(error, self._connection.label, self._key)

    def _broken(self) -> StorageUnavailable:
        return broken_off(self._connection.label, self._key, self._position)

    def _unusable(self, why: str) -> StorageError:
        return unreadable_reply(self._connection.label, self._key, why)


def as_absent(error: Exception, label: str, key: str) -> Exception:
    """Of a store the absent is asked for, not a wrong name: what is no LOI is no object, for that reason."""
    if isinstance(error, InvalidLoiError):
        absent = ObjectNotFound(f"Not in {label}: {key}", key=key, store=label)
        absent.__cause__ = error
        return absent
    return error
