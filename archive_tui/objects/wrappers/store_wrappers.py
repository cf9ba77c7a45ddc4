"""Wrappers around a store; each adds one thing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from archive_tui.errors import ObjectExists, ObjectNotFound
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.streams import BLOCK_SIZE, Chunk
from archive_tui.names.object_keys import check_key
from archive_tui.objects.checked_source import CheckedSource
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult, Traits
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.progress import StopSignal, check_stop, never


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """`operation` is the method's name, `key` its key or prefix, `detail` the rest as text, or empty."""

    operation: str
    key: str
    detail: str = ""


class RecordingStore(WrappedStore):
    """Notes every call in `calls`, in the order in which they begin, before it is handed on."""

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.calls: list[RecordedCall] = []

    def count(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.calls)

    def _note(self, operation: str, key: str, detail: str = "") -> None:
        self.calls.append(RecordedCall(operation, key, detail))

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
        self._note("put", key, "overwrite" if overwrite else "if_match" if if_match is not None else "")
        return super().put(
            key, chunks, size, overwrite=overwrite, digest=digest, if_match=if_match, stop=stop, sent=sent
        )

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        whole = offset == 0 and length is None
        self._note("open", key, "" if whole else f"{offset}+{'' if length is None else length}")
        return super().open(key, offset, length)

    def info(self, key: str) -> ObjectInfo:
        self._note("info", key)
        return super().info(key)

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        self._note("list", prefix, "recursive" if recursive else "")
        return super().list(prefix, recursive=recursive)

    def delete(self, key: str) -> None:
        self._note("delete", key)
        super().delete(key)

    def copy(self, source_key: str, target_key: str) -> PutResult:
        self._note("copy", source_key, target_key)
        return super().copy(source_key, target_key)

    def probe(self) -> Traits:
        self._note("probe", "")
        return super().probe()


class _Pace:
    """Lets bytes pass at a rate, over all threads together."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait(self, count: int, stop: StopSignal = never) -> None:
        with self._lock:
            begin = max(time.monotonic(), self._free_at)
            self._free_at = begin + count / self._rate
            until = self._free_at
        while (left := until - time.monotonic()) > 0:
            check_stop(stop)
            time.sleep(min(left, 0.05))


class _ThrottledReader:
    def __init__(self, inner: ObjectReader, pace: _Pace, step: int) -> None:
        self._inner = inner
        self._pace = pace
        self._step = step

    def read(self, size: int = -1, /) -> bytes:
        data = self._inner.read(size if size < 0 else min(size, self._step))
        self._pace.wait(len(data))
        return data

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ThrottledStore(WrappedStore):
    """Moves content at most at `bytes_per_second`, in and out together. A stop is obeyed while it waits."""

    def __init__(self, inner: ObjectStore, bytes_per_second: float) -> None:
        super().__init__(inner)
        self._pace = _Pace(bytes_per_second)
        self._step = max(1, min(BLOCK_SIZE, int(bytes_per_second / 10)))

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
        slow = self._slow_down(chunks, stop)
        return super().put(key, slow, size, overwrite=overwrite, digest=digest, if_match=if_match, stop=stop, sent=sent)

    def _slow_down(self, chunks: Iterable[Chunk], stop: StopSignal) -> Iterator[Chunk]:
        for chunk in chunks:
            view = memoryview(chunk)
            for start in range(0, len(view), self._step):
                piece = view[start : start + self._step]
                self._pace.wait(len(piece), stop)
                yield piece

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        return _ThrottledReader(super().open(key, offset, length), self._pace, self._step)


class DryRunStore(WrappedStore):
    """Reads as `inner` does and writes nothing: a put takes its source and checks it, a delete is only noted.

    The result of a put describes what would have been stored; its evidence is LISTED only, for nothing was.
    `would_put` and `would_delete` hold the keys. What would have been put cannot be read.
    """

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.would_put: list[str] = []
        self.would_delete: list[str] = []

    def probe(self) -> Traits:
        return self.inner.traits

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
        self._check_may_write(check_key(key), overwrite=overwrite, if_match=if_match)
        source = CheckedSource(chunks, size, digest, stop=stop, sent=sent, name=key)
        for _ in source:
            pass
        self.would_put.append(key)
        return self._would_be(key, source)

    def copy(self, source_key: str, target_key: str) -> PutResult:
        return ObjectStore.copy(self, source_key, target_key)

    def delete(self, key: str) -> None:
        check_key(key)
        self.would_delete.append(key)

    def _would_be(self, key: str, source: CheckedSource) -> PutResult:
        info = ObjectInfo(key, source.size, None, None, source.digest)
        evidence = Evidence(
            self.identity, key, EvidenceLevel.LISTED, None, source.size, time.time(), "A dry run: nothing was stored."
        )
        return PutResult(info, evidence)

    def _check_may_write(self, key: str, *, overwrite: bool, if_match: str | None) -> None:
        try:
            present: str | None = self.inner.info(key).version
            is_there = True
        except ObjectNotFound:
            present, is_there = None, False
        if if_match is not None:
            is_refused = not is_there or present != if_match
        else:
            is_refused = not overwrite and (is_there or key in self.would_put)
        if is_refused:
            raise ObjectExists(
                f"Would not be replaced in {self.label}: {key}", key=key, store=self.label, hint="Choose another name."
            )
