"""Archiving files under their own names: what is skipped, what is refused, and what is never overwritten."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from archive_tui.archives.vault.archive_target import ArchiveTarget
from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.outcomes import LineNews, LineResult, Outcome
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import AccessDenied, InvalidName, ObjectExists, OperationStopped, StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.streams import read_chunks
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.objects.folder.store import FolderStore
from archive_tui.objects.memory import MemoryStore
from archive_tui.objects.object_store import ObjectStore
from archive_tui.objects.wrappers.faulty_store import Fault, FaultyStore
from archive_tui.objects.wrappers.store_wrappers import RecordingStore
from tests.archives.vault.conftest import (
    FOLDER,
    SEAWEEDFS,
    FakeManifest,
    VaultPlace,
    digest_of,
    manifest_of,
    small_contents,
    write_files,
)
from tests.archives.vault.test_archiving import outcomes

PREFIX = "2026/winds/"


def archive(
    manifest: FakeManifest, store: ObjectStore, root: Path, *, vault: Vault | None = None, upload_all: bool = False
) -> list[LineNews]:
    target = ArchiveTarget(store, PREFIX)
    vault = vault or Vault(MemoryStore("an empty vault"))
    return list(archive_manifest(manifest, vault, root=root, target=target, upload_all=upload_all))


def stored(store: ObjectStore) -> dict[str, bytes]:
    found = {}
    for entry in store.list():
        with store.open(entry.key) as reader:
            found[entry.key] = b"".join(read_chunks(reader))
    return found


def test_files_lie_under_their_names_and_repeating_uploads_nothing(place: VaultPlace, tmp_path: Path) -> None:
    contents = small_contents(12) | {"same as the first": b"file 0\n" * 3, "empty": b""}
    manifest = write_files(tmp_path, contents)
    assert set(outcomes(archive(manifest, place.store, tmp_path))) == {Outcome.UPLOADED}
    assert stored(place.store) == {PREFIX + name: content for name, content in contents.items()}
    store = RecordingStore(place.store)
    again = archive(manifest, store, tmp_path)
    assert set(outcomes(again)) == {Outcome.ALREADY_THERE}
    assert store.count("put") == 0
    levels = {each.evidence.level for each in again if isinstance(each, LineResult) and each.evidence is not None}
    assert EvidenceLevel.LISTED not in levels and levels


def test_another_content_under_the_name_is_never_overwritten(place: VaultPlace, tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"a": b"ours", "b": b"fine"})
    place.store.put(PREFIX + "a", [b"theirs"])
    news = archive(manifest, place.store, tmp_path, upload_all=True)
    assert outcomes(news) == [Outcome.EXISTS, Outcome.UPLOADED]
    result = news[0]
    assert isinstance(result, LineResult) and isinstance(result.error, ObjectExists)
    assert (result.key, result.found) == (PREFIX + "a", digest_of(b"theirs"))
    assert stored(place.store) == {PREFIX + "a": b"theirs", PREFIX + "b": b"fine"}


@pytest.mark.parametrize("place", [FOLDER, SEAWEEDFS], indirect=True)
def test_what_the_vault_holds_is_skipped_unless_everything_is_wanted(place: VaultPlace, tmp_path: Path) -> None:
    contents = small_contents(6)
    manifest = write_files(tmp_path, contents)
    vault = place.vault
    held = [line for line in manifest.lines() if line.number <= 3]
    list(archive_manifest(manifest_of(held), vault, root=tmp_path))
    store = MemoryStore()
    news = archive(manifest, store, tmp_path, vault=vault)
    assert outcomes(news) == [Outcome.ALREADY_THERE] * 3 + [Outcome.UPLOADED] * 3
    assert [each.key for each in news[:3] if isinstance(each, LineResult)] == [vault.key(line.digest) for line in held]
    assert len(stored(store)) == 3
    everything = archive(manifest, store, tmp_path, vault=vault, upload_all=True)
    assert outcomes(everything) == [Outcome.UPLOADED] * 3 + [Outcome.ALREADY_THERE] * 3
    assert len(stored(store)) == 6


def test_damage_in_the_vault_is_told(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"a": b"content"})
    vault = Vault(MemoryStore())
    vault.store.put(vault.key(digest_of(b"content")), [b"other"])
    store = MemoryStore()
    assert outcomes(archive(manifest, store, tmp_path, vault=vault)) == [Outcome.DAMAGED]
    assert outcomes(archive(manifest, store, tmp_path, vault=vault, upload_all=True)) == [Outcome.UPLOADED]


def test_everything_leaves_the_vault_alone(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(30))
    vault_store = RecordingStore(MemoryStore())
    archive(manifest, MemoryStore(), tmp_path, vault=Vault(vault_store), upload_all=True)
    assert [call.operation for call in vault_store.calls if call.operation != "probe"] == []


def test_names_that_lead_elsewhere_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    manifest = write_files(root, {"good": b"good", "line\nbreak": b"break"})
    (tmp_path / "outside").write_bytes(b"outside")
    digest = digest_of(b"outside")
    lines = [
        *manifest.lines(), ManifestLine(3, "../outside", digest), ManifestLine(4, str(tmp_path / "outside"), digest),
        ManifestLine(5, "./good", digest_of(b"good")), ManifestLine(6, "good/../../outside", digest),
    ]  # fmt: skip
    store = MemoryStore()
    news = archive(manifest_of(lines), store, root)
    refused = Outcome.REFUSED
    assert outcomes(news) == [Outcome.UPLOADED, refused, refused, refused, Outcome.ALREADY_THERE, refused]
    assert all(isinstance(each.error, InvalidName) for each in news if each.outcome is refused)  # type: ignore[union-attr]
    assert list(stored(store)) == [PREFIX + "good"]


@pytest.mark.parametrize("vault_prefix", ["object/", "", "deep/object/"])
def test_a_name_cannot_plant_a_content_in_the_vault(vault_prefix: str, tmp_path: Path) -> None:
    store = MemoryStore()
    vault = Vault(store, vault_prefix)
    forged = vault.key(digest_of(b"what somebody will look for"))
    manifest = write_files(tmp_path, {forged: b"forged", "object/fine": b"fine"})
    target = ArchiveTarget(store, "")
    for upload_all in (False, True):
        news = list(archive_manifest(manifest, vault, root=tmp_path, target=target, upload_all=upload_all))
        assert outcomes(news)[0] is Outcome.REFUSED
    assert list(stored(store)) == ["object/fine"]


def test_one_name_with_two_contents_is_told(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"a": b"first"})
    lines = [*manifest.lines(), ManifestLine(2, "./a", digest_of(b"second"))]
    store = MemoryStore()
    assert outcomes(archive(manifest_of(lines), store, tmp_path)) == [Outcome.UPLOADED, Outcome.EXISTS]
    assert stored(store) == {PREFIX + "a": b"first"}


def test_changed_and_missing_files_concern_their_lines(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, {"a": b"a", "b": b"b", "c": b"c"})
    (tmp_path / "a").write_bytes(b"edited")
    (tmp_path / "b").unlink()
    store = MemoryStore()
    assert outcomes(archive(manifest, store, tmp_path)) == [Outcome.CHANGED, Outcome.MISSING, Outcome.UPLOADED]
    assert list(stored(store)) == [PREFIX + "c"]


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    manifest = write_files(tmp_path / "files", {"a": b"a", "b": b"b"})
    store = FolderStore(tmp_path / "store")
    store.put(PREFIX + "a/below", [b"x"])
    news = archive(manifest, store, tmp_path / "files")
    assert len(news) == 2
    first, second = news
    assert isinstance(first, LineResult) and first.error is not None
    assert (first.outcome, outcomes([second])) == (Outcome.FAILED, [Outcome.UPLOADED])


@pytest.mark.parametrize("error", [StorageUnavailable("gone"), AccessDenied("no")])
def test_a_place_that_cannot_be_reached_ends_the_run(error: Exception, tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(20))
    store = MemoryStore()
    with pytest.raises(type(error)):
        archive(manifest, FaultyStore(store, Fault("put", call=5, error=error)), tmp_path)
    found = Counter(outcomes(archive(manifest, store, tmp_path)))
    assert found[Outcome.ALREADY_THERE] + found[Outcome.UPLOADED] == 20
    assert found[Outcome.ALREADY_THERE] >= 4


def test_two_runs_at_once(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(100))
    store, found = FolderStore(tmp_path / "store"), Counter[Outcome]()

    def run() -> None:
        found.update(outcomes(archive(manifest, store, tmp_path)))

    runs = [threading.Thread(target=run) for _ in range(2)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert found == {Outcome.UPLOADED: 100, Outcome.ALREADY_THERE: 100}


def test_a_stop_leaves_whole_objects_only(tmp_path: Path) -> None:
    manifest = write_files(tmp_path, small_contents(50))
    store, stop = FolderStore(tmp_path / "store"), threading.Event()
    target = ArchiveTarget(store, PREFIX)
    with pytest.raises(OperationStopped):
        for _ in archive_manifest(manifest, Vault(MemoryStore()), root=tmp_path, target=target, stop=stop, threads=2):
            stop.set()
    whole = set(small_contents(50).values())
    assert set(stored(store).values()) <= whole
    assert set(outcomes(archive(manifest, store, tmp_path))) <= {Outcome.UPLOADED, Outcome.ALREADY_THERE}
