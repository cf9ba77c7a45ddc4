"""Copies to, from and between servers of every kind; what was begun there is continued."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from archive_tui.conflicts import ConflictRule
from archive_tui.errors import OperationStopped, StorageUnavailable
from archive_tui.integrity.streams import Chunk
from archive_tui.objects.azure.store import AzureStore
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.s3 import S3Store
from archive_tui.objects.s3.store import TransferSizes
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.objects.wrappers.throttled_store import ThrottledStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.operations.copying import CopyReceipt, copy_objects, plan_copy
from archive_tui.operations.deleting import delete_objects
from tests.conformance.store_samples import MIB, digest_of, listed_keys, make_content, put_bytes, read_all
from tests.jobs.kinds.job_work import MemoryJournal
from tests.servers.azurite import AzuriteServer
from tests.servers.s3_server import S3Server

SERVERS = ["moto_server", "seaweedfs_server", "rclone_server", "azurite_server"]
ATTESTING = {"seaweedfs_server"}
REPLACING = {"moto_server", "seaweedfs_server", "azurite_server"}

NAMES = {
    "plain.txt": b"plain",
    "empty": b"",
    "with a space/日本語.csv": b"1,2,3\n",
    "what? #1 100% a+b.txt": b"odd",
    "large.dat": make_content(5 * MIB),
    **{f"many/{number:03}": b"%d" % number for number in range(40)},
}


def make_store(kind: str, request: pytest.FixtureRequest, **options: Any) -> ObjectStore:
    server: Any = request.getfixturevalue(kind)
    if isinstance(server, AzuriteServer):
        return AzureStore(server.new_container(), conn_str=server.conn_str)
    assert isinstance(server, S3Server)
    return S3Store(server.new_bucket(), **server.settings(), **options)


@pytest.fixture(params=SERVERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    with make_store(kind, request) as made:
        yield made


@pytest.fixture
def here(tmp_path: Path) -> FolderStore:
    made = own_folder(tmp_path / "here")
    for name, content in NAMES.items():
        put_bytes(made, name, content)
    return made


def own_folder(path: Path) -> FolderStore:
    return FolderStore(path, read_only_objects=False, enters_symlinks=False)


def copy_all(source: ObjectStore, target: ObjectStore, into: str = "", **options: Any) -> CopyReceipt:
    return copy_objects(plan_copy(source, [""], target, into), **options)


def contents_of(store: ObjectStore, prefix: str = "") -> dict[str, bytes]:
    return {listed.key[len(prefix) :]: read_all(store, listed.key) for listed in store.list(prefix)}


def test_there_and_back_and_nothing_twice(kind: str, store: ObjectStore, here: FolderStore, tmp_path: Path) -> None:
    receipt = copy_all(here, store, "in/")
    assert (receipt.copied, receipt.finding_count, receipt.is_proven) == (len(NAMES), 0, True)
    assert contents_of(store, "in/") == NAMES

    recorded = RecordingStore(store)
    again = copy_all(here, recorded, "in/")
    assert (again.same, again.bytes, again.finding_count) == (len(NAMES), 0, 0)
    assert recorded.count("put") == 0
    if kind in ATTESTING:
        assert recorded.count("open") == 0

    back = copy_objects(plan_copy(store, ["in/"], own_folder(tmp_path / "back")))
    assert (back.copied, back.finding_count) == (len(NAMES), 0)
    assert contents_of(own_folder(tmp_path / "back"), "in/") == NAMES

    assert delete_objects(store, ["in/"]).deleted == len(NAMES)
    assert listed_keys(store) == []


def test_conflicts(kind: str, store: ObjectStore, here: FolderStore) -> None:
    put_bytes(store, "plain.txt", b"other")
    for rule, count in (
        (ConflictRule.KEEP, "kept"),
        (ConflictRule.ASK, "undecided"),
        (ConflictRule.KEEP_BOTH, "renamed"),
    ):
        receipt = copy_objects(plan_copy(here, ["plain.txt"], store), resolve=lambda conflict, rule=rule: rule)
        assert getattr(receipt, count) == 1
        assert read_all(store, "plain.txt") == b"other"
    assert read_all(store, "plain (2).txt") == b"plain"
    receipt = copy_objects(plan_copy(here, ["plain.txt"], store), resolve=lambda conflict: ConflictRule.REPLACE)
    if kind in REPLACING:
        assert (receipt.replaced, read_all(store, "plain.txt")) == (1, b"plain")
    else:
        assert (receipt.replaced, receipt.finding_count, read_all(store, "plain.txt")) == (0, 1, b"other")


def test_a_later_run_asks_for_versions_and_reads_nothing(store: ObjectStore, here: FolderStore) -> None:
    journal = MemoryJournal()
    copy_all(here, store, journal=journal)
    source, target = RecordingStore(here), RecordingStore(store)
    receipt = copy_all(source, target, journal=journal)
    assert (receipt.inherited, receipt.copied, receipt.finding_count) == (len(NAMES), len(NAMES), 0)
    assert source.count("open") == target.count("open") == target.count("put") == 0


@pytest.mark.parametrize(
    ("first", "second"), [("seaweedfs_server", "azurite_server"), ("azurite_server", "moto_server")]
)
def test_from_server_to_server(first: str, second: str, here: FolderStore, request: pytest.FixtureRequest) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(make_store(kind, request)) for kind in (first, second))
        copy_all(here, one)
        receipt = copy_all(one, other)
        assert (receipt.copied, receipt.finding_count) == (len(NAMES), 0)
        assert contents_of(other) == NAMES


class _Kept:
    """Tokens of unfinished uploads, as a database keeps them."""

    def __init__(self) -> None:
        self.tokens: dict[tuple[str, str], str] = {}
        self.uploads: set[str] = set()

    def find(self, identity: str, key: str) -> str | None:
        return self.tokens.get((identity, key))

    def keep(self, identity: str, key: str, token: str) -> None:
        self.tokens[identity, key] = token
        self.uploads.add(token.partition(" ")[0])

    def forget(self, identity: str, key: str) -> None:
        self.tokens.pop((identity, key), None)


class _EndsAfter(WrappedStore):
    """The source breaks off with an error after some bytes of each object."""

    def __init__(self, inner: ObjectStore, position: int, error: Exception) -> None:
        super().__init__(inner)
        self._position = position
        self._error = error

    def put(self, key: str, chunks: Any, size: int | None = None, **options: Any) -> Any:
        return super().put(key, self._breaking(chunks), size, **options)

    def _breaking(self, chunks: Any) -> Iterator[Chunk]:
        left = self._position
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                raise self._error
            yield chunk


@pytest.mark.parametrize("error", [OperationStopped(), StorageUnavailable("gone")], ids=["stopped", "unavailable"])
@pytest.mark.parametrize("kind", ["moto_server", "seaweedfs_server"])
def test_a_large_object_goes_on_with_the_parts_that_the_server_has(
    kind: str, error: Exception, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sizes = TransferSizes(in_memory=MIB, single_put=6 * MIB, continued_put=6 * MIB, part=5 * MIB)
    content = make_content(23 * MIB)
    here = own_folder(tmp_path / "here")
    put_bytes(here, "large.dat", content)
    kept = _Kept()
    with make_store(kind, request, sizes=sizes) as store:
        store.unfinished = kept
        journal = MemoryJournal()
        with pytest.raises(type(error)):
            copy_all(here, _EndsAfter(ThrottledStore(store), 17 * MIB, error), journal=journal)
        assert list(kept.tokens)
        begun = list(store.list_unfinished())
        assert [upload.key for upload in begun] == ["large.dat"]
        assert listed_keys(store) == []
        receipt = copy_all(here, ThrottledStore(store), journal=journal)
        assert (receipt.copied, receipt.finding_count) == (1, 0)
        assert read_all(store, "large.dat") == content
        assert kept.tokens == {}
        assert len(kept.uploads) == 1  # none was begun anew
        assert list(store.list_unfinished()) == []


def test_a_stop_is_obeyed_while_the_limit_lets_nothing_pass(store: ObjectStore, here: FolderStore) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(OperationStopped):
        copy_all(here, ThrottledStore(store, 10, stop=stop), stop=stop)
    assert "large.dat" not in listed_keys(store)


class _Parts:
    """Names and versions of begun files, as a job's journal keeps them."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[str, str | None]] = {}

    def find(self, path: str) -> tuple[str, str | None] | None:
        return self.known.get(path)

    def keep(self, path: str, name: str, version: str | None) -> None:
        self.known[path] = (name, version)

    def forget(self, path: str) -> None:
        self.known.pop(path, None)


