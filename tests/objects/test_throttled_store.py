"""Limits that several stores and threads share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.errors import OperationStopped
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.wrappers.throttled_store import Bandwidth, ThrottledStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from tests.conformance.store_samples import digest_of, put_bytes, read_all


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


def test_two_stores_share_one_limit(clock: _Clock) -> None:
    limit = Bandwidth(1000)
    for _ in range(2):
        put_bytes(ThrottledStore(MemoryStore(), limit), "key", bytes(3000))
    assert clock.now == pytest.approx(1006)


def test_the_slowest_limit_counts(clock: _Clock) -> None:
    put_bytes(ThrottledStore(MemoryStore(), Bandwidth(1000), Bandwidth(500), 250), "key", bytes(1000))
    assert clock.now == pytest.approx(1004)


def test_what_comes_in_does_not_hold_up_what_goes_out(clock: _Clock) -> None:
    limit = Bandwidth(1000)
    limit.incoming.reserve(100_000)
    put_bytes(ThrottledStore(MemoryStore(), limit), "key", bytes(1000))
    assert clock.now == pytest.approx(1001)


def test_another_rate_holds_from_now_on(clock: _Clock) -> None:
    limit = Bandwidth(1000)
    store = ThrottledStore(MemoryStore(), limit)
    put_bytes(store, "key", bytes(1000))
    limit.set_rate(100)
    assert len(read_all(store, "key")) == 1000
    assert clock.now == pytest.approx(1011)


def test_without_a_limit_nothing_waits(clock: _Clock) -> None:
    store = ThrottledStore(MemoryStore())
    put_bytes(store, "key", bytes(1000))
    assert len(read_all(store, "key")) == 1000
    assert clock.now == 1000


def test_reading_obeys_the_stop_of_its_job_while_it_waits() -> None:
    inner = MemoryStore()
    put_bytes(inner, "key", bytes(1_000_000))
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(OperationStopped):
        read_all(ThrottledStore(inner, 1, stop=stop), "key")


def test_bytes_that_were_stopped_hold_up_nobody_else(clock: _Clock) -> None:
    limit = Bandwidth(1)
    stop = threading.Event()
    stop.set()
    with pytest.raises(OperationStopped):
        ThrottledStore(MemoryStore(), limit, stop=stop).put("key", [bytes(1_000_000)], stop=stop)
    put_bytes(ThrottledStore(MemoryStore(), limit), "key", b"x")
    assert clock.now == pytest.approx(1001)


def test_all_of_an_object_is_read_at_once_if_so_asked() -> None:
    inner = MemoryStore()
    put_bytes(inner, "key", bytes(range(256)) * 20)
    with ThrottledStore(inner, 1e9).open("key") as reader:
        assert reader.read() == bytes(range(256)) * 20


def test_the_version_of_what_is_read_is_told(tmp_path: Path) -> None:
    store = ThrottledStore(FolderStore(tmp_path), 1e9)
    put_bytes(store, "key", b"content")
    with store.open("key") as reader:
        assert getattr(reader, "version", None) == store.info("key").version


class _LooksTwice(WrappedStore):
    can_read_again: bool | None = None

    def put(self, key, chunks, size=None, **options):  # type: ignore[no-untyped-def]
        self.can_read_again = iter(chunks) is not chunks
        if self.can_read_again:
            assert b"".join(chunks) == b"".join(chunks)
        return super().put(key, chunks, size, **options)


def test_a_source_that_can_be_read_again_stays_one() -> None:
    def once() -> Iterator[bytes]:
        yield b"content"

    inner = _LooksTwice(MemoryStore())
    store = ThrottledStore(inner, 1e9)
    store.put("list", [b"con", b"tent"], 7, digest=digest_of(b"content"))
    assert inner.can_read_again is True
    store.put("generator", once())
    assert inner.can_read_again is False
