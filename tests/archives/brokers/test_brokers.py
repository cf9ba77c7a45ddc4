"""Every broker over its backend: the same behaviour, whatever lies behind it."""

from __future__ import annotations

import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.brokers import bulk, factory
from archive_tui.brokers import (
    Broker,
    FileDownload,
    FileMove,
    FileOutcome,
    FileUpload,
    HostBroker,
    InvalidBrokerConfiguration,
    MissingFile,
    Outcome,
    WorkspaceFile,
    add_broker_type,
    get_broker,
    get_broker_types,
)
from archive_tui.errors import ArchiveError, ObjectExists, StorageFull, StorageUnavailable
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from tests.servers.azurite import AzuriteServer
from tests.servers.s3_server import S3Server

HOST, NFS, S3, AZURE = "host", "nfs", "s3", "azure"


@dataclass
class Backend:
    """A broker with a configuration, and where its volume is mounted."""

    broker: Broker
    volume_path: str | None
    local: Path

    def upload(self, *names: str, content: bytes | None = None, **options: Any) -> list[WorkspaceFile]:
        files = [WorkspaceFile(name) for name in names]
        uploads = []
        for number, file in enumerate(files):
            path = self.local / f"source-{number}"
            path.write_bytes(file.file_path.encode() if content is None else content)
            uploads.append(FileUpload(file, str(path)))
        self.broker.upload_files(self.volume_path, uploads, **options)
        return files

    def listed(self, prefix: str = "", *, recursive: bool = True) -> dict[str, int]:
        found = self.broker.list_files(self.volume_path, recursive, prefix=prefix)
        return {details.file: details.size for details in found}

    def content(self, name: str) -> bytes:
        target = self.local / "looked-at"
        target.unlink(missing_ok=True)
        self.broker.download_files(self.volume_path, [FileDownload(WorkspaceFile(name), str(target))])
        return target.read_bytes()


def make_config(kind: str, folder: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    if kind == HOST:
        return {"type": HOST, "host_path": str(folder)}
    if kind == NFS:
        return {"type": NFS, "nfs_path": "server:/exported"}
    if kind == S3:
        server: S3Server = request.getfixturevalue("seaweedfs_server")
        keys = {"access_key_id": server.access_key, "secret_access_key": server.secret_key}
        return {
            "type": S3,
            "bucket_name": server.new_bucket(),
            "credentials": keys,
            "endpoint_url": server.endpoint_url,
            "region_name": server.region,
        }
    azurite: AzuriteServer = request.getfixturevalue("azurite_server")
    return {"type": AZURE, "container": azurite.new_container(), "conn_str": azurite.conn_str}


@pytest.fixture(params=[HOST, NFS, S3, AZURE])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    volume, local = tmp_path / "volume", tmp_path / "local"
    volume.mkdir()
    local.mkdir()
    config = make_config(request.param, volume, request)
    broker = get_broker(config["type"])
    assert broker.validate_configuration(config) == []
    broker.load_configuration(config)
    yield Backend(broker, str(volume), local)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "FIRST_PAUSE", 0.001)


def test_files_go_up_and_come_back(backend: Backend) -> None:
    file, *_ = backend.upload("a.txt", "deep/down/b.txt", "deep/empty", content=b"content")
    assert file.file_path == "a.txt" and not file.is_deleted
    assert backend.content("deep/down/b.txt") == b"content"
    outcomes = backend.broker.upload_files(
        backend.volume_path, [FileUpload(WorkspaceFile("a.txt"), str(backend.local / "source-0"))]
    )
    assert [(outcome.outcome, outcome.ok) for outcome in outcomes] == [(Outcome.SAME, True)]


def test_listing_knows_files_only_and_where_folders_end(backend: Backend) -> None:
    backend.upload("d/x", "dd/y", "d/e/z", "top")
    backend.upload("d/empty", content=b"")
    assert backend.listed() == {"d/x": 3, "dd/y": 4, "d/e/z": 5, "top": 3, "d/empty": 0}
    assert backend.listed(recursive=False) == {"top": 3}
    assert backend.listed("d") == backend.listed("d/") == {"x": 3, "e/z": 5, "empty": 0}
    assert backend.listed("d", recursive=False) == {"x": 3, "empty": 0}
    assert backend.listed("none") == {}


