"""A store whose process is killed at a numbered call into it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator

from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.progress import StopSignal, never

BEFORE, AFTER, HALF = "before", "after", "half"


class DyingStore(WrappedStore):
    """The process gets SIGKILL at the call number `step` (from 1; of those that write when `only_writes`): before it,
    after it was done, or when half of the bytes of a put were handed on."""

    def __init__(self, inner: ObjectStore, step: int, moment: str, *, only_writes: bool = True) -> None:
        super().__init__(inner)
        self._step = step
        self._moment = moment
        self._only_writes = only_writes
        self._calls = 0

    def put(
        self,
        key: str,
        chunks: Iterable[Chunk],
        size: int | None = None,
        *,
        overwrite: bool = False,
        digest: str | None = None,
        if_match: str | None = None,
        stop: StopSignal = never,
        sent: Callable[[int], None] | None = None,
    ) -> PutResult:
        is_it = self._begin()
        if is_it and self._moment == HALF:
            chunks = self._die_in(b"".join(chunks))
        result = super().put(
            key, chunks, size, overwrite=overwrite, digest=digest, if_match=if_match, stop=stop, sent=sent
        )
        self._end(is_it)
        return result

    def copy(self, source_key: str, target_key: str) -> PutResult:
        is_it = self._begin()
        result = super().copy(source_key, target_key)
        self._end(is_it)
        return result

    def delete(self, key: str) -> None:
        is_it = self._begin()
        super().delete(key)
        self._end(is_it)

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        is_it = self._begin(reads=True)
        try:
            return super().open(key, offset, length)
        finally:
            self._end(is_it)

    def info(self, key: str) -> ObjectInfo:
        is_it = self._begin(reads=True)
        try:
            return super().info(key)
        finally:
            self._end(is_it)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        is_it = self._begin(reads=True)
        yield from super().list(prefix, recursive=recursive)
        self._end(is_it)

    def _begin(self, *, reads: bool = False) -> bool:
        if reads and self._only_writes:
            return False
        self._calls += 1
        is_it = self._calls == self._step
        if is_it and self._moment == BEFORE:
            die()
        return is_it

    def _end(self, is_it: bool) -> None:
        if is_it and self._moment != BEFORE:
            die()

    @staticmethod
    def _die_in(content: bytes) -> Iterator[bytes]:
        yield content[: len(content) // 2]
        die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
