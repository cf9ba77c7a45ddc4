"""The archive of stored files: every range of it, its size before anything is read, and files that change meanwhile."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_tui.errors import OperationStopped, SourceChanged
from archive_tui.operations import zip_format
from archive_tui.operations.packing.stored_zip import FileReader, StoredMember, StoredZip
from archive_tui.operations.unpacking.archive import unpack_archive
from archive_tui.operations.unpacking.structure import read_archive_structure
from tests.operations.packed_trees import read_tree, repeatable_bytes, store_archive, write_tree

FILES = {
    "MANIFEST.yaml": b"format:\n",
    "a/empty": b"",
    "a/one": b"1",
    "b.bin": repeatable_bytes(3000),
    "grüße/日本語": b"x" * 700,
    "z": b"",
}

CONTENTS = st.dictionaries(
    st.text(st.sampled_from("abü/x"), min_size=1, max_size=6).filter(lambda name: all(name.split("/"))),
    st.binary(max_size=40),
    max_size=6,
)


def make_members(files: Mapping[str, bytes]) -> list[StoredMember]:
    return [StoredMember(path, len(content), zlib.crc32(content)) for path, content in files.items()]


class Files:
    """Opens contents as files, and counts those that are open."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.opened: list[str] = []
        self.readers: list[io.BytesIO] = []

    def open(self, path: str, offset: int) -> FileReader:
        self.opened.append(path)
        reader = io.BytesIO(self.files[path])
        reader.seek(offset)
        self.readers.append(reader)
        return reader


def read_all(files: Mapping[str, bytes]) -> bytes:
    return b"".join(StoredZip(make_members(files)).read(Files(files).open))


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_format, "ZIP64_LIMIT", 500)
    monkeypatch.setattr(zip_format, "ZIP64_COUNT", 3)


def check_every_range(files: Mapping[str, bytes]) -> None:
    archive, whole = StoredZip(make_members(files)), read_all(files)
    assert archive.size == len(whole)
    for begin in range(len(whole) + 2):
        for length in (0, 1, 2, 31, len(whole), None):
            found = b"".join(archive.read(Files(files).open, begin, length))
            assert found == (whole[begin:] if length is None else whole[begin : begin + length])


def test_every_range_is_that_part_of_the_whole() -> None:
    check_every_range(FILES)


@pytest.mark.usefixtures("low_limits")
def test_every_range_with_zip64_too() -> None:
    check_every_range(FILES)


@given(files=CONTENTS, data=st.data())
@settings(deadline=None)
def test_any_range_of_any_archive(files: dict[str, bytes], data: st.DataObject) -> None:
    archive, whole = StoredZip(make_members(files)), read_all(files)
    assert archive.size == len(whole)
    begin = data.draw(st.integers(0, len(whole) + 3))
    length = data.draw(st.none() | st.integers(0, len(whole) + 3))
    found = b"".join(archive.read(Files(files).open, begin, length))
    assert found == (whole[begin:] if length is None else whole[begin : begin + length])


