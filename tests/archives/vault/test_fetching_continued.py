"""A fetch that is interrupted goes on where it was: whole files are left alone, large ones continued in the middle."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archive_tui.archives.vault.fetching import fetch_manifest
from archive_tui.archives.vault.outcomes import EarlierResult, LineResult, Outcome
from archive_tui.archives.vault.unfinished_parts import PARTS, remove_unfinished_parts
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import AccessDenied, OperationStopped, StorageError, StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.objects.folder import contained_write, kept_parts
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.folder.temporary_entries import remove_abandoned
from tests.archives.vault.conftest import (
    AZURITE,
    FOLDER,
    MEMORY,
    SEAWEEDFS,
    FakeManifest,
    VaultPlace,
    digest_of,
    manifest_of,
    small_contents,
)
from tests.archives.vault.fetch_program import WatchedStore
from tests.jobs.kinds.job_work import FileJournal, MemoryJournal

MIB = 1 << 20

in_memory = pytest.mark.parametrize("place", [MEMORY], indirect=True)


def put_all(vault: Vault, contents: dict[str, bytes]) -> FakeManifest:
    """Puts the contents into the vault; returns a manifest that lists them, without sizes."""
    for content in set(contents.values()):
        vault.store.put(vault.key(digest_of(content)), [content], overwrite=True)
    return manifest_of(
        ManifestLine(number, name, digest_of(content)) for number, (name, content) in enumerate(contents.items(), 1)
    )


def fetch(manifest: FakeManifest, vault: Vault, root: Path, journal: MemoryJournal) -> list[LineResult]:
    news = fetch_manifest(manifest, vault, root=root, journal=journal)
    return [each for each in news if isinstance(each, LineResult)]


def parts_in(root: Path) -> list[Path]:
    return sorted(root.rglob(".archive-tui-kept-*.part"))


class Interruption:
    """Counts what is read, and raises once so many bytes of a key have passed."""

    def __init__(self, after: int, error: Callable[[], Exception]) -> None:
        self.after = after
        self.error: Callable[[], Exception] | None = error
        self.passed = 0

    def __call__(self, key: str, size: int) -> None:
        self.passed += size
        if self.error is not None and self.passed > self.after:
            raise self.error()


def unavailable() -> StorageUnavailable:
    return StorageUnavailable("The line is dead.")


def interrupt(manifest: FakeManifest, place: VaultPlace, root: Path, journal: MemoryJournal, after: int) -> None:
    vault = place.with_store(lambda inner: WatchedStore(inner, Interruption(after, unavailable)))
    with pytest.raises(StorageUnavailable):
        fetch(manifest, vault, root, journal)


# Whole files


@in_memory
def test_what_is_there_and_has_not_changed_is_neither_hashed_nor_fetched(place: VaultPlace, tmp_path: Path) -> None:
    contents, journal = small_contents(600) | {"twin": b"same", "deep/twin": b"same"}, MemoryJournal()
    manifest = put_all(place.vault, contents)
    assert {each.outcome for each in fetch(manifest, place.vault, tmp_path / "out", journal)} == {Outcome.FETCHED}
    store = WatchedStore(place.store)
    hashed = watch_hashing(contained_write)
    try:
        again = fetch(manifest, Vault(store), tmp_path / "out", journal)
    finally:
        hashed.restore()
    assert {each.outcome for each in again} == {Outcome.ALREADY_THERE}
    assert [each.earlier for each in again] == [
        EarlierResult(Outcome.FETCHED, journal.marks["fetch", each.line.name].at) for each in again
    ]
    assert (store.read_bytes, hashed.count) == ({}, 0)
    assert [mark.outcome for mark in journal.of("fetch")] == ["fetched"] * len(contents)


class HashCount:
    def __init__(self, module: object) -> None:
        self.count = 0
        self._module, self._original = module, module.hash_descriptor  # type: ignore[attr-defined]

    def __call__(self, *arguments: object, **options: object) -> object:
        self.count += 1
        return self._original(*arguments, **options)

    def restore(self) -> None:
        self._module.hash_descriptor = self._original  # type: ignore[attr-defined]


def watch_hashing(module: object) -> HashCount:
    count = HashCount(module)
    module.hash_descriptor = count  # type: ignore[attr-defined]
    return count


def rewrite(path: Path) -> None:
    path.write_bytes(b"another")


def reverse_and_set_the_time_back(path: Path) -> None:
    before = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def put_another_there(path: Path) -> None:
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def put_a_link_there(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


@in_memory
@pytest.mark.parametrize("change", [rewrite, reverse_and_set_the_time_back, put_another_there, put_a_link_there])
def test_a_file_that_was_changed_since_is_looked_at_again(
    place: VaultPlace, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    manifest, journal = put_all(place.vault, small_contents(3)), MemoryJournal()
    fetch(manifest, place.vault, tmp_path, journal)
    change(tmp_path / "data" / "file-00001.txt")
    again = fetch(manifest, place.vault, tmp_path, journal)
    assert [each.outcome for each in again] == [Outcome.ALREADY_THERE, Outcome.EXISTS, Outcome.ALREADY_THERE]
    assert [each.earlier is None for each in again] == [False, True, False]
    assert not journal.marks["fetch", "data/file-00001.txt"].is_good


@in_memory
def test_a_file_that_vanished_is_fetched_again(place: VaultPlace, tmp_path: Path) -> None:
    manifest, journal = put_all(place.vault, small_contents(3)), MemoryJournal()
    fetch(manifest, place.vault, tmp_path, journal)
    (tmp_path / "data" / "file-00001.txt").unlink()
    again = fetch(manifest, place.vault, tmp_path, journal)
    assert [each.outcome for each in again] == [Outcome.ALREADY_THERE, Outcome.FETCHED, Outcome.ALREADY_THERE]


@in_memory
def test_files_found_right_once_are_not_hashed_a_second_time(place: VaultPlace, tmp_path: Path) -> None:
    contents, journal = small_contents(20), MemoryJournal()
    manifest = put_all(place.vault, contents)
    fetch(manifest, place.vault, tmp_path, MemoryJournal())
    time.sleep(0.05)
    assert all(each.earlier is None for each in fetch(manifest, place.vault, tmp_path, journal))
    again = fetch(manifest, place.vault, tmp_path, journal)
    assert {each.earlier.outcome for each in again if each.earlier} == {Outcome.ALREADY_THERE}
    assert {each.earlier is None for each in again} == {False}


@in_memory
def test_a_mark_is_no_use_to_a_line_that_wants_another_content(place: VaultPlace, tmp_path: Path) -> None:
    journal = MemoryJournal()
    fetch(put_all(place.vault, {"a": b"one"}), place.vault, tmp_path, journal)
    assert [each.outcome for each in fetch(put_all(place.vault, {"a": b"two"}), place.vault, tmp_path, journal)] == [
        Outcome.EXISTS
    ]


# Large contents


@pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS, AZURITE, MEMORY], indirect=True)
def test_a_large_content_continues_by_range(place: VaultPlace, tmp_path: Path) -> None:
    content, journal = os.urandom(24 * MIB), MemoryJournal()
    manifest = put_all(place.vault, {"sub/large": content})
    interrupt(manifest, place, tmp_path, journal, 15 * MIB)
    (part,) = parts_in(tmp_path)
    there = part.stat().st_size
    assert kept_parts.KEPT_FROM <= there <= 16 * MIB and not (tmp_path / "sub" / "large").exists()

    store = WatchedStore(place.store)
    (result,) = fetch(manifest, Vault(store), tmp_path, journal)
    assert (result.outcome, result.size) == (Outcome.FETCHED, len(content))
    assert (tmp_path / "sub" / "large").read_bytes() == content
    assert sum(store.read_bytes.values()) == len(content) - there
    assert parts_in(tmp_path) == [] and journal.load(PARTS) is None
    if place.kind in (FOLDER, SEAWEEDFS, AZURITE):  # which tell the version that is read
        assert result.evidence is not None and result.evidence.level is EvidenceLevel.READ
        assert result.evidence.version == place.store.info(result.key).version
    assert [each.earlier is not None for each in fetch(manifest, place.vault, tmp_path, journal)] == [True]


@in_memory
def test_a_part_that_was_spoiled_is_not_believed(place: VaultPlace, tmp_path: Path) -> None:
    content, journal = os.urandom(20 * MIB), MemoryJournal()
    manifest = put_all(place.vault, {"large": content})
    interrupt(manifest, place, tmp_path, journal, 15 * MIB)
    (part,) = parts_in(tmp_path)
    with part.open("r+b") as file:
        file.seek(3 * MIB)
        file.write(b"\0" * 4096)
    (result,) = fetch(manifest, place.vault, tmp_path, journal)
    assert result.outcome is Outcome.FETCHED and (tmp_path / "large").read_bytes() == content
    assert parts_in(tmp_path) == []


@in_memory
@pytest.mark.parametrize("size", [9 * MIB, 20 * MIB, 30 * MIB])
def test_a_part_of_any_length_is_gone_on_with_or_begun_anew(place: VaultPlace, tmp_path: Path, size: int) -> None:
    content, journal = os.urandom(20 * MIB), MemoryJournal()
    manifest = put_all(place.vault, {"large": content})
    interrupt(manifest, place, tmp_path, journal, 15 * MIB)
    (part,) = parts_in(tmp_path)
    part.write_bytes((content + content)[:size])
    (result,) = fetch(manifest, place.vault, tmp_path, journal)
    assert result.outcome is Outcome.FETCHED and (tmp_path / "large").read_bytes() == content
    assert parts_in(tmp_path) == [] and journal.load(PARTS) is None


@in_memory
def test_a_part_that_has_got_its_final_name_is_never_written_to(place: VaultPlace, tmp_path: Path) -> None:
    """Killed between the two steps of giving the name: the file is whole, and has two names."""
    content, journal = os.urandom(20 * MIB), MemoryJournal()
    manifest = put_all(place.vault, {"large": content})
    interrupt(manifest, place, tmp_path, journal, 15 * MIB)
    (part,) = parts_in(tmp_path)
    part.write_bytes(content)
    os.link(part, tmp_path / "large")
    (result,) = fetch(manifest, place.vault, tmp_path, journal)
    assert result.outcome is Outcome.ALREADY_THERE and (tmp_path / "large").read_bytes() == content
    assert parts_in(tmp_path) == [] and journal.load(PARTS) is None

    os.link(tmp_path / "large", part)
    (tmp_path / "large").rename(tmp_path / "elsewhere")
    journal.save(PARTS, json.dumps([str(tmp_path), {"large": [part.name, digest_of(content), None]}]).encode())
    (result,) = fetch(manifest, place.vault, tmp_path, journal)
    assert result.outcome is Outcome.FETCHED and not (tmp_path / "large").samefile(tmp_path / "elsewhere")
    assert parts_in(tmp_path) == []


@in_memory
def test_wrong_bytes_in_the_vault_are_told_after_a_second_look(place: VaultPlace, tmp_path: Path) -> None:
    content, journal = os.urandom(20 * MIB), MemoryJournal()
    manifest = put_all(place.vault, {"large": content})
    interrupt(manifest, place, tmp_path, journal, 15 * MIB)
    found = place.spoil(digest_of(content), content[:-1] + bytes([content[-1] ^ 1]))
    (result,) = fetch(manifest, place.vault, tmp_path, journal)
    assert (result.outcome, result.found) == (Outcome.DAMAGED, found)
    assert result.evidence is not None and result.evidence.level is EvidenceLevel.DAMAGED
    assert parts_in(tmp_path) == [] and journal.load(PARTS) is None and not (tmp_path / "large").exists()


@in_memory
def test_a_content_that_was_removed_meanwhile_leaves_no_part(place: VaultPlace, tmp_path: Path) -> None:
    content, journal = os.urandom(20 * MIB), MemoryJournal()
    manifest = put_all(place.vault, {"large": content})
    interrupt(manifest, place, tmp_path, journal, 15 * MIB)
    place.store.delete(place.vault.key(digest_of(content)))
    assert [each.outcome for each in fetch(manifest, place.vault, tmp_path, journal)] == [Outcome.ABSENT]
    assert parts_in(tmp_path) == [] and journal.load(PARTS) is None


@pytest.mark.parametrize("place", [FOLDER], indirect=True)
def test_an_object_that_was_replaced_meanwhile_is_not_said_to_have_been_read(place: VaultPlace, tmp_path: Path) -> None:
    content, journal = os.urandom(20 * MIB), MemoryJournal()
    manifest = put_all(place.vault, {"large": content})
    interrupt(manifest, place, tmp_path / "out", journal, 15 * MIB)
    place.overwrite(place.vault.key(digest_of(content)), b"X" * MIB + content[MIB:])
    (result,) = fetch(manifest, place.vault, tmp_path / "out", journal)
    assert result.outcome is Outcome.FETCHED and (tmp_path / "out" / "large").read_bytes() == content
    assert result.evidence is None


@in_memory
@pytest.mark.parametrize(
    ("error", "is_kept"),
    [
        (unavailable, True),
        (OperationStopped, True),
        (lambda: AccessDenied("The token is too old."), True),
        (lambda: StorageError("Something about this object."), False),
    ],
)
def test_a_part_is_kept_where_the_run_ends_and_may_be_repeated(
    place: VaultPlace, tmp_path: Path, error: Callable[[], Exception], is_kept: bool
) -> None:
    content, journal = os.urandom(20 * MIB), MemoryJournal()
    manifest = put_all(place.vault, {"large": content})
    vault = place.with_store(lambda inner: WatchedStore(inner, Interruption(15 * MIB, error)))
    try:
        fetch(manifest, vault, tmp_path, journal)
    except (StorageUnavailable, OperationStopped, AccessDenied):
        assert is_kept
    assert len(parts_in(tmp_path)) == is_kept and (journal.load(PARTS) is not None) is is_kept


@in_memory
def test_without_a_journal_nothing_is_kept(place: VaultPlace, tmp_path: Path) -> None:
    manifest = put_all(place.vault, {"large": os.urandom(20 * MIB)})
    vault = place.with_store(lambda inner: WatchedStore(inner, Interruption(15 * MIB, unavailable)))
    with pytest.raises(StorageUnavailable):
        list(fetch_manifest(manifest, vault, root=tmp_path))
    assert list(tmp_path.iterdir()) == []


@in_memory
def test_parts_outlive_the_clean_up_of_other_writers_and_are_removed_when_nobody_wants_them(
    place: VaultPlace, tmp_path: Path
) -> None:
    journal = MemoryJournal()
    manifest = put_all(place.vault, {"sub/large": os.urandom(20 * MIB)})
    interrupt(manifest, place, tmp_path, journal, 15 * MIB)
    remove_abandoned(tmp_path / "sub")
    assert len(parts_in(tmp_path)) == 1
    note = journal.saved[PARTS]
    with parts_in(tmp_path)[0].open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert remove_unfinished_parts(note) == note and len(parts_in(tmp_path)) == 1
    assert remove_unfinished_parts(note) is None and parts_in(tmp_path) == []
    assert remove_unfinished_parts(note) is None


@in_memory
def test_a_journal_that_nobody_understands_means_to_begin_anew(place: VaultPlace, tmp_path: Path) -> None:
    manifest = put_all(place.vault, {"large": os.urandom(9 * MIB)})
    (tmp_path / "x").write_bytes(b"mine")
    root = json.dumps(str(tmp_path)).encode()
    notes = (b"no json", b"[1]", b"[%s, 5]", b'[%s, {"large": ["a"]}]', b'[%s, {"large": ["../x", "y", null]}]',
             b'[%s, {"large": ["x", "y", null]}]', b'["/", {"large": ["x", "y", null]}]')  # fmt: skip
    for note in notes:
        journal = MemoryJournal(saved={PARTS: note.replace(b"%s", root)})
        (result,) = fetch(manifest, place.vault, tmp_path, journal)
        assert result.outcome in (Outcome.FETCHED, Outcome.ALREADY_THERE)
        (tmp_path / "large").unlink()
        assert remove_unfinished_parts(note.replace(b"%s", root)) is None
        assert [path.name for path in tmp_path.iterdir()] == ["x"]


# Kills


def start_fetch(vault: Path, document: Path, root: Path, journal: Path, speed: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.archives.vault.fetch_program", vault, document, root, journal, str(speed)]
    return subprocess.Popen([str(word) for word in words], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE)


def kill_in_a_large_content(tmp_path: Path, size: int, after: int, speed: int) -> None:
    content = os.urandom(MIB) * (size // MIB)
    vault = Vault(FolderStore(tmp_path / "vault"))
    put_all(vault, {"large": content})
    (tmp_path / "out").mkdir()
    document = tmp_path / "list"
    document.write_text(f"{digest_of(content)}  large\n")
    process = start_fetch(tmp_path / "vault", document, tmp_path / "out", tmp_path / "journal", speed)
    try:
        while not (parts := parts_in(tmp_path / "out")) or parts[0].stat().st_size < after:
            assert process.poll() is None
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    there = parts[0].stat().st_size
    store = WatchedStore(vault.store)
    lines = manifest_of([ManifestLine(1, "large", digest_of(content))])
    with closing(FileJournal(tmp_path / "journal")) as journal:
        (result,) = fetch(lines, Vault(store), tmp_path / "out", journal)
    assert result.outcome is Outcome.FETCHED and sum(store.read_bytes.values()) == size - there <= size - after
    assert (tmp_path / "out" / "large").read_bytes() == content
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["large"]


def test_a_fetch_killed_in_a_large_content_asks_only_for_the_rest(tmp_path: Path) -> None:
    kill_in_a_large_content(tmp_path, 40 * MIB, 20 * MIB, 60_000_000)


@pytest.mark.slow
def test_a_fetch_killed_in_a_content_of_200_megabytes_asks_only_for_the_rest(tmp_path: Path) -> None:
    kill_in_a_large_content(tmp_path, 200 * MIB, 120 * MIB, 100_000_000)


def kill_between_files(tmp_path: Path, count: int, kills: int) -> None:
    contents = small_contents(count)
    vault = Vault(FolderStore(tmp_path / "vault"))
    manifest = put_all(vault, contents)
    (tmp_path / "out").mkdir()
    document = tmp_path / "list"
    document.write_text("".join(f"{line.digest}  {line.name}\n" for line in manifest.lines()))
    for number in range(1, kills + 1):
        process = start_fetch(tmp_path / "vault", document, tmp_path / "out", tmp_path / "journal", 0)
        assert process.stdout is not None
        for _ in range(count * number // (kills + 1)):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with closing(FileJournal(tmp_path / "journal")) as journal:
        check_what_a_killed_fetch_has_left(tmp_path, vault, manifest, journal, count * kills // (kills + 1))


def check_what_a_killed_fetch_has_left(
    tmp_path: Path, vault: Vault, manifest: FakeManifest, journal: FileJournal, done: int
) -> None:
    """At least `done` lines had been told of, so they were marked."""
    marked = {mark.item for mark in journal.of("fetch")}
    changed = sorted(marked)[:: max(1, len(marked) // 10)]
    for name in changed:
        reverse_and_set_the_time_back(tmp_path / "out" / name)
    hashed = watch_hashing(contained_write)
    try:
        results = fetch(manifest, vault, tmp_path / "out", journal)
    finally:
        hashed.restore()
    there = [each for each in results if each.outcome is Outcome.ALREADY_THERE]
    earlier = [each for each in there if each.earlier is not None]
    assert len(earlier) == len(marked) - len(changed) >= done - len(changed)
    assert hashed.count == len(there) - len(earlier) + len(changed)
    assert {each.line.name for each in results if each.outcome is Outcome.EXISTS} == set(changed)
    assert sum(each.outcome is Outcome.FETCHED for each in results) == len(results) - len(there) - len(changed)


def test_a_fetch_killed_between_files_hashes_only_what_may_have_changed(tmp_path: Path) -> None:
    kill_between_files(tmp_path, 1000, 2)


@pytest.mark.slow
def test_a_fetch_of_20000_files_killed_five_times_hashes_only_what_may_have_changed(tmp_path: Path) -> None:
    kill_between_files(tmp_path, 20_000, 5)
