"""Verifying a folder with a journal: what is taken over, what is looked at again, and what is never believed."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.continuation import ItemMark
from archive_tui.integrity import resumable_digest
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.report import FindingKind, Verdict
from archive_tui.integrity.sealed_document import open_sealed, seal_document
from archive_tui.operations.hashing import file_checkpoints
from archive_tui.operations.verifying import verify_folder
from archive_tui.progress import BytesDone, Event
from tests.jobs.kinds.job_work import MemoryJournal

MIB = 1 << 20
LARGE = 5 * MIB
SMALL = {f"d{number % 3}/f{number:02}.txt": b"content %d" % number for number in range(40)}
ENDED_LONG_AGO = time.time_ns() - 60 * 10**9


class StopAfter:
    """Stops when `count` bytes have been reported."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def __call__(self, event: Event) -> None:
        if isinstance(event, BytesDone) and event.total >= self._count:
            self._is_set = True


class StopAtSave(MemoryJournal):
    """Stops as soon as something is saved."""

    def is_set(self) -> bool:
        return bool(self.saved)


@pytest.fixture(autouse=True)
def checkpoint_each_mebibyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_checkpoints, "CHECKPOINT_BYTES", MIB)


@pytest.fixture(name="folder")
def make_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    contents = {**SMALL, "large.bin": os.urandom(LARGE)}
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        settle(folder / path)
    files = [
        {"file": path, "sha256": sha256_of_bytes(content), "size": len(content)} for path, content in contents.items()
    ]
    (folder / "manifest.json").write_text(json.dumps({"datetime": "2024-01-01T00:00:00", "files": files}))
    wait_for_settled_times()
    return folder


def settle(path: Path) -> None:
    os.utime(path, ns=(ENDED_LONG_AGO, ENDED_LONG_AGO + 1))


def wait_for_settled_times() -> None:
    """A file that was changed within the last tick has no stamp."""
    time.sleep(0.05)


def test_nothing_is_read_again_that_has_not_changed(folder: Path) -> None:
    journal, events = MemoryJournal(), list[Event]()
    first = verify_folder(folder, journal=journal)
    assert (first.verdict, first.bytes_read, first.notes) == (Verdict.VERIFIED, first.bytes_total, ())
    second = verify_folder(folder, journal=journal, report=events.append)
    assert (second.verdict, second.bytes_read, second.files_ok) == (Verdict.VERIFIED, 0, 41)
    assert len(second.notes) == 1
    assert second.notes[0].startswith("41 of them were read earlier in this job, from ")
    assert "sizes, times and inodes are the same since" in second.notes[0]
    assert BytesDone("verify", second.bytes_total) in events


def test_without_a_journal_everything_is_read(folder: Path) -> None:
    verify_folder(folder)
    assert verify_folder(folder).bytes_read == verify_folder(folder).bytes_total


@pytest.mark.parametrize("change", ["content", "touched", "replaced", "link", "gone", "behind a link"])
def test_what_has_changed_since_is_read_again(folder: Path, change: str) -> None:
    journal = MemoryJournal()
    verify_folder(folder, journal=journal)
    path = folder / "d1/f01.txt"
    is_wrong = True
    if change == "content":
        status = path.stat()
        path.write_bytes(b"Content 1")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "touched":
        settle(path)
        is_wrong = False
    elif change == "replaced":
        copy = path.with_name("copy")
        shutil.copy2(path, copy)
        copy.rename(path)
        is_wrong = False
    elif change == "link":
        path.rename(folder.parent / "elsewhere")
        path.symlink_to(folder.parent / "elsewhere")
    elif change == "gone":
        path.unlink()
    else:
        (folder / "d1").rename(folder.parent / "d1")
        (folder / "d1").symlink_to(folder.parent / "d1")
    report = verify_folder(folder, journal=journal)
    assert report.verdict is (Verdict.FINDINGS if is_wrong else Verdict.VERIFIED)
    assert report.files_ok < 41 if is_wrong else report.bytes_read == len(SMALL["d1/f01.txt"])


def test_findings_are_looked_at_again(folder: Path) -> None:
    journal = MemoryJournal()
    good = (folder / "d0/f00.txt").read_bytes()
    (folder / "d0/f00.txt").write_bytes(b"bad")
    wait_for_settled_times()
    assert [finding.kind for finding in verify_folder(folder, journal=journal).findings] == [FindingKind.CHANGED]
    assert not journal.marks["verify", "d0/f00.txt"].is_good
    again = verify_folder(folder, journal=journal)
    assert [finding.path for finding in again.findings] == ["d0/f00.txt"]
    assert again.bytes_read == 3
    (folder / "d0/f00.txt").write_bytes(good)
    assert verify_folder(folder, journal=journal).verdict is Verdict.VERIFIED


