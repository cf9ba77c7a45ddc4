"""Every operation of a store failing in every way, at the first, a middle and the last call: publishing, fetching and
verifying end in proven success, or in an error of the one tree and without a visible effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_tui.archives.datasets.catalog import compare_versions, find_version, list_datasets, list_versions
from archive_tui.archives.datasets.fetching import fetch_dataset
from archive_tui.archives.datasets.publishing import PublishReceipt, PublishRequest, plan_publish, publish
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.errors import AccessDenied, ArchiveError, StorageFull, StorageUnavailable
from archive_tui.integrity.report import Verdict
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from tests.archives.faults.places import check_only_whole_versions, tree_of, write_source

NAME = "winds"
OPERATIONS = ("put", "open", "info", "list")
ERRORS: tuple[Callable[[], ArchiveError], ...] = (
    lambda: StorageUnavailable("injected: no answer", hint="again"),
    lambda: AccessDenied("injected: 403", hint="rights"),
    lambda: StorageFull("injected: 507", hint="room"),
)
WORKS: dict[str, Callable[[ObjectStore, Path, Path], object]] = {
    "publish": lambda store, source, into: publish(store, plan_publish(store, PublishRequest(NAME, source))),
    "publish-next": lambda store, source, into: publish(
        store, plan_publish(store, PublishRequest(NAME, source, on_conflict="next"))
    ),
    "fetch": lambda store, source, into: fetch_dataset(store, NAME, into=into),
    "verify": lambda store, source, into: verify_version(store, NAME)[0],
    "list": lambda store, source, into: list_datasets(store),
    "compare": lambda store, source, into: compare_versions(store, NAME, "0.0.1", "latest"),
}


class CountedStore(FaultyStore):
    """Counts the calls of each operation, and how many bytes or entries each has passed."""

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.counts: Counter[str] = Counter()

    def _begin(self, operation: str) -> Fault | None:
        self.counts[operation] += 1
        return super()._begin(operation)


def make_stored(old: Path) -> MemoryStore:
    """A store that holds the acknowledged version 0.0.1."""
    store = MemoryStore()
    publish(store, plan_publish(store, PublishRequest(NAME, old)))
    return store


def faults_for(operation: str, calls: int) -> list[Fault]:
    """Each kind of fault at the first, a middle and the last call; each that breaks content, at several positions."""
    faults: list[Fault] = []
    if calls == 0:
        return faults
    for number in sorted({1, (calls + 1) // 2, calls}):
        for make_error in ERRORS:
            faults += [
                Fault(operation, kind, number, error=make_error()) for kind in (FaultKind.BEFORE, FaultKind.AFTER)
            ]
        if operation in ("put", "open", "list"):
            positions = (0, 1) if operation == "list" else (0, 100, 20_000)
            faults += [Fault(operation, FaultKind.RESET, number, position) for position in positions]
        if operation == "open":
            kinds = (FaultKind.TRUNCATED, FaultKind.FLIPPED)
            faults += [Fault(operation, kind, number, position) for kind in kinds for position in (0, 100, 20_000)]
    return faults


def count_calls(work: str, old: Path, new: Path, into: Path) -> Counter[str]:
    store = CountedStore(make_stored(old))
    WORKS[work](store, new, into / "count")
    return store.counts


@pytest.mark.parametrize("work", WORKS)
def test_a_fault_ends_in_success_or_in_an_error_without_effect(work: str, tmp_path: Path) -> None:
    old, new = write_source(tmp_path / "old", "old", size=50_000), write_source(tmp_path / "new", "new", size=50_000)
    counts = count_calls(work, old, new, tmp_path / "into")
    faults = [fault for operation in OPERATIONS for fault in faults_for(operation, counts[operation])]
    assert len(faults) >= 6
    for number, fault in enumerate(faults):
        store, into = FaultyStore(make_stored(old), fault), tmp_path / "into" / f"{number}"
        try:
            result = WORKS[work](store, new, into)
        except ArchiveError as error:
            assert error.message, fault
            check_failure(work, store.inner, into, fault)
        else:
            check_success(work, result, store.inner, into, (old, new), fault)
        assert store.happened == [fault]
        check_repeat(work, store.inner, old, new, into)


def check_failure(work: str, store: ObjectStore, into: Path, fault: Fault) -> None:
    """A failed publish may have been acknowledged to nobody, but what it left is whole; a failed fetch left nothing."""
    versions = check_only_whole_versions(store, NAME)
    lost_answer = fault.operation == "put" and fault.kind is FaultKind.AFTER
    allowed = [["0.0.1"], ["0.0.1", "0.0.2"]] if work.startswith("publish") and lost_answer else [["0.0.1"]]
    assert versions in allowed, fault
    assert not into.exists() or list(into.iterdir()) == [], fault


def check_success(
    work: str, result: object, store: ObjectStore, into: Path, sources: tuple[Path, Path], fault: Fault
) -> None:
    """What reports success has done it, and has done it right."""
    old, new = sources
    versions = check_only_whole_versions(store, NAME)
    if isinstance(result, PublishReceipt):
        assert (result.outcome, result.version, versions[-1]) == ("published", "0.0.2", "0.0.2"), fault
        fetched = fetch_dataset(store, NAME, into=into / "check").folder
        assert tree_of(fetched) == tree_of(new), fault
        assert result.archive_digest == store.info(result.key).digest, fault
        return
    assert versions == ["0.0.1"], fault
    if work == "fetch":
        assert tree_of(into / f"{NAME}.0.0.1") == tree_of(old), fault
    if work == "verify" and fault.kind not in (FaultKind.FLIPPED, FaultKind.TRUNCATED):
        assert result.verdict is Verdict.VERIFIED, fault  # type: ignore[attr-defined]


def check_repeat(work: str, store: ObjectStore, old: Path, new: Path, into: Path) -> None:
    """The same work again, without a fault, succeeds."""
    again = WORKS[work](store, new, into)
    if isinstance(again, PublishReceipt):
        assert again.outcome in ("published", "identical")
        assert [version.version for version in list_versions(store, NAME)] == ["0.0.1", "0.0.2"]
    elif work == "fetch":
        assert tree_of(into / f"{NAME}.0.0.1") == tree_of(old)


def test_a_store_without_any_answer_is_said(tmp_path: Path) -> None:
    old, new = write_source(tmp_path / "old", "old"), write_source(tmp_path / "new", "new")
    for operation in OPERATIONS:
        store = FaultyStore(make_stored(old), Fault(operation, call=0))
        for name, work in WORKS.items():
            try:
                work(store, new, tmp_path / f"into-{operation}-{name}")
            except ArchiveError as error:
                assert isinstance(error, StorageUnavailable), (operation, name)
        assert check_only_whole_versions(store.inner, NAME) in (["0.0.1"], ["0.0.1", "0.0.2"])


def test_the_counting_sees_what_the_work_does(tmp_path: Path) -> None:
    old, new = write_source(tmp_path / "old", "old"), write_source(tmp_path / "new", "new")
    counts = count_calls("publish", old, new, tmp_path)
    assert counts["put"] == 2
    assert counts["list"] >= 1 and counts["open"] >= 1
    assert count_calls("verify", old, new, tmp_path)["open"] >= 3


@pytest.mark.parametrize("kind", [FaultKind.FLIPPED, FaultKind.TRUNCATED, FaultKind.RESET, FaultKind.BEFORE])
def test_a_manifest_beside_that_arrives_damaged_is_a_remark(kind: FaultKind, tmp_path: Path) -> None:
    old, new = write_source(tmp_path / "old", "old"), write_source(tmp_path / "new", "new")
    store = FaultyStore(make_stored(old), Fault("put", kind, 2, position=10))
    receipt = publish(store, plan_publish(store, PublishRequest(NAME, new)))
    assert (receipt.outcome, receipt.version, receipt.manifest_digest) == ("published", "0.0.2", None)
    assert "manifest beside it could not be written" in receipt.remarks[0]
    assert check_only_whole_versions(store.inner, NAME) == ["0.0.1", "0.0.2"]
    assert find_version(store, NAME).manifest_key is None


def test_a_latest_version_that_cannot_be_read_is_in_nobodys_way(tmp_path: Path) -> None:
    store = MemoryStore()
    store.put(f"{NAME}.0.0.7.zip", [b"not an archive"])
    plan = plan_publish(store, PublishRequest(NAME, write_source(tmp_path / "new", "new")))
    assert "0.0.7 cannot be read" in plan.remarks[0]
    assert publish(store, plan).version == "0.0.8"
