"""Verifying an archive of a datasafe: what is said of damage in the files, and in the archive around them."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Mapping

import pytest

from archive_tui.archives.datasafe.safe import StoredArchive
from archive_tui.archives.datasafe.verifying import verify_archive
from archive_tui.errors import ArchiveError, ManifestError
from archive_tui.integrity.digest import sha256_of_bytes
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.integrity.report import FindingKind, Verdict
from archive_tui.objects.memory import MemoryStore
from archive_tui.operations.packing.stored_zip import StoredMember, StoredZip
from archive_tui.progress import BytesDone, Ended, Event, Planned
from tests.archives.datasafe.served_datasafe import pack_dataset

LOI = "42.1001/ds/exp/sa/42/cwepr/1"
FILES = {"a.bin": random.Random(1).randbytes(50_000), "b/empty": b"", "c.dat": b"c" * 1000}


def make_files(files: Mapping[str, bytes] = FILES) -> dict[str, bytes]:
    """The files and their manifest."""
    with zipfile.ZipFile(io.BytesIO(pack_dataset(LOI, files))) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def pack(files: Mapping[str, bytes]) -> bytes:
    members = [StoredMember(path, len(content), zlib.crc32(content)) for path, content in files.items()]

    def open_file(path: str, offset: int) -> io.BytesIO:
        return io.BytesIO(files[path][offset:])

    return b"".join(StoredZip(members).read(open_file))


def store(content: bytes, digest: str | None = None) -> StoredArchive:
    memory = MemoryStore()
    memory.put("dataset.zip", [content])
    return StoredArchive(memory, "dataset.zip", len(content), digest)


def record(files: Mapping[str, bytes]) -> Inventory:
    return Inventory(Entry(path, len(content), sha256_of_bytes(content)) for path, content in files.items())


@pytest.mark.parametrize("has_record", [True, False])
def test_a_whole_dataset_is_verified(has_record: bool) -> None:
    files, events = make_files(), list[Event]()
    archive = store(pack(files), sha256_of_bytes(pack(files)))
    report = verify_archive(archive, record(files) if has_record else None, subject=LOI, report=events.append)
    assert (report.verdict, report.files_ok, report.files_total) == (Verdict.VERIFIED, 4, 4)
    assert report.bytes_read == report.bytes_total == archive.size
    assert isinstance(events[0], Planned)
    assert isinstance(events[-1], Ended)
    totals = [event.total for event in events if isinstance(event, BytesDone)]
    assert totals == sorted(totals)
    assert totals[-1] == archive.size


@pytest.mark.parametrize("has_record", [True, False])
def test_any_flipped_bit_is_found(has_record: bool) -> None:
    """Wherever it lies: in a file, in a header, in the directory."""
    files = make_files({"a.bin": b"0123456789", "b": b"x"})
    content = pack(files)
    expected = record(files) if has_record else None
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        try:
            report = verify_archive(store(bytes(damaged), sha256_of_bytes(content)), expected)
        except ArchiveError:
            continue
        assert report.verdict is Verdict.FINDINGS, place


def test_a_byte_of_the_archive_around_right_files_is_said_so() -> None:
    files = make_files()
    content = bytearray(pack(files))
    content[content.index(b"PK\x01\x02") + 5] ^= 1  # the system that has made it
    report = verify_archive(store(bytes(content), sha256_of_bytes(pack(files))), record(files))
    (finding,) = report.findings
    assert (finding.kind, finding.path) == (FindingKind.CHANGED, "dataset.zip")
    assert "Every file is right" in finding.detail
    assert report.files_ok == report.files_total == 4


@pytest.mark.parametrize("has_record", [True, False])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"a.bin": FILES["a.bin"][::-1]}, [("changed", "a.bin")]),
        ({"a.bin": b"short"}, [("changed", "a.bin")]),
        ({"b/empty": None}, [("missing", "b/empty")]),
        ({"added": b"1"}, [("extra", "added")]),
        (
            {"c.dat": None, "added": b"1", "a.bin": b""},
            [("changed", "a.bin"), ("extra", "added"), ("missing", "c.dat")],
        ),
    ],
)
def test_other_files_are_named(
    change: dict[str, bytes | None], expected: list[tuple[str, str]], has_record: bool
) -> None:
    files = make_files()
    now = {path: content for path, content in (files | change).items() if content is not None}
    report = verify_archive(store(pack(now)), record(files) if has_record else None)
    assert [(str(finding.kind), finding.path) for finding in report.findings] == expected
    bad = sum(kind != "extra" for kind, _ in expected)
    assert (report.files_ok, report.files_total) == (4 - bad, 4)


def test_swapped_contents_are_found() -> None:
    files = make_files()
    files["a.bin"], files["c.dat"] = files["c.dat"], files["a.bin"]
    report = verify_archive(store(pack(files)), None)
    assert [finding.path for finding in report.findings] == ["a.bin", "c.dat"]


@pytest.mark.parametrize("content", [b"", b"format: [", b"\xff\xfe", b"files: 1\n", None])
def test_a_manifest_that_cannot_be_used_is_a_finding_where_there_is_a_record(content: bytes | None) -> None:
    files = make_files()
    now = {path: content for path, content in files.items() if path != "MANIFEST.yaml"}
    now |= {} if content is None else {"MANIFEST.yaml": content}
    report = verify_archive(store(pack(now)), record(files))
    assert [finding.path for finding in report.findings] == ["MANIFEST.yaml"]
    assert (report.files_ok, report.files_total) == (3, 4)
    with pytest.raises(ArchiveError):
        verify_archive(store(pack(now)), None)


def test_a_checksum_of_a_kind_that_nobody_knows_is_refused() -> None:
    files = make_files()
    files["MANIFEST.yaml"] = files["MANIFEST.yaml"].replace(b"MD5 checksum", b"CRC-7 checksum")
    with pytest.raises(ManifestError):
        verify_archive(store(pack(files)), None)


def test_a_stop_claims_nothing_for_the_rest() -> None:
    files = make_files()

    class Stop:
        seen = 0

        def is_set(self) -> bool:
            self.seen += 1
            return self.seen > 12

    report = verify_archive(store(pack(files)), record(files), stop=Stop())
    assert (report.verdict, report.complete) == (Verdict.STOPPED, False)
    assert report.files_ok < 4
    assert report.bytes_read < report.bytes_total
