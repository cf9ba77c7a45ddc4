from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from archive_tui.archives.datasets.fetching import fetch_dataset
from archive_tui.archives.datasets.verifying import verify_version
from archive_tui.errors import IntegrityError, InvalidName, ObjectNotFound, StorageFull, TargetExists
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.evidence import EvidenceLevel
from archive_tui.integrity.report import FindingKind, Verdict
from archive_tui.integrity.streams import read_chunks
from archive_tui.objects.memory import MemoryStore
from tests.archives.conftest import Publisher


def content(store: MemoryStore, key: str) -> bytes:
    with store.open(key) as reader:
        return b"".join(read_chunks(reader))


def replace(store: MemoryStore, key: str, data: bytes) -> None:
    store.put(key, [data], len(data), overwrite=True)


def put_zip(store: MemoryStore, members: dict[str, bytes], listed: dict[str, bytes]) -> None:
    """An archive of the original kind whose manifest lists `listed`, whatever its members are."""
    buffer = io.BytesIO()
    files = [{"file": name, "sha256": sha256_of_bytes(data)} for name, data in listed.items()]
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps({"datetime": "2024-01-01T00:00:00", "files": files}))
    replace(store, "d.0.0.1.zip", buffer.getvalue())


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_published_comes_back(
    store: MemoryStore, publish_source: Publisher, source: Path, tmp_path: Path
) -> None:
    publish_source()
    receipt = fetch_dataset(store, "station", into=tmp_path / "out")
    assert receipt.folder == tmp_path / "out" / "station.0.0.1"
    fetched = tree(receipt.folder)
    assert fetched.pop("manifest.json")
    assert fetched == tree(source)
    assert receipt.report.verdict is Verdict.VERIFIED
    assert receipt.evidence is not None
    assert receipt.evidence.level is EvidenceLevel.RESTORED
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["station.0.0.1"]


def test_an_existing_folder_is_looked_at_and_left(
    store: MemoryStore, publish_source: Publisher, tmp_path: Path
) -> None:
    publish_source()
    folder = fetch_dataset(store, "station", into=tmp_path / "out").folder
    assert fetch_dataset(store, "station", into=tmp_path / "out").report.verdict is Verdict.VERIFIED
    (folder / "notes.md").write_text("edited")
    receipt = fetch_dataset(store, "station", into=tmp_path / "out")
    assert receipt.already_there
    assert receipt.report.verdict is Verdict.FINDINGS
    assert (folder / "notes.md").read_text() == "edited"
    receipt = fetch_dataset(store, "station", into=tmp_path / "out", overwrite=True)
    assert not receipt.already_there
    assert (folder / "notes.md").read_text() == "# station 7\n"


def test_something_else_in_the_way_is_left_alone(store: MemoryStore, publish_source: Publisher, tmp_path: Path) -> None:
    publish_source()
    (tmp_path / "station.0.0.1").write_text("a file")
    with pytest.raises(TargetExists):
        fetch_dataset(store, "station", into=tmp_path, overwrite=True)
    assert (tmp_path / "station.0.0.1").read_text() == "a file"


def test_unknown_names_and_versions_say_what_there_is(
    store: MemoryStore, publish_source: Publisher, tmp_path: Path
) -> None:
    publish_source()
    with pytest.raises(ObjectNotFound) as caught:
        fetch_dataset(store, "statoin", into=tmp_path)
    assert "Did you mean 'station'?" in caught.value.hint
    with pytest.raises(ObjectNotFound) as caught:
        verify_version(store, "station", "9.9.9")
    assert "0.0.1" in caught.value.hint
    with pytest.raises(InvalidName):
        fetch_dataset(store, "../station", into=tmp_path)


def test_verify_proves_every_member_and_leaves_nothing(store: MemoryStore, publish_source: Publisher) -> None:
    publish_source()
    report, evidence = verify_version(store, "station")
    assert report.sentence == "Verified: 3 of 3 files, all bytes"
    assert evidence.level is EvidenceLevel.RESTORED
    assert evidence.digest == sha256_of_bytes(content(store, "station.0.0.1.zip"))


def test_every_flipped_byte_is_found(store: MemoryStore, publish_source: Publisher, tmp_path: Path) -> None:
    publish_source()
    good = content(store, "station.0.0.1.zip")
    for offset in range(0, len(good), max(1, len(good) // 97)):
        damaged = bytearray(good)
        damaged[offset] ^= 0x10
        replace(store, "station.0.0.1.zip", bytes(damaged))
        report, evidence = verify_version(store, "station")
        assert report.verdict is Verdict.FINDINGS, offset
        assert evidence.level is EvidenceLevel.DAMAGED
        with pytest.raises((IntegrityError, InvalidName)):
            fetch_dataset(store, "station", into=tmp_path / "out")
        assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


@pytest.mark.parametrize("length", [0, 1, 21, 22, 100, 300])
def test_a_truncated_archive_is_a_finding(store: MemoryStore, publish_source: Publisher, length: int) -> None:
    publish_source()
    replace(store, "station.0.0.1.zip", content(store, "station.0.0.1.zip")[:length])
    report, _ = verify_version(store, "station")
    assert report.verdict is Verdict.FINDINGS
    assert report.findings[0].detail


@pytest.mark.parametrize(
    ("members", "listed", "kind", "path"),
    [
        ({"a": b"1", "b": b"2"}, {"a": b"1"}, FindingKind.EXTRA, "b"),
        ({"a": b"1"}, {"a": b"1", "b": b"2"}, FindingKind.MISSING, "b"),
        ({"a": b"1"}, {"a": b"2"}, FindingKind.CHANGED, "a"),
    ],
)
def test_members_and_manifest_that_disagree(
    store: MemoryStore,
    tmp_path: Path,
    members: dict[str, bytes],
    listed: dict[str, bytes],
    kind: FindingKind,
    path: str,
) -> None:
    put_zip(store, members, listed)
    report, _ = verify_version(store, "d")
    assert [(finding.kind, finding.path) for finding in report.findings] == [(kind, path)]
    with pytest.raises(IntegrityError) as caught:
        fetch_dataset(store, "d", into=tmp_path)
    assert caught.value.report.findings
    assert list(tmp_path.iterdir()) == []


def test_an_archive_without_manifest_is_refused(store: MemoryStore, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "1")
    replace(store, "d.0.0.1.zip", buffer.getvalue())
    assert verify_version(store, "d")[0].verdict is Verdict.FINDINGS
    with pytest.raises(IntegrityError, match="manifest"):
        fetch_dataset(store, "d", into=tmp_path)


def test_the_manifest_beside_must_be_the_archives_own(store: MemoryStore, publish_source: Publisher) -> None:
    publish_source()
    beside = json.loads(content(store, "station.0.0.1.manifest.json"))
    beside["archive"]["sha256"] = "0" * 64
    replace(store, "station.0.0.1.manifest.json", json.dumps(beside).encode())
    report, _ = verify_version(store, "station")
    assert [finding.path for finding in report.findings] == ["station.0.0.1.zip"]


def test_what_does_not_fit_is_refused_before_a_byte_is_written(
    store: MemoryStore, publish_source: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_source()
    monkeypatch.setattr("archive_tui.operations.free_space.free_bytes", lambda _: 1000)
    with pytest.raises(StorageFull, match="Not enough room"):
        fetch_dataset(store, "station", into=tmp_path / "out")
    assert not (tmp_path / "out").exists()
