"""Programs that were written for brokers: their own kinds of records, their own brokers, packages that bring one."""

from __future__ import annotations

from datetime import UTC
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import archive_tui.brokers
from archive_tui.archives.brokers import factory
from archive_tui.brokers import (
    Broker,
    BrokerVolume,
    FileDownload,
    FileMove,
    FileUpload,
    HostBroker,
    MissingFile,
    NfsBroker,
    S3Broker,
    get_broker,
    get_broker_types,
)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def make_record(path: str) -> Any:
    """What a program has: any object with these attributes."""
    saved: list[str] = []
    name = path.rpartition("/")[2]
    return SimpleNamespace(
        file_path=path,
        file_name=name,
        media_type="text/plain",
        is_deleted=False,
        deleted=None,
        saved=saved,
        save=lambda: saved.append(name),
    )


def make_nfs() -> Broker:
    broker = get_broker("nfs")
    broker.load_configuration({"type": "nfs", "nfs_path": "host:/dir"})
    return broker


def test_every_public_name_is_there() -> None:
    for name in archive_tui.brokers.__all__:
        assert getattr(archive_tui.brokers, name) is not None
    with pytest.raises(AttributeError):
        _ = archive_tui.brokers.NoSuchBroker


def test_classes_take_no_arguments_and_say_their_type() -> None:
    assert [each().broker_type for each in (HostBroker, NfsBroker, S3Broker)] == ["host", "nfs", "s3"]
    assert HostBroker().volume is None
    volume = make_nfs().volume
    assert isinstance(volume, BrokerVolume)
    assert (volume.driver, volume.remote_path, volume.host) == ("nfs", "host:/dir", False)


def test_a_file_goes_the_whole_way(volume: Path, tmp_path: Path) -> None:
    """Up, listed, moved, down and deleted, with the records of a program."""
    broker, record = make_nfs(), make_record("path/to/file.txt")
    (tmp_path / "local").write_text("content")
    broker.upload_files(str(volume), [FileUpload(record, str(tmp_path / "local"))])
    assert (volume / "path" / "to" / "file.txt").read_text() == "content"
    listed = list(broker.list_files(str(volume), True))
    assert [(each.file, each.size) for each in listed] == [("path/to/file.txt", 7)]
    broker.move_files(str(volume), [FileMove(record, "other/file.txt")])
    assert record.file_path == "other/file.txt"
    assert not (volume / "path" / "to" / "file.txt").exists() and (volume / "path" / "to").is_dir()
    broker.download_files(str(volume), [FileDownload(record, str(tmp_path / "down" / "file.txt"), False)])
    assert (tmp_path / "down" / "file.txt").read_text() == "content"
    assert broker.get_file_system_paths(str(volume), [record]) == [str(volume / "other" / "file.txt")]
    broker.delete_files(str(volume), [record])
    assert record.is_deleted and record.deleted.tzinfo is UTC
    assert len(record.saved) == 3
    broker.delete_files(str(volume), [record], update_model=False)


def test_the_listing_is_lazy(volume: Path) -> None:
    for name in ("a", "b"):
        (volume / name).touch()
    listed = make_nfs().list_files(str(volume), False)
    assert iter(listed) is listed
    assert next(listed).size == 0


@pytest.mark.parametrize("works", ["download", "move"])
def test_an_absent_file_is_missing(volume: Path, tmp_path: Path, works: str) -> None:
    broker, record = make_nfs(), make_record("gone")
    with pytest.raises(MissingFile) as caught:
        if works == "download":
            broker.download_files(str(volume), [FileDownload(record, str(tmp_path / "x"))])
        else:
            broker.move_files(str(volume), [FileMove(record, "x")])
    assert isinstance(caught.value, FileNotFoundError)
    assert record.file_path == "gone" and record.saved == []


def test_packages_bring_types(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("brought", "archive_tui.archives.brokers.host_broker:HostBroker", factory.ENTRY_POINTS)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [entry] if group == entry.group else [])
    assert factory.ENTRY_POINTS == "archive_tui.brokers"
    assert "brought" in get_broker_types()
    assert isinstance(get_broker("brought"), HostBroker)
