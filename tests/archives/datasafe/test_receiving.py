"""Deposits and updates that must be refused: each leaves the datasafe, and this machine, as they were."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from archive_tui.archives.datasafe.safe import DepositReceipt, Safe
from archive_tui.errors import (
    ArchiveError,
    HostileArchive,
    IntegrityError,
    ManifestError,
    MissingContentError,
    MissingInformationError,
    OperationStopped,
    SourceChanged,
    StorageError,
    StorageFull,
)
from archive_tui.integrity.report import FindingKind
from archive_tui.manifests.datasafe_manifest import MANIFEST_FILE, format_datasafe_manifest
from archive_tui.progress import BytesDone, Ended, Event, ItemDone, Planned
from tests.archives.datasafe.safe_places import (
    FILES,
    MEMORY,
    PARENT,
    QUICK,
    SafePlace,
    held_files,
    make_safe_place,
    manifest_of,
    pack_dataset,
    pack_files,
)
from tests.hostile.hostile_archives import GENERATORS
from tests.hostile.zip_builder import Lying, build

OLD = {"old.dat": b"acknowledged"}
ANOTHER = "42.1001/ds/exp/sa/43/cwepr/1"


class Attempts:
    """A datasafe with a dataset (to update) and a reservation (to deposit under). `refuse` tries both."""

    def __init__(self, place: SafePlace, **options: int) -> None:
        self.place = place
        self.safe: Safe = place.open(**options)
        self.full, self.empty = self.safe.reserve(PARENT), self.safe.reserve(PARENT)
        self.safe.deposit(self.full, [pack_dataset(self.full, OLD)])
        self.before = place.everything()

    def refuse(
        self, make: Callable[[str], bytes], error: type[ArchiveError], match: str | None = None
    ) -> list[ArchiveError]:
        """`make` packs the archive for a LOI."""
        errors: list[ArchiveError] = []
        for loi, act in ((self.empty, self.safe.deposit), (self.full, self.safe.update)):
            with pytest.raises(error, match=match) as caught:
                act(loi, _pieces(make(loi)))
            assert caught.value.message
            errors.append(caught.value)
            self.check_untouched()
        return errors

    def check_untouched(self) -> None:
        assert self.place.everything() == self.before
        assert self.place.temporary_entries() == []
        assert held_files(self.safe, self.full) == OLD

    def accept(self) -> DepositReceipt:
        """After whatever was refused, a right one is taken."""
        self.safe.update(self.full, [pack_dataset(self.full, FILES)])
        return self.safe.deposit(self.empty, [pack_dataset(self.empty, FILES)])


def _pieces(content: bytes) -> Iterator[bytes]:
    for begin in range(0, len(content), 70_001):
        yield content[begin : begin + 70_001]


@pytest.fixture(params=QUICK)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SafePlace:
    return make_safe_place(request.param, tmp_path / "place", request, monkeypatch)


@pytest.fixture
def attempts(place: SafePlace) -> Iterator[Attempts]:
    made = Attempts(place)
    with made.safe:
        yield made
        made.check_untouched()
        made.accept()


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_hostile_archives(
    name: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = Attempts(make_safe_place(MEMORY, tmp_path / "place", request, monkeypatch))
    attempts.refuse(lambda loi: GENERATORS[name](), ArchiveError)


def with_manifest(loi: str, *members: Lying) -> bytes:
    """An archive whose manifest lists what the members seem to be, so that nothing else is wrong with it."""
    files = {member.name.decode(): member.content for member in members}
    manifest = format_datasafe_manifest(manifest_of(loi, files))
    return build(*members, Lying(name=MANIFEST_FILE.encode(), content=manifest))


@pytest.mark.parametrize(
    "member",
    [
        Lying(name=b"../a.dat"),
        Lying(name=b"/a.dat"),
        Lying(name=b"a/../../b"),
        Lying(name=b"link", attributes=0o120777 << 16),
        Lying(name=b".dataset-record"),
        Lying(name=b"a.dat", flags=1),
        Lying(name=b".archive-tui-x.part"),
    ],
)
def test_hostile_members_beside_a_right_manifest(attempts: Attempts, member: Lying) -> None:
    attempts.refuse(lambda loi: with_manifest(loi, member), HostileArchive)


def test_nothing_at_all(attempts: Attempts) -> None:
    for pieces in ([], [b""], [b"", b""]):
        for loi, act in ((attempts.empty, attempts.safe.deposit), (attempts.full, attempts.safe.update)):
            with pytest.raises(MissingContentError, match=r"No content provided to deposit\."):
                act(loi, pieces)


@pytest.mark.parametrize("content", [b"x", b"PK", b"\x1f\x8b" + bytes(100), bytes(100_000), b"<html>" * 1000])
def test_what_is_no_zip(attempts: Attempts, content: bytes) -> None:
    attempts.refuse(lambda loi: content, HostileArchive)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_zip_that_is_cut(attempts: Attempts, share: float) -> None:
    def cut(loi: str) -> bytes:
        content = pack_dataset(loi, FILES)
        return content[: int(len(content) * share)]

    attempts.refuse(cut, HostileArchive)


def test_bytes_that_are_wrong_anywhere(attempts: Attempts) -> None:
    """A flipped bit is refused wherever it is, or it is in what nobody reads, and the right files are taken."""
    content = bytearray(pack_dataset(attempts.empty, {"a.dat": bytes(range(256)) * 8}))
    for position in range(0, len(content), 41):
        content[position] ^= 4
        try:
            attempts.safe.deposit(attempts.empty, [bytes(content)])
        except ArchiveError:
            attempts.check_untouched()
        else:
            assert held_files(attempts.safe, attempts.empty) == {"a.dat": bytes(range(256)) * 8}
            attempts.empty = attempts.safe.reserve(PARENT)
            content = bytearray(pack_dataset(attempts.empty, {"a.dat": bytes(range(256)) * 8}))
            attempts.before = attempts.place.everything()
            continue
        content[position] ^= 4


def test_bombs(place: SafePlace) -> None:
    attempts = Attempts(place)
    lying = Lying(name=b"bomb", content=bytes(64 << 20), size=9 << 20, crc=0)
    attempts.refuse(lambda loi: with_manifest(loi, lying), IntegrityError)


def test_no_manifest(attempts: Attempts) -> None:
    attempts.refuse(lambda loi: pack_files(FILES), MissingContentError, r"No manifest file found\.")
    in_a_folder = {"x/MANIFEST.yaml": b"", "x/a": b""}
    attempts.refuse(lambda loi: pack_files(in_a_folder), MissingContentError, r"No manifest file found\.")


@pytest.mark.parametrize(
    "manifest",
    [b"", b"\xff", b"- 1", b"a: [", b"a: &x 1\nb: *x", b"files: 7", b"a: 1\na: 2", b"!!python/object:os.system x"],
)
def test_manifest_that_cannot_be_read(attempts: Attempts, manifest: bytes) -> None:
    attempts.refuse(lambda loi: pack_files({**FILES, MANIFEST_FILE: manifest}), ManifestError)


def test_manifest_without_data_or_checksums(attempts: Attempts) -> None:
    def without(loi: str) -> bytes:
        manifest = replace(manifest_of(loi, FILES), checksums=(), digests={})
        return pack_files({**FILES, MANIFEST_FILE: format_datasafe_manifest(manifest)})

    attempts.refuse(without, MissingInformationError)
    attempts.refuse(lambda loi: pack_dataset(loi, {}), ManifestError)


def lying_manifest(change: Callable[[dict[str, bytes]], dict[str, bytes]], **values: object) -> Callable[[str], bytes]:
    """Packs FILES as `change` makes them with the manifest of FILES as they are."""

    def pack(loi: str) -> bytes:
        manifest = replace(manifest_of(loi, FILES), **values)  # type: ignore[arg-type]
        return pack_files({**change(dict(FILES)), MANIFEST_FILE: format_datasafe_manifest(manifest)})

    return pack


@pytest.mark.parametrize(
    ("change", "kind", "path"),
    [
        (lambda files: {**files, "extra.dat": b""}, FindingKind.EXTRA, "extra.dat"),
        (lambda files: {path: files[path] for path in files if path != "b.dat"}, FindingKind.MISSING, "b.dat"),
        (lambda files: {**files, "b.dat": files["b.dat"][:-1] + b"x"}, FindingKind.CHANGED, "b.dat"),
        (lambda files: {**files, "deep/empty": b" "}, FindingKind.CHANGED, "deep/empty"),
        (lambda files: {**files, "b.dat": files["a.info"], "a.info": files["b.dat"]}, FindingKind.CHANGED, "a.info"),
    ],
)
def test_manifest_that_lies(
    attempts: Attempts, change: Callable[[dict[str, bytes]], dict[str, bytes]], kind: FindingKind, path: str
) -> None:
    for error in attempts.refuse(lying_manifest(change), IntegrityError, "does not fit its manifest"):
        assert isinstance(error, IntegrityError) and error.report is not None
        assert (kind, path) in {(finding.kind, finding.path) for finding in error.report.findings}


def test_checksums_of_the_original_are_judged_without_ours(attempts: Attempts) -> None:
    """A manifest that the original has written has no digest of each file."""
    changed = lying_manifest(lambda files: {**files, "b.dat": b"other"}, digests={})
    for error in attempts.refuse(changed, IntegrityError):
        assert isinstance(error, IntegrityError) and error.report is not None and error.report.findings
    swapped = lying_manifest(lambda files: files, digests={"b.dat": "0" * 64})
    attempts.refuse(swapped, IntegrityError)


def test_manifest_of_the_original_is_enough(place: SafePlace) -> None:
    with place.open() as safe:
        loi = safe.reserve(PARENT)
        manifest = replace(manifest_of("", FILES), digests={})
        safe.deposit(loi, [pack_files({**FILES, MANIFEST_FILE: format_datasafe_manifest(manifest)})])
        assert held_files(safe, loi) == FILES
        assert all(entry.digest for entry in safe.describe(loi).inventory)


def test_dataset_of_another_loi(attempts: Attempts) -> None:
    attempts.refuse(lambda loi: pack_dataset(ANOTHER, FILES), IntegrityError, "says that it is another one")


def test_two_files_that_differ_in_case_only(attempts: Attempts) -> None:
    attempts.refuse(lambda loi: pack_dataset(loi, {"a.dat": b"1", "A.dat": b"2"}), HostileArchive)


def test_a_manifest_of_another_case_is_none(attempts: Attempts) -> None:
    attempts.refuse(lambda loi: pack_files({"a": b"", "manifest.yaml": b""}), MissingContentError)


def test_zip_in_which_a_name_comes_twice(attempts: Attempts) -> None:
    def twice(loi: str) -> bytes:
        stream = io.BytesIO(pack_dataset(loi, FILES))
        with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("b.dat", b"another")
        return stream.getvalue()

    attempts.refuse(twice, HostileArchive)


def test_limit_of_the_archive(place: SafePlace) -> None:
    size = len(pack_dataset(f"{PARENT}/1", FILES))
    attempts = Attempts(place, max_size=size)
    for error in attempts.refuse(lambda loi: pack_dataset(loi, {**FILES, "z": b"z"}), StorageError, "larger than"):
        assert error.code == "too-large" and error.hint
    attempts.accept()


def test_limit_of_the_archive_is_obeyed_while_it_comes(place: SafePlace) -> None:
    attempts = Attempts(place, max_size=1 << 20)
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 64 << 10
            yield bytes(64 << 10)

    with pytest.raises(StorageError, match="larger than"):
        attempts.safe.deposit(attempts.empty, endless())
    assert taken == (1 << 20) + (64 << 10)
    attempts.check_untouched()


def test_limit_of_what_the_archive_declares(place: SafePlace) -> None:
    attempts = Attempts(place, max_unpacked_size=100_000)
    large = {"z": b"z" * 100_000}
    for error in attempts.refuse(lambda loi: pack_dataset(loi, large), StorageError, "larger than"):
        assert error.code == "too-large"
    attempts.accept()


def test_no_room_for_what_the_archive_declares(attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=17 << 20))
        for error in attempts.refuse(lambda loi: pack_dataset(loi, {"z": bytes(2 << 20)}), StorageFull):
            assert str(attempts.place.place.folder) not in error.message


class ClientWentAway(Exception):
    pass


@pytest.mark.parametrize("error", [ClientWentAway("gone"), ConnectionResetError(104, "reset"), SourceChanged("grew")])
def test_source_that_breaks(attempts: Attempts, error: Exception) -> None:
    def breaking(loi: str) -> Iterator[bytes]:
        yield pack_dataset(loi, FILES)[:1000]
        raise error

    for loi, act in ((attempts.empty, attempts.safe.deposit), (attempts.full, attempts.safe.update)):
        with pytest.raises(type(error)) as caught:
            act(loi, breaking(loi))
        assert caught.value is error, "what the source raises is handed on unchanged"
        attempts.check_untouched()


def record_events(attempts: Attempts) -> list[Event]:
    events: list[Event] = []
    with attempts.safe:
        attempts.safe.update(attempts.full, _pieces(pack_dataset(attempts.full, FILES)), report=events.append)
    return events


def test_progress_is_told_with_absolute_totals(place: SafePlace) -> None:
    events = record_events(Attempts(place))
    planned = {event.phase: event for event in events if isinstance(event, Planned)}
    assert {"receive", "unpack", "prove"} <= set(planned)
    for phase, plan in planned.items():
        done = [event.total for event in events if isinstance(event, BytesDone) and event.phase == phase]
        assert done == sorted(done), "totals never go back when nothing is repeated"
        if plan.bytes is not None:
            assert done[-1] == plan.bytes, phase
        items = [event.items_total for event in events if isinstance(event, ItemDone) and event.phase == phase]
        assert items == list(range(1, len(items) + 1))
        assert [event for event in events if isinstance(event, Ended) and event.phase == phase] == [Ended(phase, True)]


def test_a_stop_is_obeyed_at_every_event(place: SafePlace) -> None:
    count = len(record_events(Attempts(place)))
    attempts = Attempts(place)
    current, stopped, replaced = OLD, 0, 0
    for number in range(1, count):
        stop = threading.Event()
        seen = iter(range(1, number))
        wanted = {"n": str(number).encode(), **FILES}

        def report(_: Event, stop: threading.Event = stop, seen: Iterator[int] = seen) -> None:
            if next(seen, None) is None:
                stop.set()

        try:
            attempts.safe.update(attempts.full, _pieces(pack_dataset(attempts.full, wanted)), report=report, stop=stop)
        except OperationStopped:
            stopped += 1
        else:
            current, replaced = wanted, replaced + 1
        assert held_files(attempts.safe, attempts.full) == current
        assert attempts.safe.look(attempts.full).old_versions == replaced
        assert place.temporary_entries() == []
    assert stopped >= count // 2