class _BreaksOff(WrappedStore):
    """Reading ends with an error after some bytes; notes from where it was begun."""

    def __init__(self, inner: ObjectStore, position: int | None = None, error: Exception | None = None) -> None:
        super().__init__(inner)
        self._position = position
        self._error = error
        self.offsets: list[int] = []

    def open(self, key: str, offset: int = 0, length: int | None = None) -> Any:
        self.offsets.append(offset)
        reader = super().open(key, offset, length)
        return reader if self._position is None else _BreakingReader(reader, self._position, self._error)


class _BreakingReader:
    def __init__(self, inner: Any, left: int, error: Exception | None) -> None:
        self._inner = inner
        self._left = left
        self._error = error
        self.version = getattr(inner, "version", None)

    def read(self, size: int = -1, /) -> bytes:
        if self._left <= 0:
            assert self._error is not None
            raise self._error
        data: bytes = self._inner.read(min(size, self._left) if size >= 0 else self._left)
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def begun(seaweedfs_server: S3Server, tmp_path: Path) -> Iterator[tuple[ObjectStore, FolderStore, _Parts, bytes]]:
    """A copy of 20 MiB into a folder that broke off after 15 MiB."""
    content = make_content(20 * MIB)
    with S3Store(seaweedfs_server.new_bucket(), **seaweedfs_server.settings()) as store:
        store.put("large.dat", [content], len(content), digest=digest_of(content))
        target, parts = own_folder(tmp_path / "target"), _Parts()
        with pytest.raises(StorageUnavailable):
            copy_all(_BreaksOff(store, 15 * MIB, StorageUnavailable("gone")), target, parts=parts)
        assert list(parts.known) == ["large.dat"]
        assert listed_keys(target) == []
        yield store, target, parts, content


