"""Reading a blob, window by window: each is asked for by range and entity tag, and counted when it has come."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from archive_tui.errors import ArchiveError, ObjectExists, ObjectNotFound, StorageError, StorageUnavailable
from archive_tui.objects.azure.connection import AzureConnection

if TYPE_CHECKING:
    from obstore import GetOptions

WINDOW_SIZE = 4 << 20
"""Bytes per request: large enough for the rate of a line, small enough that four fit in memory anywhere."""

WINDOWS_AHEAD = 3
ATTEMPTS = 3
PAUSE_SECONDS = 0.3

Translating = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Window:
    """`content` of a range of a blob; `total` is the size of the blob, `version` its entity tag without quotes."""

    content: memoryview
    total: int
    version: str


class RangeFetcher:
    """Fetches ranges of one blob, by the lean client where it can, else by the SDK.

    `translating` makes the context manager that turns the libraries' errors into this program's.
    """

    def __init__(self, connection: AzureConnection, name: str, translating: Translating) -> None:
        self._connection = connection
        self._name = name
        self._translating = translating

    def fetch(self, start: int, length: int, version: str | None) -> Window:
        """Returns `length` bytes from `start`, fewer only where the blob ends; a broken connection is tried again.

        Raises: ObjectNotFound; ObjectExists when the blob is of another version; InvalidRange; StorageUnavailable.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._translating():
                    return self._fetch_once(start, length, version)
            except StorageUnavailable:
                if attempt == ATTEMPTS:
                    raise
                time.sleep(PAUSE_SECONDS * attempt)
        raise AssertionError("unreachable")

    def _fetch_once(self, start: int, length: int, version: str | None) -> Window:
        lean_client = self._connection.data_plane
        if lean_client is None or "//" in self._name or self._name.endswith("/"):  # it refuses empty segments
            return self._fetch_by_sdk(start, length, version)
        try:
            return self._fetch_lean(lean_client, start, length, version)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, _lean_error_type()):
            window = self._fetch_by_sdk(start, length, version)
            self._connection.report_lean_failure()
            return window

    def _fetch_lean(self, client: Any, start: int, length: int, version: str | None) -> Window:
        import obstore

        options: GetOptions = {"range": (start, start + length)}
        if version is not None:
            options["if_match"] = f'"{version}"'
        result = obstore.get(client, self._name, options=options)
        content = memoryview(result.bytes())
        return _check_length(content, start, length, result.meta["size"], result.meta["e_tag"] or "")

    def _fetch_by_sdk(self, start: int, length: int, version: str | None) -> Window:
        blob = self._connection.container_client.get_blob_client(self._name)
        download = blob.download_blob(offset=start, length=length, max_concurrency=1, **make_version_condition(version))
        content = memoryview(download.readall())
        # `properties.size` is the length of the range; the size of the blob stands in the range's header only, which
        # is absent for an empty blob and for a range beyond the end.
        total = int((download.properties.content_range or "/0").rpartition("/")[2])
        return _check_length(content, start, length, total, download.properties.etag)


class WindowedReader:
    """An `ObjectReader` over the range from `start` to `end` of one version of a blob; reads some windows ahead."""

    def __init__(
        self, fetch: Callable[[int, int, str | None], Window], first: Window, start: int, end: int, key: str, store: str
    ) -> None:
        self._fetch = fetch
        self._version = first.version
        self._rest = first.content
        self._asked_up_to = start + len(first.content)
        self._end = end
        self._key = key
        self._store = store
        self._ahead: deque[Future[Window]] = deque()
        self._pool: ThreadPoolExecutor | None = None
        self._is_closed = False

    @property
    def version(self) -> str:
        """The `ObjectInfo.version` of what is read."""
        return self._version

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(WINDOW_SIZE), b""))
        if not self._rest and size and not self._is_closed:
            self._rest = self._next_window()
        piece = bytes(self._rest[:size])
        self._rest = self._rest[len(piece) :]
        return piece

    def close(self) -> None:
        self._is_closed = True
        self._rest = memoryview(b"")
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next_window(self) -> memoryview:
        while self._asked_up_to < self._end and len(self._ahead) < WINDOWS_AHEAD:
            length = min(WINDOW_SIZE, self._end - self._asked_up_to)
            if self._pool is None:
                self._pool = ThreadPoolExecutor(WINDOWS_AHEAD, thread_name_prefix="azure-read")
            self._ahead.append(self._pool.submit(self._fetch_same, self._asked_up_to, length))
            self._asked_up_to += length
        if not self._ahead:
            self.close()
            return memoryview(b"")
        return self._ahead.popleft().result().content

    def _fetch_same(self, start: int, length: int) -> Window:
        try:
            window = self._fetch(start, length, self._version)
        except (ObjectExists, ObjectNotFound) as error:
            raise self._changed() from error
        if window.version != self._version:
            raise self._changed()
        return window

    def _changed(self) -> ArchiveError:
        return StorageError(
            f"The object was replaced or removed while it was read: {self._key}",
            key=self._key,
            store=self._store,
            hint="Start again.",
            code="object-changed",
        )


def make_version_condition(version: str | None) -> dict[str, Any]:
    """Returns the SDK's arguments for "only this version"; none for None."""
    if version is None:
        return {}
    from azure.core import MatchConditions

    return {"etag": f'"{version}"', "match_condition": MatchConditions.IfNotModified}


def _check_length(content: memoryview, start: int, length: int, total: int, version: str) -> Window:
    expected = max(0, min(length, total - start))
    if len(content) != expected:
        raise StorageUnavailable(f"The connection broke: {len(content)} bytes came instead of {expected}")
    return Window(content, total, version.strip('"'))


def _lean_error_type() -> type[Exception]:
    from obstore.exceptions import BaseError

    error: type[Exception] = BaseError
    return error
