"""The folder of a datasafe that others have made is taken over as it lies."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive_tui.archives.datasafe import adopting
from archive_tui.archives.datasafe.adopting import AdoptionReport, adopt_folder
from archive_tui.archives.datasafe.dataset_record import RECORD_NAME
from archive_tui.archives.datasafe.folder_shelf import FolderShelf
from archive_tui.archives.datasafe.safe import SafeState
from archive_tui.archives.datasafe.staged_dataset import hash_files
from archive_tui.archives.datasafe.stored_safe import StoredSafe
from archive_tui.errors import ConfigurationError, OperationStopped
from tests.archives.datasafe.shelf_suite import Stopped, unpack

PARENT = "exp/sa/42/cwepr"
MANIFEST = """format:
  type: datasafe dataset manifest
  version: 0.1.0
dataset:
  loi: '{loi}'
  complete: false
files:
  metadata:
  - name: a.info
    format: cwEPR Info file
    version: 0.1.4
  data:
    format: undetected
    names:
    - data.dat
checksums:
- name: CHECKSUM
  format: MD5 checksum
  span: data, metadata
  value: {whole}
- name: CHECKSUM_data
  format: MD5 checksum
  span: data
  value: {data}
"""


def digest_of_list(*contents: bytes) -> str:
    digests = sorted(hashlib.md5(content).hexdigest() for content in contents)
    return hashlib.md5("".join(digests).encode()).hexdigest()


def write_dataset(folder: Path, text: str = "text", *, loi: str = "") -> None:
    """Writes what the original writes: checksums over all, and none of a file."""
    folder.mkdir(parents=True)
    data, metadata = f"data of {text}".encode(), text.encode()
    (folder / "data.dat").write_bytes(data)
    (folder / "a.info").write_bytes(metadata)
    manifest = MANIFEST.format(loi=loi, whole=digest_of_list(data, metadata), data=digest_of_list(data))
    (folder / "MANIFEST.yaml").write_text(manifest)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (1_500_000_000, 1_500_000_000))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two datasets, a reservation, and what has gathered around them."""
    folder = tmp_path / "safe" / PARENT
    write_dataset(folder / "1", "one", loi=f"42.1001/ds/{PARENT}/1")
    write_dataset(folder / "2", "two")
    (folder / "3").mkdir()
    (folder / "raw").mkdir()
    (folder / "raw" / "notes.txt").write_text("mine")
    (tmp_path / "safe" / "exp/sa/42/.DS_Store").write_bytes(b"")
    (tmp_path / "safe" / ".git").mkdir()
    return tmp_path / "safe"


