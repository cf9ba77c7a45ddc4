"""Every operation of a store failing in every way, at the first, a middle and the last call: a reservation, a deposit,
an update and every look end in success that is true, or in an error of the one tree and without a visible effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from archive_tui.archives.datasafe.opening import open_store_safe
from archive_tui.archives.datasafe.safe import Safe, SafeEntry, SafeState
from archive_tui.errors import AccessDenied, ArchiveError, ObjectExists, StorageFull, StorageUnavailable
from archive_tui.integrity.report import Verdict
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from tests.archives.datasafe.safe_places import PARENT, PREFIX, held_files, pack_dataset

OLD = {"old.dat": b"acknowledged" * 1000}
NEW = {"new.dat": b"new" * 20_000, "new.info": b"x - v. 1 (2026-01-01)\n"}
FULL, EMPTY, NEXT = (f"{PARENT}/{number}" for number in (1, 2, 3))
ERRORS: tuple[Callable[[], ArchiveError], ...] = (
    lambda: StorageUnavailable("injected: no answer", hint="again"),
    lambda: AccessDenied("injected: 403", hint="rights"),
    lambda: StorageFull("injected: 507", hint="room"),
)
WORKS: dict[str, Callable[[Safe], Any]] = {
    "reserve": lambda safe: safe.reserve(PARENT),
    "deposit": lambda safe: safe.deposit(EMPTY, [pack_dataset(EMPTY, NEW)]),
    "update": lambda safe: safe.update(FULL, [pack_dataset(FULL, NEW)]),
    "look": lambda safe: safe.look(FULL),
    "describe": lambda safe: safe.describe(FULL),
    "entries": lambda safe: list(safe.entries()),
    "archive": lambda safe: held_files(safe, FULL),
    "verify": lambda safe: safe.verify(FULL),
}
WRITING = ("reserve", "deposit", "update")


class CountedStore(FaultyStore):
    """Counts the calls of each operation."""

    def __init__(self, inner: ObjectStore, *faults: Fault) -> None:
        super().__init__(inner, *faults)
        self.counts: Counter[str] = Counter()

    def _begin(self, operation: str) -> Fault | None:
        self.counts[operation] += 1
        return super()._begin(operation)


def make_stored() -> MemoryStore:
    store = MemoryStore()
    safe = open_store_safe(store, PREFIX)
    assert [safe.reserve(PARENT), safe.reserve(PARENT)] == [FULL, EMPTY]
    safe.deposit(FULL, [pack_dataset(FULL, OLD)])
    return store


def faults_for(operation: str, calls: int) -> list[Fault]:
    faults: list[Fault] = []
    for number in sorted({1, (calls + 1) // 2, calls} - {0}):
        for make_error in ERRORS:
            faults += [
                Fault(operation, kind, number, error=make_error()) for kind in (FaultKind.BEFORE, FaultKind.AFTER)
            ]
        if operation in ("put", "open", "list"):
            positions = (0, 1) if operation == "list" else (0, 100, 10_000)
            faults += [Fault(operation, FaultKind.RESET, number, position) for position in positions]
        if operation == "open":
            kinds = (FaultKind.TRUNCATED, FaultKind.FLIPPED)
            faults += [Fault(operation, kind, number, position) for kind in kinds for position in (0, 100, 10_000)]
        if operation == "put":
            faults += [Fault(operation, FaultKind.TRUNCATED, number, 100), Fault(operation, FaultKind.FLIPPED, number)]
    return faults


def all_faults(work: str) -> list[Fault]:
    store = CountedStore(make_stored())
    WORKS[work](open_store_safe(store, PREFIX))
    return [fault for operation, calls in store.counts.items() for fault in faults_for(operation, calls)]


def state_of(store: MemoryStore) -> dict[str, tuple[SafeState, dict[str, bytes], int]]:
    """What users see of each LOI; fails when one of them is not whole."""
    with open_store_safe(store, PREFIX) as safe:
        return {listed.loi: state_of_one(safe, safe.look(listed.loi)) for listed in safe.entries()}


def state_of_one(safe: Safe, entry: SafeEntry) -> tuple[SafeState, dict[str, bytes], int]:
    if entry.state is SafeState.RESERVED:
        return entry.state, {}, 0
    assert entry.state is SafeState.DEPOSITED and entry.digest is not None
    assert safe.verify(entry.loi).verdict is Verdict.VERIFIED
    return entry.state, held_files(safe, entry.loi), entry.old_versions


BEFORE = {FULL: (SafeState.DEPOSITED, OLD, 0), EMPTY: (SafeState.RESERVED, {}, 0)}
AFTER = {
    "reserve": {**BEFORE, NEXT: (SafeState.RESERVED, {}, 0)},
    "deposit": {**BEFORE, EMPTY: (SafeState.DEPOSITED, NEW, 0)},
    "update": {**BEFORE, FULL: (SafeState.DEPOSITED, NEW, 1)},
}


def play(work: str, fault: Fault) -> bool:
    """Returns whether it succeeded in spite of the fault."""
    store = make_stored()
    faulty = FaultyStore(store, fault)
    try:
        WORKS[work](open_store_safe(faulty, PREFIX))
    except ArchiveError as error:
        assert faulty.happened
        is_done, lost_answer = False, fault.kind is FaultKind.AFTER
        assert error.message
    else:
        is_done, lost_answer = True, False
    found = state_of(store)
    allowed = [AFTER[work]] if is_done else [BEFORE, AFTER[work]] if lost_answer else [BEFORE]
    assert found in allowed, (work, fault, found)
    repeat(work, store, is_there=found == AFTER[work])
    return is_done


def repeat(work: str, store: MemoryStore, *, is_there: bool) -> None:
    """Somebody tries again, on a store that works."""
    with open_store_safe(store, PREFIX) as safe:
        try:
            WORKS[work](safe)
        except ObjectExists:
            assert work == "deposit" and is_there
    found = state_of(store)
    if work == "reserve" and is_there:
        assert len(found) == len(AFTER[work]) + 1
    else:
        assert found == AFTER[work]


@pytest.mark.parametrize("work", WRITING)
def test_writing_ends_in_success_or_without_visible_effect(work: str) -> None:
    outcomes = [play(work, fault) for fault in all_faults(work)]
    assert len(outcomes) > 30 and False in outcomes


@pytest.mark.parametrize("work", sorted(set(WORKS) - set(WRITING)))
def test_looking_tells_the_truth_or_fails(work: str) -> None:
    store = make_stored()
    right = describe(WORKS[work](open_store_safe(store, PREFIX)))
    failures = 0
    for fault in all_faults(work):
        faulty = FaultyStore(store, fault)
        try:
            found = WORKS[work](open_store_safe(faulty, PREFIX))
        except (ArchiveError, AssertionError):
            failures += 1
            continue
        assert describe(found) == right or is_cautious(work, found, fault), (work, fault, found)
    assert failures


def describe(found: Any) -> Any:
    """What of an answer must be the same."""
    if hasattr(found, "verdict"):
        return found.verdict, found.findings
    if hasattr(found, "entry"):
        return found.entry, found.manifest, list(found.inventory), found.metadata, found.old_versions
    return found


def is_cautious(work: str, found: Any, fault: Fault) -> bool:
    """An answer that claims less: damage that was read is found, a record that cannot be read counts for nothing; a
    store that cuts a listing short without a word is trusted."""
    if work == "verify":
        return found.verdict is not Verdict.VERIFIED
    if work == "entries":
        return fault.kind in (FaultKind.TRUNCATED, FaultKind.FLIPPED)
    entry = found.entry if work == "describe" else found
    if work == "describe" and entry.state is SafeState.DAMAGED:
        return fault.kind in (FaultKind.FLIPPED, FaultKind.TRUNCATED)
    return isinstance(entry, SafeEntry) and entry.digest is None and fault.operation == "open"
