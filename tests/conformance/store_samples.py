"""Keys, contents and sources for the suite of an object store, and the short ways to put and read them."""

from __future__ import annotations

import hashlib
import random
import threading
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from archive_tui.integrity.streams import Chunk, read_chunks
from archive_tui.objects.object_store import ObjectInfo, ObjectStore, PutResult

MIB = 1 << 20

LEGAL_KEYS = (
    "with a space.txt",
    " leading and trailing ",
    'it\'s "quoted".txt',
    "what?.txt",
    "a#b.txt",
    "100%.txt",
    "per%20cent.txt",
    "%2e%2e/escape.txt",
    "a+b.txt",
    "a&b=c;d,e@f:g!h$i(j)k*l[m]n{o}p^q~r`s|t<u>v.txt",
    "back\\slash.txt",
    "..two dots first",
    "dots at the end...",
    ".hidden",
    "-dash",
    "~tilde",
    "日本語/データ.csv",
    unicodedata.normalize("NFC", "Zürich é.txt"),
    unicodedata.normalize("NFD", "Zürich é.txt"),
    "emoji 🧪🗂.txt",
    "right\u202eto left.txt",
    "zero\u200bwidth.txt",
    "[bold]markup[/bold].txt",
    "/".join(["k" * 224] * 4),  # 899 bytes
    "/".join(["é" * 112, "é" * 112, "é" * 112, "é" * 112 + "y"]),  # 900 bytes of UTF-8
)

ILLEGAL_KEYS = (
    "",
    "/absolute",
    "a//b",
    "a/",
    ".",
    "..",
    "../climb",
    "a/../../climb",
    "a/./b",
    "line\nbreak",
    "nul\0",
    "escape\x1b[31m",
    "\udcff not unicode",
    "x" * 256,
    "/".join(["k" * 225] * 4),  # 903 bytes
    ".archive-tui-x.part",
    "a/.archive-tui-x.part/b",
)


@lru_cache(maxsize=16)
def make_content(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def in_chunks(content: bytes, chunk_size: int = 100_003) -> Iterator[Chunk]:
    view = memoryview(content)
    for start in range(0, len(content), chunk_size):
        yield view[start : start + chunk_size]


def fingerprint(content: bytes | bytearray) -> tuple[int, bytes, str]:
    """Length, beginning and digest: to compare large contents without printing, or diffing, megabytes on failure."""
    return len(content), bytes(content[:16]), digest_of(bytes(content))


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_all(store: ObjectStore, key: str, offset: int = 0, length: int | None = None) -> bytes:
    with store.open(key, offset, length) as reader:
        return b"".join(read_chunks(reader))


def put_bytes(store: ObjectStore, key: str, content: bytes = b"content") -> PutResult:
    return store.put(key, [content] if content else [], len(content))


def listed_keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [entry.key for entry in store.list(prefix)]


def shown(store: ObjectStore, prefix: str = "", *, recursive: bool = False) -> dict[str, int | None]:
    """Sizes by key; None for a prefix."""
    entries = store.list(prefix, recursive=recursive)
    return {entry.key: entry.size if isinstance(entry, ObjectInfo) else None for entry in entries}


class SourceBrokeError(Exception):
    """Raised by a source of this suite; no store knows it."""


class SourceTornAway(BaseException):
    """Like KeyboardInterrupt: passes through every `except Exception`."""


class TrackedChunk(bytearray):
    """Counts how many of its kind are alive, to see whether a store pulls its source ahead of what it has sent."""

    alive = 0
    most_alive = 0
    _lock = threading.Lock()

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        with TrackedChunk._lock:
            TrackedChunk.alive += 1
            TrackedChunk.most_alive = max(TrackedChunk.most_alive, TrackedChunk.alive)

    def __del__(self) -> None:
        with TrackedChunk._lock:
            TrackedChunk.alive -= 1


class RereadableSource:
    """A stream that begins anew with each `iter`, as a file does that is opened again.

    `repeat` times `content`; from the second reading on `again` instead. `error` is raised once `after` bytes have been
    given, `at` calls its function after that many. `given` counts the bytes of all readings.
    """

    def __init__(
        self,
        content: bytes,
        chunk_size: int = 100_003,
        *,
        repeat: int = 1,
        again: bytes | None = None,
        error: BaseException | None = None,
        after: int = 0,
        at: tuple[int, Callable[[], object]] | None = None,
        tracked: bool = False,
    ) -> None:
        self.chunk_size = chunk_size
        self.readings = 0
        self.given = 0
        self._contents = [content, content if again is None else again]
        self._repeat = repeat
        self._error = error
        self._after = after
        self._at = at
        self._kind: type[bytes | bytearray] = TrackedChunk if tracked else bytes

    def __iter__(self) -> Iterator[Chunk]:
        content = self._contents[min(self.readings, 1)]
        self.readings += 1
        for _ in range(self._repeat):
            for start in range(0, len(content), self.chunk_size):
                yield self._kind(content[start : start + self.chunk_size])
                self.given += self.chunk_size
                if self._error is not None and self.given >= self._after:
                    raise self._error
                if self._at is not None and self.given >= self._at[0]:
                    self._at[1]()
