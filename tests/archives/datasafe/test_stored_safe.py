"""A dataset from its reservation to its old versions, in folders, in memory and on real servers."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.datasafe.opening import open_folder_safe
from archive_tui.archives.datasafe.safe import Safe, SafeState
from archive_tui.errors import (
    ConfigurationError,
    ExistingFileError,
    InvalidLoiError,
    LoiNotFoundError,
    MissingContentError,
    MissingLoiError,
    NoFileError,
)
from archive_tui.integrity.report import Verdict
from archive_tui.objects.memory import MemoryStore
from tests.archives.datasafe.safe_places import (
    EVERY,
    FILES,
    MEMORY,
    PARENT,
    QUICK,
    SafePlace,
    deposited,
    held_files,
    make_safe_place,
    pack_dataset,
    read_archive,
)
from tests.archives.faults.places import FOLDER


@pytest.fixture(params=QUICK)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SafePlace:
    return make_safe_place(request.param, tmp_path / "place", request, monkeypatch)


@pytest.fixture
def safe(place: SafePlace) -> Iterator[Safe]:
    with place.open() as opened:
        yield opened


@pytest.mark.parametrize("kind", EVERY)
def test_the_whole_way(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(kind, tmp_path / "place", request, monkeypatch)
    with place.open() as safe:
        lois = [safe.reserve(PARENT) for _ in range(11)]
        assert lois == [f"{PARENT}/{number}" for number in range(1, 12)]
        loi = lois[1]
        assert safe.look(loi).state is SafeState.RESERVED
        receipt = safe.deposit(loi, iter([pack_dataset(loi, FILES)]))
    with place.open() as safe:  # as another process sees it
        entry = safe.look(loi)
        assert (entry.state, entry.files, entry.old_versions) == (SafeState.DEPOSITED, 4, 0)
        assert (entry.digest, entry.size) == (receipt.archive_digest, sum(each.size or 0 for each in receipt.inventory))
        assert held_files(safe, loi) == FILES
        assert safe.archive(loi).digest == receipt.archive_digest
        assert safe.verify(loi).verdict is Verdict.VERIFIED
        assert [each.loi for each in safe.entries()] == lois
        states = {each.loi: each.state for each in safe.entries(f"{PARENT}/1")}
        assert states == {lois[0]: SafeState.RESERVED, lois[9]: SafeState.RESERVED, lois[10]: SafeState.RESERVED}
        replaced = safe.update(loi, [pack_dataset(loi, {"c": b"new"})]).replaced
    with place.open() as safe:
        assert held_files(safe, loi) == {"c": b"new"}
        described = safe.describe(loi)
        assert described.old_versions == (replaced,) and described.entry.old_versions == 1
        assert replaced is not None and replaced.number == 1 and replaced.digest == receipt.archive_digest
        assert held_files(safe, loi, old=1) == FILES
        assert {each.loi: each.state for each in safe.entries()}[loi] is SafeState.DEPOSITED
    assert place.temporary_entries() == []


def test_the_archive_is_the_same_whoever_packed_it(place: SafePlace) -> None:
    with deposited(place) as (safe, loi):
        content = read_archive(safe.archive(loi))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    assert [member.filename for member in members] == ["MANIFEST.yaml", "a.info", "b.dat", "deep/empty"]
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}


def test_any_range_of_the_archive_can_be_read(place: SafePlace) -> None:
    with deposited(place) as (safe, loi):
        archive = safe.archive(loi)
        content = read_archive(archive)
        for offset, length in ((0, 1), (1, 70), (500, 2000), (archive.size - 30, 100), (archive.size, 5)):
            with archive.store.open(archive.key, offset, length) as reader:
                found = b""
                while piece := reader.read():
                    found += piece
            assert found == content[offset : offset + length]


def test_metadata_are_shown_from_their_beginning(place: SafePlace) -> None:
    long = b"cwEPR Info file - v. 0.1.4 (2020-01-21)\n" + b"x" * 100_000
    with place.open() as safe:
        loi = safe.reserve(PARENT)
        safe.deposit(loi, [pack_dataset(loi, {"a": b"1", "a.info": long}, metadata=("a.info",))])
        described = safe.describe(loi)
    (text,) = described.metadata
    assert (text.name, text.is_cut, len(text.text)) == ("a.info", True, 64 << 10)
    assert described.manifest is not None and described.manifest.data_names == ("a",)
    assert [entry.path for entry in described.inventory] == ["MANIFEST.yaml", "a", "a.info"]


def test_what_is_no_loi_of_a_dataset_is_refused_before_anything_is_touched(place: SafePlace, safe: Safe) -> None:
    for loi in (f"{PARENT}/1/../../x", "42.1001/ds/exp/sa/42/cwepr", f"{PARENT}/١", "x" * 10_000, f"{PARENT}/1/"):
        for act in (safe.look, safe.describe, safe.archive, safe.verify):
            with pytest.raises(InvalidLoiError, match=r"String is not a valid LOI\."):
                act(loi)
        for put in (safe.deposit, safe.update):
            with pytest.raises(InvalidLoiError, match=r"String is not a valid LOI\."):
                put(loi, _untouched())
    with pytest.raises(InvalidLoiError, match=r"LOI is not a datasafe LOI\."):
        safe.look("42.1001/rec/1")
    with pytest.raises(MissingLoiError, match=r"No LOI provided\."):
        safe.deposit("", _untouched())
    assert place.everything() == {}


def _untouched() -> Iterator[bytes]:
    raise AssertionError("nothing of it is to be read")
    yield b""


def test_what_the_state_forbids_is_refused_before_the_content_is_read(place: SafePlace) -> None:
    with deposited(place) as (safe, loi):
        reserved = safe.reserve(PARENT)
        before = place.everything()
        with pytest.raises(ExistingFileError, match=r"Directory not empty\."):
            safe.deposit(loi, _untouched())
        with pytest.raises(NoFileError, match="Directory empty"):
            safe.update(reserved, _untouched())
        for act in (safe.archive, safe.verify):
            with pytest.raises(MissingContentError, match=r"LOI does not have content\."):
                act(reserved)
        for put in (safe.deposit, safe.update):
            with pytest.raises(LoiNotFoundError, match=r"LOI does not exist\."):
                put(f"{PARENT}/99", _untouched())
        for look in (safe.look, safe.describe, safe.archive, safe.verify):
            with pytest.raises(LoiNotFoundError, match=r"LOI does not exist\."):
                look(f"{PARENT}/99")
        with pytest.raises(NoFileError):
            safe.archive(loi, old=1)
        assert place.everything() == before


def test_two_issuers_never_share_a_place(place: SafePlace) -> None:
    kinds = [PARENT.replace("1001", issuer) for issuer in ("1001", "2002", "42", "1")]
    with place.open() as safe:
        lois = [safe.reserve(kind) for kind in kinds]
        assert lois == [f"{kind}/1" for kind in kinds]
        for number, loi in enumerate(lois):
            safe.deposit(loi, [pack_dataset(loi, {"a": str(number).encode()})])
    with place.open() as safe:
        for number, loi in enumerate(lois):
            assert held_files(safe, loi) == {"a": str(number).encode()}
        assert sorted(entry.loi for entry in safe.entries()) == sorted(lois)
        assert [entry.loi for entry in safe.entries("42.2002/")] == [lois[1]]
        assert [entry.loi for entry in safe.entries("42.2002/ds/exp/sa/4")] == [lois[1]]


def test_the_issuer_can_be_named_before_the_first_reservation(place: SafePlace) -> None:
    with place.open(issuer="7") as safe:
        assert list(safe.entries()) == []
        assert safe.reserve(PARENT) == f"{PARENT}/1"
    with place.open(issuer="8") as safe:  # too late: it stands written
        loi = safe.reserve("42.7/ds/exp/ba/3/trepr")
        assert [entry.loi for entry in safe.entries()] == ["42.7/ds/exp/ba/3/trepr/1", f"{PARENT}/1"]
        assert safe.look(loi).state is SafeState.RESERVED


def test_lois_are_listed_as_people_count(place: SafePlace, safe: Safe) -> None:
    for _ in range(11):
        safe.reserve(PARENT)
    safe.reserve("42.1001/ds/exp/2024-02-29/trepr")
    safe.reserve("42.1001/ds/exp/sa/5/cwepr")
    assert [entry.loi.removeprefix("42.1001/ds/exp/") for entry in safe.entries()] == [
        "2024-02-29/trepr/1", "sa/5/cwepr/1", *(f"sa/42/cwepr/{number}" for number in range(1, 12))
    ]  # fmt: skip


def test_old_versions_are_kept_unless_told_otherwise(place: SafePlace) -> None:
    with deposited(place, {"a": b"0"}) as (safe, loi):
        for number in range(1, 12):
            safe.update(loi, [pack_dataset(loi, {"a": str(number).encode()})])
        old = safe.describe(loi).old_versions
        assert [each.number for each in old] == list(range(1, 12))
        for each in old:
            assert held_files(safe, loi, each.number) == {"a": str(each.number - 1).encode()}
            archive = safe.archive(loi, old=each.number)
            assert each.digest == hashlib.sha256(read_archive(archive)).hexdigest() and each.size == archive.size
    with place.open(keeps_old=False) as safe:
        assert safe.update(loi, [pack_dataset(loi, {"a": b"last"})]).replaced is None
        assert held_files(safe, loi) == {"a": b"last"}
        assert safe.look(loi).old_versions == 11


def test_a_list_of_methods_can_be_configured(place: SafePlace) -> None:
    with place.open(methods=("nmr",)) as safe:
        assert safe.reserve("42.1/ds/exp/sa/1/nmr") == "42.1/ds/exp/sa/1/nmr/1"
        with pytest.raises(InvalidLoiError):
            safe.reserve(PARENT)


def test_a_folder_that_is_missing_is_made_only_when_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        open_folder_safe(tmp_path / "typo")
    with open_folder_safe(tmp_path / "new", create=True) as safe:
        safe.reserve(PARENT)
    assert (tmp_path / "new" / "exp" / "sa" / "42" / "cwepr" / "1").is_dir()


def test_places_on_disk_are_those_of_the_original(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(FOLDER, tmp_path / "place", request, monkeypatch)
    with deposited(place) as (_, loi):
        (root,) = (path.parent for path in place.place.archive.rglob(".datasafe.json"))
        folder = root / loi.partition("/ds/")[2]
        for path, content in FILES.items():
            assert (folder / path).read_bytes() == content
        assert (folder / "MANIFEST.yaml").is_file()


def test_objects_that_are_no_datasets_are_passed_over(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(MEMORY, tmp_path / "place", request, monkeypatch)
    with deposited(place) as (safe, loi):
        for key in ("exp/sa/42/cwepr/x/dataset.zip", "exp/sa/42/nmr/1/dataset.zip", "readme", "exp/7/dataset.zip"):
            place.memory.put(f"lab/safe/{key}", [b"x"])
        place.memory.put("lab/safely/exp/sa/42/cwepr/9/dataset.zip", [b"x"])
        assert [entry.loi for entry in safe.entries()] == [loi]
        assert safe.reserve(PARENT) == f"{PARENT}/2"


def test_a_store_that_cannot_refuse_to_overwrite_is_only_read(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_safe_place(MEMORY, tmp_path / "place", request, monkeypatch)
    with deposited(place) as (safe, loi):
        reserved = safe.reserve(PARENT)
        before = place.everything()
        monkeypatch.setattr(MemoryStore, "traits", _weak_traits())
        for act in (
            lambda: safe.reserve(PARENT),
            lambda: safe.deposit(reserved, [pack_dataset(reserved, FILES)]),
            lambda: safe.update(loi, [pack_dataset(loi, FILES)]),
        ):
            with pytest.raises(ConfigurationError, match="cannot refuse to overwrite"):
                act()
        assert held_files(safe, loi) == FILES and safe.verify(loi).verdict is Verdict.VERIFIED
        assert place.everything() == before


def _weak_traits() -> property:
    from dataclasses import replace

    from archive_tui.objects.object_store import Support

    strong = MemoryStore().traits
    return property(lambda _: replace(strong, create_only=Support.NO))
