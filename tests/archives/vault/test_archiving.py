"""Archiving into the vault, on every store: what is missing is uploaded, once, and only under its own digest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from archive_tui.archives.vault.archiving import PHASE, UPLOADERS, archive_manifest
from archive_tui.archives.vault.looking import look_at
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome, Tally
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import HashError, OperationStopped, SourceChanged, SourceNotFound, SourceUnreadable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.names.content_address import digest_of_key
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.progress import BytesDone, Ended, Event, ItemDone, ItemFailed, Planned
from tests.archives.faults.commands import program_environment
from tests.archives.vault.conftest import (
    AZURITE,
    FOLDER,
    MEMORY,
    MOTO,
    RCLONE,
    SEAWEEDFS,
    FakeManifest,
    VaultPlace,
    digest_of,
    manifest_of,
    small_contents,
    write_files,
)

PATIENCE = 60.0


def run(manifest: FakeManifest, vault: Vault, root: Path, **options: object) -> list[LineNews]:
    return list(archive_manifest(manifest, vault, root=root, **options))  # type: ignore[arg-type]


def outcomes(news: Iterable[LineNews]) -> list[Outcome]:
    return [each.outcome for each in news if isinstance(each, LineResult)]


def only(news: list[LineNews]) -> LineResult:
    (result,) = news
    assert isinstance(result, LineResult)
    return result


def check_holds(vault: Vault, contents: Iterable[bytes]) -> None:
    """Fails unless the vault holds exactly these contents, each under its digest, read whole."""
    digests = {digest_of(content) for content in contents}
    assert sorted(entry.key for entry in vault.store.list()) == sorted(vault.key(digest) for digest in digests)
    assert {look_at(vault, digest, read=True).outcome for digest in digests} <= {Outcome.HELD}


def test_archive_and_repeat(place: VaultPlace, tmp_path: Path) -> None:
    contents = small_contents(30) | {"data/empty": b"", "data/big": os.urandom(3 << 20)}
    manifest = write_files(tmp_path, contents)
    first = run(manifest, place.vault, tmp_path)
    assert outcomes(first) == [Outcome.UPLOADED] * 32
    assert [each.line for each in first if isinstance(each, LineResult)] == list(manifest.lines())
    proven = {each.evidence.level for each in first if isinstance(each, LineResult) and each.evidence is not None}
    assert proven <= {EvidenceLevel.ATTESTED, EvidenceLevel.READ}
    check_holds(place.vault, contents.values())
    store = RecordingStore(place.store)
    again = run(manifest, place.with_store(lambda _: store), tmp_path)
    assert outcomes(again) == [Outcome.ALREADY_THERE] * 32
    assert store.count("put") == 0
    assert all(each.evidence is not None for each in again if isinstance(each, LineResult))
    weak = {EvidenceLevel.LISTED, EvidenceLevel.COPIED}
    assert not weak & {each.evidence.level for each in again if isinstance(each, LineResult) and each.evidence}


def test_equal_contents_are_uploaded_once(place: VaultPlace, tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {f"copy-{number}": b"the same" for number in range(40)})
    store = RecordingStore(place.store)
    found = outcomes(run(manifest, place.with_store(lambda _: store), tmp_path))
    assert found == [Outcome.UPLOADED] + [Outcome.ALREADY_THERE] * 39
    assert store.count("put") == 1
    check_holds(place.vault, [b"the same"])


def test_a_damaged_object_is_named_and_never_replaced(place: VaultPlace, tmp_path: Path) -> None:
    contents = small_contents(3)
    manifest = write_files(tmp_path, contents)
    run(manifest, place.vault, tmp_path)
    damaged = digest_of(contents["data/file-00001.txt"])
    other = place.spoil(damaged)
    news = run(manifest, place.vault, tmp_path)
    assert outcomes(news) == [Outcome.ALREADY_THERE, Outcome.DAMAGED, Outcome.ALREADY_THERE]
    result = news[1]
    assert isinstance(result, LineResult) and isinstance(result.error, HashError)
    assert (result.found, result.key) == (other, place.vault.key(damaged))
    assert all(part in str(result.error) for part in (damaged, other, result.key, "data/file-00001.txt"))
    assert look_at(place.vault, damaged, read=True).found == other


def test_a_wrong_size_in_the_manifest_is_said_as_it_is(tmp_path: Path) -> None:
    (line,) = write_files(tmp_path, {"file": b"content"}).lines()
    result = only(run(manifest_of([line._replace(size=8)]), Vault(MemoryStore()), tmp_path))
    assert result.outcome is Outcome.CHANGED
    assert "7 bytes instead of 8" in str(result.error)


@pytest.mark.parametrize("place", [FOLDER], indirect=True)
def test_a_flipped_byte_in_a_stored_file(place: VaultPlace, tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"one": b"0123456789"})
    run(manifest, place.vault, tmp_path)
    (path,) = (path for path in (tmp_path / "vault").rglob("*") if path.is_file())
    before = path.stat()
    path.chmod(0o644)
    path.write_bytes(b"0123456780")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    result = only(run(manifest, place.vault, tmp_path))
    assert (result.outcome, result.found) == (Outcome.DAMAGED, digest_of(b"0123456780"))


def test_a_file_that_is_no_longer_its_line_is_not_uploaded(place: VaultPlace, tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"same": b"same", "other": b"listed", "large": bytes(5 << 20)})
    (tmp_path / "other").write_bytes(b"edited")
    (tmp_path / "large").write_bytes(b"x" + bytes((5 << 20) - 1))
    news = run(manifest, place.vault, tmp_path)
    assert outcomes(news) == [Outcome.UPLOADED, Outcome.CHANGED, Outcome.CHANGED]
    result = news[1]
    assert isinstance(result, LineResult) and isinstance(result.error, SourceChanged)
    assert (result.found, result.size) == (digest_of(b"edited"), 6)
    assert all(part in str(result.error) for part in ("other", result.line.digest, digest_of(b"edited")))
    check_holds(place.vault, [b"same"])


def test_each_bad_line_is_its_own_trouble(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"good": b"good", "gone": b"gone", "shut": b"shut", "sized": b"sized"})
    (tmp_path / "gone").unlink()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    digest = digest_of(b"x")
    lines = [*manifest.lines()]
    lines[3] = lines[3]._replace(size=99)
    del lines[2]
    lines += [
        ManifestLine(5, "folder", digest), ManifestLine(6, "pipe", digest), ManifestLine(7, "good/below", digest),
        ManifestLine(8, "no\0name", digest), ManifestLine(9, "x" * 300, digest), ManifestLine(10, "\ud800", digest),
        ManifestLine(11, "", digest),
    ]  # fmt: skip
    vault = Vault(MemoryStore())
    news = run(manifest_of([*lines, BadLine(12, "junk")]), vault, tmp_path)
    gone, bad = Outcome.MISSING, Outcome.UNREADABLE
    assert outcomes(news) == [Outcome.UPLOADED, gone, Outcome.CHANGED, bad, bad, gone, gone, bad, gone, bad]
    assert news[-1] == BadLine(12, "junk")
    errors = [each.error for each in news if isinstance(each, LineResult) and each.error is not None]
    assert {type(error) for error in errors} == {SourceNotFound, SourceUnreadable, SourceChanged}
    assert "gone" in str(errors[0]) and "Is a directory" in str(errors[2])
    check_holds(vault, [b"good"])


def test_a_file_that_the_disk_does_not_give_is_unreadable() -> None:
    """The memory of a process is a regular file of no size, whose first byte is an input/output error."""
    line = ManifestLine(1, "/proc/self/mem", digest_of(b"x"))
    result = only(run(manifest_of([line]), Vault(MemoryStore()), Path()))
    assert (result.outcome, type(result.error)) == (Outcome.UNREADABLE, SourceUnreadable)
    assert "Input/output error" in str(result.error)


def test_another_name_of_a_missing_file_is_tried(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"gone": b"content", "edited": b"content", "here": b"content"})
    (tmp_path / "gone").unlink()
    (tmp_path / "edited").write_bytes(b"other")
    found = outcomes(run(manifest, Vault(MemoryStore()), tmp_path))
    assert found == [Outcome.MISSING, Outcome.CHANGED, Outcome.UPLOADED]


def test_names_may_be_absolute_climb_follow_links_and_be_no_utf8(tmp_path: Path) -> None:
    root = tmp_path / "root"
    outside = tmp_path / "outside"
    root.mkdir()
    outside.write_bytes(b"outside")
    (root / "link").symlink_to(outside)
    odd = os.fsdecode(b"caf\xe9\nline")
    manifest = write_files(root, {odd: b"odd"})
    digest = digest_of(b"outside")
    lines = [*manifest.lines(), ManifestLine(2, "link", digest), ManifestLine(3, "../outside", digest)]
    vault = Vault(MemoryStore())
    found = outcomes(run(manifest_of([*lines, ManifestLine(4, str(outside), digest)]), vault, root))
    assert found == [Outcome.UPLOADED, Outcome.UPLOADED, Outcome.ALREADY_THERE, Outcome.ALREADY_THERE]
    assert outcomes(run(manifest_of(lines[2:]), Vault(MemoryStore()), root)) == [Outcome.UPLOADED]
    check_holds(vault, [b"odd", b"outside"])


def test_what_is_there_is_not_read_from_the_disk_again(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(3))
    vault = Vault(MemoryStore())
    run(manifest, vault, tmp_path)
    assert outcomes(run(manifest, vault, tmp_path / "nowhere")) == [Outcome.ALREADY_THERE] * 3


def test_progress_adds_up(tmp_path: Path) -> None:
    contents = small_contents(20) | {"large": bytes(9 << 20)}
    manifest = write_files(tmp_path, contents)
    (tmp_path / "data/file-00003.txt").unlink()
    events: list[Event] = []
    news = run(manifest, Vault(MemoryStore()), tmp_path, report=events.append)
    tally = Tally()
    for each in news:
        tally.add(each)
    assert events[0] == Planned(PHASE, 21)
    assert [(each.item, each.items_total) for each in events if isinstance(each, ItemFailed)] == [
        ("data/file-00003.txt", 4)
    ]
    assert max(each.items_total for each in events if isinstance(each, ItemDone)) == 21
    assert [each.total for each in events if isinstance(each, BytesDone)][-1] == tally.bytes_moved
    assert events[-1] == Ended(PHASE, finished=True)


class StoppingStore(RecordingStore):
    """Somebody asks to stop while the tenth content is put."""

    def __init__(self, inner: ObjectStore, stop: threading.Event) -> None:
        super().__init__(inner)
        self._stop = stop

    def _note(self, operation: str, key: str, detail: str = "") -> None:
        super()._note(operation, key, detail)
        if self.count("put") == 10:
            self._stop.set()


@pytest.mark.parametrize("place", [MEMORY, FOLDER, SEAWEEDFS, AZURITE], indirect=True)
def test_stop_and_repeat(place: VaultPlace, tmp_path: Path) -> None:
    contents = small_contents(60)
    manifest = write_files(tmp_path, contents)
    stop, events = threading.Event(), []
    vault = place.with_store(lambda store: StoppingStore(store, stop))
    seen: list[LineNews] = []
    with pytest.raises(OperationStopped):
        for news in archive_manifest(manifest, vault, root=tmp_path, stop=stop, threads=2, report=events.append):
            seen.append(news)
    assert events[-1] == Ended(PHASE, finished=False)
    assert set(outcomes(seen)) <= {Outcome.UPLOADED}
    stored = len(place.keys())
    assert len(seen) <= stored <= 10
    assert stored >= 8  # what was under way when it was said
    store = RecordingStore(place.store)
    found = Counter(outcomes(run(manifest, place.with_store(lambda _: store), tmp_path)))
    assert found == {Outcome.ALREADY_THERE: stored, Outcome.UPLOADED: 60 - stored}
    assert store.count("put") == 60 - stored
    check_holds(place.vault, contents.values())


class StopsDuring:
    """Says stop when it has been asked so many times."""

    def __init__(self, asked: int) -> None:
        self.left = asked
        self._lock = threading.Lock()

    def is_set(self) -> bool:
        with self._lock:
            self.left -= 1
            return self.left < 0


@pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS, AZURITE], indirect=True)
def test_a_stop_in_the_middle_of_a_large_file_shows_nothing(place: VaultPlace, tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"large": os.urandom(24 << 20)})
    for asked in (5, 12, 20):
        with pytest.raises(OperationStopped):
            run(manifest, place.vault, tmp_path, stop=StopsDuring(asked))
        assert place.keys() == []
    assert outcomes(run(manifest, place.vault, tmp_path)) == [Outcome.UPLOADED]


def start_archiving(place: VaultPlace, tmp_path: Path, manifest: FakeManifest) -> subprocess.Popen[str]:
    keys = {"local_path": str(tmp_path), **place.settings}
    (tmp_path / "settings.ini").write_text("[lab]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()))
    (tmp_path / "files.txt").write_text("".join(f"{line.digest}  {line.name}\n" for line in manifest.lines()))
    words = [str(tmp_path / "settings.ini"), str(tmp_path / "files.txt"), str(tmp_path)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.archives.vault.archive_program", *words],
        env=program_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS, RCLONE, AZURITE], indirect=True)
def test_kill_and_repeat(place: VaultPlace, tmp_path: Path) -> None:
    contents = small_contents(200)
    manifest = write_files(tmp_path, contents)
    process = start_archiving(place, tmp_path, manifest)
    deadline = time.monotonic() + PATIENCE
    while len(place.keys()) < 10 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    stored = place.keys()
    assert len(stored) >= 10
    for key in stored:
        digest = digest_of_key(key)
        assert digest is not None
        assert look_at(place.vault, digest, read=True).outcome is Outcome.HELD
    again = start_archiving(place, tmp_path, manifest)
    out, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    counts = json.loads(out)
    there = counts.get(Outcome.ALREADY_THERE, 0)
    assert len(stored) <= there <= len(stored) + UPLOADERS  # a server goes on with what it had received
    assert counts.get(Outcome.UPLOADED, 0) == 200 - there
    check_holds(place.vault, contents.values())


@pytest.mark.parametrize("place", [MEMORY, FOLDER, SEAWEEDFS, AZURITE], indirect=True)
def test_two_runs_at_once_store_each_content_once(place: VaultPlace, tmp_path: Path) -> None:
    contents = small_contents(80)
    manifest = write_files(tmp_path, contents)
    found: list[Counter[Outcome]] = []

    def archive() -> None:
        found.append(Counter(outcomes(run(manifest, place.vault, tmp_path, threads=4))))

    runs = [threading.Thread(target=archive) for _ in range(2)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert len(found) == 2
    both = found[0] + found[1]
    assert set(both) == {Outcome.UPLOADED, Outcome.ALREADY_THERE}
    assert both[Outcome.UPLOADED] == 80
    check_holds(place.vault, contents.values())


@pytest.mark.parametrize("place", [MOTO, RCLONE], indirect=True)
def test_two_runs_at_once_on_a_poor_server_lose_nothing(place: VaultPlace, tmp_path: Path) -> None:
    """It may let both believe that they were first: then both have put the same bytes."""
    contents = small_contents(60)
    manifest = write_files(tmp_path, contents)
    found: Counter[Outcome] = Counter()
    runs = [
        threading.Thread(target=lambda: found.update(outcomes(run(manifest, place.vault, tmp_path, threads=4))))
        for _ in range(2)
    ]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert set(found) <= {Outcome.UPLOADED, Outcome.ALREADY_THERE}
    assert found.total() == 120
    check_holds(place.vault, contents.values())


def test_evidence_of_the_database_spares_reading(tmp_path: Path) -> None:
    from archive_tui.objects.folder.store import FolderStore
    from archive_tui.state.database import StateDatabase
    from archive_tui.state.evidence_table import EvidenceTable

    database = StateDatabase(tmp_path / "state.sqlite")
    table = EvidenceTable(database)
    store = RecordingStore(FolderStore(tmp_path / "vault"))
    manifest = write_files(tmp_path, small_contents(10))
    run(manifest, Vault(store), tmp_path, evidence_table=table)
    news = run(manifest, Vault(store), tmp_path, evidence_table=table)
    assert store.count("open") == 0
    levels = {each.evidence.level for each in news if isinstance(each, LineResult) and each.evidence is not None}
    assert levels == {EvidenceLevel.UNCHANGED}
    news = run(manifest, Vault(store), tmp_path)
    assert store.count("open") == 10
    levels = {each.evidence.level for each in news if isinstance(each, LineResult) and each.evidence is not None}
    assert levels == {EvidenceLevel.READ}
    database.close()


def test_a_folder_in_the_place_of_an_object_is_not_blamed_on_others(tmp_path: Path) -> None:
    manifest = write_files(tmp_path / "files", {"a": b"content"})
    store = FolderStore(tmp_path / "vault")
    vault = Vault(store)
    (tmp_path / "vault" / vault.key(digest_of(b"content"))).mkdir(parents=True)
    result = only(run(manifest, vault, tmp_path / "files"))
    assert result.outcome is Outcome.FAILED and result.error is not None
    assert "by no object" in result.error.message and "a folder may lie there" in result.error.hint


def test_a_name_of_windows_has_a_hint(tmp_path: Path) -> None:
    line = ManifestLine(1, "w\\sub\\f.txt", digest_of(b"x"))
    result = only(run(manifest_of([line]), Vault(MemoryStore()), tmp_path))
    assert result.error is not None and "made on Windows" in result.error.hint