def test_nothing_is_replaced_unless_it_is_wanted(backend: Backend) -> None:
    backend.upload("a", content=b"first")
    with pytest.raises(ObjectExists) as caught:
        backend.upload("a", "b", content=b"other")
    outcomes: list[FileOutcome] = caught.value.outcomes  # type: ignore[attr-defined]
    assert [outcome.outcome for outcome in outcomes] == [Outcome.FAILED, Outcome.UPLOADED]
    assert backend.content("a") == b"first"
    backend.upload("a", content=b"other", overwrite=True)
    assert backend.content("a") == b"other"
    target = backend.local / "there"
    target.write_bytes(b"somebody's own")
    download = [FileDownload(WorkspaceFile("a"), str(target))]
    with pytest.raises(ObjectExists):
        backend.broker.download_files(backend.volume_path, download)
    assert target.read_bytes() == b"somebody's own"
    backend.broker.download_files(backend.volume_path, download, overwrite=True)
    assert target.read_bytes() == b"other"


def test_a_move_takes_nothing_away_before_it_is_proven(backend: Backend) -> None:
    first, second = backend.upload("old/a", "old/b")
    backend.broker.move_files(backend.volume_path, [FileMove(first, "new/deep/a"), FileMove(second, "b")])
    assert (first.file_path, second.file_path) == ("new/deep/a", "b")
    assert backend.listed() == {"new/deep/a": 5, "b": 5}
    assert backend.content("new/deep/a") == b"old/a"
    with pytest.raises(ObjectExists):
        backend.broker.move_files(backend.volume_path, [FileMove(first, "b")])
    assert first.file_path == "new/deep/a"
    assert backend.listed() == {"new/deep/a": 5, "b": 5}
    backend.broker.move_files(backend.volume_path, [FileMove(first, "b")], overwrite=True)
    assert backend.listed() == {"b": 5} and backend.content("b") == b"old/a"


def test_what_is_absent_is_said_and_the_rest_is_done(backend: Backend) -> None:
    (there,) = backend.upload("there")
    gone = WorkspaceFile("gone")
    target = backend.local / "out"
    with pytest.raises(MissingFile) as caught:
        backend.broker.download_files(
            backend.volume_path, [FileDownload(gone, str(backend.local / "no")), FileDownload(there, str(target))]
        )
    assert [outcome.ok for outcome in caught.value.outcomes] == [False, True]  # type: ignore[attr-defined]
    assert target.read_bytes() == b"there"
    with pytest.raises(MissingFile):
        backend.broker.move_files(backend.volume_path, [FileMove(gone, "else"), FileMove(there, "moved")])
    assert backend.listed() == {"moved": 5}


def test_deleting_is_the_same_for_all(backend: Backend) -> None:
    first, second = backend.upload("folder/a", "folder/b")
    outcomes = backend.broker.delete_files(backend.volume_path, [first, WorkspaceFile("gone")])
    assert [outcome.outcome for outcome in outcomes] == [Outcome.DELETED, Outcome.ABSENT]
    assert first.is_deleted and first.deleted is not None
    assert abs((datetime.now(UTC) - first.deleted).total_seconds()) < 600
    backend.broker.delete_files(backend.volume_path, [second], False)
    assert not second.is_deleted and second.deleted is None
    assert backend.listed() == {}
    if backend.broker.broker_type in (HOST, NFS):
        assert (Path(str(backend.volume_path)) / "folder").is_dir(), "never the folder above"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "", "a//b", ".", "a\x00b", "x" * 2000])
def test_no_name_leaves_the_volume(backend: Backend, name: str) -> None:
    (good,) = backend.upload("good")
    bad = WorkspaceFile(name)
    works: list[Any] = [
        lambda: backend.upload(name),
        lambda: backend.broker.download_files(backend.volume_path, [FileDownload(bad, str(backend.local / "o"))]),
        lambda: backend.broker.move_files(backend.volume_path, [FileMove(good, name)]),
        lambda: backend.broker.move_files(backend.volume_path, [FileMove(bad, "x")]),
        lambda: backend.broker.delete_files(backend.volume_path, [bad]),
    ]
    for work in works:
        with pytest.raises(ValueError, match="Key refused"):
            work()
    assert backend.listed() == {"good": 4} and good.file_path == "good"
    assert sorted(path.name for path in backend.local.parent.iterdir()) == ["local", "volume"]


