from __future__ import annotations

import threading
import time

import pytest

from archive_tui.errors import (
    AccessDenied,
    HashError,
    InvalidName,
    ObjectExists,
    ObjectNotFound,
    OperationStopped,
    SourceChanged,
    StorageUnavailable,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from archive_tui.objects.wrappers.store_wrappers import DryRunStore, RecordedCall, RecordingStore
from archive_tui.objects.wrappers.throttled_store import ThrottledStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from tests.conformance.object_store_suite import (
    ObjectStoreSuite,
    digest_of,
    in_chunks,
    listed_keys,
    make_content,
    put_bytes,
    read_all,
)


class _WrapperSuite(ObjectStoreSuite):
    """A wrapper that adds nothing harmful keeps every guarantee of what it wraps."""

    measures_memory = False
    large_size = 3 << 20
    memory_size = 32 << 20


class TestWrappedStore(_WrapperSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return WrappedStore(MemoryStore())


class TestRecordingStore(_WrapperSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return RecordingStore(MemoryStore())


class TestThrottledStore(_WrapperSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return ThrottledStore(MemoryStore(), 20e9)


class TestFaultyStoreWithoutFaults(_WrapperSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return FaultyStore(MemoryStore())


@pytest.fixture
def memory() -> MemoryStore:
    store = MemoryStore()
    put_bytes(store, "present", b"0123456789")
    return store


# ---- recording


def test_recording_notes_every_call(memory: MemoryStore) -> None:
    store = RecordingStore(memory)
    store.put("key", [b"x"], overwrite=True)
    store.open("key").close()
    store.open("key", 5, 6).close()
    store.info("key")
    list(store.list("k", recursive=False))
    store.copy("key", "other")
    store.delete("key")
    assert store.calls == [
        RecordedCall("put", "key", "overwrite"),
        RecordedCall("open", "key"),
        RecordedCall("open", "key", "5+6"),
        RecordedCall("info", "key"),
        RecordedCall("list", "k"),
        RecordedCall("copy", "key", "other"),
        RecordedCall("delete", "key"),
    ]
    assert store.count("open") == 2


def test_recording_notes_calls_that_fail(memory: MemoryStore) -> None:
    store = RecordingStore(memory)
    with pytest.raises(ObjectNotFound):
        store.info("absent")
    assert store.calls == [RecordedCall("info", "absent")]


# ---- faults


@pytest.mark.parametrize(
    ("operation", "act"),
    [
        ("put", lambda store: put_bytes(store, "key")),
        ("open", lambda store: store.open("present")),
        ("info", lambda store: store.info("present")),
        ("list", lambda store: list(store.list())),
        ("delete", lambda store: store.delete("present")),
        ("copy", lambda store: store.copy("present", "key")),
    ],
)
@pytest.mark.parametrize("kind", [FaultKind.BEFORE, FaultKind.AFTER])
def test_fault_before_or_after_any_operation(memory: MemoryStore, operation: str, act, kind: FaultKind) -> None:
    fault = Fault(operation, kind)
    store = FaultyStore(memory, fault)
    with pytest.raises(StorageUnavailable):
        act(store)
    assert store.happened == [fault]
    done = {"put": ["key", "present"], "delete": [], "copy": ["key", "present"]}
    expected = done.get(operation, ["present"]) if kind is FaultKind.AFTER else ["present"]
    assert sorted(listed_keys(memory)) == expected


def test_fault_befalls_the_call_it_names(memory: MemoryStore) -> None:
    store = FaultyStore(memory, Fault("info", call=2, error=AccessDenied("no")))
    store.info("present")
    with pytest.raises(AccessDenied, match="no"):
        store.info("present")
    store.info("present")


def test_fault_of_every_call(memory: MemoryStore) -> None:
    store = FaultyStore(memory, Fault("info", call=0))
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            store.info("present")


@pytest.mark.parametrize("position", [0, 4, 10])
def test_truncated_read_looks_like_the_end(memory: MemoryStore, position: int) -> None:
    store = FaultyStore(memory, Fault("open", FaultKind.TRUNCATED, position=position))
    assert read_all(store, "present") == b"0123456789"[:position]


def test_flipped_bit_is_the_only_difference(memory: MemoryStore) -> None:
    store = FaultyStore(memory, Fault("open", FaultKind.FLIPPED, position=3))
    assert read_all(store, "present") == b"0122456789"


@pytest.mark.parametrize("position", [0, 4, 9])
def test_reset_breaks_off_where_it_says(memory: MemoryStore, position: int) -> None:
    store = FaultyStore(memory, Fault("open", FaultKind.RESET, position=position))
    found = bytearray()
    with store.open("present") as reader, pytest.raises(StorageUnavailable):
        while piece := reader.read(3):
            found += piece
    assert bytes(found) == b"0123456789"[:position]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.RESET, StorageUnavailable),
        (FaultKind.TRUNCATED, SourceChanged),
        (FaultKind.FLIPPED, HashError),
    ],
)
def test_fault_on_the_way_of_a_put_is_found(memory: MemoryStore, kind: FaultKind, error: type[Exception]) -> None:
    content = make_content(1000)
    store = FaultyStore(memory, Fault("put", kind, position=500))
    with pytest.raises(error):
        store.put("key", in_chunks(content, 90), 1000, digest=digest_of(content))
    assert listed_keys(memory) == ["present"]


def test_listing_cut_short_with_and_without_a_word(memory: MemoryStore) -> None:
    put_bytes(memory, "second")
    assert listed_keys(FaultyStore(memory, Fault("list", FaultKind.TRUNCATED, position=1))) == ["present"]
    with pytest.raises(StorageUnavailable):
        listed_keys(FaultyStore(memory, Fault("list", FaultKind.RESET, position=1)))


# ---- throttle


def test_throttle_keeps_the_rate_in_and_out(memory: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0

    def sleep(seconds: float) -> None:
        nonlocal clock
        clock += seconds

    monkeypatch.setattr(time, "monotonic", lambda: clock)
    monkeypatch.setattr(time, "sleep", sleep)
    store = ThrottledStore(memory, 1000)
    store.put("key", [bytes(5000)], 5000)
    assert clock == pytest.approx(1005)
    assert len(read_all(store, "key")) == 5000
    assert clock == pytest.approx(1010)


def test_throttle_obeys_a_stop_while_it_waits(memory: MemoryStore) -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(OperationStopped):
        ThrottledStore(memory, 1).put("key", [bytes(1_000_000)], stop=stop)
    assert listed_keys(memory) == ["present"]


# ---- dry run


def test_dry_run_writes_nothing_and_says_what_it_would(memory: MemoryStore) -> None:
    inner = RecordingStore(memory)
    store = DryRunStore(inner)
    result = store.put("key", [b"content"], 7, digest=digest_of(b"content"))
    assert (result.info.size, result.info.digest) == (7, digest_of(b"content"))
    assert result.evidence.level is EvidenceLevel.LISTED
    assert result.evidence.digest is None
    store.copy("present", "copied")
    store.delete("present")
    store.probe()
    assert store.would_put == ["key", "copied"]
    assert store.would_delete == ["present"]
    assert {call.operation for call in inner.calls} <= {"info", "open"}
    assert listed_keys(memory) == ["present"]


def test_dry_run_refuses_what_the_store_would_refuse(memory: MemoryStore) -> None:
    store = DryRunStore(memory)
    with pytest.raises(ObjectExists):
        put_bytes(store, "present")
    with pytest.raises(ObjectExists):
        store.put("present", [b"x"], if_match="another version")
    with pytest.raises(ObjectExists):
        store.put("absent", [b"x"], if_match="version")
    with pytest.raises(InvalidName):
        put_bytes(store, "../climb")
    with pytest.raises(SourceChanged):
        store.put("key", [b"x"], 2)
    with pytest.raises(HashError):
        store.put("key", [b"x"], 1, digest=digest_of(b"y"))
    assert store.would_put == []
    store.put("present", [b"x"], overwrite=True)
    store.put("present", [b"x"], if_match=memory.info("present").version)
    put_bytes(store, "key")
    with pytest.raises(ObjectExists):
        put_bytes(store, "key")
