import errno
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from archive_tui.errors import ManifestError, SourceNotFound
from archive_tui.integrity.report import Finding, FindingKind, Verdict
from archive_tui.operations.folder_listing import list_folder_files
from archive_tui.operations.verifying import verify_folder
from archive_tui.progress import BytesDone, Ended, Event, ItemFailed, Planned

CONTENTS = {"a.txt": b"alpha", "d/b.bin": b"\x00" * 5000, "d/e/c": b"", "\u6f22.csv": b"1,2"}


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_manifest(folder: Path, contents: dict[str, bytes], *, sizes: bool = True) -> None:
    files = [
        {"file": path, "sha256": digest_of(content), **({"size": len(content)} if sizes else {})}
        for path, content in contents.items()
    ]
    (folder / "manifest.json").write_text(json.dumps({"datetime": "2024-01-01T00:00:00", "files": files}))


@pytest.fixture(name="folder")
def make_dataset(tmp_path: Path) -> Path:
    for path, content in CONTENTS.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    write_manifest(tmp_path, CONTENTS)
    return tmp_path


def kinds(findings: tuple[Finding, ...]) -> list[tuple[str, FindingKind]]:
    return [(finding.path, finding.kind) for finding in findings]


def test_a_folder_as_it_should_be(folder: Path) -> None:
    events: list[Event] = []
    report = verify_folder(folder, report=events.append)
    assert report.verdict is Verdict.VERIFIED
    assert report.sentence == "Verified: 4 of 4 files, all bytes"
    assert (report.files_total, report.files_ok, report.bytes_total, report.bytes_read) == (4, 4, 5008, 5008)
    assert (report.subject, report.complete, report.findings) == (str(folder), True, ())
    assert events[0] == Planned("verify", 4, 5008)
    assert BytesDone("verify", 5008) in events
    assert events[-1] == Ended("verify", True)


def test_every_kind_of_finding(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"alphb")
    (folder / "d" / "b.bin").write_bytes(b"\x00" * 4999)
    (folder / "d" / "e" / "c").unlink()
    (folder / "d" / "new").write_bytes(b"new")
    (folder / "d" / "manifest.json").write_bytes(b"{}")
    events: list[Event] = []
    report = verify_folder(folder, report=events.append)
    assert report.findings == (
        Finding(FindingKind.CHANGED, "a.txt", digest_of(b"alpha"), digest_of(b"alphb"), 5, 5, "other content"),
        Finding(
            FindingKind.CHANGED,
            "d/b.bin",
            digest_of(b"\x00" * 5000),
            digest_of(b"\x00" * 4999),
            5000,
            4999,
            "4,999 bytes instead of 5,000",
        ),
        Finding(FindingKind.MISSING, "d/e/c", digest_of(b""), None, 0, None, "not there"),
        Finding(FindingKind.EXTRA, "d/manifest.json", found_size=2),
        Finding(FindingKind.EXTRA, "d/new", found_size=3),
    )
    assert report.verdict is Verdict.FINDINGS
    assert report.files_ok == 1
    assert {event.item for event in events if isinstance(event, ItemFailed)} == {f.path for f in report.findings}


