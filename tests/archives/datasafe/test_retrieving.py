"""Retrieving a dataset: what appears, what is refused, conflicts, and going on after a stop, a kill or a full disk."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from archive_tui.archives.datasafe import retrieving
from archive_tui.archives.datasafe.opening import open_folder_safe, open_store_safe
from archive_tui.archives.datasafe.remote_safe import RemoteSafe
from archive_tui.archives.datasafe.retrieving import RetrievalReceipt, retrieve_dataset
from archive_tui.archives.datasafe.safe import StoredArchive
from archive_tui.archives.datasafe.stored_safe import StoredSafe
from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.errors import (
    ArchiveError,
    HashError,
    IntegrityError,
    LoiNotFoundError,
    MissingContentError,
    NoFileError,
    OperationStopped,
    StorageFull,
    StorageUnavailable,
    TargetExists,
)
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import FindingKind, Verdict
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.unpacking import continuation
from tests.archives.datasafe.served_datasafe import PARENT, make_served, pack_dataset
from tests.archives.vault.fetch_program import WatchedStore
from tests.jobs.kinds.job_work import FileJournal, MemoryJournal

MIB = 1 << 20
FILES = {
    "data.bin": random.Random(1).randbytes(100_000),
    "below/more.dat": b"more",
    "below/empty": b"",
    "manifest.json": b"{}",
    "sample.info": b"cwEPR Info file - v. 0.1.4 (2020-01-21)\n",
}
LARGE = {f"a{number:02}.bin": random.Random(number).randbytes(40_000) for number in range(40)} | {
    "m.bin": random.Random(99).randbytes(20 * MIB + 123),
    "z.bin": random.Random(100).randbytes(300_000),
}


def make_safe(root: Path) -> StoredSafe:
    safe = open_folder_safe(root, create=True)
    assert isinstance(safe, StoredSafe)
    return safe


def deposit(safe: StoredSafe, files: Mapping[str, bytes] = FILES) -> str:
    loi = safe.reserve(PARENT)
    safe.deposit(loi, [pack_dataset(loi, files)])
    return loi


def place_of(root: Path, loi: str) -> Path:
    return root / loi.partition("/ds/")[2]


def tree(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found.pop("MANIFEST.yaml", b"").startswith(b"format:")
    return found


class WatchedSafe(StoredSafe):
    """A safe in a folder whose archives are read through a store that tells of every block."""

    def __init__(self, root: Path, passed: Callable[[str, int], None] = lambda key, size: None) -> None:
        super().__init__(make_safe(root).shelf)
        self._passed = passed
        self.stores: list[WatchedStore] = []

    def archive(self, loi: str, *, old: int | None = None) -> StoredArchive:
        archive = super().archive(loi, old=old)
        self.stores.append(WatchedStore(archive.store, self._passed))
        return StoredArchive(self.stores[-1], archive.key, archive.size, archive.digest)

    @property
    def read_bytes(self) -> int:
        return sum(sum(store.read_bytes.values()) for store in self.stores)


class Halt:
    """Counts what is handed on; from `most` bytes on it is set, or raises."""

    def __init__(self, most: int, failure: Callable[[], Exception] | None = None) -> None:
        self.most, self.failure, self.seen = most, failure, 0

    def passed(self, key: str, size: int) -> None:
        self.seen += size
        if self.failure is not None and self.seen > self.most:
            raise self.failure()

    def is_set(self) -> bool:
        return self.failure is None and self.seen > self.most


@pytest.fixture(name="root")
def make_root(tmp_path: Path) -> Path:
    return tmp_path / "safe"


@pytest.fixture(name="out")
def make_out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def keeps_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuation, "POINT_BYTES", MIB)
    monkeypatch.setattr(retrieving, "KEPT_FROM", MIB)


def test_a_dataset_comes_back_as_it_was(root: Path, out: Path) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    receipt = retrieve_dataset(safe, loi, into=out)
    assert receipt.folder == out / "exp-sa-42-cwepr-1"
    assert tree(receipt.folder) == FILES
    assert (receipt.files, receipt.already_there, receipt.report.verdict) == (6, False, Verdict.VERIFIED)
    assert receipt.report.files_ok == receipt.report.files_total == 6
    assert receipt.evidence is not None
    assert (receipt.evidence.level, receipt.evidence.digest) == (EvidenceLevel.RESTORED, safe.archive(loi).digest)
    assert [path.name for path in out.iterdir()] == ["exp-sa-42-cwepr-1"]
    assert os.access(receipt.folder / "data.bin", os.W_OK), "what was retrieved is the user's own"


def test_an_old_version_comes_back_too(root: Path, out: Path) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    safe.update(loi, [pack_dataset(loi, FILES | {"data.bin": b"new"})])
    assert tree(retrieve_dataset(safe, loi, into=out).folder)["data.bin"] == b"new"
    old = retrieve_dataset(safe, loi, into=out, old=1)
    assert old.folder.name == "exp-sa-42-cwepr-1.old-1"
    assert tree(old.folder) == FILES


def test_what_is_not_there_is_said(root: Path, out: Path) -> None:
    safe = make_safe(root)
    loi = safe.reserve(PARENT)
    with pytest.raises(MissingContentError, match="LOI does not have content"):
        retrieve_dataset(safe, loi, into=out)
    with pytest.raises(LoiNotFoundError):
        retrieve_dataset(safe, loi + "0", into=out)
    with pytest.raises(NoFileError):
        retrieve_dataset(safe, deposit(safe), into=out, old=3)
    assert list(out.iterdir()) == []


def test_without_a_record_the_manifest_speaks(root: Path, out: Path) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    (place_of(root, loi) / ".dataset-record").unlink()
    receipt = retrieve_dataset(safe, loi, into=out)
    assert (tree(receipt.folder), receipt.report.verdict) == (FILES, Verdict.VERIFIED)


def flip(place: Path, name: str) -> None:
    path = place / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.chmod(0o644)
    path.write_bytes(content)


def change_manifest(place: Path, old: str, new: str) -> None:
    path = place / "MANIFEST.yaml"
    text = path.read_text()
    assert old in text
    path.chmod(0o644)
    path.write_text(text.replace(old, new))


def lie_behind(place: Path, marker: str, word: str) -> None:
    """Changes the first digit of what stands behind `word`, the first one behind `marker`."""
    path = place / "MANIFEST.yaml"
    text = path.read_text()
    at = text.index(word, text.index(marker)) + len(word)
    path.chmod(0o644)
    path.write_text(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :])


DAMAGE: dict[str, tuple[Callable[[Path], object], set[tuple[str, str]]]] = {
    "flipped byte": (lambda place: flip(place, "data.bin"), {("changed", "data.bin")}),
    "flipped byte of metadata": (lambda place: flip(place, "sample.info"), {("changed", "sample.info")}),
    "missing": (lambda place: (place / "below/more.dat").unlink(), {("missing", "below/more.dat")}),
    "extra": (lambda place: (place / "below/added").write_bytes(b"1"), {("extra", "below/added")}),
    "cut": (lambda place: cut(place / "data.bin"), {("changed", "data.bin")}),
    "grown": (lambda place: grow(place / "data.bin"), {("changed", "data.bin")}),
    "empty is empty no more": (lambda place: grow(place / "below/empty"), {("changed", "below/empty")}),
}


def cut(path: Path) -> None:
    path.chmod(0o644)
    os.truncate(path, 10)


def grow(path: Path) -> None:
    path.chmod(0o644)
    with path.open("ab") as file:
        file.write(b"more")


@pytest.mark.parametrize("has_record", [True, False])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_nothing_is_left(root: Path, out: Path, damage: str, has_record: bool) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    place = place_of(root, loi)
    act, expected = DAMAGE[damage]
    act(place)
    if not has_record:
        (place / ".dataset-record").unlink()
    with pytest.raises(HashError) as caught:
        retrieve_dataset(safe, loi, into=out)
    report = caught.value.report
    assert {(str(finding.kind), finding.path) for finding in report.findings} == expected
    bad = sum(kind != "extra" for kind, _ in expected)
    assert (report.files_total, report.files_ok) == (6, 6 - bad)
    assert list(out.iterdir()) == []
    verified = safe.verify(loi)
    assert {(str(finding.kind), finding.path) for finding in verified.findings} == expected
    assert (verified.files_total, verified.files_ok) == (6, 6 - bad)


def lie_about_all(place: Path) -> None:
    lie_behind(place, "name: CHECKSUM\n", "value: ")


def lie_about_data(place: Path) -> None:
    lie_behind(place, "name: CHECKSUM_data", "value: ")


def lie_about_sha256(place: Path) -> None:
    lie_behind(place, "integrity:", "data.bin: ")


@pytest.mark.parametrize(
    ("lie", "paths"),
    [
        (lie_about_all, ["MANIFEST.yaml"]),
        (lie_about_data, ["MANIFEST.yaml"]),
        (lie_about_sha256, ["data.bin"]),
    ],
)
@pytest.mark.parametrize("has_record", [True, False])
def test_a_manifest_that_lies_is_found(
    root: Path, out: Path, lie: Callable[[Path], None], paths: list[str], has_record: bool
) -> None:
    """With the record it is the manifest itself that is not the one that was deposited."""
    safe = make_safe(root)
    loi = deposit(safe)
    lie(place_of(root, loi))
    if not has_record:
        (place_of(root, loi) / ".dataset-record").unlink()
    with pytest.raises(IntegrityError) as caught:
        retrieve_dataset(safe, loi, into=out)
    assert list(out.iterdir()) == []
    verified = [finding.path for finding in safe.verify(loi).findings]
    if has_record:
        assert "manifest" in caught.value.message
        assert verified == ["MANIFEST.yaml"]
    else:
        assert [finding.path for finding in caught.value.report.findings] == verified == paths


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "DATA.BIN", "./x"])
def test_wrong_names_in_the_manifest_are_refused(root: Path, out: Path, name: str) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    place = place_of(root, loi)
    text = (place / "MANIFEST.yaml").read_text()
    assert "    - data.bin\n" in text
    change_manifest(place, "    - data.bin\n", f"    - data.bin\n    - {name}\n")
    (place / ".dataset-record").unlink()
    with pytest.raises(ArchiveError):
        retrieve_dataset(safe, loi, into=out)
    assert list(out.iterdir()) == []
    assert not (out.parent / "up").exists()


def test_a_folder_that_holds_the_dataset_is_left_alone(root: Path, out: Path) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    first = retrieve_dataset(safe, loi, into=out)
    before = first.folder.stat().st_ino
    again = retrieve_dataset(safe, loi, into=out)
    assert (again.already_there, again.report.verdict, again.files) == (True, Verdict.VERIFIED, 6)
    assert first.folder.stat().st_ino == before


@pytest.mark.parametrize("change", ["changed", "missing", "extra", "manifest", "no manifest", "other dataset"])
def test_a_folder_of_other_content_is_a_conflict(root: Path, out: Path, change: str) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    folder = retrieve_dataset(safe, loi, into=out).folder
    if change == "changed":
        flip(folder, "data.bin")
    elif change == "missing":
        (folder / "data.bin").unlink()
    elif change == "extra":
        (folder / "notes").write_bytes(b"mine")
    elif change == "manifest":
        (folder / "MANIFEST.yaml").write_bytes(b"format: [")
    elif change == "no manifest":
        (folder / "MANIFEST.yaml").unlink()
    else:
        safe.update(loi, [pack_dataset(loi, FILES | {"data.bin": b"new"})])
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    receipt = retrieve_dataset(safe, loi, into=out)
    assert (receipt.already_there, receipt.report.verdict) == (True, Verdict.FINDINGS)
    asked: list[Conflict] = []

    def ask(conflict: Conflict) -> ConflictRule:
        asked.append(conflict)
        return ConflictRule.ASK

    assert retrieve_dataset(safe, loi, into=out, resolve=ask).is_undecided
    assert asked[0].place == str(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == kept
    both = retrieve_dataset(safe, loi, into=out, resolve=lambda _: ConflictRule.KEEP_BOTH)
    assert both.folder.name == "exp-sa-42-cwepr-1 (2)"
    again = retrieve_dataset(safe, loi, into=out, resolve=lambda _: ConflictRule.KEEP_BOTH)
    assert (again.folder, again.already_there) == (both.folder, True)
    replaced = retrieve_dataset(safe, loi, into=out, resolve=lambda _: ConflictRule.REPLACE)
    assert (replaced.folder, replaced.already_there) == (folder, False)
    assert tree(folder) == tree(both.folder)


def test_overwrite_keeps_the_old_folder_when_the_dataset_is_damaged(root: Path, out: Path) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    folder = retrieve_dataset(safe, loi, into=out).folder
    (folder / "notes").write_bytes(b"mine")
    flip(place_of(root, loi), "data.bin")
    with pytest.raises(HashError):
        retrieve_dataset(safe, loi, into=out, overwrite=True)
    assert (folder / "notes").read_bytes() == b"mine"
    flip(place_of(root, loi), "data.bin")
    assert not retrieve_dataset(safe, loi, into=out, overwrite=True).already_there
    assert not (folder / "notes").exists()


@pytest.mark.parametrize("kind", ["file", "link"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_folder_is_never_replaced(root: Path, out: Path, kind: str, overwrite: bool) -> None:
    safe = make_safe(root)
    loi = deposit(safe)
    target = out / "exp-sa-42-cwepr-1"
    if kind == "file":
        target.write_bytes(b"mine")
    else:
        (out / "elsewhere").mkdir()
        target.symlink_to("elsewhere")
    with pytest.raises(TargetExists):
        retrieve_dataset(safe, loi, into=out, overwrite=overwrite)
    assert target.is_symlink() or target.read_bytes() == b"mine"
    receipt = retrieve_dataset(safe, loi, into=out, resolve=lambda _: ConflictRule.KEEP_BOTH)
    assert tree(receipt.folder) == FILES


def test_a_dataset_that_is_updated_meanwhile_is_not_said_to_be_damaged(root: Path, out: Path) -> None:
    loi = deposit(make_safe(root), LARGE)
    is_updated: list[bool] = []

    def update(key: str, size: int) -> None:
        if size > 1000 and not is_updated:
            is_updated.append(True)
            others = {name: content[::-1] for name, content in LARGE.items()}
            make_safe(root).update(loi, [pack_dataset(loi, others)])

    with pytest.raises(StorageUnavailable, match="updated while it was read"):
        retrieve_dataset(WatchedSafe(root, update), loi, into=out)
    assert list(out.iterdir()) == []
    assert tree(retrieve_dataset(make_safe(root), loi, into=out).folder)["m.bin"] == LARGE["m.bin"][::-1]


@pytest.mark.parametrize("from_byte", [0, 1000])
def test_an_update_while_it_is_verified_is_no_damage(root: Path, from_byte: int) -> None:
    loi = deposit(make_safe(root), LARGE)
    is_updated: list[bool] = []

    def update(key: str, size: int) -> None:
        if size > from_byte and not is_updated:
            is_updated.append(True)
            others = {name: content[::-1] for name, content in LARGE.items()}
            make_safe(root).update(loi, [pack_dataset(loi, others)])

    with pytest.raises(StorageUnavailable, match="updated while it was read"):
        WatchedSafe(root, update).verify(loi)
    assert WatchedSafe(root).verify(loi).verdict is Verdict.VERIFIED


@pytest.mark.usefixtures("keeps_little")
@pytest.mark.parametrize("part", [0.05, 0.5, 0.97])
def test_it_goes_on_where_it_was_stopped(root: Path, out: Path, part: float) -> None:
    loi = deposit(make_safe(root), LARGE)
    size = make_safe(root).archive(loi).size
    journal, halt = MemoryJournal(), Halt(int(size * part))
    with pytest.raises(OperationStopped):
        retrieve_dataset(WatchedSafe(root, halt.passed), loi, into=out, stop=halt, journal=journal)
    assert len(list(out.iterdir())) == 1
    again = WatchedSafe(root)
    receipt = retrieve_dataset(again, loi, into=out, journal=journal)
    assert tree(receipt.folder) == LARGE
    assert [path.name for path in out.iterdir()] == ["exp-sa-42-cwepr-1"]
    assert not journal.saved
    assert receipt.evidence is not None
    assert receipt.evidence.digest == make_safe(root).archive(loi).digest
    if part > 0.4:
        assert again.read_bytes <= size * (1 - part) + 4.5 * MIB
        assert len(receipt.report.notes) == 1


@pytest.mark.usefixtures("keeps_little")
def test_an_unavailable_safe_leaves_the_stage_and_any_other_failure_nothing(root: Path, out: Path) -> None:
    loi = deposit(make_safe(root), LARGE)
    half = make_safe(root).archive(loi).size // 2
    journal = MemoryJournal()
    with pytest.raises(RuntimeError):
        broken = Halt(half, lambda: RuntimeError("broken"))
        retrieve_dataset(WatchedSafe(root, broken.passed), loi, into=out, journal=journal)
    assert list(out.iterdir()) == []
    with pytest.raises(StorageUnavailable):
        gone = Halt(half, lambda: StorageUnavailable("gone"))
        retrieve_dataset(WatchedSafe(root, gone.passed), loi, into=out, journal=journal)
    again = WatchedSafe(root)
    assert tree(retrieve_dataset(again, loi, into=out, journal=journal).folder) == LARGE
    assert again.read_bytes < half * 1.4


@pytest.mark.usefixtures("keeps_little")
@pytest.mark.parametrize("tear", ["cut", "zeros", "gone", "link"])
def test_a_torn_stage_is_never_believed(root: Path, out: Path, tmp_path: Path, tear: str) -> None:
    loi = deposit(make_safe(root), LARGE)
    journal, halt = MemoryJournal(), Halt(make_safe(root).archive(loi).size // 2)
    with pytest.raises(OperationStopped):
        retrieve_dataset(WatchedSafe(root, halt.passed), loi, into=out, stop=halt, journal=journal)
    (stage,) = out.iterdir()
    torn = stage / "a03.bin"
    if tear == "cut":
        os.truncate(torn, 100)
    elif tear == "zeros":
        torn.write_bytes(bytes(40_000))
    elif tear == "gone":
        torn.unlink()
    else:
        torn.rename(tmp_path / "elsewhere")
        torn.symlink_to(tmp_path / "elsewhere")
    receipt = retrieve_dataset(make_safe(root), loi, into=out, journal=journal)
    assert (tree(receipt.folder), receipt.report.notes) == (LARGE, ())
    assert not any(path.is_symlink() for path in receipt.folder.rglob("*"))


@pytest.mark.usefixtures("keeps_little")
def test_an_update_between_two_runs_begins_anew(root: Path, out: Path) -> None:
    safe = make_safe(root)
    loi = deposit(safe, LARGE)
    journal, halt = MemoryJournal(), Halt(safe.archive(loi).size // 2)
    with pytest.raises(OperationStopped):
        retrieve_dataset(WatchedSafe(root, halt.passed), loi, into=out, stop=halt, journal=journal)
    others = LARGE | {"a00.bin": b"new"}
    safe.update(loi, [pack_dataset(loi, others)])
    receipt = retrieve_dataset(safe, loi, into=out, journal=journal)
    assert (tree(receipt.folder), receipt.report.notes) == (others, ())
    assert [path.name for path in out.iterdir()] == ["exp-sa-42-cwepr-1"]


@pytest.mark.usefixtures("keeps_little")
def test_damage_behind_the_point_is_found_after_going_on(root: Path, out: Path) -> None:
    safe = make_safe(root)
    loi = deposit(safe, LARGE)
    journal, halt = MemoryJournal(), Halt(safe.archive(loi).size // 2)
    with pytest.raises(OperationStopped):
        retrieve_dataset(WatchedSafe(root, halt.passed), loi, into=out, stop=halt, journal=journal)
    flip(place_of(root, loi), "z.bin")
    with pytest.raises(HashError) as caught:
        retrieve_dataset(safe, loi, into=out, journal=journal)
    assert [(finding.kind, finding.path) for finding in caught.value.report.findings] == [
        (FindingKind.CHANGED, "z.bin")
    ]
    assert list(out.iterdir()) == []


def test_a_full_disk_leaves_nothing(root: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    safe = make_safe(root)
    loi = deposit(safe)

    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("archive_tui.operations.unpacking.stage_folder.os.write", refuse)
    with pytest.raises(StorageFull):
        retrieve_dataset(safe, loi, into=out)
    monkeypatch.undo()
    assert list(out.iterdir()) == []
    assert tree(retrieve_dataset(safe, loi, into=out).folder) == FILES


def run_program(root: Path, loi: str, out: Path, journal: Path, speed: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.archives.datasafe.retrieving_program", str(root), loi, str(out)]
    return subprocess.Popen([*command, str(journal), str(speed)], stdout=subprocess.PIPE, text=True)


def kill_once(root: Path, loi: str, folder: Path, seconds: float) -> bool:
    """True when it was killed in the middle and gone on with."""
    out, journal = folder / "out", folder / "journal"
    out.mkdir(parents=True)
    process = run_program(root, loi, out, journal, 12e6)
    while not journal.exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(seconds)
    process.kill()
    was_working = process.wait() != 0
    process.communicate()
    assert was_working or (out / "exp-sa-42-cwepr-1").is_dir()
    assert not was_working or not (out / "exp-sa-42-cwepr-1").exists() or tree(out / "exp-sa-42-cwepr-1") == LARGE
    repeat = run_program(root, loi, out, journal, 0)
    output, _ = repeat.communicate(timeout=60)
    assert repeat.returncode == 0
    verdict, notes = json.loads(output)
    assert verdict == "verified"
    assert tree(out / "exp-sa-42-cwepr-1") == LARGE
    assert [path.name for path in out.iterdir()] == ["exp-sa-42-cwepr-1"]
    shutil.rmtree(out)
    return was_working and bool(notes)


def test_a_killed_process_is_gone_on_with(root: Path, tmp_path: Path) -> None:
    loi = deposit(make_safe(root), LARGE)
    for attempt in range(10):
        if kill_once(root, loi, tmp_path / str(attempt), 0.5 + attempt * 0.1):
            return
    raise AssertionError("no kill came in the middle")


@pytest.mark.slow
def test_kills_at_random_times(root: Path, tmp_path: Path) -> None:
    loi = deposit(make_safe(root), LARGE)
    times = random.Random(5)
    continued = sum(kill_once(root, loi, tmp_path / str(n), times.uniform(0, 2.2)) for n in range(40))
    assert continued >= 8


@pytest.mark.usefixtures("keeps_little")
def test_it_works_and_goes_on_over_http(tmp_path: Path, out: Path) -> None:
    (tmp_path / "served").mkdir()
    with make_served(tmp_path / "served").running() as served, RemoteSafe(served.url) as safe:
        loi = safe.reserve(PARENT)
        safe.deposit(loi, [pack_dataset(loi, LARGE)])
        journal, halt = MemoryJournal(), Halt(10 * MIB)

        def report(event: object) -> None:
            if type(event).__name__ == "BytesDone" and getattr(event, "phase", "") == "unpack":
                halt.seen = getattr(event, "total", 0)

        with pytest.raises(OperationStopped):
            retrieve_dataset(safe, loi, into=out, stop=halt, report=report, journal=journal)
        receipt: RetrievalReceipt = retrieve_dataset(safe, loi, into=out, journal=journal)
    assert tree(receipt.folder) == LARGE
    assert len(receipt.report.notes) == 1


def test_a_journal_in_a_file_is_readable_after_a_run(tmp_path: Path, root: Path, out: Path) -> None:
    loi = deposit(make_safe(root))
    with contextlib.closing(FileJournal(tmp_path / "journal")) as journal:
        receipt = retrieve_dataset(make_safe(root), loi, into=out, journal=journal)
        assert not journal.saved
    assert receipt.report.verdict is Verdict.VERIFIED


@pytest.fixture(name="objects")
def make_objects() -> MemoryStore:
    return MemoryStore()


def test_it_works_out_of_an_object_store(objects: MemoryStore, out: Path) -> None:
    safe = open_store_safe(objects, "safe/")
    assert isinstance(safe, StoredSafe)
    loi = deposit(safe)
    receipt = retrieve_dataset(safe, loi, into=out)
    assert (tree(receipt.folder), receipt.report.verdict) == (FILES, Verdict.VERIFIED)
    assert receipt.evidence is not None
    assert receipt.evidence.digest == safe.archive(loi).digest


@pytest.mark.parametrize("name", ["data.bin", "sample.info"])
def test_damage_in_an_object_is_found(objects: MemoryStore, out: Path, name: str) -> None:
    safe = open_store_safe(objects, "safe/")
    assert isinstance(safe, StoredSafe)
    loi = deposit(safe)
    archive = safe.archive(loi)
    with archive.store.open(archive.key) as reader:
        content = bytearray(reader.read())
    content[content.index(FILES[name]) + 1] ^= 0x20
    objects.put(archive.key, [bytes(content)], overwrite=True)
    with pytest.raises(ArchiveError):
        retrieve_dataset(safe, loi, into=out)
    assert list(out.iterdir()) == []
    assert [finding.path for finding in safe.verify(loi).findings] == [name]


@pytest.mark.usefixtures("keeps_little")
def test_it_goes_on_out_of_an_object_store(objects: MemoryStore, out: Path) -> None:
    halt = Halt(12 * MIB)
    safe = open_store_safe(WatchedStore(objects, halt.passed), "safe/")
    assert isinstance(safe, StoredSafe)
    loi = deposit(safe, LARGE)
    journal, halt.seen = MemoryJournal(), 0
    with pytest.raises(OperationStopped):
        retrieve_dataset(safe, loi, into=out, stop=halt, journal=journal)
    halt.seen = 0
    receipt = retrieve_dataset(safe, loi, into=out, journal=journal)
    assert (tree(receipt.folder), len(receipt.report.notes)) == (LARGE, 1)
    assert halt.seen < 16 * MIB