def test_a_mark_for_another_digest_does_not_count(folder: Path) -> None:
    journal = MemoryJournal()
    verify_folder(folder, journal=journal)
    mark = journal.marks["verify", "d0/f00.txt"]
    for wrong in (
        ItemMark(mark.item, "same", True, mark.stamp, "0" * 64, mark.size, "read"),
        ItemMark(mark.item, "same", True, "", mark.digest, mark.size, "read"),
        ItemMark(mark.item, "same", False, mark.stamp, mark.digest, mark.size, "read"),
        ItemMark(mark.item, "same", True, mark.stamp, mark.digest, 1, "read"),
    ):
        journal.record("verify", [wrong])
        assert verify_folder(folder, journal=journal).bytes_read == len(SMALL["d0/f00.txt"])


def test_a_file_that_was_changed_just_now_is_not_taken_over(folder: Path) -> None:
    journal = MemoryJournal()
    status = (folder / "d0/f00.txt").stat()
    os.utime(folder / "d0/f00.txt", ns=(status.st_atime_ns, time.time_ns() + 10**12))
    verify_folder(folder, journal=journal)
    assert journal.marks["verify", "d0/f00.txt"].is_good
    assert journal.marks["verify", "d0/f00.txt"].stamp == ""


def test_a_large_file_is_gone_on_with(folder: Path) -> None:
    journal = StopAtSave()
    stopped = verify_folder(folder, journal=journal, stop=journal)
    assert stopped.verdict is Verdict.STOPPED
    again = MemoryJournal(marks=journal.marks, saved=journal.saved)
    events: list[Event] = []
    report = verify_folder(folder, journal=again, report=events.append)
    assert report.verdict is Verdict.VERIFIED
    assert report.bytes_read <= report.bytes_total - MIB
    assert any(note.startswith("The first 1,0") and "large.bin" in note for note in report.notes)
    assert BytesDone("verify", report.bytes_total) in events
    assert not again.saved


def test_a_checkpoint_of_another_state_of_the_file_does_not_count(folder: Path) -> None:
    journal = StopAtSave()
    verify_folder(folder, journal=journal, stop=journal)
    settle(folder / "large.bin")
    report = verify_folder(folder, journal=MemoryJournal(saved=journal.saved))
    assert (report.verdict, report.bytes_read, report.notes) == (Verdict.VERIFIED, report.bytes_total, ())


def test_a_damaged_checkpoint_does_not_count(folder: Path) -> None:
    journal = StopAtSave()
    verify_folder(folder, journal=journal, stop=journal)
    (name, sealed), *_ = journal.saved.items()
    report = verify_folder(folder, journal=MemoryJournal(saved={name: sealed[:-1]}))
    assert (report.verdict, report.bytes_read) == (Verdict.VERIFIED, report.bytes_total)


def test_a_wrong_state_never_gives_a_finding(folder: Path) -> None:
    journal = StopAtSave()
    verify_folder(folder, journal=journal, stop=journal)
    (name, sealed), *_ = journal.saved.items()
    document = open_sealed(sealed)
    assert document is not None
    state = bytearray.fromhex(document["state"])
    state[0] ^= 1
    wrong = seal_document({**document, "state": state.hex()})
    report = verify_folder(folder, journal=MemoryJournal(saved={name: wrong}))
    assert (report.verdict, report.bytes_read, report.notes) == (Verdict.VERIFIED, report.bytes_total, ())


def test_damage_before_the_checkpoint_is_found_when_the_times_tell(folder: Path) -> None:
    journal = StopAtSave()
    verify_folder(folder, journal=journal, stop=journal)
    with (folder / "large.bin").open("r+b") as file:
        file.write(b"other")
    report = verify_folder(folder, journal=MemoryJournal(marks=journal.marks, saved=journal.saved))
    assert [finding.path for finding in report.findings] == ["large.bin"]


@pytest.fixture(name="no_library")
def without_the_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(resumable_digest, "_find_library", lambda: None)
    return


@pytest.mark.usefixtures("no_library")
def test_without_the_library_only_large_files_begin_anew(folder: Path) -> None:
    journal, stop = MemoryJournal(), StopAfter(1)
    verify_folder(folder, journal=journal, stop=stop, report=stop)
    assert not journal.saved
    report = verify_folder(folder, journal=journal)
    assert report.verdict is Verdict.VERIFIED
    assert not [note for note in report.notes if "first" in note]
