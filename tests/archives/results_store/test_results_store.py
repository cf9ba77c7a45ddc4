"""Results stores on each kind of store: written once, verified, and no record is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.results_store.checking_out import check_out
from archive_tui.archives.results_store.opening import create_results_store, is_results_store, open_results_store
from archive_tui.archives.results_store.results_store import ResultsStore
from archive_tui.archives.results_store.verifying import verify_results
from archive_tui.errors import (
    AlreadyPresentException,
    ArchiveError,
    HashError,
    ManifestError,
    NotAStoreError,
    ObjectExists,
    StorageError,
    StorageFull,
    StorageUnavailable,
    TargetExists,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import FindingKind, Verdict
from archive_tui.manifests.store_manifest import MANIFEST_KEY
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore, PutResult, Support, Traits
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from tests.archives.faults.places import CREATE_ONLY, Place, make_place

PREFIX = "lab/results/"
CONTENT = b"posterior samples\n" * 500


@pytest.fixture(params=CREATE_ONLY)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return make_place(request.param, tmp_path / "place", request)


@pytest.fixture
def results(place: Place) -> Iterator[ResultsStore]:
    with create_results_store(place.open_store(), PREFIX, "n") as results:
        yield results


def add(results: ResultsStore, name: str, content: bytes = CONTENT, production: str = "p") -> str:
    return results.add("e", production, [content], name=name, size=len(content)).uuid


def test_the_whole_way(results: ResultsStore, place: Place, tmp_path: Path) -> None:
    uuid = add(results, "f")
    with open_results_store(place.open_store(), PREFIX) as again:
        (entry,) = again.entries()
        assert (entry.path, entry.uuid, entry.size) == ("e/p/f", uuid, len(CONTENT))
        receipt = check_out(again, "e", "p", "f", tmp_path / "out")
        assert receipt.evidence.level is EvidenceLevel.READ
        assert (tmp_path / "out").read_bytes() == CONTENT
        with pytest.raises(ObjectExists):
            check_out(again, "e", "p", "f", tmp_path / "out")
        with pytest.raises(AlreadyPresentException):
            add(again, "g")
        with pytest.raises(ObjectExists):
            add(again, "f", b"other")
        assert len([1 for listed in again.store.list(f"{PREFIX}e/")]) == 1, "what was refused is gone"
        report = verify_results(again)
        assert report.verdict is Verdict.VERIFIED and report.bytes_read == len(CONTENT)


def test_damage_loss_and_strangers_are_named(results: ResultsStore, place: Place, tmp_path: Path) -> None:
    changed, gone = add(results, "changed", b"one"), add(results, "gone", b"two")
    add(results, "right", b"three")
    with place.open_store() as store:
        store.put(f"{PREFIX}e/p/{changed}", [b"ONE"], 3, overwrite=True)
        store.delete(f"{PREFIX}e/p/{gone}")
        store.put(f"{PREFIX}e/p/stray", [b"x"], 1)
    report = verify_results(results)
    found = {finding.path: finding.kind for finding in report.findings}
    assert found == {
        "e/p/changed": FindingKind.CHANGED,
        "e/p/gone": FindingKind.MISSING,
        "e/p/stray": FindingKind.EXTRA,
    }
    assert report.files_ok == 1
    with pytest.raises(HashError):
        check_out(results, "e", "p", "changed", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_many_writers_lose_nothing(results: ResultsStore, place: Place) -> None:
    threads, each = 4, 5

    def write(writer: int) -> None:
        with open_results_store(place.open_store(), PREFIX) as own:
            for number in range(each):
                add(own, f"{writer}-{number}", f"{writer} {number}".encode(), f"p{number % 2}")

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(threads)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    names = sorted(entry.name for entry in results.entries())
    assert names == sorted(f"{writer}-{number}" for writer in range(threads) for number in range(each))
    assert verify_results(results).verdict is Verdict.VERIFIED


def test_a_place_that_holds_something_is_no_place_to_begin(place: Place) -> None:
    store = place.open_store()
    store.put(f"{PREFIX}x", [b"x"], 1)
    with pytest.raises(TargetExists):
        create_results_store(store, PREFIX, "n")
    assert not is_results_store(store, PREFIX)
    with pytest.raises(NotAStoreError):
        open_results_store(store, PREFIX)


def make_memory() -> tuple[MemoryStore, ResultsStore]:
    store = MemoryStore()
    results = create_results_store(store, PREFIX, "n")
    add(results, "there", b"acknowledged")
    return store, results


def test_a_damaged_manifest_is_never_overwritten() -> None:
    store, results = make_memory()
    store.put(PREFIX + MANIFEST_KEY, [b"events:\n  e:\n"], overwrite=True)
    for work in (lambda: add(results, "f"), lambda: list(results.entries()), lambda: verify_results(results)):
        with pytest.raises(ManifestError):
            work()
    with store.open(PREFIX + MANIFEST_KEY) as reader:
        assert reader.read() == b"events:\n  e:\n"


class Unconditional(MemoryStore):
    @property
    def traits(self) -> Traits:
        return Traits(create_only=Support.YES, conditional_replace=Support.NO)


def test_a_store_that_takes_no_conditions_is_refused_and_nothing_changed() -> None:
    store = Unconditional()
    results = create_results_store(store, PREFIX, "n")
    with pytest.raises(StorageError, match="only if nobody else has") as caught:
        add(results, "f")
    assert caught.value.code == "results-no-conditions"
    assert [listed.key for listed in store.list(PREFIX)] == [PREFIX + MANIFEST_KEY]


class Counted(FaultyStore):
    def __init__(self, inner: ObjectStore, *faults: Fault) -> None:
        super().__init__(inner, *faults)
        self.counts: Counter[str] = Counter()

    def _begin(self, operation: str) -> Fault | None:
        self.counts[operation] += 1
        return super()._begin(operation)


def count_calls() -> Counter[str]:
    store, _ = make_memory()
    counted = Counted(store)
    add(ResultsStore(counted, PREFIX), "new")
    return counted.counts


FAULTS = [
    (operation, call, kind)
    for operation, count in sorted(count_calls().items())
    for call in range(1, count + 1)
    for kind in (FaultKind.BEFORE, FaultKind.AFTER, FaultKind.RESET)
]


@pytest.mark.parametrize(("operation", "call", "kind"), FAULTS)
def test_a_fault_in_any_call_ends_in_success_or_in_an_error_that_loses_nothing(
    operation: str, call: int, kind: FaultKind
) -> None:
    store, plain = make_memory()
    faulty = ResultsStore(FaultyStore(store, Fault(operation, kind, call)), PREFIX)
    try:
        add(faulty, "new")
    except ArchiveError as error:
        assert isinstance(error, StorageUnavailable | ObjectExists), error
    names = {entry.name for entry in plain.entries()}
    assert names in ({"there"}, {"there", "new"})
    assert not [finding for finding in verify_results(plain).findings if finding.kind is not FindingKind.EXTRA]
    if "new" not in names:
        add(plain, "new")
    assert {entry.name for entry in plain.entries()} == {"there", "new"}


def test_a_content_that_a_killed_run_has_left_is_named_and_in_nobodys_way() -> None:
    store, results = make_memory()
    store.put(f"{PREFIX}e/p/{'0' * 32}", [CONTENT], len(CONTENT))
    add(results, "f")
    (finding,) = verify_results(results).findings
    assert (finding.kind, finding.path) == (FindingKind.EXTRA, f"e/p/{'0' * 32}")


class Meddled(WrappedStore):
    """Another program changes the manifest at the moment when ours is about to."""

    def __init__(self, inner: ObjectStore, meddle: Callable[[], object]) -> None:
        super().__init__(inner)
        self._meddle: Callable[[], object] | None = meddle

    def put(self, key: str, *arguments: Any, **options: Any) -> PutResult:
        if key.endswith(MANIFEST_KEY) and self._meddle is not None:
            meddle, self._meddle = self._meddle, None
            meddle()
        return super().put(key, *arguments, **options)


def test_what_another_program_writes_meanwhile_is_kept() -> None:
    store, plain = make_memory()
    meddled = Meddled(store, lambda: add(plain, "theirs", b"theirs"))
    add(ResultsStore(meddled, PREFIX), "ours")
    assert {entry.name for entry in plain.entries()} == {"there", "theirs", "ours"}


def test_the_same_content_or_name_checked_in_meanwhile_is_refused_and_leaves_nothing() -> None:
    for name, content, error in (("other", CONTENT, AlreadyPresentException), ("ours", b"other", ObjectExists)):
        store, plain = make_memory()
        meddled = Meddled(store, partial(add, plain, name, content))
        with pytest.raises(error):
            add(ResultsStore(meddled, PREFIX), "ours")
        assert verify_results(plain).verdict is Verdict.VERIFIED, "one content each, and none unlisted"


def test_a_manifest_that_is_damaged_meanwhile_stays_as_it_is() -> None:
    store, _ = make_memory()
    damage = partial(store.put, PREFIX + MANIFEST_KEY, [b"events:\n  e"], overwrite=True)
    with pytest.raises(ManifestError):
        add(ResultsStore(Meddled(store, damage), PREFIX), "ours")
    with store.open(PREFIX + MANIFEST_KEY) as reader:
        assert reader.read() == b"events:\n  e"


class Full(WrappedStore):
    def put(self, key: str, *arguments: Any, **options: Any) -> PutResult:
        if key.endswith(MANIFEST_KEY):
            raise StorageFull("No room.", key=key, store=self.label)
        return super().put(key, *arguments, **options)


def test_no_room_for_the_record_leaves_no_content() -> None:
    store, plain = make_memory()
    with pytest.raises(StorageFull):
        add(ResultsStore(Full(store), PREFIX), "ours")
    assert verify_results(plain).verdict is Verdict.VERIFIED


def test_a_file_under_the_name_of_a_listed_one_is_named() -> None:
    store, results = make_memory()
    store.put(f"{PREFIX}e/p/there", [b"stray"], 5)
    (finding,) = verify_results(results).findings
    assert (finding.kind, finding.path) == (FindingKind.EXTRA, "e/p/there")
