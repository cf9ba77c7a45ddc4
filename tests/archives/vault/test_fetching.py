"""Fetching out of the vault, from every store: what is listed comes back, proven, and nothing else is touched."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.fetching import PHASE, fetch_manifest
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome, Tally
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import AccessDenied, OperationStopped, StorageFull, StorageUnavailable, TargetExists
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.manifests.checksum_lines.line import BadLine, ManifestLine
from archive_tui.objects.folder.contained_write import ContainedFolder
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectReader
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from archive_tui.objects.wrappers.wrapped_store import WrappedStore
from archive_tui.progress import Ended, Event, ItemDone, ItemFailed, Planned
from tests.archives.vault.conftest import (
    AZURITE,
    FOLDER,
    MEMORY,
    RCLONE,
    FakeManifest,
    VaultPlace,
    digest_of,
    manifest_of,
    small_contents,
    write_files,
)

in_memory = pytest.mark.parametrize("place", [MEMORY], indirect=True)


def fetch(manifest: FakeManifest, vault: Vault, root: Path, **options: object) -> list[LineResult]:
    return [each for each in fetch_all(manifest, vault, root, **options) if isinstance(each, LineResult)]


def fetch_all(manifest: FakeManifest, vault: Vault, root: Path, **options: object) -> list[LineNews]:
    return list(fetch_manifest(manifest, vault, root=root, **options))  # type: ignore[arg-type]


def outcomes(results: Iterable[LineResult]) -> list[Outcome]:
    return [each.outcome for each in results]


def put(vault: Vault, *contents: bytes) -> list[str]:
    for content in contents:
        vault.store.put(vault.key(digest_of(content)), [content], overwrite=True)
    return [digest_of(content) for content in contents]


def lines_of(*named: tuple[str, str]) -> FakeManifest:
    return manifest_of(ManifestLine(number, name, digest) for number, (name, digest) in enumerate(named, 1))


def files_below(root: Path) -> dict[str, bytes]:
    return {
        os.path.relpath(Path(folder, name), root): Path(folder, name).read_bytes()
        for folder, _, names in os.walk(root)
        for name in names
    }


def test_archive_wipe_fetch(place: VaultPlace, tmp_path: Path) -> None:
    contents = small_contents(40) | {
        "empty": b"", "twin": b"same", "deep/er/twin": b"same", "big": os.urandom(9 << 20), "a\nb": b"1",
        "\udcff\udcfe": b"2", "back\\slash": b"3", " ": b"4", "-rf": b"5", "CON": b"6", "end.": b"7",
    }  # fmt: skip
    manifest = write_files(tmp_path / "source", contents)
    assert all(each.error is None for each in archive_manifest(manifest, place.vault, root=tmp_path / "source"))  # type: ignore[union-attr]
    events: list[Event] = []
    results = fetch(manifest, place.vault, tmp_path / "out", report=events.append)
    assert outcomes(results) == [Outcome.FETCHED] * len(contents)
    assert [each.line for each in results] == list(manifest.lines())
    assert files_below(tmp_path / "out") == contents
    for each in results:
        assert each.evidence is not None
        assert (each.evidence.level, each.evidence.digest) == (EvidenceLevel.READ, each.line.digest)
    assert events[0] == Planned(PHASE, len(contents))
    assert events[-1] == Ended(PHASE, True)
    assert [event.items_total for event in events if isinstance(event, ItemDone)][-1] == len(contents)
    assert outcomes(fetch(manifest, place.vault, tmp_path / "out")) == [Outcome.ALREADY_THERE] * len(contents)


@in_memory
def test_what_is_there_already_is_hashed_and_left_alone(place: VaultPlace, tmp_path: Path) -> None:
    right, other = put(place.vault, b"right", b"other")
    (tmp_path / "same").write_bytes(b"right")
    (tmp_path / "differs").write_bytes(b"mine!")
    for name in ("same", "differs"):
        os.utime(tmp_path / name, (1, 1))
    results = fetch(lines_of(("same", right), ("differs", right), ("new", other)), place.vault, tmp_path)
    assert outcomes(results) == [Outcome.ALREADY_THERE, Outcome.EXISTS, Outcome.FETCHED]
    assert isinstance(results[1].error, TargetExists)
    assert digest_of(b"mine!") in str(results[1].error)
    assert (tmp_path / "differs").read_bytes() == b"mine!"
    assert [(tmp_path / name).stat().st_mtime for name in ("same", "differs")] == [1, 1]


@in_memory
def test_overwrite_replaces_what_differs_and_nothing_else(place: VaultPlace, tmp_path: Path) -> None:
    (right,) = put(place.vault, b"right")
    (tmp_path / "same").write_bytes(b"right")
    os.utime(tmp_path / "same", (1, 1))
    (tmp_path / "differs").write_bytes(b"mine!")
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_bytes(b"victim")
    (tmp_path / "link").symlink_to(victim)
    manifest = lines_of(*((name, right) for name in ("same", "differs", "folder", "link")))
    results = fetch(manifest, place.vault, tmp_path, overwrite=True)
    assert outcomes(results) == [Outcome.ALREADY_THERE, Outcome.FETCHED, Outcome.EXISTS, Outcome.FETCHED]
    assert (tmp_path / "same").stat().st_mtime == 1
    assert (tmp_path / "differs").read_bytes() == b"right"
    assert (tmp_path / "folder" / "sub").is_dir()
    assert victim.read_bytes() == b"victim"
    assert (tmp_path / "link").read_bytes() == b"right"
    assert not (tmp_path / "link").is_symlink()


@in_memory
def test_what_is_no_file_is_in_the_way(place: VaultPlace, tmp_path: Path) -> None:
    (right,) = put(place.vault, b"right")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    manifest = lines_of(*((name, right) for name in ("folder", "link", "pipe", "file/below")))
    results = fetch(manifest, place.vault, tmp_path)
    assert outcomes(results) == [Outcome.EXISTS] * 4
    assert all(isinstance(each.error, TargetExists) for each in results)


def test_absent_and_damaged_do_not_stop_the_rest(place: VaultPlace, tmp_path: Path) -> None:
    gone, big = digest_of(b"never stored"), b"B" * (9 << 20)
    first, spoilt, spoilt_big, last = put(place.vault, b"first", b"spoilt", big, b"last")
    found = place.spoil(spoilt, b"SPOILT")
    found_big = place.spoil(spoilt_big, b"C" + big[1:])
    seen: list[Evidence] = []

    class Keeper:
        def lookup(self, store_identity: str, keys: Iterable[str], /) -> dict[str, Evidence]:
            return {}

        def record_many(self, findings: Iterable[Evidence], /) -> bool:
            seen.extend(findings)
            return True

    named = (("a", first), ("b/gone", gone), ("c/bad", spoilt), ("d/big", spoilt_big), ("e", last), ("c/bad2", spoilt))
    events: list[Event] = []
    results = fetch(lines_of(*named), place.vault, tmp_path / "out", evidence_table=Keeper(), report=events.append)
    expected = [Outcome.FETCHED, Outcome.ABSENT, Outcome.DAMAGED, Outcome.DAMAGED, Outcome.FETCHED, Outcome.DAMAGED]
    assert outcomes(results) == expected
    assert files_below(tmp_path / "out") == {"a": b"first", "e": b"last"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "e"]
    for result, other in ((results[2], found), (results[3], found_big)):
        assert result.found == other
        for part in (result.line.digest, other, place.vault.key(result.line.digest)):
            assert part in str(result.error)
        assert result.evidence is not None
        assert (result.evidence.level, result.evidence.digest) == (EvidenceLevel.DAMAGED, other)
    assert {evidence.key for evidence in seen if evidence.level is EvidenceLevel.DAMAGED} == {
        place.vault.key(spoilt), place.vault.key(spoilt_big)
    }  # fmt: skip
    assert sum(isinstance(event, ItemFailed) for event in events) == 4
    assert place.store.info(place.vault.key(spoilt)).size == 6  # it was left as it is


@pytest.mark.parametrize("place", [FOLDER, RCLONE, AZURITE], indirect=True)
def test_the_evidence_is_about_the_version_that_was_read(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, b"content")
    (result,) = fetch(lines_of(("a", digest)), place.vault, tmp_path / "out")
    assert result.evidence is not None
    assert result.evidence.version == place.store.info(result.key).version


@in_memory
def test_many_names_of_one_content_are_all_there(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, b"")
    store = RecordingStore(place.store)
    manifest = lines_of(*((f"d{number % 7}/name {number}", digest) for number in range(800)))
    results = fetch(manifest, place.with_store(lambda _: store), tmp_path / "out", threads=2)
    assert outcomes(results) == [Outcome.FETCHED] * 800
    assert set(files_below(tmp_path / "out").values()) == {b""}
    assert len(files_below(tmp_path / "out")) == 800
    assert store.count("open") <= 2
    assert {each.key for each in results} == {place.vault.key(digest)}


@in_memory
def test_a_copy_is_not_made_from_a_file_that_somebody_has_changed(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, b"right")
    run = fetch_manifest(lines_of(("a", digest), ("a/", digest), ("b", digest)), place.vault, root=tmp_path, threads=1)
    real_write = ContainedFolder.write
    changed = []

    def write_and_change(self: ContainedFolder, path: str, *others: object, **options: object) -> object:
        written = real_write(self, path, *others, **options)  # type: ignore[arg-type]
        if path == "a":
            (tmp_path / "a").write_bytes(b"WRONG")
            changed.append(path)
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ContainedFolder, "write", write_and_change)
        list(run)
    assert changed == ["a"]
    assert (tmp_path / "b").read_bytes() == b"right"


@in_memory
def test_a_line_that_lies_about_the_size(place: VaultPlace, tmp_path: Path) -> None:
    small, large = put(place.vault, b"four", bytes(9 << 20))
    sizes = ((small, 4), (small, 5), (large, 9 << 20), (large, 1), (large, 1 << 30))
    lines = [ManifestLine(number, f"d{number}/f", *each) for number, each in enumerate(sizes)]
    results = fetch(manifest_of(lines), place.vault, tmp_path)
    expected = [Outcome.FETCHED, Outcome.FAILED, Outcome.FETCHED, Outcome.FAILED, Outcome.FAILED]
    assert outcomes(results) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d0", "d2"]


@in_memory
def test_bad_lines_come_in_their_place(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, b"x")
    news = [BadLine(1, "no digest"), ManifestLine(2, "a", digest), BadLine(3, "no name")]
    found = fetch_all(manifest_of(news), place.vault, tmp_path)
    assert [type(each) for each in found] == [BadLine, LineResult, BadLine]
    tally = Tally()
    for each in found:
        tally.add(each)
    assert (tally.lines, tally.bad_lines, tally.bytes_moved, tally.failures) == (1, 2, 1, 0)


class _Failing(WrappedStore):
    """Refuses to open objects from the n-th on."""

    def __init__(self, inner: MemoryStore, error: Exception, after: int) -> None:
        super().__init__(inner)
        self._error, self._left, self._lock = error, after, threading.Lock()

    def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
        with self._lock:
            self._left -= 1
            if self._left < 0:
                raise self._error
        return super().open(key, offset, length)


@in_memory
@pytest.mark.parametrize("error", [StorageUnavailable("gone"), AccessDenied("expired")])
def test_a_vault_that_vanishes_ends_the_run_after_what_was_done(
    place: VaultPlace, tmp_path: Path, error: Exception
) -> None:
    digests = put(place.vault, *(b"%d" % number for number in range(100)))
    manifest = lines_of(*((f"d/{number}", digest) for number, digest in enumerate(digests)))
    vault = place.with_store(lambda store: _Failing(store, error, 40))  # type: ignore[arg-type]
    seen: list[LineNews] = []
    with pytest.raises(type(error)):
        for each in fetch_manifest(manifest, vault, root=tmp_path, threads=4):
            seen.append(each)
    assert 36 <= len(seen) <= 40
    assert {each.outcome for each in seen if isinstance(each, LineResult)} == {Outcome.FETCHED}
    assert all(path.read_bytes().isdigit() for path in (tmp_path / "d").iterdir())
    assert len(fetch(manifest, place.vault, tmp_path)) == 100
    assert len(files_below(tmp_path)) == 100


@in_memory
def test_a_full_disk_ends_the_run(place: VaultPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = put(place.vault, *(b"%d" % number for number in range(20)))
    manifest = lines_of(*((f"d/{number}", digest) for number, digest in enumerate(digests)))
    real_write, calls = ContainedFolder.write, []

    def write(self: ContainedFolder, path: str, *others: object, **options: object) -> object:
        calls.append(path)
        if len(calls) > 10:
            raise StorageFull("no room")
        return real_write(self, path, *others, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ContainedFolder, "write", write)
    with pytest.raises(StorageFull):
        fetch(manifest, place.vault, tmp_path, threads=2)
    assert len(files_below(tmp_path)) == 10


@in_memory
def test_a_stop_is_obeyed_and_the_next_run_does_the_rest(place: VaultPlace, tmp_path: Path) -> None:
    digests = put(place.vault, *(b"%d" % number for number in range(600)))
    manifest = lines_of(*((f"d/{number}", digest) for number, digest in enumerate(digests)))
    stop = threading.Event()
    seen = 0
    with pytest.raises(OperationStopped):
        for _ in fetch_manifest(manifest, place.vault, root=tmp_path, stop=stop):
            seen += 1
            stop.set()
    assert 0 < seen < 600
    assert all(path.name.isdigit() for path in (tmp_path / "d").iterdir())
    found = outcomes(fetch(manifest, place.vault, tmp_path))
    assert found.count(Outcome.ALREADY_THERE) >= seen
    assert len(files_below(tmp_path)) == 600


@in_memory
def test_a_stop_in_the_middle_of_a_large_content(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, bytes(64 << 20))
    stop = threading.Event()

    class Stopping(WrappedStore):
        def open(self, key: str, offset: int = 0, length: int | None = None) -> ObjectReader:
            reader = super().open(key, offset, length)
            real, blocks = reader.read, []

            def read(size: int = -1, /) -> bytes:
                blocks.append(size)
                if len(blocks) == 20:
                    stop.set()
                assert len(blocks) < 25
                return real(size)

            reader.read = read  # type: ignore[method-assign]
            return reader

    with pytest.raises(OperationStopped):
        fetch(lines_of(("big", digest)), place.with_store(Stopping), tmp_path, stop=stop)
    assert list(tmp_path.iterdir()) == []


@in_memory
def test_a_root_that_is_made_and_one_that_is_no_folder(place: VaultPlace, tmp_path: Path) -> None:
    (digest,) = put(place.vault, b"x")
    fetch(lines_of(("a", digest)), place.vault, tmp_path / "new" / "root")
    assert (tmp_path / "new" / "root" / "a").read_bytes() == b"x"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TargetExists):
        fetch(lines_of(("a", digest)), place.vault, tmp_path / "file")


@in_memory
def test_a_path_and_a_path_below_it(place: VaultPlace, tmp_path: Path) -> None:
    digests = put(place.vault, *(b"%d" % number for number in range(4)))
    for order in (("a", "a/b"), ("a/b", "a"), ("x/y/z", "x/y"), ("x", "x/y/z")):
        root = tmp_path / digest_of("".join(order).encode())
        results = fetch(lines_of(*zip(order, digests, strict=False)), place.vault, root)
        assert outcomes(results) == [Outcome.FETCHED, Outcome.EXISTS], order
        assert files_below(root) == {order[0]: b"0"}
    # What is not in the vault is not in the way of anybody either.
    absent = digest_of(b"absent")
    results = fetch(lines_of(("q", absent), ("q/r", digests[0])), place.vault, tmp_path / "q")
    assert outcomes(results) == [Outcome.ABSENT, Outcome.FETCHED]
