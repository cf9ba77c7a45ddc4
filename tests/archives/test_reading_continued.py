"""Verifying and fetching a version in several runs: stopped, killed, and with all that may be wrong meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_tui.archives.datasets import fetching
from archive_tui.archives.datasets.fetching import FetchReceipt, fetch_dataset
from archive_tui.archives.datasets.publishing import PublishRequest, plan_publish, publish
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.errors import HashError, OperationStopped, StorageUnavailable
from archive_tui.integrity import resumable_digest
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import IntegrityReport, Verdict
from archive_tui.integrity.sealed_document import open_sealed, seal_document
from archive_tui.objects.folder.kept_stage import remove_kept_stage
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.folder.temporary_entries import remove_abandoned
from archive_tui.operations.unpacking import continuation
from archive_tui.progress import BytesDone, Event
from tests.archives.vault.fetch_program import WatchedStore
from tests.jobs.kinds.job_work import FileJournal, MemoryJournal

MIB = 1 << 20
NAME = "large"
KEY = "large.0.0.1.zip"
POINT = "archive point"


class Watched(WatchedStore):
    """Stops, or fails, before it hands on a byte of the archive more than `most` in one opening of it."""

    def __init__(self, root: Path, most: int | None = None, failure: Callable[[], Exception] | None = None) -> None:
        super().__init__(FolderStore(root), self._passed)
        self.most, self.failure, self.seen = most, failure, 0

    def _passed(self, key: str, size: int) -> None:
        self.seen += size if key == KEY else 0
        if self.failure is not None and self.most is not None and self.seen > self.most:
            raise self.failure()

    def is_set(self) -> bool:
        return self.failure is None and self.most is not None and self.seen > self.most


@pytest.fixture(autouse=True)
def keep_much_of_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuation, "POINT_BYTES", MIB)
    monkeypatch.setattr(fetching, "KEPT_FROM", MIB)


def make_content(kind: str, size: int) -> bytes:
    source = random.Random(size)
    if kind == "random":
        return source.randbytes(size)
    lines = (b"%d;%d;station %d\n" % (source.getrandbits(40), number, number % 97) for number in itertools.count())
    text = bytearray()
    while len(text) < size:
        text += next(lines)
    return bytes(text[:size])


@pytest.fixture(name="sources", scope="module")
def make_sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Datasets: a large member between many small ones; the large one text, random, or stored."""
    root = tmp_path_factory.mktemp("sources")
    for kind, level in (("text", -1), ("random", -1), ("stored", 0), ("zlib", 6)):
        source = root / kind / "source"
        for number in range(60):
            for letter in "az":
                path = source / f"{letter}{number % 5}" / f"f{number:02}.bin"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(make_content("random", 40_000 + number))
        (source / "m.bin").write_bytes(make_content("random" if kind == "random" else "text", 24 * MIB + 12345))
        (source / "empty").touch()
        store = FolderStore(root / kind / "store")
        (root / kind / "store").mkdir()
        publish(store, plan_publish(store, PublishRequest(NAME, source, compression_level=level)))
    return root


@pytest.fixture(name="place", params=["text", "random", "stored", "zlib"])
def choose_place(request: pytest.FixtureRequest, sources: Path) -> Path:
    return sources / str(request.param)


