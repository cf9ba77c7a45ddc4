"""A store that moves content no faster than it may, with limits that many stores and threads share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from archive_tui.integrity.streams import BLOCK_SIZE, Chunk
from archive_tui.objects.object_store import ObjectReader, ObjectStore, PutResult
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.progress import StopSignal, check_stop, never

STOP_SECONDS = 0.05
"""Between two looks at `stop` while bytes have to wait."""

STEPS_A_SECOND = 10
"""A block larger than what may pass in such a part of a second is passed on in pieces, so that a rate is even."""


class _Pace:
    """Lets bytes pass at a rate, over all who wait for it together."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free_at = 0.0
        self._lock = threading.Lock()

    def set_rate(self, rate: float) -> None:
        with self._lock:
            self._rate = rate

    def reserve(self, count: int) -> float:
        """Returns the moment (monotonic) from which `count` bytes have passed."""
        with self._lock:
            self._free_at = max(time.monotonic(), self._free_at) + count / self._rate
            return self._free_at

    def give_back(self, count: int) -> None:
        """The bytes were reserved and did not pass."""
        with self._lock:
            self._free_at -= count / self._rate


class Bandwidth:
    """A limit in bytes per second, each way: what comes in does not hold up what goes out. Threads may share it."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.incoming = _Pace(rate)
        self.outgoing = _Pace(rate)

    def set_rate(self, rate: float) -> None:
        """Holds for all bytes that are not waiting yet."""
        self.rate = rate
        self.incoming.set_rate(rate)
        self.outgoing.set_rate(rate)


def _wait_for(paces: Sequence[_Pace], count: int, stop: StopSignal) -> None:
    """Raises: OperationStopped; then the bytes have not passed."""
    until = max((pace.reserve(count) for pace in paces), default=0.0)
    try:
        while (left := until - time.monotonic()) > 0:
            check_stop(stop)
            time.sleep(min(left, STOP_SECONDS))
    except BaseException:
        for pace in paces:
            pace.give_back(count)
        raise


class _ThrottledReader:
    def __init__(self, inner: ObjectReader, paces: Sequence[_Pace], step: int, stop: StopSignal) -> None:
        self._inner = inner
        self._paces = paces
        self._step = step
        self._stop = stop

    @property
    def version(self) -> str | None:
        """The `ObjectInfo.version` of what is read, where the reader knows it."""
        return getattr(self._inner, "version", None)

    def read(self, size: int = -1, /) -> bytes:
        if size >= 0:
            return self._read_step(size)
        return b"".join(iter(lambda: self._read_step(self._step), b""))

    def _read_step(self, size: int) -> bytes:
        data = self._inner.read(min(size, self._step))
        _wait_for(self._paces, len(data), self._stop)
        return data

    def close(self) -> None:
        self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _ThrottledSource:
    """A stream that can be read again, like the one it passes on."""

    def __init__(self, chunks: Iterable[Chunk], slow_down: Callable[[Iterable[Chunk]], Iterator[Chunk]]) -> None:
        self._chunks = chunks
        self._slow_down = slow_down

    def __iter__(self) -> Iterator[Chunk]:
        return self._slow_down(self._chunks)


class ThrottledStore(WrappedStore):
    """Moves content at most at the rates of `limits`, whichever allows least; what is given as a number is a limit of
    its own, in bytes per second.

    A `stop` is obeyed while a put waits; `stop` given here while a read does. What an inner store reads back to prove
    a put, or sends again when a request has failed, is not counted.
    """

    def __init__(self, inner: ObjectStore, *limits: Bandwidth | float, stop: StopSignal = never) -> None:
        super().__init__(inner)
        self._limits = tuple(limit if isinstance(limit, Bandwidth) else Bandwidth(limit) for limit in limits)
        self._stop = stop

    @property
    def _step(self) -> int:
        slowest = min((limit.rate for limit in self._limits), default=float(BLOCK_SIZE * STEPS_A_SECOND))
        return max(1, min(BLOCK_SIZE, int(slowest / STEPS_A_SECOND)))

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
        slow = self.slow_source(chunks, stop)
        return super().put(key, slow, size, overwrite=overwrite, digest=digest, if_match=if_match, stop=stop, sent=sent)

    def over(self, store: ObjectStore) -> ThrottledStore:
        """Returns another store under the same limits, which both use up together."""
        return ThrottledStore(store, *self._limits, stop=self._stop)

    def slow_source(self, chunks: Iterable[Chunk], stop: StopSignal) -> Iterable[Chunk]:
        """What goes out by another way than `put`, at the same rates. It can be read again where `chunks` can: stores
        treat such a stream differently."""

        def slow_down(source: Iterable[Chunk]) -> Iterator[Chunk]:
            return self.slow_down(source, stop)

        is_read_once = iter(chunks) is chunks
        return slow_down(chunks) if is_read_once else _ThrottledSource(chunks, slow_down)

    def slow_down(self, chunks: Iterable[Chunk], stop: StopSignal) -> Iterator[Chunk]:
        """Passes on what goes out by another way than `put`, at the same rates.

        Raises: OperationStopped; what iterating `chunks` raises.
        """
        paces = [limit.outgoing for limit in self._limits]
        for chunk in chunks:
            view = memoryview(chunk)
            step = self._step
            for start in range(0, len(view), step):
                piece = view[start : start + step]
                _wait_for(paces, len(piece), stop)
                yield piece

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        paces = [limit.incoming for limit in self._limits]
        return _ThrottledReader(super().open(key, offset, length), paces, self._step, self._stop)