def test_a_size_that_lies_is_a_finding_even_with_the_right_digest(folder: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    document["files"][0]["size"] = 6
    (folder / "manifest.json").write_text(json.dumps(document))
    assert kinds(verify_folder(folder).findings) == [("a.txt", FindingKind.CHANGED)]


def test_sizes_need_not_be_known(folder: Path) -> None:
    write_manifest(folder, CONTENTS, sizes=False)
    assert verify_folder(folder).verdict is Verdict.VERIFIED


def test_nothing_is_followed_out_of_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.txt").write_bytes(CONTENTS["a.txt"])
    (outside / "b.bin").write_bytes(CONTENTS["d/b.bin"])
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(outside / "a.txt")
    (folder / "d" / "b.bin").unlink()
    (folder / "d" / "e" / "c").unlink()
    (folder / "d" / "e").rmdir()
    (folder / "d").rmdir()
    (folder / "d").symlink_to(outside)
    report = verify_folder(folder)
    assert kinds(report.findings) == [
        ("a.txt", FindingKind.CHANGED),
        ("d", FindingKind.EXTRA),
        ("d/b.bin", FindingKind.MISSING),
        ("d/e/c", FindingKind.MISSING),
    ]
    assert "symbolic link" in report.findings[0].detail
    assert "symbolic link" in report.findings[1].detail


def test_something_else_in_the_place_of_a_file(folder: Path) -> None:
    (folder / "a.txt").unlink()
    os.mkfifo(folder / "a.txt")
    (folder / "\u6f22.csv").unlink()
    (folder / "\u6f22.csv").mkdir()
    assert kinds(verify_folder(folder).findings) == [
        ("a.txt", FindingKind.CHANGED),
        ("\u6f22.csv", FindingKind.CHANGED),
    ]


def test_unreadable_files_make_it_inconclusive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: str, *arguments: Any, **options: Any) -> int:
        if os.fsdecode(path) == "a.txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    report = verify_folder(folder)
    assert kinds(report.findings) == [("a.txt", FindingKind.UNREADABLE)]
    assert report.findings[0].detail == "Permission denied"
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_folder_that_cannot_be_listed_makes_it_inconclusive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("/d/e/"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = verify_folder(folder)
    assert kinds(report.findings) == [("d/e", FindingKind.UNREADABLE)]
    assert report.verdict is Verdict.INCONCLUSIVE


def test_unfinished_writes_of_ours_are_not_extra(folder: Path) -> None:
    (folder / "d" / ".archive-tui-1.part").write_bytes(b"x")
    assert verify_folder(folder).verdict is Verdict.VERIFIED


def test_a_stop_claims_nothing_for_the_rest(folder: Path) -> None:
    stop = threading.Event()
    stop.set()
    events: list[Event] = []
    report = verify_folder(folder, report=events.append, stop=stop)
    assert not report.complete
    assert report.verdict is Verdict.STOPPED
    assert report.files_ok == 0
    assert events[-1] == Ended("verify", False)


def test_a_stop_keeps_what_was_found(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"other")
    stop = threading.Event()

    def stop_at_the_finding(event: Event) -> None:
        if isinstance(event, ItemFailed):
            stop.set()

    report = verify_folder(folder, report=stop_at_the_finding, stop=stop)
    assert not report.complete
    assert ("a.txt", FindingKind.CHANGED) in kinds(report.findings)
    assert report.verdict is Verdict.FINDINGS


def test_without_a_manifest_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    for folder in (tmp_path, tmp_path / "x"):
        with pytest.raises(ManifestError) as caught:
            verify_folder(folder)
        assert caught.value.code == "manifest-missing"
        assert caught.value.hint
    with pytest.raises(SourceNotFound):
        verify_folder(tmp_path / "absent")


def test_a_hostile_manifest_is_refused_before_anything_is_read(folder: Path) -> None:
    (folder / "manifest.json").write_text(
        json.dumps({"datetime": "2024-01-01", "files": [{"file": "../x", "sha256": "a" * 64}]})
    )
    events: list[Event] = []
    with pytest.raises(ManifestError) as caught:
        verify_folder(folder, report=events.append)
    assert caught.value.code == "path-parent"
    assert events == []


def test_an_empty_list_is_verified(tmp_path: Path) -> None:
    write_manifest(tmp_path, {})
    assert verify_folder(tmp_path).sentence == "Verified: 0 of 0 files, all bytes"


def test_nothing_is_changed(folder: Path) -> None:
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    verify_folder(folder)
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_listing_names_everything(folder: Path) -> None:
    (folder / "link").symlink_to("d")
    os.mkfifo(folder / "pipe")
    listed = {found.path: (found.size, found.detail) for found in list_folder_files(folder)}
    assert listed.pop("manifest.json")[0]
    assert listed == {
        **{path: (len(content), "") for path, content in CONTENTS.items()},
        "link": (None, "a symbolic link"),
        "pipe": (None, "a socket, pipe or device"),
    }


def list_lines(contents: dict[str, bytes]) -> str:
    return "".join(f"{digest_of(content)}  {path}\n" for path, content in contents.items())


@pytest.fixture(name="listed")
def make_listed_folder(folder: Path) -> Path:
    """The same files with a checksum manifest instead."""
    (folder / "manifest.json").unlink()
    (folder / "SHA256SUMS").write_text(list_lines(CONTENTS))
    return folder


def test_a_folder_with_a_checksum_manifest(listed: Path) -> None:
    assert verify_folder(listed).sentence == "Verified: 4 of 4 files, all bytes"
    (listed / "a.txt").write_bytes(b"alphb")
    (listed / "new").write_bytes(b"")
    (listed / "d" / "b.bin").rename(listed / "elsewhere")
    report = verify_folder(listed)
    assert kinds(report.findings) == [
        ("a.txt", FindingKind.CHANGED),
        ("d/b.bin", FindingKind.MOVED),
        ("new", FindingKind.EXTRA),
    ]
    assert report.findings[1].detail == "now at elsewhere"


def test_a_manifest_of_a_dataset_counts_before_a_checksum_manifest(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text("junk")
    assert verify_folder(folder).findings[0].path == "SHA256SUMS"


def test_several_checksum_manifests_are_not_chosen_from(listed: Path) -> None:
    (listed / "b.sha256").write_text(list_lines(CONTENTS))
    with pytest.raises(ManifestError) as caught:
        verify_folder(listed)
    assert caught.value.code == "manifest-several"
    assert "SHA256SUMS, b.sha256" in caught.value.message


def test_a_reason_says_nothing_twice(folder: Path) -> None:
    (folder / "new").write_bytes(b"new")
    (folder / "a.txt").write_bytes(b"alphb")
    events: list[Event] = []
    verify_folder(folder, report=events.append)
    reasons = {event.item: event.reason for event in events if isinstance(event, ItemFailed)}
    assert reasons == {"a.txt": "changed: other content", "new": "extra"}