@pytest.fixture(name="text")
def choose_text(sources: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(sources / "text", tmp_path / "text", copy_function=shutil.copy2)
    return tmp_path / "text"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def archive_size(place: Path) -> int:
    return (place / "store" / KEY).stat().st_size


def stop_verifying(place: Path, journal: MemoryJournal, most: int) -> None:
    store = Watched(place / "store", most)
    with pytest.raises(OperationStopped):
        verify_version(store, NAME, stop=store, journal=journal)


def stop_fetching(place: Path, into: Path, journal: MemoryJournal, most: int) -> Path:
    """Returns the stage that is left."""
    store = Watched(place / "store", most)
    with pytest.raises(OperationStopped):
        fetch_dataset(store, NAME, into=into, stop=store, journal=journal)
    (stage,) = into.iterdir()
    return stage


def fetch_again(place: Path, into: Path, journal: MemoryJournal) -> tuple[FetchReceipt, int]:
    store = Watched(place / "store")
    receipt = fetch_dataset(store, NAME, into=into, journal=journal)
    fetched = tree(receipt.folder)
    fetched.pop("manifest.json")
    assert fetched == tree(place / "source")
    assert [path.name for path in into.iterdir()] == ["large.0.0.1"]
    assert not journal.saved
    return receipt, store.seen


def assert_continued(report: IntegrityReport, size: int) -> None:
    assert report.verdict is Verdict.VERIFIED
    assert report.bytes_read < size
    (note,) = report.notes
    assert re.match(r"The first [\d,]+ bytes of the archive were read earlier in this job, until ", note)
    assert "bytes of it in an earlier run" in report.proven


@pytest.mark.parametrize("part", [0.3, 0.45, 0.6, 0.95])
def test_verifying_goes_on_where_it_was_stopped(place: Path, part: float) -> None:
    size = archive_size(place)
    journal = MemoryJournal()
    stop_verifying(place, journal, int(size * part))
    store, events = Watched(place / "store"), list[Event]()
    report, evidence = verify_version(store, NAME, journal=journal, report=events.append)
    assert_continued(report, size)
    assert report.bytes_read > size * (1 - part) - 2 * MIB
    assert report.bytes_read <= size * (1 - part) + 4.5 * MIB
    assert store.seen < report.bytes_read + 300_000
    whole, plain = verify_version(FolderStore(place / "store"), NAME)
    assert (report.files_ok, report.files_total, report.bytes_total) == (122, 122, whole.bytes_total)
    assert (evidence.digest, evidence.level) == (plain.digest, EvidenceLevel.RESTORED)
    assert whole.notes == ()
    totals = [event.total for event in events if isinstance(event, BytesDone)]
    assert totals == sorted(totals)
    assert totals[0] > 0
    assert totals[-1] == size
    assert POINT not in journal.saved
    assert len(journal.of("verify")) == 123


@pytest.mark.parametrize("part", [0.3, 0.45, 0.6, 0.95])
def test_fetching_goes_on_where_it_was_stopped(place: Path, tmp_path: Path, part: float) -> None:
    size = archive_size(place)
    journal = MemoryJournal()
    stop_fetching(place, tmp_path / "out", journal, int(size * part))
    receipt, seen = fetch_again(place, tmp_path / "out", journal)
    assert_continued(receipt.report, size)
    assert seen <= size * (1 - part) + 4.5 * MIB
    assert receipt.files == 122


def test_it_can_be_stopped_again_and_again(place: Path, tmp_path: Path) -> None:
    size = archive_size(place)
    journal, runs = MemoryJournal(), 0
    while True:
        runs += 1
        store = Watched(place / "store", 6 * MIB)
        with contextlib.suppress(OperationStopped):
            fetch_dataset(store, NAME, into=tmp_path / "out", stop=store, journal=journal)
            break
        assert runs < 20
    assert runs >= size // (6 * MIB)
    fetched = tree(tmp_path / "out" / "large.0.0.1")
    fetched.pop("manifest.json")
    assert fetched == tree(place / "source")


def test_an_unavailable_storage_leaves_the_stage(text: Path, tmp_path: Path) -> None:
    journal = MemoryJournal()
    store = Watched(text / "store", archive_size(text) // 2, lambda: StorageUnavailable("gone"))
    with pytest.raises(StorageUnavailable):
        fetch_dataset(store, NAME, into=tmp_path / "out", journal=journal)
    assert len(list((tmp_path / "out").iterdir())) == 1
    receipt, _ = fetch_again(text, tmp_path / "out", journal)
    assert_continued(receipt.report, archive_size(text))


def test_any_other_failure_leaves_nothing(text: Path, tmp_path: Path) -> None:
    journal = MemoryJournal()
    store = Watched(text / "store", archive_size(text) // 2, lambda: RuntimeError("broken"))
    with pytest.raises(RuntimeError):
        fetch_dataset(store, NAME, into=tmp_path / "out", journal=journal)
    assert list((tmp_path / "out").iterdir()) == []
    assert "stage" not in journal.saved


def test_without_a_journal_nothing_is_left(text: Path, tmp_path: Path) -> None:
    store = Watched(text / "store", archive_size(text) // 2)
    with pytest.raises(OperationStopped):
        fetch_dataset(store, NAME, into=tmp_path / "out", stop=store)
    assert list((tmp_path / "out").iterdir()) == []


def test_another_version_of_the_object_begins_anew(text: Path, tmp_path: Path) -> None:
    journal = MemoryJournal()
    stop_verifying(text, journal, archive_size(text) // 2)
    copy = text / "store" / "copy"
    shutil.copy2(text / "store" / KEY, copy)
    copy.rename(text / "store" / KEY)
    report, _ = verify_version(FolderStore(text / "store"), NAME, journal=journal)
    assert (report.verdict, report.bytes_read, report.notes) == (Verdict.VERIFIED, archive_size(text), ())
    journal = MemoryJournal()
    stop_fetching(text, tmp_path / "out", journal, archive_size(text) // 2)
    shutil.copy2(text / "store" / KEY, copy)
    copy.rename(text / "store" / KEY)
    receipt, seen = fetch_again(text, tmp_path / "out", journal)
    assert receipt.report.notes == ()
    assert seen >= archive_size(text)


def change_archive(place: Path, offset: int) -> None:
    """Changes a byte of the archive behind everybody's back: size, times and inode stay, so that no version tells."""
    path = place / "store" / KEY
    status = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(1)
        file.seek(offset)
        file.write(bytes([old[0] ^ 0x10]))
    path.chmod(status.st_mode)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("part", [0.2, 0.7])
def test_damage_is_found_wherever_it_lies(text: Path, part: float) -> None:
    """What was changed before the point changes the object's version, what lies behind it is read anyway."""
    journal = MemoryJournal()
    stop_verifying(text, journal, archive_size(text) // 2)
    change_archive(text, int(archive_size(text) * part))
    report, evidence = verify_version(FolderStore(text / "store"), NAME, journal=journal)
    assert report.verdict is Verdict.FINDINGS
    assert evidence.level is EvidenceLevel.DAMAGED
    assert report.bytes_read == archive_size(text)
    assert [mark.item for mark in journal.of("verify") if not mark.is_good]


def test_a_finding_is_looked_at_again(text: Path) -> None:
    damaged = int(archive_size(text) * 0.9)  # a small member: damage in a large one may show at its end only
    change_archive(text, damaged)
    journal = MemoryJournal()
    stop_verifying(text, journal, int(archive_size(text) * 0.97))
    point = open_sealed(journal.saved[POINT])
    assert point is not None
    assert point["hashed"] <= damaged
    report, _ = verify_version(FolderStore(text / "store"), NAME, journal=journal)
    assert report.verdict is Verdict.FINDINGS
    assert report.bytes_read == archive_size(text)


def test_a_damaged_archive_leaves_nothing_of_a_continued_fetch(text: Path, tmp_path: Path) -> None:
    change_archive(text, int(archive_size(text) * 0.7))
    journal = MemoryJournal()
    stop_fetching(text, tmp_path / "out", journal, archive_size(text) // 2)
    with pytest.raises(HashError) as refusal:
        fetch_dataset(FolderStore(text / "store"), NAME, into=tmp_path / "out", journal=journal)
    assert refusal.value.report is not None
    assert refusal.value.report.bytes_read == archive_size(text)
    assert list((tmp_path / "out").iterdir()) == []


STATES = ["archive", "member", "crc", "index", "packed_left", "tail", "size", "hashed", "at", "type", "seal"]


@pytest.mark.parametrize("what", STATES)
def test_a_wrong_point_gives_neither_findings_nor_trust(text: Path, tmp_path: Path, what: str) -> None:
    journal = MemoryJournal()
    stop_fetching(text, tmp_path / "out", journal, archive_size(text) // 2)
    journal.saved[POINT] = spoil(journal.saved[POINT], what)
    verifying = MemoryJournal()
    stop_verifying(text, verifying, archive_size(text) // 2)
    verifying.saved[POINT] = spoil(verifying.saved[POINT], what)
    receipt, _ = fetch_again(text, tmp_path / "out", journal)
    assert receipt.report.verdict is Verdict.VERIFIED
    report, evidence = verify_version(FolderStore(text / "store"), NAME, journal=verifying)
    _, plain = verify_version(FolderStore(text / "store"), NAME)
    assert report.verdict is Verdict.VERIFIED
    assert evidence.digest == plain.digest
    assert receipt.evidence is not None
    assert receipt.evidence.digest == plain.digest


def flip(state: str) -> str:
    return ("0" if state[0] != "0" else "1") + state[1:]


def spoil(sealed: bytes, what: str) -> bytes:
    document = open_sealed(sealed)
    assert document is not None
    inside = document["inside"]
    if what == "archive":
        document["state"] = flip(document["state"])
    elif what == "hashed":
        document["hashed"] += 64
    elif what == "index":
        document["index"] += 1
    elif what == "at":
        document["at"] = "yesterday"
    elif what == "type":
        document["inside"] = 7
    elif what == "seal":
        return sealed[:-2] + b"0}"
    else:
        place = ["packed_left", "tail", "size", "member", "crc"].index(what)
        inside[place] = flip(inside[place]) if what == "member" else inside[place] + 1
    return seal_document(document)


TORN = ["cut", "zeros", "gone", "more", "a link", "large cut", "large zeros", "folder link"]


@pytest.mark.parametrize("how", TORN)
def test_a_torn_stage_is_never_believed(text: Path, tmp_path: Path, how: str) -> None:
    journal = MemoryJournal()
    stage = stop_fetching(text, tmp_path / "out", journal, archive_size(text) // 2)
    small, large = stage / "a1" / "f01.bin", stage / "m.bin"
    tear = large if how.startswith("large") else small
    if how.endswith("cut"):
        os.truncate(tear, 100)
    elif how.endswith("zeros"):
        tear.write_bytes(bytes(tear.stat().st_size))
    elif how == "gone":
        small.unlink()
    elif how == "more":
        (stage / "z1").mkdir(exist_ok=True)
        (stage / "z1" / "f01.bin").write_bytes(b"left by a run that was killed")
        (stage / ".archive-tui-0123456789ab-0123456789abcdef.part").write_bytes(b"strange")
    elif how == "a link":
        small.rename(tmp_path / "elsewhere")
        small.symlink_to(tmp_path / "elsewhere")
    else:
        small.parent.rename(tmp_path / "elsewhere")
        (stage / "a1").symlink_to(tmp_path / "elsewhere")
    outside = tree(tmp_path / "elsewhere") if how == "folder link" else {}
    receipt, seen = fetch_again(text, tmp_path / "out", journal)
    if how == "more":
        assert_continued(receipt.report, archive_size(text))
    else:
        assert receipt.report.notes == ()
        assert seen >= archive_size(text)
    assert how != "folder link" or tree(tmp_path / "elsewhere") == outside


def test_a_stage_that_is_gone_begins_anew(text: Path, tmp_path: Path) -> None:
    journal = MemoryJournal()
    shutil.rmtree(stop_fetching(text, tmp_path / "out", journal, archive_size(text) // 2))
    receipt, seen = fetch_again(text, tmp_path / "out", journal)
    assert seen >= archive_size(text)
    assert receipt.report.notes == ()


def test_two_runs_of_one_job_do_not_share_the_stage(text: Path, tmp_path: Path) -> None:
    journal = MemoryJournal()
    stop_fetching(text, tmp_path / "out", journal, archive_size(text) // 2)
    others: list[FetchReceipt] = []

    def begin_another(key: str, size: int) -> None:
        if not others:
            others.append(None)  # type: ignore[arg-type]
            twin = MemoryJournal(saved=dict(journal.saved))
            others[0] = fetch_dataset(FolderStore(text / "store"), NAME, into=tmp_path / "out", journal=twin)

    def report(event: Event) -> None:
        if isinstance(event, BytesDone) and event.phase == "unpack":
            begin_another("", 0)

    with pytest.raises(FileExistsError):
        fetch_dataset(FolderStore(text / "store"), NAME, into=tmp_path / "out", journal=journal, report=report)
    assert others[0].report.verdict is Verdict.VERIFIED
    fetched = tree(tmp_path / "out" / "large.0.0.1")
    fetched.pop("manifest.json")
    assert fetched == tree(text / "source")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["large.0.0.1"]


def test_the_stage_of_a_stopped_job_stays_until_somebody_removes_it(text: Path, tmp_path: Path) -> None:
    journal = MemoryJournal()
    stage = stop_fetching(text, tmp_path / "out", journal, archive_size(text) // 2)
    assert remove_abandoned(tmp_path / "out") == 0
    fetch_dataset(FolderStore(text / "store"), NAME, into=tmp_path / "out")
    assert stage.is_dir()
    assert remove_kept_stage(journal.saved["stage"])
    assert not stage.exists()


def test_without_the_library_everything_works_and_begins_anew(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable_digest, "_find_library", lambda: None)
    journal = MemoryJournal()
    store = Watched(text / "store", archive_size(text) // 2)
    with pytest.raises(OperationStopped):
        fetch_dataset(store, NAME, into=tmp_path / "out", stop=store, journal=journal)
    assert list((tmp_path / "out").iterdir()) == []
    receipt, seen = fetch_again(text, tmp_path / "out", journal)
    assert (receipt.report.notes, seen >= archive_size(text)) == ((), True)
    stop_verifying(text, journal, archive_size(text) // 2)
    report, _ = verify_version(FolderStore(text / "store"), NAME, journal=journal)
    assert (report.verdict, report.bytes_read, report.notes) == (Verdict.VERIFIED, archive_size(text), ())


def test_a_small_archive_is_not_kept(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "KEPT_FROM", 1 << 40)
    store, journal = Watched(text / "store", archive_size(text) // 2), MemoryJournal()
    with pytest.raises(OperationStopped):
        fetch_dataset(store, NAME, into=tmp_path / "out", stop=store, journal=journal)
    assert list((tmp_path / "out").iterdir()) == []
    assert not journal.saved


def run(action: str, place: Path, into: Path, journal: Path, speed: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.archives.reading_program", action, str(place / "store"), str(into)]
    return subprocess.Popen([*command, str(journal), str(speed), str(MIB)], stdout=subprocess.PIPE, text=True)


def kill_at_some_time(action: str, place: Path, tmp_path: Path, seconds: float) -> bool:
    """True when the process was killed while it worked; the repeat then has to be right."""
    journal, into = tmp_path / "journal", tmp_path / "out"
    process = run(action, place, into, journal, 20e6)
    while not journal.exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(seconds)
    process.kill()
    was_working = process.wait() != 0
    process.communicate()
    with contextlib.closing(FileJournal(journal)) as noted:
        is_noted = POINT in noted.saved
    repeat = run(action, place, into, journal, 0)
    output, _ = repeat.communicate(timeout=60)
    verdict, files, count, read, notes = json.loads(output)
    assert (verdict, files) == ("verified", 122)
    assert read <= count + 200_000
    if action == "verify":
        assert (count < archive_size(place)) == is_noted == bool(notes)
        return was_working and is_noted
    fetched = tree(into / "large.0.0.1")
    fetched.pop("manifest.json")
    assert fetched == tree(place / "source")
    assert [path.name for path in into.iterdir()] == ["large.0.0.1"]
    shutil.rmtree(into)
    return was_working and bool(notes)


@pytest.mark.parametrize("action", ["verify", "fetch"])
def test_a_killed_process_is_gone_on_with(sources: Path, tmp_path: Path, action: str) -> None:
    continued = 0
    for attempt in range(8):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        continued += kill_at_some_time(action, sources / "random", folder, 0.6 + attempt * 0.05)
        if continued >= 2:
            return
    raise AssertionError(f"only {continued} of 8 kills came while it was working")


@pytest.mark.slow
@pytest.mark.parametrize("action", ["verify", "fetch"])
def test_kills_at_random_times(sources: Path, tmp_path: Path, action: str) -> None:
    times = random.Random(4)
    continued = 0
    for attempt in range(60):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        kind = ("random", "text", "stored", "zlib")[attempt % 4]
        continued += kill_at_some_time(action, sources / kind, folder, times.uniform(0.0, 1.6))
        shutil.rmtree(folder)
    assert continued >= 15
