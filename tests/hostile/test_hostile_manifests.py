"""The reader of checksum manifests says of every hostile one what it must, and needs no more memory than for others."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from archive_tui.errors import ManifestError
from archive_tui.manifests.checksum_lines import BadLine, Dialect, ManifestLine, open_manifest
from archive_tui.names.display import escape_for_display
from tests.hostile.hostile_manifests import (
    GOOD_LINE,
    HEX,
    HOSTILE_MANIFESTS,
    HostileManifest,
    write_long_line,
    write_many_lines,
)

MOST_MEMORY = 32 << 20
"""Bytes that Python may hold at once while it reads."""

each = pytest.mark.parametrize("hostile", HOSTILE_MANIFESTS, ids=lambda hostile: hostile.name)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def write(hostile: HostileManifest, tmp_path: Path) -> Path:
    document = tmp_path / "manifest"
    document.write_bytes(hostile.content)
    return document


def test_there_are_many_and_each_has_its_name() -> None:
    assert len({hostile.name for hostile in HOSTILE_MANIFESTS}) == len(HOSTILE_MANIFESTS) >= 60
    outcomes = {hostile.outcome for hostile in HOSTILE_MANIFESTS}
    assert outcomes == {"never_written", "stays_inside", "disputed", "bad_line", "no_line", "refused", "read"}
    assert all(bool(hostile.code) == (hostile.outcome == "refused") for hostile in HOSTILE_MANIFESTS)
    assert not any(hostile.good for hostile in HOSTILE_MANIFESTS if hostile.outcome == "no_line")


@each
def test_the_reader_says_what_it_must(hostile: HostileManifest, tmp_path: Path, empty: Path) -> None:
    document = write(hostile, tmp_path)
    if hostile.code:
        with pytest.raises(ManifestError) as caught:
            open_manifest(document, root=empty)
        assert caught.value.code == hostile.code
        assert caught.value.message == escape_for_display(caught.value.message)
        assert len(caught.value.message) < 500
        return
    with open_manifest(document, root=empty) as manifest:
        lines = list(manifest.lines())
        assert manifest.dialect == hostile.dialect
        assert tuple(line for line in lines if isinstance(line, ManifestLine)) == hostile.good
        assert tuple(line.number for line in lines if isinstance(line, BadLine)) == hostile.bad
        assert [line.number for line in lines] == sorted(line.number for line in lines)
        assert list(manifest.lines()) == lines
        assert manifest.count_lines() >= len(lines)


@each
def test_reasons_and_hints_are_plain_text(hostile: HostileManifest, tmp_path: Path, empty: Path) -> None:
    if hostile.code:
        return
    with open_manifest(write(hostile, tmp_path), root=empty) as manifest:
        said = [line.reason for line in manifest.lines() if isinstance(line, BadLine)] + [manifest.hint]
    for text in said:
        assert text == escape_for_display(text)
        assert len(text) < 130
        assert text.isascii()


@each
def test_in_no_dialect_does_the_reader_crash(hostile: HostileManifest, tmp_path: Path, empty: Path) -> None:
    document = write(hostile, tmp_path)
    for dialect in Dialect:
        try:
            with open_manifest(document, dialect=dialect, root=empty) as manifest:
                lines = list(manifest.lines())
                assert isinstance(manifest.hint, str)
        except ManifestError as error:
            assert dialect in (Dialect.JSON, Dialect.CSV), "lines are never refused as a whole"
            assert error.code.startswith("manifest-")
            continue
        names = [line.name for line in lines if isinstance(line, ManifestLine)]
        assert all(name and "\0" not in name for name in names)


@pytest.mark.parametrize("hostile", [h for h in HOSTILE_MANIFESTS if h.outcome == "no_line"], ids=lambda h: h.name)
def test_a_document_without_a_good_line_has_a_hint(hostile: HostileManifest, tmp_path: Path, empty: Path) -> None:
    with open_manifest(write(hostile, tmp_path), root=empty) as manifest:
        assert bool(manifest.hint) == bool(hostile.bad or not hostile.content)
        if "utf_16" in hostile.name:
            assert "save it as UTF-8" in manifest.hint


def read_in_little_memory(document: Path, dialect: Dialect | None, root: Path) -> Iterator[ManifestLine | BadLine]:
    """Yields the lines; fails when more memory was held than may be."""
    tracemalloc.start()
    try:
        with open_manifest(document, dialect=dialect, root=root) as manifest:
            assert manifest.count_lines() >= 3
            yield from manifest.lines()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_MEMORY


def check_long_line(tmp_path: Path, root: Path, size: int) -> None:
    document = tmp_path / "manifest"
    write_long_line(document, size)
    good, long, last = read_in_little_memory(document, None, root)
    assert isinstance(long, BadLine)
    assert (long.number, long.reason) == (2, "it is longer than 1 MiB")
    assert [line.name for line in (good, last) if isinstance(line, ManifestLine)] == ["good", "last"]
    assert last.number == 3


def test_a_line_of_64_megabytes_costs_no_memory(tmp_path: Path, empty: Path) -> None:
    check_long_line(tmp_path, empty, 64 << 20)


@pytest.mark.slow
def test_a_line_of_a_gigabyte_costs_no_memory(tmp_path: Path, empty: Path) -> None:
    check_long_line(tmp_path, empty, 1 << 30)


def check_numbers(lines: Iterable[ManifestLine | BadLine], count: int) -> None:
    number = 0
    for number, line in enumerate(lines, 1):
        assert line.number == number
    assert number == count


FORMS = {
    "gnu": HEX + b"  f%d\n",
    "quoted": HEX + b'  "f%d"\n',
    "escaped": b"\\" + HEX + b"  f\\\\%d\n",
    "junk": b"f%d\n",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_many_lines_take_the_memory_of_few(form: bytes, tmp_path: Path, empty: Path) -> None:
    document = tmp_path / "manifest"
    write_many_lines(document, 40_000, form)
    check_numbers(read_in_little_memory(document, None, empty), 40_000)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_ten_million_lines_take_the_memory_of_few(form: bytes, tmp_path: Path, empty: Path) -> None:
    document = tmp_path / "manifest"
    write_many_lines(document, 10_000_000, form)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_manifest(document, root=empty) as manifest:
        check_numbers(manifest.lines(), 10_000_000)
    document.unlink()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY >> 10


@pytest.mark.parametrize("dialect", [Dialect.SHA256SUM, Dialect.QUOTED, Dialect.CSV], ids=str)
def test_a_multitude_of_lines_behind_quotes_that_are_never_closed_take_the_memory_of_few(
    dialect: Dialect, tmp_path: Path, empty: Path
) -> None:
    document = tmp_path / "manifest"
    header = b"File,SHA256,Vault\n" if dialect is Dialect.CSV else b""
    document.write_bytes(header + b'"a\n' + b"b\n" * 120_000 + b'c"\n' * 9 + GOOD_LINE)
    bad = sum(isinstance(line, BadLine) for line in read_in_little_memory(document, dialect, empty))
    assert bad > 100_000