def test_a_link_never_leads_out_of_a_volume(tmp_path: Path) -> None:
    outside, volume = tmp_path / "outside", tmp_path / "volume"
    outside.mkdir()
    volume.mkdir()
    (outside / "secret").write_text("secret")
    (volume / "link").symlink_to(outside)
    broker = HostBroker()
    broker.load_configuration({"host_path": str(volume)})
    with pytest.raises(ArchiveError):
        broker.download_files(None, [FileDownload(WorkspaceFile("link/secret"), str(tmp_path / "out"))])
    with pytest.raises(ArchiveError):
        broker.delete_files(None, [WorkspaceFile("link/secret")])
    assert (outside / "secret").exists() and not (tmp_path / "out").exists()
    assert list(broker.list_files(None, True)) == [], "a link is no file of the volume"


def test_a_part_of_a_file_can_be_read_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume" / "a").write_text("content")
    broker = HostBroker()
    broker.load_configuration({"host_path": str(tmp_path / "volume")})
    (outcome,) = broker.download_files(None, [FileDownload(WorkspaceFile("a"), str(tmp_path / "out"), partial=True)])
    assert outcome.outcome is Outcome.LINKED and outcome.digest is None
    assert (tmp_path / "out").is_symlink() and (tmp_path / "out").read_text() == "content"
    assert broker.get_file_system_paths(None, [WorkspaceFile("a")]) == [str(tmp_path / "volume" / "a")]
    assert broker.get_file_system_paths("/mnt/v", [WorkspaceFile("a")]) == ["/mnt/v/a"]


def test_a_broker_without_a_mount_has_no_paths() -> None:
    broker = get_broker(S3)
    broker.load_configuration({"bucket_name": "b"})
    assert broker.volume is None
    assert broker.get_file_system_paths("/mnt", [WorkspaceFile("a")]) is None
    broker.load_configuration({"bucket_name": "b", "host_path": "/mnt/bucket"})
    assert broker.volume is not None and broker.volume.remote_path == "/mnt/bucket"
    assert broker.get_file_system_paths("/mnt/v", [WorkspaceFile("a")]) == ["/mnt/v/a"]


class SavedFile(WorkspaceFile):
    def save(self) -> None:
        self.saved = [*getattr(self, "saved", []), (self.file_path, self.is_deleted)]


def test_records_that_can_be_saved_are(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "s").write_text("x")
    broker, file = HostBroker(), SavedFile("a")
    broker.load_configuration({"host_path": str(tmp_path / "v")})
    broker.upload_files(None, [FileUpload(file, str(tmp_path / "s"))])
    broker.move_files(None, [FileMove(file, "b")])
    broker.delete_files(None, [file])
    assert file.saved == [("a", False), ("b", False), ("b", True)]


class FaultyBroker(HostBroker):
    """Its store fails as it is told; it copies, as a store without renames does."""

    def __init__(self, root: Path, *faults: Fault) -> None:
        super().__init__()
        self.load_configuration({"host_path": str(root)})
        self.store = FaultyStore(FolderStore(root, read_only_objects=False), *faults)

    def _open_store(self, volume_path: str | None) -> ObjectStore:
        return self.store


@pytest.mark.parametrize("kind", [FaultKind.BEFORE, FaultKind.AFTER])
@pytest.mark.parametrize("operation", ["put", "open", "info", "delete"])
def test_what_is_transient_is_tried_again(tmp_path: Path, operation: str, kind: FaultKind) -> None:
    (tmp_path / "a").write_text("content")
    file = WorkspaceFile("a")
    broker = FaultyBroker(tmp_path, Fault(operation, kind, 1))
    (outcome,) = broker.move_files(None, [FileMove(file, "b")])
    assert outcome.outcome is Outcome.MOVED
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert file.file_path == "b"


