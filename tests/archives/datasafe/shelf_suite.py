"""What every shelf promises. A class of tests inherits `ShelfSuite` and gives it the fixture `shelf`: an empty one.

`reopen` opens the same shelf as another process would.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.dataset_record import DatasetRecord, RecordedFile, make_record
from archive_tui.archives.datasafe.safe import StoredArchive
from archive_tui.archives.datasafe.shelf import Shelf, ShelvedDataset
from archive_tui.errors import (
    ArchiveError,
    ExistingFileError,
    InvalidName,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
    OperationStopped,
)
from archive_tui.integrity.streams import read_chunks
from archive_tui.operations.packing.stored_zip import StoredMember, StoredZip

PARENT = "exp/sa/42/cwepr"
PLACE = f"{PARENT}/1"
AT = 1_700_000_000.0
Files = dict[str, bytes]
Reopen = Callable[[], Shelf]


def make_files(text: str, *, more: int = 0) -> Files:
    """A small dataset whose files all tell `text`; a shelf does not read the manifest."""
    files = {"MANIFEST.yaml": f"manifest of {text}\n".encode(), "a.info": text.encode(), "raw/data.dat": b"x" * 70_000}
    return files | {"raw/text": text.encode() * 100} | {f"raw/{number}": text.encode() for number in range(more)}


def record_of(files: Files, deposited_at: float = AT) -> DatasetRecord:
    members = [StoredMember(path, len(content), zlib.crc32(content)) for path, content in files.items()]
    archive = StoredZip(members)
    content = b"".join(archive.read(lambda path, offset: io.BytesIO(files[path][offset:])))
    listed = (
        RecordedFile(path, len(content), zlib.crc32(content), hashlib.sha256(content).hexdigest())
        for path, content in files.items()
    )
    return make_record(listed, archive.size, hashlib.sha256(content).hexdigest(), deposited_at)


def write_files(folder: Path, files: Files) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def fill(shelf: Shelf, place: str, files: Files) -> ShelvedDataset:
    with shelf.stage(place) as staged:
        write_files(staged, files)
        return shelf.fill(place, staged, record_of(files))


def replace(shelf: Shelf, place: str, files: Files, *, keeps_old: bool = True) -> int | None:
    """Returns the number of the old version that was kept."""
    with shelf.stage(place) as staged:
        write_files(staged, files)
        kept = shelf.replace(place, staged, record_of(files), keeps_old=keeps_old)
    return None if kept is None else kept.number


def unpack(archive: StoredArchive) -> Files:
    with archive.store.open(archive.key) as reader:
        content = b"".join(read_chunks(reader))
    assert len(content) == archive.size
    assert archive.digest in (None, hashlib.sha256(content).hexdigest())
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def states(found: Sequence[ShelvedDataset]) -> dict[str, bool]:
    """Whether each place is empty."""
    assert len({each.place for each in found}) == len(found), "a place is listed twice"
    return {each.place: each.is_empty for each in found}


class Stopped:
    def is_set(self) -> bool:
        return True


class ShelfSuite:
    racers = 16
    """Fewer where each request is slow."""

    @pytest.fixture
    def reopen(self, shelf: Shelf) -> Reopen:
        return lambda: shelf

    # ---- the safe's own issuer

    def test_issuer_is_none_until_it_is_claimed(self, shelf: Shelf) -> None:
        assert shelf.issuer() is None
        assert shelf.claim_issuer("1001") == "1001"
        assert shelf.issuer() == "1001"

    def test_issuer_is_claimed_once(self, shelf: Shelf, reopen: Reopen) -> None:
        shelf.claim_issuer("1001")
        assert reopen().claim_issuer("2002") == "1001"
        assert shelf.issuer() == "1001"

    def test_racing_claims_agree(self, shelf: Shelf, reopen: Reopen) -> None:
        with ThreadPoolExecutor(self.racers) as pool:
            claimed = set(pool.map(lambda number: reopen().claim_issuer(str(number)), range(self.racers)))
        assert claimed == {shelf.issuer()}

    # ---- reservations

    def test_first_number_is_one_and_the_next_follow(self, shelf: Shelf) -> None:
        assert [shelf.reserve_next(PARENT) for _ in range(11)] == list(range(1, 12))
        assert shelf.reserve_next("exp/sa/42/trepr") == 1
        assert shelf.reserve_next(f"42.2002/{PARENT}") == 1

    def test_reserved_place_is_there_and_empty(self, shelf: Shelf, reopen: Reopen) -> None:
        shelf.reserve_next(PARENT)
        found = reopen().find(PLACE)
        assert found is not None
        assert (found.place, found.is_empty, found.record, found.detail) == (PLACE, True, None, "")

    @pytest.mark.parametrize(
        "place", [f"{PARENT}/2", f"{PARENT}/11", "exp/sa/4", "exp/sa/4/cwepr/1", "42.2002/exp/sa/42/cwepr/1"]
    )
    def test_nothing_is_found_where_nothing_was_reserved(self, shelf: Shelf, place: str) -> None:
        assert shelf.find(PLACE) is None
        shelf.reserve_next(PARENT)
        assert shelf.find(place) is None

    @pytest.mark.parametrize("place", ["..", "../1", f"exp/../{PLACE}", f"exp//{PLACE[4:]}", f"/{PLACE}", "exp/\0/1"])
    def test_place_that_leads_elsewhere_is_never_found(self, shelf: Shelf, place: str) -> None:
        shelf.reserve_next(PARENT)
        try:
            assert shelf.find(place) is None
        except InvalidName:
            return

    def test_racing_reservations_get_different_numbers(self, shelf: Shelf, reopen: Reopen) -> None:
        with ThreadPoolExecutor(self.racers) as pool:
            numbers = list(pool.map(lambda _: reopen().reserve_next(PARENT), range(self.racers)))
        assert sorted(numbers) == list(range(1, self.racers + 1))

    def test_number_after_a_filled_one_is_higher(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        assert shelf.reserve_next(PARENT) == 2

    # ---- fill

    def test_filled_place_holds_what_was_staged(self, shelf: Shelf, reopen: Reopen) -> None:
        shelf.reserve_next(PARENT)
        files = make_files("one")
        filled = fill(shelf, PLACE, files)
        assert (filled.place, filled.is_empty, filled.record) == (PLACE, False, record_of(files))
        found = reopen().find(PLACE)
        assert found is not None
        assert (found.is_empty, found.record, found.detail, found.modified) == (False, record_of(files), "", AT)
        assert unpack(shelf.archive(PLACE)) == files
        assert shelf.record(PLACE) == record_of(files)

    def test_fill_is_refused_where_something_lies(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        with pytest.raises(ExistingFileError, match="Directory not empty"):
            fill(shelf, PLACE, make_files("two"))
        assert unpack(shelf.archive(PLACE)) == make_files("one")
        assert shelf.record(PLACE) == record_of(make_files("one"))

    def test_fill_with_the_same_content_is_refused_and_harmless(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        with pytest.raises(ExistingFileError):
            fill(shelf, PLACE, make_files("one"))
        assert shelf.record(PLACE) == record_of(make_files("one"))
        assert unpack(shelf.archive(PLACE)) == make_files("one")

    def test_fill_is_refused_where_nothing_was_reserved(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        with pytest.raises(LoiNotFoundError):
            fill(shelf, f"{PARENT}/2", make_files("one"))
        assert shelf.find(f"{PARENT}/2") is None

    def test_of_racing_fills_exactly_one_wins(self, shelf: Shelf, reopen: Reopen) -> None:
        shelf.reserve_next(PARENT)

        def race(number: int) -> str:
            try:
                fill(reopen(), PLACE, make_files(f"racer {number}"))
            except ExistingFileError:
                return ""
            return f"racer {number}"

        with ThreadPoolExecutor(8) as pool:
            winners = [each for each in pool.map(race, range(8)) if each]
        assert len(winners) == 1
        assert unpack(shelf.archive(PLACE)) == make_files(winners[0])
        assert shelf.record(PLACE) == record_of(make_files(winners[0]))

    def test_stage_is_empty_and_goes_with_all_that_is_in_it(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        with pytest.raises(ZeroDivisionError), shelf.stage(PLACE) as staged:
            assert list(staged.iterdir()) == []
            write_files(staged, make_files("half"))
            raise ZeroDivisionError
        assert not staged.exists()
        assert states(list(shelf.places())) == {PLACE: True}

    # ---- replace

    def test_replaced_dataset_is_the_new_one_and_the_old_one_is_kept(self, shelf: Shelf, reopen: Reopen) -> None:
        shelf.reserve_next(PARENT)
        first = fill(shelf, PLACE, make_files("one"))
        before = shelf.find(PLACE)
        assert before is not None
        assert shelf.count_old(PLACE) == 0
        assert replace(shelf, PLACE, make_files("two", more=3)) == 1
        now = reopen().find(PLACE)
        assert now is not None
        assert now.version != before.version
        assert now.record == record_of(make_files("two", more=3)) != first.record
        assert unpack(shelf.archive(PLACE)) == make_files("two", more=3)
        assert unpack(shelf.archive(PLACE, old=1)) == make_files("one")

    def test_old_versions_are_listed_oldest_first(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        texts = [f"text {number}" for number in range(11)]
        fill(shelf, PLACE, make_files(texts[0]))
        for number, text in enumerate(texts[1:], 1):
            assert replace(shelf, PLACE, make_files(text)) == number
        old = shelf.old_versions(PLACE)
        assert [each.number for each in old] == list(range(1, 11))
        assert shelf.count_old(PLACE) == 10
        for version, text in zip(old, texts, strict=False):
            record = record_of(make_files(text))
            assert version.size == record.archive_size
            assert version.digest in (None, record.archive_digest)
            assert version.replaced_at is not None
            assert unpack(shelf.archive(PLACE, old=version.number)) == make_files(text)

    def test_going_back_to_earlier_content_keeps_each(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        for text in ("two", "one", "three"):
            replace(shelf, PLACE, make_files(text))
        kept = [unpack(shelf.archive(PLACE, old=each.number)) for each in shelf.old_versions(PLACE)]
        assert kept == [make_files("one"), make_files("two"), make_files("one")]

    def test_nothing_is_kept_unless_asked(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        assert replace(shelf, PLACE, make_files("two"), keeps_old=False) is None
        assert (shelf.count_old(PLACE), shelf.old_versions(PLACE)) == (0, [])
        assert unpack(shelf.archive(PLACE)) == make_files("two")

    def test_replace_is_refused_where_nothing_was_deposited(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        with pytest.raises(NoFileError, match="Directory empty"):
            replace(shelf, PLACE, make_files("one"))
        found = shelf.find(PLACE)
        assert found is not None
        assert found.is_empty
        fill(shelf, PLACE, make_files("two"))
        assert unpack(shelf.archive(PLACE)) == make_files("two")

    def test_of_racing_updates_each_is_kept(self, shelf: Shelf, reopen: Reopen) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("first"))
        texts = [f"racer {number}" for number in range(6)]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda text: replace(reopen(), PLACE, make_files(text)), texts))
        kept = [unpack(shelf.archive(PLACE, old=each.number)) for each in shelf.old_versions(PLACE)]
        everything = [*kept, unpack(shelf.archive(PLACE))]
        found = sorted(each["a.info"].decode() for each in everything)
        assert found == sorted(["first", *texts])
        assert all(each == make_files(each["a.info"].decode()) for each in everything)

    # ---- looking

    def test_places_are_those_reserved_and_those_filled(self, shelf: Shelf, reopen: Reopen) -> None:
        other, foreign = "exp/2026-11-23/trepr", f"42.2002/{PARENT}"
        for parent in (PARENT, PARENT, other, foreign):
            shelf.reserve_next(parent)
        fill(shelf, PLACE, make_files("one"))
        replace(shelf, PLACE, make_files("two"))
        shelf.claim_issuer("1001")
        everything = {PLACE: False, f"{PARENT}/2": True, f"{other}/1": True, f"{foreign}/1": True}
        assert states(list(reopen().places())) == everything
        assert states(list(shelf.places("exp"))) == {key: everything[key] for key in everything if key[0] == "e"}
        assert states(list(shelf.places(PARENT))) == {PLACE: False, f"{PARENT}/2": True}
        assert states(list(shelf.places("exp/sa/4"))) == {}
        assert states(list(shelf.places("absent/folder"))) == {}

    def test_listing_stops_when_asked(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        with pytest.raises(OperationStopped):
            list(shelf.places(stop=Stopped()))

    def test_names_are_those_of_the_dataset_and_sorted(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        files = make_files("one", more=12)
        fill(shelf, PLACE, files)
        assert shelf.file_names(PLACE) == sorted((path, len(content)) for path, content in files.items())

    def test_small_file_is_read_and_cut(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        files = make_files("one")
        fill(shelf, PLACE, files)
        assert shelf.read_small(PLACE, "a.info", 1000) == b"one"
        assert shelf.read_small(PLACE, "a.info", 2) == b"on"
        assert shelf.read_small(PLACE, "raw/data.dat", 65_537) == files["raw/data.dat"][:65_537]

    @pytest.mark.parametrize("path", ["absent", "raw", "raw/absent", "a.info/below"])
    def test_small_file_that_is_not_there(self, shelf: Shelf, path: str) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        with pytest.raises(NoFileError, match="File does not exist"):
            shelf.read_small(PLACE, path, 100)

    @pytest.mark.parametrize("path", ["../1/a.info", "/etc/hostname", "..", ""])
    def test_small_file_is_never_outside_of_the_dataset(self, shelf: Shelf, path: str) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        with pytest.raises(ArchiveError):
            shelf.read_small(PLACE, path, 100)

    def test_archive_of_a_reserved_place(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        with pytest.raises(MissingContentError, match="does not have content"):
            shelf.archive(PLACE)

    def test_archive_of_an_old_version_that_is_not_there(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        with pytest.raises(NoFileError):
            shelf.archive(PLACE, old=1)

    def test_archive_is_read_from_any_offset(self, shelf: Shelf) -> None:
        shelf.reserve_next(PARENT)
        fill(shelf, PLACE, make_files("one"))
        archive = shelf.archive(PLACE)
        with archive.store.open(archive.key) as reader:
            whole = b"".join(read_chunks(reader))
        for offset, length in ((0, 10), (100, 70_000), (archive.size - 5, None), (archive.size, None)):
            with archive.store.open(archive.key, offset, length) as reader:
                end = None if length is None else offset + length
                assert b"".join(read_chunks(reader)) == whole[offset:end]