@given(files=CONTENTS, order=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_files_does_not_matter(files: dict[str, bytes], order: object) -> None:
    members = make_members(files)
    order.shuffle(members)  # type: ignore[attr-defined]
    assert b"".join(StoredZip(members).read(Files(files).open)) == read_all(files)


def test_times_and_modes_of_the_files_do_not_matter(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "files", FILES)

    def read() -> bytes:
        return b"".join(StoredZip(make_members(FILES)).read(lambda path, offset: open_at(root / path, offset)))

    first = read()
    for path in root.rglob("*"):
        os.utime(path, (10_000, 10_000))
        path.chmod(0o700)
    assert read() == first


def open_at(path: Path, offset: int) -> FileReader:
    file = path.open("rb", buffering=0)
    file.seek(offset)
    return file


@pytest.mark.parametrize("limits", ["usual", "low"])
def test_other_programs_read_it(tmp_path: Path, limits: str, request: pytest.FixtureRequest) -> None:
    if limits == "low":
        request.getfixturevalue("low_limits")
    path = tmp_path / "a.zip"
    path.write_bytes(read_all(FILES))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(FILES)
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
    unzip = shutil.which("unzip")
    if unzip is None:
        pytest.skip("unzip is not installed: apt-get install unzip")
    subprocess.run([unzip, "-tqq", str(path)], check=True, capture_output=True)


@pytest.mark.parametrize("limits", ["usual", "low"])
def test_our_own_reader_gives_the_files_back(tmp_path: Path, limits: str, request: pytest.FixtureRequest) -> None:
    if limits == "low":
        request.getfixturevalue("low_limits")
    store = store_archive(read_all(FILES))
    unpacked = unpack_archive(store, "a.zip", tmp_path, manifest_name="MANIFEST.yaml")
    assert read_tree(tmp_path) == FILES
    assert unpacked.damaged == ()
    assert unpacked.manifest == FILES["MANIFEST.yaml"]


def test_no_files_are_an_empty_archive() -> None:
    content = read_all({})
    assert len(content) == StoredZip([]).size == 22
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == []


def test_a_hundred_thousand_members() -> None:
    files = {f"folder {number % 100}/{number:06}.dat": b"%d" % number for number in range(100_000)}
    archive, content = StoredZip(make_members(files)), read_all(files)
    assert archive.size == len(content)
    structure = read_archive_structure(store_archive(content), "a.zip")
    assert len(structure.members) == len(files)
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert len(opened.namelist()) == len(files)
        assert opened.read("folder 99/099999.dat") == b"99999"
    source = Files(files)
    middle = len(content) // 2
    assert b"".join(archive.read(source.open, middle, 300)) == content[middle : middle + 300]
    assert len(source.opened) < 8, "what lies before the range is not read"


def test_sizes_over_four_gib_are_right_to_the_byte() -> None:
    """No file is read for it: a range behind a member of 5 GB, and one in its middle."""
    large = 5 * 10**9
    archive = StoredZip([StoredMember("a", large, 1), StoredMember("b", 3, zlib.crc32(b"end"))])
    tail = b"".join(archive.read(Files({"b": b"end"}).open, large + 100))
    assert archive.size == large + 100 + len(tail)
    assert tail[-22:-18] == zip_format.END_SIGNATURE
    assert zip_format.ZIP64_END_SIGNATURE in tail

    class Zeros(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1, /) -> bytes:
            return bytes(size)

    offsets: list[int] = []

    def open_zeros(path: str, offset: int) -> FileReader:
        offsets.append(offset)
        return Zeros()

    assert b"".join(archive.read(open_zeros, 4_500_000_000, 10)) == bytes(10)
    header = len(zip_format.format_stored_header("a", large, 1))
    assert offsets == [4_500_000_000 - header]


@pytest.mark.parametrize("size", [0, 1, 2999, 3001])
def test_a_file_of_another_length_is_an_error(size: int) -> None:
    archive = StoredZip(make_members(FILES))
    with pytest.raises(SourceChanged, match=r"b\.bin"):
        b"".join(archive.read(Files(FILES | {"b.bin": bytes(size)}).open))


def test_a_file_that_was_empty_and_is_not_is_an_error() -> None:
    with pytest.raises(SourceChanged, match="a/empty"):
        b"".join(StoredZip(make_members(FILES)).read(Files(FILES | {"a/empty": b"1"}).open))


def test_a_file_that_changes_between_two_ranges_is_found_when_its_end_is_read() -> None:
    archive, whole = StoredZip(make_members(FILES)), read_all(FILES)
    middle = whole.index(FILES["b.bin"]) + 1000
    first = b"".join(archive.read(Files(FILES).open, 0, middle))
    shorter, longer = Files(FILES | {"b.bin": bytes(1500)}), Files(FILES | {"b.bin": bytes(9000)})
    for changed in (shorter, longer):
        with pytest.raises(SourceChanged, match=r"b\.bin"):
            b"".join(archive.read(changed.open, middle))
    same_length = b"".join(archive.read(Files(FILES | {"b.bin": bytes(3000)}).open, middle))
    with zipfile.ZipFile(io.BytesIO(first + same_length)) as opened:
        assert opened.testzip() == "b.bin", "whoever reads it finds it by the checksum"


def test_a_file_that_vanishes_says_so_as_its_store_does() -> None:
    files = Files({path: content for path, content in FILES.items() if path != "b.bin"})
    with pytest.raises(KeyError):
        b"".join(StoredZip(make_members(FILES)).read(files.open))


def test_a_name_in_an_error_cannot_write_to_the_terminal() -> None:
    files = {"\x1b[2Jx": b"1"}
    with pytest.raises(SourceChanged) as caught:
        b"".join(StoredZip(make_members(files)).read(Files({"\x1b[2Jx": b""}).open))
    assert "\x1b" not in str(caught.value)


def test_a_stop_is_obeyed_and_closes_the_file() -> None:
    stop, files = threading.Event(), Files({"a": bytes(10 << 20)})
    chunks = StoredZip(make_members(files.files)).read(files.open, stop=stop)
    next(chunks), next(chunks)
    stop.set()
    with pytest.raises(OperationStopped):
        b"".join(chunks)
    assert files.readers[0].closed


def test_a_reader_that_goes_away_leaves_no_file_open() -> None:
    files = Files({"a": bytes(10 << 20)})
    chunks = StoredZip(make_members(files.files)).read(files.open)
    next(chunks), next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert files.readers[0].closed


def measure_memory(size: int, path: Path) -> int:
    """Returns the most memory, in KiB, of a process that reads the archive of a sparse file of that size. Not by
    getrusage, which begins with what the parent has."""
    with path.open("wb") as file:
        file.truncate(size)
    program = """
        import re, sys
        from pathlib import Path
        from archive_tui.operations.packing.stored_zip import StoredMember, StoredZip
        path, size = Path(sys.argv[1]), int(sys.argv[2])
        def open_file(name, offset):
            file = path.open("rb", buffering=0)
            file.seek(offset)
            return file
        archive = StoredZip([StoredMember("a", size, 0)])
        assert sum(map(len, archive.read(open_file))) == archive.size
        status = Path("/proc/self/status").read_text()
        sys.stdout.write(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(path), str(size)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small = measure_memory(1 << 20, tmp_path / "small")
    large = measure_memory(500_000_000, tmp_path / "large")
    assert large < small + 20_000


@pytest.mark.slow
def test_memory_does_not_grow_with_five_gigabytes(tmp_path: Path) -> None:
    assert measure_memory(5_000_000_000, tmp_path / "large") < 80_000