@pytest.mark.parametrize("operation", ["put", "open", "info", "delete"])
def test_the_last_failure_is_the_one_that_is_raised_and_nothing_is_lost(tmp_path: Path, operation: str) -> None:
    (tmp_path / "a").write_text("content")
    file = WorkspaceFile("a")
    broker = FaultyBroker(tmp_path, Fault(operation, FaultKind.BEFORE, 0))
    with pytest.raises(StorageUnavailable, match="injected"):
        broker.move_files(None, [FileMove(file, "b")])
    assert (tmp_path / "a").read_text() == "content"
    assert file.file_path == "a"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", [FaultKind.TRUNCATED, FaultKind.FLIPPED, FaultKind.RESET])
def test_a_source_that_lies_is_never_deleted(tmp_path: Path, kind: FaultKind, overwrite: bool) -> None:
    (tmp_path / "a").write_text("content")
    broker = FaultyBroker(tmp_path, Fault("open", kind, 2, position=3))  # the first reading is that of the digest
    try:
        broker.move_files(None, [FileMove(WorkspaceFile("a"), "b")], overwrite=overwrite)
    except ArchiveError:
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        assert (tmp_path / "a").read_text() == "content"
    else:
        assert kind is FaultKind.RESET and (tmp_path / "b").read_text() == "content"
    assert broker.store.happened


def test_moves_that_need_each_others_places_replace_nothing(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d", "e"):
        (tmp_path / name).write_text(name)
    broker = HostBroker()
    broker.load_configuration({"host_path": str(tmp_path)})
    pairs = [("a", "b"), ("b", "a"), ("c", "new"), ("d", "new"), ("e", "other")]
    with pytest.raises(ObjectExists) as caught:
        broker.move_files(None, [FileMove(WorkspaceFile(old), new) for old, new in pairs], overwrite=True)
    assert [each.ok for each in caught.value.outcomes] == [False, False, False, False, True]  # type: ignore[attr-defined]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a": "a",
        "b": "b",
        "c": "c",
        "d": "d",
        "other": "e",
    }


def test_what_the_disk_refuses_is_the_outcome_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    for name in ("a", "b"):
        (tmp_path / "v" / name).write_text(name)
    (tmp_path / "file").write_text("in the way")
    broker = HostBroker()
    broker.load_configuration({"host_path": str(tmp_path / "v")})
    downloads = [
        FileDownload(WorkspaceFile("a"), str(tmp_path / "file" / "below")),
        FileDownload(WorkspaceFile("a"), str(tmp_path / "v"), partial=True),
        FileDownload(WorkspaceFile("b"), str(tmp_path / "good")),
    ]
    with pytest.raises(ArchiveError) as caught:
        broker.download_files(None, downloads, overwrite=True)
    assert [outcome.ok for outcome in caught.value.outcomes] == [False, False, True]  # type: ignore[attr-defined]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "good", "v"]


class UnsavedFile(WorkspaceFile):
    def save(self) -> None:
        raise RuntimeError("no database")


def test_a_record_that_cannot_be_saved_stops_no_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    broker = HostBroker()
    broker.load_configuration({"host_path": str(tmp_path)})
    with pytest.raises(ArchiveError, match="could not be saved: new-a") as caught:
        broker.move_files(None, [FileMove(UnsavedFile("a"), "new-a"), FileMove(WorkspaceFile("b"), "new-b")])
    assert [outcome.ok for outcome in caught.value.outcomes] == [False, True]  # type: ignore[attr-defined]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new-a", "new-b"]


def test_what_is_not_there_does_not_move_to_its_own_place(tmp_path: Path) -> None:
    broker = HostBroker()
    broker.load_configuration({"host_path": str(tmp_path)})
    with pytest.raises(MissingFile):
        broker.move_files(None, [FileMove(WorkspaceFile("a"), "a")])


KILLED = """
import os, signal, sys
from archive_tui.archives.brokers import one_file
from archive_tui.brokers import FileMove, HostBroker, WorkspaceFile
from archive_tui.objects.folder.store import FolderStore

root, step = sys.argv[1], int(sys.argv[2])
if step % 2:
    one_file.link_file = lambda *_: None  # a file system without hard links
deletes, delete = [], FolderStore.delete
def deadly(store, key):
    deletes.append(key)
    if len(deletes) > step:
        os.kill(os.getpid(), signal.SIGKILL)
    delete(store, key)
FolderStore.delete = deadly
broker = HostBroker()
broker.load_configuration({"host_path": root})
broker.move_files(None, [FileMove(WorkspaceFile(str(n)), "new/" + str(n)) for n in range(20)])
"""


