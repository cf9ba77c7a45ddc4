"""What a check takes over from an earlier run of its job: nothing that may have changed since."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from archive_tui.continuation import no_journal
from archive_tui.integrity.report import FindingKind, IntegrityReport, Verdict
from archive_tui.integrity.resumable_digest import new_resumable_sha256
from archive_tui.integrity.sealed_document import open_sealed, seal_document
from archive_tui.manifests.checksum_lines.reading import open_manifest
from archive_tui.objects.folder import file_stamps
from archive_tui.operations import line_checking, line_marks
from archive_tui.operations.earlier_runs import format_moment
from archive_tui.operations.hashing import small_files, workers
from archive_tui.operations.hashing.file_checkpoints import FileCheckpoints
from archive_tui.operations.manifest_checking import check_manifest
from tests.jobs.kinds.job_work import MemoryJournal

MIB = 1 << 20

FILES = {f"file-{number}": b"content %d" % number for number in range(6)}


@pytest.fixture(name="folder")
def make_folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in FILES.items()]
    (tmp_path / "all").write_text("".join(lines))
    settle(tmp_path)
    return tmp_path


def settle(folder: Path) -> None:
    """Waits until the times of the files are no longer those of this very moment."""
    newest = max(entry.stat().st_ctime_ns for entry in folder.iterdir())
    while time.time_ns() <= newest + file_stamps.TICK:
        time.sleep(0.002)


def check(folder: Path, journal: MemoryJournal) -> IntegrityReport:
    with open_manifest(folder / "all", root=folder) as manifest:
        return check_manifest(manifest, root=folder, journal=journal)


def test_what_was_right_and_has_not_changed_is_not_read_again(folder: Path) -> None:
    journal = MemoryJournal()
    begun = format_moment(time.time())
    first, second = check(folder, journal), check(folder, journal)
    total = sum(map(len, FILES.values()))
    assert (first.bytes_read, second.bytes_read) == (total, 0)
    assert (second.verdict, second.files_ok, second.bytes_total) == (Verdict.VERIFIED, 6, total)
    assert first.notes == ()
    assert second.notes == (
        f"6 of them were read earlier in this job, from {format_moment(journal.of('check')[0].at)} on; "
        "sizes, times and inodes are the same since.",
    )
    assert begun <= format_moment(journal.of("check")[0].at) <= format_moment(time.time())


def change_size(path: Path) -> None:
    path.write_bytes(b"a longer content")


def change_bytes_and_set_the_time_back(path: Path) -> None:
    before = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def change_bytes_through_another_link(path: Path) -> None:
    before = path.stat()
    other = path.with_name("link")
    os.link(path, other)
    with other.open("r+b") as file:
        file.write(b"X")
    other.unlink()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def put_another_file_there(path: Path) -> None:
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize(
    "change",
    [change_size, change_bytes_and_set_the_time_back, change_bytes_through_another_link, put_another_file_there],
)
def test_a_file_that_was_changed_in_any_way_is_read_again(folder: Path, change: Callable[[Path], None]) -> None:
    journal = MemoryJournal()
    check(folder, journal)
    change(folder / "file-3")
    second = check(folder, journal)
    assert [(finding.path, finding.kind) for finding in second.findings] == [("file-3", FindingKind.CHANGED)]
    assert second.bytes_read == (folder / "file-3").stat().st_size


def test_a_mark_counts_only_for_a_line_that_wants_the_same_digest(folder: Path) -> None:
    journal = MemoryJournal()
    check(folder, journal)
    wanted = hashlib.sha256(b"something else").hexdigest()
    (folder / "all").write_text(f"{wanted}  file-1\n")
    assert [finding.found for finding in check(folder, journal).findings] == [
        hashlib.sha256(FILES["file-1"]).hexdigest()
    ]


def test_findings_are_looked_at_again_whatever_was_written_down(folder: Path) -> None:
    journal = MemoryJournal()
    right = (folder / "file-2").read_bytes()
    (folder / "file-2").write_bytes(b"wrong")
    (folder / "file-4").unlink()
    settle(folder)
    assert len(check(folder, journal).findings) == 2
    assert [(mark.item, mark.outcome) for mark in journal.of("check") if not mark.is_good] == [
        ("file-2", "changed"), ("file-4", "missing"),
    ]  # fmt: skip
    (folder / "file-2").write_bytes(right)
    (folder / "file-4").write_bytes(FILES["file-4"])
    second = check(folder, journal)
    assert second.verdict is Verdict.VERIFIED and second.bytes_read == len(right) + len(FILES["file-4"])


def test_a_file_of_this_very_moment_has_no_stamp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_stamps, "TICK", 3_600_000_000_000)
    journal = MemoryJournal()
    check(folder, journal)
    assert {mark.stamp for mark in journal.of("check")} == {""}
    assert check(folder, journal).bytes_read == sum(map(len, FILES.values()))


def test_a_file_that_changes_while_it_is_read_has_no_stamp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_small_files = small_files.hash_small_files

    def hash_and_touch(*arguments: object, **options: object) -> object:
        answer = hash_small_files(*arguments, **options)  # type: ignore[arg-type]
        (folder / "file-5").write_bytes(b"content X")
        return answer

    monkeypatch.setattr(workers, "hash_small_files", hash_and_touch)
    journal = MemoryJournal()
    assert check(folder, journal).verdict is Verdict.FINDINGS or journal.marks["check", "file-5"].stamp == ""
    monkeypatch.undo()
    assert [finding.path for finding in check(folder, journal).findings] == ["file-5"]


def test_bad_lines_names_that_no_file_has_and_repeated_lines_are_as_without_a_journal(folder: Path) -> None:
    with (folder / "all").open("ab") as document:
        document.write(b"no line\n" + (folder / "all").read_bytes())
        document.write(hashlib.sha256(b"").hexdigest().encode() + b"  \xff\xfe\n")
    (folder / os.fsdecode(b"\xff\xfe")).write_bytes(b"")
    settle(folder)
    journal = MemoryJournal()
    with open_manifest(folder / "all", root=folder) as manifest:
        plain = check_manifest(manifest, root=folder, journal=no_journal)
    first, second = check(folder, journal), check(folder, journal)
    assert plain.findings == first.findings == second.findings
    assert (plain.files_total, plain.files_ok) == (first.files_total, first.files_ok) == (13, 13)
    assert (second.files_total, second.files_ok, second.bytes_read) == (13, 13, 0)
    assert journal.marks["check", "line 7"].outcome == line_marks.NOT_UNDERSTOOD
    assert set(plain.notes) < set(first.notes) and "13 of them were read" in " ".join(second.notes)


def test_without_a_journal_no_file_is_asked_for_its_times(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_marks, "stamp_file", None)
    with open_manifest(folder / "all", root=folder) as manifest:
        assert check_manifest(manifest, root=folder).verdict is Verdict.VERIFIED


def test_lines_taken_over_behind_a_file_that_takes_long_do_not_pile_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window counts them as it counts files."""
    monkeypatch.setattr(workers, "WINDOW_FILES", 300)
    lines = [(folder / "all").read_text()] * 2000
    (folder / "all").write_text("".join(lines))
    settle(folder)
    journal = MemoryJournal()
    check(folder, journal)
    large = b"x" * (workers.LARGEST_SMALL + 1)
    (folder / "large").write_bytes(large)
    (folder / "all").write_text(f"{hashlib.sha256(large).hexdigest()}  large\n" + "".join(lines))
    handed_out: list[int] = []
    take_large = workers.HashWorkers._take_large

    def late(self: workers.HashWorkers[object]) -> None:
        handed_out.append(len(self._batches))
        time.sleep(0.01)
        if len(handed_out) > 5:
            take_large(self)

    monkeypatch.setattr(workers.HashWorkers, "_take_large", late)
    tracemalloc.start()
    try:
        assert check(folder, journal).files_ok == 12_001
    finally:
        tracemalloc.stop()
    assert max(handed_out) <= 301