Begun = tuple[ObjectStore, FolderStore, _Parts, bytes]


def test_a_large_file_goes_on_where_it_ended(begun: Begun) -> None:
    store, target, parts, content = begun
    source = _BreaksOff(store)
    receipt = copy_all(source, target, parts=parts)
    assert source.offsets == [15 * MIB]
    assert (receipt.copied, receipt.finding_count, receipt.weakest) == (1, 0, "read")
    assert read_all(target, "large.dat") == content
    assert [path.name for path in target.root.iterdir()] == ["large.dat"]
    assert (target.root / "large.dat").stat().st_mode & 0o200
    assert parts.known == {}


def test_a_part_that_was_damaged_is_begun_anew(begun: Begun) -> None:
    store, target, parts, content = begun
    part = target.root / parts.known["large.dat"][0]
    damaged = bytearray(part.read_bytes())
    damaged[1000] ^= 1
    part.write_bytes(damaged)
    source = _BreaksOff(store)
    receipt = copy_all(source, target, parts=parts)
    assert source.offsets == [15 * MIB, 0]
    assert receipt.finding_count == 0
    assert read_all(target, "large.dat") == content


def test_another_version_is_begun_anew(begun: Begun) -> None:
    store, target, parts, _ = begun
    other = make_content(21 * MIB)
    store.put("large.dat", [other], len(other), digest=digest_of(other), overwrite=True)
    source = _BreaksOff(store)
    receipt = copy_all(source, target, parts=parts)
    assert source.offsets == [0]
    assert receipt.finding_count == 0
    assert read_all(target, "large.dat") == other
    assert [path.name for path in target.root.iterdir()] == ["large.dat"]


def test_a_part_is_not_written_through_a_link(begun: Begun, tmp_path: Path) -> None:
    store, target, parts, _ = begun
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    part = target.root / parts.known["large.dat"][0]
    part.unlink()
    part.symlink_to(victim)
    copy_all(store, target, parts=parts)
    assert victim.read_bytes() == b"mine"