@pytest.mark.parametrize("step", [0, 5, 12])
def test_a_killed_move_loses_nothing_and_can_be_done_again(tmp_path: Path, step: int) -> None:
    for number in range(20):
        (tmp_path / str(number)).write_text(f"content {number}")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(step)], check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    for number in range(20):
        places = [tmp_path / str(number), tmp_path / "new" / str(number)]
        found = [place.read_text() for place in places if place.exists()]
        assert found and set(found) == {f"content {number}"}
    broker = HostBroker()
    broker.load_configuration({"host_path": str(tmp_path)})
    left = [details.file for details in broker.list_files(None, False)]
    broker.move_files(None, [FileMove(WorkspaceFile(name), f"new/{name}") for name in left])
    found_names = [details.file for details in broker.list_files(None, True)]
    assert sorted(found_names) == sorted(f"new/{number}" for number in range(20))


def test_a_volume_that_fills_up_keeps_what_was_to_be_moved(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / str(number)).write_text(str(number))
    full = StorageFull("full", key="", store="", hint="")
    broker = FaultyBroker(tmp_path, *(Fault("put", FaultKind.BEFORE, call, error=full) for call in (2, 4)))
    files = [WorkspaceFile(str(number)) for number in range(4)]
    with pytest.raises(StorageFull) as caught:
        broker.move_files(None, [FileMove(file, f"new/{file.file_path}") for file in files], threads=1)
    assert [each.ok for each in caught.value.outcomes] == [True, False, True, False]  # type: ignore[attr-defined]
    assert [file.file_path for file in files] == ["new/0", "1", "new/2", "3"]
    assert all((tmp_path / file.file_path).read_text() == file.file_name for file in files)


class OftenFaultyStore(FaultyStore):
    """Each ninth call of each operation fails, before it has done anything and after it has done all, in turns."""

    def _next_fault(self, operation: str) -> Fault | None:
        with self._lock:
            number = self._calls[operation] = self._calls.get(operation, 0) + 1
            if number % 9:
                return None
            fault = Fault(operation, FaultKind.AFTER if number % 2 else FaultKind.BEFORE, number)
            self.happened.append(fault)
            return fault


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_many_moves_with_faults_in_every_call_lose_nothing(tmp_path: Path, count: int) -> None:
    names = [f"old/{number}" for number in range(count)]
    (tmp_path / "old").mkdir()
    for name in names:
        (tmp_path / name).write_text(name)
    broker = FaultyBroker(tmp_path)
    broker.store = store = OftenFaultyStore(FolderStore(tmp_path, read_only_objects=False))
    files = [WorkspaceFile(name) for name in names]
    outcomes = None
    try:
        outcomes = broker.move_files(None, [FileMove(file, f"new/{number}") for number, file in enumerate(files)])
    except StorageUnavailable as error:
        outcomes = error.outcomes  # type: ignore[attr-defined]
    for number, (file, outcome) in enumerate(zip(files, outcomes, strict=True)):
        old, new = tmp_path / names[number], tmp_path / "new" / str(number)
        if outcome.ok:
            assert file.file_path == f"new/{number}" and not old.exists()
            assert new.read_text() == names[number]
        else:
            assert file.file_path == names[number]
            found = [place.read_text() for place in (old, new) if place.exists()]
            assert found and set(found) == {names[number]}
    assert {fault.operation for fault in store.happened} == {"put", "open", "info", "delete"}


def test_types_are_found_added_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "_added", {})
    assert {HOST, NFS, S3, AZURE} <= set(get_broker_types())
    assert get_broker(HOST) is not get_broker(HOST)
    with pytest.raises(InvalidBrokerConfiguration) as caught:
        get_broker("zzz")
    assert (caught.value.name, caught.value.description) == ("INVALID_BROKER", "'zzz' is an invalid broker type")

    class Own(HostBroker):
        def __init__(self) -> None:
            super().__init__()
            self._broker_type = "own"

    add_broker_type(Own)
    assert isinstance(get_broker("own"), Own)
    with pytest.warns(UserWarning, match="own is replaced"):
        add_broker_type(Own)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "own" in get_broker_types()