# Large files


@pytest.fixture(name="large")
def make_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, bytes]:
    """A folder whose manifest lists one file of 5 MiB, with a checkpoint at every MiB."""
    monkeypatch.setattr(line_checking, "FileCheckpoints", partial(FileCheckpoints, every=MIB))
    content = os.urandom(5 * MIB)
    (tmp_path / "large").write_bytes(content)
    (tmp_path / "all").write_text(f"{hashlib.sha256(content).hexdigest()}  large\n")
    settle(tmp_path)
    return tmp_path, content


def stop_in_the_middle(folder: Path, journal: MemoryJournal) -> None:
    stop = threading.Event()

    def save(name: str, content: bytes | None, *, durable: bool = False) -> None:
        MemoryJournal.save(journal, name, content)
        if content is not None:
            stop.set()

    journal.save = save  # type: ignore[method-assign]
    with open_manifest(folder / "all", root=folder) as manifest:
        assert not check_manifest(manifest, root=folder, journal=journal, stop=stop).complete
    del journal.save
    assert journal.saved


def test_a_large_file_goes_on_where_the_last_run_was_stopped(large: tuple[Path, bytes]) -> None:
    folder, content = large
    journal = MemoryJournal()
    stop_in_the_middle(folder, journal)
    report = check(folder, journal)
    assert report.verdict is Verdict.VERIFIED and report.bytes_total == len(content)
    assert MIB <= len(content) - report.bytes_read < len(content)
    assert report.notes[0].endswith("UTC.") and "bytes of large were read earlier in this job" in report.notes[0]
    assert journal.saved == {}


@pytest.mark.parametrize("change", [change_bytes_and_set_the_time_back, change_size, put_another_file_there])
def test_a_large_file_that_was_changed_since_is_read_whole(
    large: tuple[Path, bytes], change: Callable[[Path], None]
) -> None:
    folder, _ = large
    journal = MemoryJournal()
    stop_in_the_middle(folder, journal)
    change(folder / "large")
    settle(folder)
    report = check(folder, journal)
    assert [finding.kind for finding in report.findings] == [FindingKind.CHANGED]
    assert report.bytes_read == (folder / "large").stat().st_size and report.notes == ()
    assert report.findings[0].found == hashlib.sha256((folder / "large").read_bytes()).hexdigest()


def test_a_digest_that_was_gone_on_with_is_computed_anew_before_a_change_is_told(large: tuple[Path, bytes]) -> None:
    folder, content = large
    journal = MemoryJournal()
    stop_in_the_middle(folder, journal)
    (name,) = journal.saved
    right = journal.saved[name]
    checkpoint = open_sealed(right)
    assert checkpoint is not None
    digest = new_resumable_sha256()
    assert digest is not None
    digest.update(b"x" * MIB)
    journal.saved[name] = seal_document({**checkpoint, "state": digest.save().hex()})
    report = check(folder, journal)
    assert report.verdict is Verdict.VERIFIED and report.bytes_read == len(content) and report.notes == ()
