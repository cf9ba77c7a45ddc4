"""Reading and filling a vault in several runs of one job: what was proven of a version that still lies there stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_tui.archives.vault.archive_target import ArchiveTarget
from archive_tui.archives.vault.archiving import archive_manifest
from archive_tui.archives.vault.asking import ask_vault
from archive_tui.archives.vault.outcomes import EarlierResult, LineNews, LineResult, Outcome, Tally
from archive_tui.archives.vault.vault import Vault
from archive_tui.errors import StorageUnavailable
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine
from tests.archives.vault.conftest import (
    AZURITE,
    FOLDER,
    MEMORY,
    MOTO,
    SEAWEEDFS,
    FakeManifest,
    VaultPlace,
    digest_of,
    manifest_of,
    small_contents,
    write_files,
)
from tests.archives.vault.fetch_program import WatchedStore
from tests.archives.vault.test_fetching_continued import Interruption, put_all, unavailable
from tests.jobs.kinds.job_work import MemoryJournal

in_memory = pytest.mark.parametrize("place", [MEMORY], indirect=True)
on_all_ways = pytest.mark.parametrize("place", [MEMORY, FOLDER, MOTO, SEAWEEDFS, AZURITE], indirect=True)


def results_of(news: Iterator[LineNews]) -> list[LineResult]:
    return [each for each in news if isinstance(each, LineResult)]


def read(manifest: FakeManifest, vault: Vault, journal: MemoryJournal) -> list[LineResult]:
    return results_of(ask_vault(manifest, vault, read=True, journal=journal))


# Reading a vault whole


@on_all_ways
def test_contents_that_were_read_are_not_read_again_while_the_version_is_the_same(place: VaultPlace) -> None:
    contents, journal = small_contents(40), MemoryJournal()
    manifest = put_all(place.vault, contents)
    first = read(manifest, place.vault, journal)
    assert {each.evidence.level for each in first if each.evidence is not None} == {EvidenceLevel.READ}
    store = WatchedStore(place.store)
    second = read(manifest, Vault(store), journal)
    assert store.read_bytes == {}
    assert [each.outcome for each in second] == [Outcome.HELD] * 40
    for one, other in zip(first, second, strict=True):
        assert one.evidence is not None and other.evidence is not None
        assert (one.evidence.checked_at, one.evidence.version) == (other.evidence.checked_at, other.evidence.version)
        assert other.evidence.level is EvidenceLevel.READ
        assert one.earlier is None and other.earlier == EarlierResult(Outcome.HELD, one.evidence.checked_at)
    tally = Tally()
    for each in second:
        tally.add(each)
    assert tally.earlier == {Outcome.HELD: 40}


@on_all_ways
def test_a_content_that_was_written_to_since_is_read_again(place: VaultPlace) -> None:
    contents, journal = small_contents(5), MemoryJournal()
    manifest = put_all(place.vault, contents)
    read(manifest, place.vault, journal)
    wanted = manifest.news[2].digest
    content = contents[manifest.news[2].name]
    found = place.spoil(wanted, content[::-1])
    again = read(manifest, place.vault, journal)
    assert [each.outcome for each in again] == [Outcome.HELD, Outcome.HELD, Outcome.DAMAGED, Outcome.HELD, Outcome.HELD]
    assert again[2].found == found and [each.earlier is None for each in again].index(True) == 2
    # And a finding is looked at again, whatever was written down.
    place.overwrite(place.vault.key(wanted), content)
    assert read(manifest, place.vault, journal)[2].outcome is Outcome.HELD


@in_memory
def test_a_content_that_vanished_since_is_absent(place: VaultPlace) -> None:
    manifest, journal = put_all(place.vault, small_contents(3)), MemoryJournal()
    read(manifest, place.vault, journal)
    place.store.delete(place.vault.key(manifest.news[1].digest))
    assert [each.outcome for each in read(manifest, place.vault, journal)] == [
        Outcome.HELD,
        Outcome.ABSENT,
        Outcome.HELD,
    ]


@in_memory
def test_a_reading_that_was_interrupted_goes_on_at_the_next_content(place: VaultPlace) -> None:
    contents, journal = small_contents(60), MemoryJournal()
    manifest = put_all(place.vault, contents)
    total = sum(map(len, contents.values()))
    broken = place.with_store(lambda inner: WatchedStore(inner, Interruption(total // 2, unavailable)))
    with pytest.raises(StorageUnavailable):
        list(ask_vault(manifest, broken, read=True, journal=journal, threads=1))
    done = sum(mark.size or 0 for mark in journal.of("ask") if mark.is_good)
    assert total // 3 < done < total
    store = WatchedStore(place.store)
    assert {each.outcome for each in read(manifest, Vault(store), journal)} == {Outcome.HELD}
    assert sum(store.read_bytes.values()) == total - done


@in_memory
def test_what_was_only_attested_counts_for_nothing_when_contents_are_to_be_read(place: VaultPlace) -> None:
    contents, journal = small_contents(3), MemoryJournal()
    manifest = put_all(place.vault, contents)
    results_of(ask_vault(manifest, place.vault, journal=journal))
    assert {mark.evidence for mark in journal.of("ask")} == {"attested"}
    store = WatchedStore(place.store)
    read(manifest, Vault(store), journal)
    assert sum(store.read_bytes.values()) == sum(map(len, contents.values()))


# Archiving


def archive(
    manifest: FakeManifest, vault: Vault, root: Path, journal: MemoryJournal, target: ArchiveTarget | None = None
) -> list[LineResult]:
    return results_of(archive_manifest(manifest, vault, root=root, journal=journal, target=target))


@on_all_ways
def test_a_later_run_says_what_the_job_itself_has_uploaded_and_reads_nothing(place: VaultPlace, tmp_path: Path) -> None:
    contents, journal = small_contents(30), MemoryJournal()
    manifest = write_files(tmp_path / "source", contents)
    others = put_all(place.vault, {manifest.news[0].name: contents[manifest.news[0].name]})
    assert others.news[0].digest == manifest.news[0].digest
    first = archive(manifest, place.vault, tmp_path / "source", journal)
    assert [each.outcome for each in first].count(Outcome.UPLOADED) == 29
    store = WatchedStore(place.store)
    second = archive(manifest, Vault(store), tmp_path / "source", journal)
    assert {each.outcome for each in second} == {Outcome.ALREADY_THERE} and store.read_bytes == {}
    assert second[0].earlier is None
    assert {each.earlier.outcome for each in second if each.earlier is not None} == {Outcome.UPLOADED}
    assert [each.earlier is None for each in second].count(True) == 1
    assert [mark.outcome for mark in journal.of("archive")].count("uploaded") == 29


@pytest.mark.parametrize("place", [FOLDER], indirect=True)
def test_an_upload_that_was_replaced_since_is_read_and_named(place: VaultPlace, tmp_path: Path) -> None:
    contents, journal = small_contents(3), MemoryJournal()
    manifest = write_files(tmp_path / "source", contents)
    archive(manifest, place.vault, tmp_path / "source", journal)
    found = place.spoil(manifest.news[1].digest, contents[manifest.news[1].name][::-1])
    again = archive(manifest, place.vault, tmp_path / "source", journal)
    assert (again[1].outcome, again[1].found, again[1].earlier) == (Outcome.DAMAGED, found, None)


@in_memory
def test_below_a_path_the_evidence_is_about_the_place_that_it_names(place: VaultPlace, tmp_path: Path) -> None:
    from archive_tui.objects.folder.store import FolderStore

    manifest, journal = write_files(tmp_path / "source", small_contents(4)), MemoryJournal()
    target = ArchiveTarget(FolderStore(tmp_path / "target"), "below/")
    first = archive(manifest, place.vault, tmp_path / "source", journal, target=target)
    assert {each.outcome for each in first} == {Outcome.UPLOADED}
    name = manifest.news[0].name
    assert journal.marks["archive", name].detail == f"{target.store.identity}/below/{name}"
    store = WatchedStore(target.store)
    watched_target = ArchiveTarget(store, "below/")
    second = archive(manifest, place.vault, tmp_path / "source", journal, target=watched_target)
    assert {each.earlier.outcome for each in second if each.earlier} == {Outcome.UPLOADED} and store.read_bytes == {}
    stored = tmp_path / "target" / "below" / manifest.news[2].name
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes()[::-1])
    third = archive(manifest, place.vault, tmp_path / "source", journal, target=watched_target)
    assert [each.outcome for each in third].count(Outcome.EXISTS) == 1 and len(store.read_bytes) == 1


@in_memory
def test_a_mark_is_no_use_to_a_line_that_wants_another_content(place: VaultPlace) -> None:
    journal = MemoryJournal()
    put_all(place.vault, {"a": b"two"})
    read(put_all(place.vault, {"a": b"one"}), place.vault, journal)
    (result,) = read(manifest_of([ManifestLine(1, "a", digest_of(b"two"))]), place.vault, journal)
    assert result.outcome is Outcome.HELD and result.earlier is None
