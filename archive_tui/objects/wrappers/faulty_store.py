"""A store that fails on demand: for tests of everything that stands on a store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.object_store import Listed, ObjectInfo, ObjectReader, ObjectStore, PutResult
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.progress import StopSignal, never


class FaultKind(StrEnum):
    """`BEFORE`: the call fails before anything has happened. `AFTER`: it has done its work, and the answer is lost.
    `RESET`: content breaks off with the error after `position` bytes (of the source of a put, of what is read) or
    entries (of a listing). `TRUNCATED`: it looks as if it ended there. `FLIPPED`: a bit of the byte at `position` is
    wrong."""

    BEFORE = "before"
    AFTER = "after"
    RESET = "reset"
    TRUNCATED = "truncated"
    FLIPPED = "flipped"


@dataclass(frozen=True, slots=True)
class Fault:
    """Befalls the call number `call` (from 1; 0: each) of `operation`: put, open, info, list, delete or copy.

    `error` is raised where the kind raises at all.
    """

    operation: str
    kind: FaultKind = FaultKind.BEFORE
    call: int = 1
    position: int = 0
    error: BaseException | None = None

    def as_error(self) -> BaseException:
        return self.error if self.error is not None else StorageUnavailable(f"injected fault in {self.operation}")


class _FaultyStream:
    """Passes pieces of a stream on until the fault's position is reached."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._position = 0
        self.is_over = False
        self.is_broken = False

    def as_error(self) -> BaseException:
        return self._fault.as_error()

    def change(self, piece: Chunk) -> bytes:
        """Returns what is left of the piece; raises the error of a reset once its position is reached."""
        begin, self._position = self._position, self._position + len(piece)
        at = self._fault.position - begin
        if self._fault.kind is FaultKind.FLIPPED:
            changed = bytearray(piece)
            if 0 <= at < len(piece):
                changed[at] ^= 1
            return bytes(changed)
        if at >= len(piece):
            return bytes(piece)
        if self._fault.kind is FaultKind.RESET and at <= 0:
            raise self.as_error()
        self.is_over = self._fault.kind is FaultKind.TRUNCATED
        # What lies before the position still arrives; whoever wants more meets the error, at the very end too.
        self.is_broken = self._fault.kind is FaultKind.RESET
        self._position = self._fault.position
        return bytes(piece[: max(0, at)])


class _FaultyReader:
    def __init__(self, inner: ObjectReader, fault: Fault) -> None:
        self._inner = inner
        self._stream = _FaultyStream(fault)

    def read(self, size: int = -1, /) -> bytes:
        if self._stream.is_over:
            return b""
        if self._stream.is_broken:
            raise self._stream.as_error()
        piece = self._inner.read(size)
        return self._stream.change(piece) if piece else b""

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FaultyStore(WrappedStore):
    """Hands calls on to `inner`, and lets the given faults befall them. `happened` lists those that have."""

    def __init__(self, inner: ObjectStore, *faults: Fault) -> None:
        super().__init__(inner)
        self.faults = list(faults)
        self.happened: list[Fault] = []
        self._calls: dict[str, int] = {}
        self._lock = threading.Lock()

    def _next_fault(self, operation: str) -> Fault | None:
        with self._lock:
            number = self._calls[operation] = self._calls.get(operation, 0) + 1
            for fault in self.faults:
                if fault.operation == operation and fault.call in (0, number):
                    self.happened.append(fault)
                    return fault
        return None

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
        fault = self._begin("put")
        if fault is not None and fault.kind is not FaultKind.AFTER:
            chunks = self._spoil(chunks, fault)
        result = super().put(
            key, chunks, size, overwrite=overwrite, digest=digest, if_match=if_match, stop=stop, sent=sent
        )
        self._end(fault)
        return result

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        fault = self._begin("open")
        reader = super().open(key, offset, length)
        self._end(fault)
        return reader if fault is None else _FaultyReader(reader, fault)

    def info(self, key: str) -> ObjectInfo:
        fault = self._begin("info")
        info = super().info(key)
        self._end(fault)
        return info

    def list(self, prefix: str = "", *, recursive: bool = True) -> Iterator[Listed]:
        fault = self._begin("list")
        for count, entry in enumerate(super().list(prefix, recursive=recursive)):
            if fault is not None and count == fault.position:
                if fault.kind is FaultKind.RESET:
                    raise fault.as_error()
                if fault.kind is FaultKind.TRUNCATED:
                    return
            yield entry
        self._end(fault)

    def delete(self, key: str) -> None:
        fault = self._begin("delete")
        super().delete(key)
        self._end(fault)

    def copy(self, source_key: str, target_key: str) -> PutResult:
        fault = self._begin("copy")
        result = super().copy(source_key, target_key)
        self._end(fault)
        return result

    def _begin(self, operation: str) -> Fault | None:
        fault = self._next_fault(operation)
        if fault is not None and fault.kind is FaultKind.BEFORE:
            raise fault.as_error()
        return fault

    @staticmethod
    def _end(fault: Fault | None) -> None:
        if fault is not None and fault.kind is FaultKind.AFTER:
            raise fault.as_error()

    @staticmethod
    def _spoil(chunks: Iterable[Chunk], fault: Fault) -> Iterator[Chunk]:
        stream = _FaultyStream(fault)
        for chunk in chunks:
            yield stream.change(chunk)
            if stream.is_over:
                return
            if stream.is_broken:
                raise stream.as_error()
