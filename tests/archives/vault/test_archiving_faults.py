"""Archiving while something breaks: the source, the store, the way to it, its credentials, its room."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from archive_tui.archives.vault.archiving import REPEAT, archive_manifest
from archive_tui.archives.vault.outcomes import LineNews, Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import (
    AccessDenied,
    HashError,
    ObjectExists,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore, PutResult
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from tests.archives.faults.commands import ROOT, program_environment
from tests.archives.test_disk_full import NAMESPACES
from tests.archives.vault.conftest import (
    ALL_KINDS,
    SEAWEEDFS,
    FakeManifest,
    VaultPlace,
    digest_of,
    make_vault_place,
    small_contents,
    write_files,
)
from tests.archives.vault.test_archiving import check_holds, only, outcomes, run
from tests.servers.faulty_proxy import FaultyProxy, any_commit
from tests.servers.s3_server import S3Server

LARGE = 5 << 20


class MeddlingStore(WrappedStore):
    """Lets `meddle` loose at a moment of each put: before the source is opened, or after its first block."""

    def __init__(self, inner: ObjectStore, meddle: Callable[[], None], *, after_first_block: bool) -> None:
        super().__init__(inner)
        self._meddle = meddle
        self._after_first_block = after_first_block

    def put(  # type: ignore[override]
        self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: object
    ) -> PutResult:
        if not self._after_first_block:
            self._meddle()
            return self.inner.put(key, chunks, size, **options)  # type: ignore[arg-type]
        return self.inner.put(key, self._broken_into(chunks), size, **options)  # type: ignore[arg-type]

    def _broken_into(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        for number, chunk in enumerate(chunks):
            yield chunk
            if number == 0:
                self._meddle()


def replace_by(path: Path, content: bytes) -> None:
    """As editors do: a new file takes the name."""
    draft = path.with_name("draft")
    draft.write_bytes(content)
    draft.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "rewritten": lambda path: path.write_bytes(b"y" * LARGE),
    "edited at its end": lambda path: os.truncate(path, LARGE - 1) or path.open("ab").write(b"!"),
    "grown": lambda path: path.open("ab", buffering=0).write(b"more"),
    "cut": lambda path: os.truncate(path, LARGE - 7),
    "emptied": lambda path: os.truncate(path, 0),
    "replaced": lambda path: replace_by(path, b"y" * LARGE),
    "replaced by a shorter one": lambda path: replace_by(path, b"short"),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the meddler does not clean up
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("after_first_block", [False, True], ids=["before reading", "while reading"])
@pytest.mark.parametrize("place", ALL_KINDS, indirect=True)
def test_a_source_that_changes_is_never_stored_under_the_wrong_digest(
    change: str, after_first_block: bool, place: VaultPlace, tmp_path: Path
) -> None:
    manifest = write_files(tmp_path, {"file": b"x" * LARGE})
    path = tmp_path / "file"

    def meddle() -> None:
        CHANGES[change](path)

    vault = place.with_store(lambda store: MeddlingStore(store, meddle, after_first_block=after_first_block))
    result = only(run(manifest, vault, tmp_path))
    if after_first_block and change.startswith("replaced"):
        assert result.outcome is Outcome.UPLOADED  # what was opened was read to its end
        check_holds(place.vault, [b"x" * LARGE])
        return
    assert result.outcome is Outcome.CHANGED
    assert result.found == digest_of(path.read_bytes())
    assert place.keys() == []


def test_a_source_that_vanishes_before_it_is_read_is_missing(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"file": b"content"})
    store = MeddlingStore(MemoryStore(), (tmp_path / "file").unlink, after_first_block=False)
    assert only(run(manifest, Vault(store), tmp_path)).outcome is Outcome.MISSING


def test_a_source_that_becomes_a_pipe_does_not_hang(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"file": b"content"})

    def become_a_pipe() -> None:
        (tmp_path / "file").unlink()
        os.mkfifo(tmp_path / "file")

    store = MeddlingStore(MemoryStore(), become_a_pipe, after_first_block=False)
    assert only(run(manifest, Vault(store), tmp_path)).outcome is Outcome.UNREADABLE


def test_bytes_that_are_damaged_on_their_way_are_not_the_fault_of_the_file(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"file": b"content"})
    store = MemoryStore()
    result = only(run(manifest, Vault(FaultyStore(store, Fault("put", FaultKind.FLIPPED))), tmp_path))
    assert (result.outcome, type(result.error), result.found) == (Outcome.FAILED, HashError, None)
    assert list(store.list()) == []


class CarelessStore(WrappedStore):
    """Overwrites despite create-only, and says nothing of digests, as a poor server does."""

    def put(  # type: ignore[override]
        self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: object
    ) -> PutResult:
        return self.inner.put(key, chunks, size, **{**options, "overwrite": True})  # type: ignore[arg-type]


def test_a_store_that_overwrites_is_looked_at_before_it_is_written_to(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(30))
    careless = CarelessStore(MemoryStore())
    vault = Vault(careless)
    run(manifest, vault, tmp_path)
    key = vault.key(next(manifest.lines()).digest)
    careless.inner.put(key, [b"other bytes"], overwrite=True)
    store = RecordingStore(careless)
    found = Counter(outcomes(run(manifest, Vault(store), tmp_path)))
    assert found == {Outcome.ALREADY_THERE: 29, Outcome.DAMAGED: 1}
    assert store.count("put") == 0


class RivalStore(WrappedStore):
    """A rival puts `rivals` right before us."""

    def __init__(self, inner: ObjectStore, rivals: bytes) -> None:
        super().__init__(inner)
        self._rivals = rivals

    def put(  # type: ignore[override]
        self, key: str, chunks: Iterable[Chunk], size: int | None = None, **options: object
    ) -> PutResult:
        self.inner.put(key, [self._rivals])
        return self.inner.put(key, chunks, size, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rivals", "outcome"), [(b"content", Outcome.ALREADY_THERE), (b"something else", Outcome.DAMAGED)]
)
def test_whoever_is_second_looks_at_what_the_first_has_put(rivals: bytes, outcome: Outcome, tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"file": b"content"})
    result = only(run(manifest, Vault(RivalStore(MemoryStore(), rivals)), tmp_path))
    assert result.outcome is outcome


def test_an_object_that_exists_and_cannot_be_found_is_a_failure(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"file": b"content"})
    store = FaultyStore(MemoryStore(), Fault("put", error=ObjectExists("being written by somebody")))
    result = only(run(manifest, Vault(store), tmp_path))
    assert (result.outcome, type(result.error)) == (Outcome.FAILED, ObjectExists)


@pytest.mark.parametrize(
    "error",
    [StorageUnavailable("gone", hint="Check it."), AccessDenied("expired", hint="Log in."), StorageFull("full")],
)
def test_what_befalls_the_whole_store_ends_the_run_and_repeating_goes_on(error: StorageError, tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(30))
    store = MemoryStore()
    seen: list[LineNews] = []
    with pytest.raises(type(error)) as caught:
        seen.extend(archive(manifest, FaultyStore(store, Fault("put", call=11, error=error)), tmp_path, seen))
    assert outcomes(seen) == [Outcome.UPLOADED] * 10
    assert str(caught.value) == str(error)
    assert caught.value.hint.endswith(REPEAT)
    again = RecordingStore(store)
    assert Counter(outcomes(run(manifest, Vault(again), tmp_path))) == {
        Outcome.ALREADY_THERE: 10,
        Outcome.UPLOADED: 20,
    }
    assert again.count("put") == 20


def archive(manifest: FakeManifest, store: ObjectStore, root: Path, seen: list[LineNews]) -> list[LineNews]:
    for news in archive_manifest(manifest, Vault(store), root=root, threads=1):
        seen.append(news)  # kept although an error follows
    return []


def test_an_error_of_one_object_concerns_its_line_only(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(3))
    store = FaultyStore(MemoryStore(), Fault("put", call=2, error=StorageError("a bad sector")))
    found = outcomes(run(manifest, Vault(store), tmp_path, threads=1))
    assert found == [Outcome.UPLOADED, Outcome.FAILED, Outcome.UPLOADED]


def test_a_folder_that_may_not_be_written_to_ends_the_run_and_a_link_in_it_does_not(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(3))
    store = FolderStore(tmp_path / "vault")
    denied = Fault("put", call=2, error=AccessDenied("read-only", hint="Mount it for writing."))
    with pytest.raises(AccessDenied):
        run(manifest, Vault(FaultyStore(store, denied)), tmp_path, threads=1)
    linked = Fault("put", call=1, error=AccessDenied("a link", code="symlink-in-path"))
    found = outcomes(run(manifest, Vault(FaultyStore(store, linked)), tmp_path, threads=1))
    assert found == [Outcome.ALREADY_THERE, Outcome.FAILED, Outcome.UPLOADED]


def test_evidence_is_kept_of_what_was_stored_before_the_end(tmp_path: Path) -> None:
    from archive_tui.state.database import StateDatabase
    from archive_tui.state.evidence_table import EvidenceTable

    database = StateDatabase(tmp_path / "state.sqlite")
    table = EvidenceTable(database)
    manifest = write_files(tmp_path, small_contents(30))
    store = FolderStore(tmp_path / "vault")
    faulty = FaultyStore(store, Fault("put", call=20, error=StorageFull("full")))
    with pytest.raises(StorageFull):
        run(manifest, Vault(faulty), tmp_path, evidence_table=table, threads=4)
    stored = [entry.key for entry in store.list()]
    kept = table.lookup(store.identity, stored)
    assert len(kept) == len(stored) >= 19
    assert {evidence.level for evidence in kept.values()} == {EvidenceLevel.READ}
    database.close()


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    from archive_tui.objects.s3 import connection

    monkeypatch.setattr(connection, "LONGEST_PAUSE", 0.02)


@pytest.fixture
def proxied(
    seaweedfs_server: S3Server, tmp_path: Path, request: pytest.FixtureRequest, quick_retries: None
) -> Iterator[tuple[FaultyProxy, VaultPlace]]:
    with FaultyProxy(seaweedfs_server.endpoint_url) as proxy:
        place = make_vault_place(SEAWEEDFS, tmp_path, request, sent_to=proxy.url)
        place.store.probe()
        yield proxy, place
        place.store.close()


def any_put(request_line: str) -> bool:
    return request_line.startswith("PUT")


@pytest.mark.parametrize(
    ("kind", "status", "code", "error"),
    [
        ("answer", 503, "ServiceUnavailable", StorageUnavailable),
        ("lose-reply", 0, "", StorageUnavailable),
        ("answer", 403, "ExpiredToken", AccessDenied),
        ("answer", 403, "AccessDenied", AccessDenied),
        ("answer", 507, "InsufficientStorage", StorageFull),
    ],
)
def test_a_server_that_fails_in_the_middle(
    kind: str,
    status: int,
    code: str,
    error: type[StorageError],
    proxied: tuple[FaultyProxy, VaultPlace],
    tmp_path: Path,
) -> None:
    proxy, place = proxied
    contents = small_contents(60)
    manifest = write_files(tmp_path, contents)
    seen = 0

    def is_struck(line: str) -> bool:
        return seen >= 20 and (any_put(line) or kind == "lose-reply")

    with proxy.fault(kind, is_struck, times=10_000, status=status, code=code), pytest.raises(error) as caught:
        for news in archive_manifest(manifest, place.vault, root=tmp_path, threads=2):
            assert outcomes([news]) == [Outcome.UPLOADED]
            seen += 1
    assert 20 <= seen < 60
    assert caught.value.hint.endswith(REPEAT)
    stored = len(place.keys())
    assert seen <= stored < 60
    store = RecordingStore(place.store)
    found = Counter(outcomes(run(manifest, place.with_store(lambda _: store), tmp_path)))
    assert found == {Outcome.ALREADY_THERE: stored, Outcome.UPLOADED: 60 - stored}
    assert store.count("put") == 60 - stored
    check_holds(place.vault, contents.values())


def test_a_lost_reply_is_no_conflict(proxied: tuple[FaultyProxy, VaultPlace], tmp_path: Path) -> None:
    proxy, place = proxied
    manifest = write_files(tmp_path, small_contents(10))
    with proxy.fault("lose-reply", any_commit, times=3):
        assert outcomes(run(manifest, place.vault, tmp_path)) == [Outcome.UPLOADED] * 10
    check_holds(place.vault, small_contents(10).values())


@pytest.fixture(scope="module")
def namespace() -> tuple[str, ...]:
    """The command in front of another that lets it mount a file system of its own."""
    for command in NAMESPACES:
        try:
            trial = subprocess.run(
                [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
            )
        except FileNotFoundError:
            break
        if trial.returncode == 0:
            return command
    return pytest.skip("no file system may be mounted here; the tests above inject the same error")


def test_a_full_disk(namespace: tuple[str, ...], tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {f"file-{number}": os.urandom(100_000) for number in range(40)})
    (tmp_path / "files.txt").write_text("".join(f"{line.digest}  {line.name}\n" for line in manifest.lines()))
    (tmp_path / "small").mkdir()
    finished = subprocess.run(
        [*namespace, sys.executable, "-m", "tests.archives.vault.full_disk", str(tmp_path)],
        cwd=ROOT, env=program_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    full, again = json.loads(finished.stdout)
    code, hint = full["error"]
    assert code == "storage-full" and hint.endswith(REPEAT)
    assert 0 < full["stored"] == full["files"] < 40
    assert set(full["outcomes"]) == {Outcome.UPLOADED}
    assert again["outcomes"] == {Outcome.ALREADY_THERE: full["stored"], Outcome.UPLOADED: 40 - full["stored"]}
    assert (again["error"], again["stored"], again["files"]) == ([], 40, 40)
