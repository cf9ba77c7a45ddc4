"""What every shelf promises, on object stores; and what only these can get wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.object_shelf import ObjectShelf
from archive_tui.archives.datasafe.shelf import Shelf
from archive_tui.archives.datasafe.temporary_folder import own_temporary_folder
from archive_tui.errors import ConfigurationError, NoFileError, StorageError, StorageUnavailable
from archive_tui.names.loi import read_number
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultKind, FaultyStore
from tests.archives.datasafe.safe_places import PREFIX, make_safe_place, read_object
from tests.archives.datasafe.shelf_suite import (
    PARENT,
    PLACE,
    Reopen,
    ShelfSuite,
    fill,
    make_files,
    record_of,
    replace,
    unpack,
    write_files,
)
from tests.archives.faults.places import AZURITE, MOTO, SEAWEEDFS

ARCHIVE = f"{PREFIX}/{PLACE}/dataset.zip"
RECORDS = f"{PREFIX}/.records/{PLACE}/"


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestObjectShelfInMemory(ShelfSuite):
    @pytest.fixture
    def shelf(self, store: MemoryStore) -> Shelf:
        return ObjectShelf(store, PREFIX)

    @pytest.fixture
    def reopen(self, store: MemoryStore, shelf: Shelf) -> Reopen:
        return lambda: ObjectShelf(store, PREFIX)


class OnServer(ShelfSuite):
    kind: str
    racers = 8

    @pytest.fixture
    def reopen(
        self, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Reopen]:
        place = make_safe_place(self.kind, tmp_path / "place", request, monkeypatch)
        opened: list[ObjectShelf] = []

        def open_again() -> Shelf:
            opened.append(ObjectShelf(place.open_store(), PREFIX))
            return opened[-1]

        yield open_again
        for shelf in opened:
            shelf.close()

    @pytest.fixture
    def shelf(self, reopen: Reopen) -> Shelf:
        return reopen()


@pytest.mark.slow  # the strict server below is asked each time; test_stored_safe goes the whole way on this one
class TestObjectShelfOnMoto(OnServer):
    kind = MOTO


class TestObjectShelfOnSeaweedFS(OnServer):
    kind = SEAWEEDFS


class TestObjectShelfOnAzurite(OnServer):
    kind = AZURITE


def filled(store: MemoryStore, text: str = "one") -> ObjectShelf:
    shelf = ObjectShelf(store, PREFIX)
    shelf.reserve_next(PARENT)
    fill(shelf, PLACE, make_files(text))
    return shelf


def age(store: MemoryStore, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """From now on everything that lies in the store is older."""
    now = time.time()
    monkeypatch.setattr("archive_tui.archives.datasafe.object_records.time.time", lambda: now + seconds)


def test_a_shelf_without_prefix_is_the_whole_store(store: MemoryStore) -> None:
    shelf = ObjectShelf(store, "/")
    shelf.reserve_next(PARENT)
    fill(shelf, PLACE, make_files("one"))
    assert [listed.key for listed in store.list("exp/")] == [f"{PLACE}/dataset.zip"]
    assert [found.place for found in shelf.places()] == [PLACE]
    assert read_object(store, f".reserved/{PLACE}") == b""


def test_record_lies_there_before_the_archive(store: MemoryStore) -> None:
    """Whatever kills the deposit between the two, no archive is ever without its record."""
    shelf = ObjectShelf(FaultyStore(store, Fault("put", call=3)), PREFIX)
    shelf.reserve_next(PARENT)
    with pytest.raises(StorageUnavailable):
        fill(shelf, PLACE, make_files("one"))
    assert not list(store.list(ARCHIVE))
    assert not list(store.list(RECORDS)), "a deposit that failed has left its record"


@pytest.mark.parametrize("put", [fill, replace])
def test_record_of_a_deposit_that_was_refused_goes(store: MemoryStore, put: Callable[..., object]) -> None:
    filled(store)
    number = 1 if put is fill else 2
    broken = ObjectShelf(FaultyStore(store, Fault("put", FaultKind.RESET, number, 5000)), PREFIX)
    with pytest.raises(StorageError):
        put(broken, PLACE, make_files("two"))
    assert [listed.key for listed in store.list(RECORDS)] == [RECORDS + record_of(make_files("one")).archive_digest]
    assert unpack(filled_again(store).archive(PLACE)) == make_files("one")


def filled_again(store: MemoryStore) -> ObjectShelf:
    return ObjectShelf(store, PREFIX)


def test_records_of_killed_deposits_are_swept_after_a_day(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = filled(store)
    left = RECORDS + "0" * 64
    store.put(left, [b"of a deposit that was killed"])
    replace(shelf, PLACE, make_files("two"))
    assert store.info(left)
    age(store, monkeypatch, 25 * 3600)
    replace(shelf, PLACE, make_files("three"))
    digests = {record_of(make_files(text)).archive_digest for text in ("one", "two", "three")}
    assert {listed.key for listed in store.list(RECORDS)} == {RECORDS + digest for digest in digests}


def test_update_with_the_same_content_keeps_nothing_twice(store: MemoryStore) -> None:
    shelf = filled(store)
    assert replace(shelf, PLACE, make_files("one")) is None
    assert shelf.count_old(PLACE) == 0
    assert replace(shelf, PLACE, make_files("two")) == 1


def test_repeat_of_a_killed_update_keeps_nothing_twice(store: MemoryStore) -> None:
    filled(store)
    killed = ObjectShelf(FaultyStore(store, Fault("put", call=2)), PREFIX)
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            replace(killed, PLACE, make_files("two"))
        killed = ObjectShelf(FaultyStore(store, Fault("put", call=2)), PREFIX)
    assert replace(filled_again(store), PLACE, make_files("two")) == 1
    assert unpack(filled_again(store).archive(PLACE, old=1)) == make_files("one")
    assert filled_again(store).count_old(PLACE) == 1


def test_archive_of_another_size_is_no_longer_what_was_recorded(store: MemoryStore) -> None:
    shelf = filled(store)
    content = read_object(store, ARCHIVE)
    digest = record_of(make_files("one")).archive_digest
    store._objects[ARCHIVE] = _Stored(content[:-100], _info(store, len(content) - 100, digest))  # type: ignore[assignment]
    found = shelf.find(PLACE)
    assert found is not None
    assert found.record is None and "bytes instead of" in found.detail
    assert shelf.record(PLACE) == record_of(make_files("one")), "what was written down is still there to judge by"


class _Stored:
    def __init__(self, content: bytes, info: object) -> None:
        self.content = content
        self.info = info


def _info(store: MemoryStore, size: int, digest: str) -> object:
    from dataclasses import replace as change

    return change(store.info(ARCHIVE), size=size, digest=digest)


def test_record_that_is_damaged_counts_for_nothing(store: MemoryStore) -> None:
    shelf = filled(store)
    key = RECORDS + record_of(make_files("one")).archive_digest
    store.put(key, [read_object(store, key).replace(b"a.info", b"b.info")], overwrite=True)
    found = shelf.find(PLACE)
    assert found is not None and found.record is None and not found.is_empty
    assert shelf.file_names(PLACE)[0][0] == "MANIFEST.yaml"


def test_a_file_in_the_way_of_all_numbers_is_said(store: MemoryStore) -> None:
    highest = max(10**digits - 1 for digits in range(1, 200) if read_number("9" * digits) is not None)
    store.put(f"{PREFIX}/.reserved/{PARENT}/{highest}", [])
    with pytest.raises(StorageError, match="no number is left"):
        ObjectShelf(store, PREFIX).reserve_next(PARENT)


def test_stage_of_a_killed_process_is_removed_by_the_next(store: MemoryStore, temporary_folder: Path) -> None:
    shelf = ObjectShelf(store, PREFIX)
    child = os.fork()
    if child == 0:
        with shelf.stage(PLACE) as staged:
            write_files(staged, make_files("half"))
            os._exit(0)
    os.waitpid(child, 0)
    assert list(temporary_folder.rglob("MANIFEST.yaml"))
    with shelf.stage(PLACE):
        assert not list(temporary_folder.rglob("MANIFEST.yaml"))


def test_a_stage_is_nobody_elses_business(temporary_folder: Path) -> None:
    assert own_temporary_folder().stat().st_mode & 0o777 == 0o700
    own_temporary_folder().chmod(0o777)
    with pytest.raises(ConfigurationError, match="not ours alone"):
        own_temporary_folder()
    folder = own_temporary_folder_path(temporary_folder)
    folder.rmdir()
    (temporary_folder / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(temporary_folder / "elsewhere")
    with pytest.raises(ConfigurationError, match="not ours alone"):
        own_temporary_folder()


def own_temporary_folder_path(parent: Path) -> Path:
    return parent / f"archive-tui-{os.getuid()}-datasafe"


def test_member_that_is_not_stored_is_not_read_as_if_it_were(store: MemoryStore) -> None:
    from tests.archives.datasafe.safe_places import pack_files

    shelf = filled(store)
    store.put(ARCHIVE, [pack_files(make_files("two"))], overwrite=True)
    with pytest.raises(NoFileError):
        shelf.read_small(PLACE, "a.info", 100)