def look_of(root: Path) -> dict[str, tuple[object, ...]]:
    """What an adoption must not change: content, mode and times of all files."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in files
        if path.name not in (RECORD_NAME, ".datasafe.json")
    }


def records_in(root: Path) -> list[str]:
    return sorted(str(path.parent.relative_to(root / PARENT)) for path in root.rglob(RECORD_NAME))


def counts(report: AdoptionReport) -> tuple[int, int, int, int]:
    return len(report.adopted), report.already, report.reserved, len(report.findings)


def test_datasets_get_records_and_nothing_else_changes(root: Path) -> None:
    before = look_of(root)
    report = adopt_folder(root)
    assert (report.issuer, report.adopted) == ("1001", (f"{PARENT}/1", f"{PARENT}/2"))
    assert counts(report) == (2, 0, 1, 0)
    assert look_of(root) == before
    assert records_in(root) == ["1", "2"]
    assert FolderShelf(root).issuer() == "1001"


def test_adopted_datasets_are_those_of_a_safe(root: Path) -> None:
    adopt_folder(root, issuer="1001")
    safe = StoredSafe(FolderShelf(root))
    entries = list(safe.entries())
    assert [(each.loi.rpartition("/")[2], each.state) for each in entries] == [
        ("1", SafeState.DEPOSITED),
        ("2", SafeState.DEPOSITED),
        ("3", SafeState.RESERVED),
    ]
    archive = safe.archive(entries[0].loi)
    assert archive.digest == entries[0].digest
    assert unpack(archive)["a.info"] == b"one"
    assert not safe.verify(entries[1].loi).findings
    assert safe.reserve(f"42.1001/ds/{PARENT}").endswith("/4")


def test_adoption_can_be_repeated(root: Path) -> None:
    adopt_folder(root, issuer="1001")
    records = {path: path.read_bytes() for path in root.rglob(RECORD_NAME)}
    write_dataset(root / PARENT / "4", "four")
    report = adopt_folder(root)
    assert counts(report) == (1, 2, 1, 0)
    assert {path: path.read_bytes() for path in records} == records
    assert counts(adopt_folder(root)) == (0, 3, 1, 0)


def test_dry_run_writes_nothing(root: Path) -> None:
    before = sorted(root.rglob("*"))
    report = adopt_folder(root, issuer="1001", dry_run=True)
    assert counts(report) == (2, 0, 1, 0)
    assert sorted(root.rglob("*")) == before


def rewrite(folder: Path, name: str, old: str, new: str) -> None:
    content = (folder / name).read_text()
    assert old in content
    (folder / name).write_text(content.replace(old, new))


@pytest.mark.parametrize(
    ("damage", "path"),
    [
        (lambda folder: (folder / "data.dat").write_text("other"), f"{PARENT}/1/MANIFEST.yaml"),
        (lambda folder: (folder / "data.dat").unlink(), f"{PARENT}/1/data.dat"),
        (lambda folder: (folder / "more.dat").write_text("x"), f"{PARENT}/1/more.dat"),
        (lambda folder: (folder / "MANIFEST.yaml").unlink(), f"{PARENT}/1"),
        (lambda folder: (folder / "MANIFEST.yaml").write_text("a: [}"), f"{PARENT}/1"),
        (lambda folder: rewrite(folder, "MANIFEST.yaml", "data.dat", "../2/data.dat"), f"{PARENT}/1"),
        (lambda folder: rewrite(folder, "MANIFEST.yaml", "MD5", "ROT13"), f"{PARENT}/1"),
        (lambda folder: rewrite(folder, "MANIFEST.yaml", "cwepr/1", "cwepr/2"), f"{PARENT}/1/MANIFEST.yaml"),
    ],
)
def test_damaged_dataset_is_reported_and_gets_no_record(
    root: Path, damage: Callable[[Path], object], path: str
) -> None:
    damage(root / PARENT / "1")
    before = look_of(root)
    report = adopt_folder(root, issuer="1001")
    assert report.adopted == (f"{PARENT}/2",)
    assert path in [finding.path for finding in report.findings]
    assert all(finding.detail for finding in report.findings)
    assert records_in(root) == ["2"]
    assert look_of(root) == before


def test_dataset_that_was_changed_since_is_reported(root: Path) -> None:
    adopt_folder(root, issuer="1001")
    (root / PARENT / "1" / "data.dat").write_text("another length")
    record = (root / PARENT / "1" / RECORD_NAME).read_bytes()
    report = adopt_folder(root)
    assert counts(report) == (0, 1, 1, 1)
    assert "data.dat" in report.findings[0].detail
    assert (root / PARENT / "1" / RECORD_NAME).read_bytes() == record


def test_dataset_that_changes_while_it_is_read_gets_no_record(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hash_and_change(folder: Path, *args: Any, **options: Any) -> object:
        hashed = hash_files(folder, *args, **options)
        if folder.name == "1":
            (folder / "a.info").write_bytes(b"two")
        return hashed

    monkeypatch.setattr(adopting, "hash_files", hash_and_change)
    report = adopt_folder(root, issuer="1001")
    assert report.adopted == (f"{PARENT}/2",)
    assert [finding.detail for finding in report.findings] == ["it was changed while it was read"]
    assert records_in(root) == ["2"]


def test_dataset_that_is_a_link_is_not_entered(root: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "outside", "outside")
    (root / PARENT / "7").symlink_to(tmp_path / "outside")
    adopt_folder(root, issuer="1001")
    assert not (tmp_path / "outside" / RECORD_NAME).exists()


def test_another_issuer_is_refused(root: Path) -> None:
    adopt_folder(root, issuer="1001")
    with pytest.raises(ConfigurationError, match="1001"):
        adopt_folder(root, issuer="2002")


def test_somebody_has_to_say_whose_issuer_it_is(tmp_path: Path) -> None:
    write_dataset(tmp_path / PARENT / "1")
    with pytest.raises(ConfigurationError, match="issuer"):
        adopt_folder(tmp_path)
    assert records_in(tmp_path) == []
    assert not (tmp_path / ".datasafe.json").exists()


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        adopt_folder(tmp_path / "absent", issuer="1001")


def test_stopped_adoption_can_be_repeated(root: Path) -> None:
    with pytest.raises(OperationStopped):
        adopt_folder(root, issuer="1001", stop=Stopped())
    assert counts(adopt_folder(root, issuer="1001")) == (2, 0, 1, 0)
