"""Which dialect a manifest is read in, and that all names survive being written and read in each of them."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archive_tui.errors import ConfigurationError, ManifestError
from archive_tui.manifests.checksum_lines import (
    WRITTEN_DIALECTS,
    BadLine,
    Dialect,
    ManifestLine,
    format_line,
    format_lines,
    line_blocks,
    open_manifest,
)
from archive_tui.manifests.checksum_lines.writing import format_names
from tests.hostile.hostile_manifests import HOSTILE_MANIFESTS, HostileManifest

DIGEST = hashlib.sha256(b"a").hexdigest()
HEX = DIGEST.encode()
SAME_FOLDER = [HealthCheck.function_scoped_fixture]

AWKWARD = [
    b'"',
    b"\\",
    b"\n",
    b"\r",
    b" ",
    b"*",
    b"#",
    b"\t",
    b"/",
    b"(",
    b") = ",
    b"SHA256 (",
    b",",
    b"\xff",
    "é".encode(),
    HEX,
]
names = st.lists(st.one_of(st.binary(max_size=5), st.sampled_from(AWKWARD)), min_size=1, max_size=6).map(
    lambda parts: os.fsdecode(b"".join(parts).replace(b"\0", b"0") or b"x")
)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
sizes = st.one_of(st.none(), st.integers(0, (1 << 63) - 1))


def write(tmp_path: Path, content: bytes) -> Path:
    document = tmp_path / "document"
    document.write_bytes(content)
    return document


def read(document: Path, **how: object) -> list[ManifestLine | BadLine]:
    with open_manifest(document, **how) as manifest:  # type: ignore[arg-type]
        return list(manifest.lines())


def dialect_of(document: Path, root: Path | None = None) -> Dialect:
    with open_manifest(document, root=root) as manifest:
        return manifest.dialect


@pytest.mark.parametrize("dialect", WRITTEN_DIALECTS, ids=str)
@settings(max_examples=60, suppress_health_check=SAME_FOLDER)
@given(entries=st.lists(st.tuples(names, digests, sizes), max_size=8))
def test_all_names_survive(dialect: Dialect, entries: list[tuple[str, str, int | None]], tmp_path: Path) -> None:
    lines = [ManifestLine(number, *entry) for number, entry in enumerate(entries, 1)]
    document = write(tmp_path, b"".join(format_lines(dialect, lines, created=datetime(2026, 1, 1, tzinfo=UTC))))
    kept = lines if dialect is Dialect.JSON else [line._replace(size=None) for line in lines]
    assert read(document, dialect=dialect) == kept


@pytest.mark.parametrize("dialect", [Dialect.QUOTED, Dialect.SHA256SUM, Dialect.BSD], ids=str)
@given(entries=st.lists(st.tuples(st.one_of(st.just("plain"), names), digests), max_size=4))
def test_many_lines_at_once_are_the_same_as_one_by_one(dialect: Dialect, entries: list[tuple[str, str]]) -> None:
    joined = bytearray.fromhex("".join(digest for _, digest in entries))
    written = format_names(dialect, [name for name, _ in entries], joined)
    assert written == b"".join(format_line(dialect, name, digest) for name, digest in entries)


@pytest.mark.parametrize("dialect", WRITTEN_DIALECTS, ids=str)
@settings(max_examples=60, suppress_health_check=SAME_FOLDER)
@given(given_names=st.lists(names, min_size=1, max_size=8))
def test_what_is_written_is_recognised(dialect: Dialect, given_names: list[str], tmp_path: Path) -> None:
    """Names that stand in double quotes themselves are the one exception, in lines of sha256sum."""
    lines = [ManifestLine(number, name, DIGEST) for number, name in enumerate(["plain", *given_names], 1)]
    document = write(tmp_path, b"".join(format_lines(dialect, lines)))
    assert dialect_of(document, tmp_path / "nowhere") == dialect
    assert read(document, root=tmp_path / "nowhere") == lines


@pytest.mark.parametrize("read_size", [1, 7, 64, 66, 67, 130])
@pytest.mark.parametrize("dialect", list(Dialect), ids=str)
def test_where_a_block_ends_changes_nothing(read_size: int, dialect: Dialect, tmp_path: Path) -> None:
    for hostile in [h for h in HOSTILE_MANIFESTS if h.dialect is dialect and not h.code and len(h.content) < 2000]:
        document = write(tmp_path, hostile.content)
        with patch.object(line_blocks, "READ_SIZE", read_size):
            lines = read(document, root=tmp_path / "nowhere")
        assert [line for line in lines if isinstance(line, ManifestLine)] == list(hostile.good), hostile.name
        assert [line.number for line in lines if isinstance(line, BadLine)] == list(hostile.bad), hostile.name


@pytest.mark.parametrize("read_size", [1, 10, 90])
@pytest.mark.parametrize("dialect", [Dialect.SHA256SUM, Dialect.QUOTED, Dialect.CSV], ids=str)
@pytest.mark.parametrize("end", [b"\n", b""], ids=["LF", "end"])
def test_a_line_of_the_longest_length_is_read_and_a_longer_one_is_not(
    read_size: int, dialect: Dialect, end: bytes, tmp_path: Path
) -> None:
    for more in range(3):
        name = b"n" * (30 + more)
        line = name + b"," + HEX if dialect is Dialect.CSV else format_line(dialect, name.decode(), DIGEST)[:-1]
        head = b"File,SHA256\n" if dialect is Dialect.CSV else b"#\n"
        longest = len(line) - more + 1
        document = write(tmp_path, head + line + b"\n" + line + end)
        with patch.multiple(line_blocks, READ_SIZE=read_size, LONGEST_LINE=longest):
            lines = read(document, dialect=dialect)
        assert [line.number for line in lines] == [2, 3]
        assert [isinstance(line, BadLine) for line in lines] == [more > 1] * 2


def test_long_comments_are_passed_over(tmp_path: Path) -> None:
    document = write(tmp_path, b"#" + b"x" * (3 << 20) + b"\n" + format_line(Dialect.SHA256SUM, "a", DIGEST))
    assert read(document) == [ManifestLine(2, "a", DIGEST)]
    assert read(document, dialect=Dialect.QUOTED)[0].number == 2


class TestQuotedOrNot:
    QUOTED = HEX + b'  "a"\n' + HEX + b'\t"b"\n'

    def test_only_if_every_name_stands_in_quotes(self, tmp_path: Path) -> None:
        assert dialect_of(write(tmp_path, self.QUOTED), tmp_path) is Dialect.QUOTED
        many = self.QUOTED * 5000
        assert dialect_of(write(tmp_path, many), tmp_path) is Dialect.QUOTED
        for line in (b"  c", b'  c"', b'  "c', b' "c"', b' *"c"', b'  "'):
            for content in (many + HEX + line + b"\n", HEX + line + b"\n" + many):
                assert dialect_of(write(tmp_path, content), tmp_path) is Dialect.SHA256SUM, line

    def test_escaped_and_tagged_lines_are_those_of_sha256sum(self, tmp_path: Path) -> None:
        assert dialect_of(write(tmp_path, self.QUOTED + b"\\" + HEX + b'  "c"\n'), tmp_path) is Dialect.SHA256SUM
        assert dialect_of(write(tmp_path, b'SHA256 ("c") = ' + HEX + b"\n" + self.QUOTED), tmp_path) is Dialect.BSD

    def test_junk_and_comments_have_no_name(self, tmp_path: Path) -> None:
        content = b"# made today\n\njunk\n" + HEX[2:] + b"  md5\n" + self.QUOTED + HEX + b"\n"
        document = write(tmp_path, content)
        assert dialect_of(document, tmp_path) is Dialect.QUOTED
        assert [type(line) for line in read(document)] == [BadLine, BadLine, ManifestLine, ManifestLine, BadLine]

    def test_files_of_the_names_without_quotes_change_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        (tmp_path / '"other"').touch()
        assert dialect_of(write(tmp_path, self.QUOTED), tmp_path) is Dialect.QUOTED

    def test_files_whose_names_have_the_quotes_decide_for_sha256sum(self, tmp_path: Path) -> None:
        (tmp_path / '"b"').touch()
        document = write(tmp_path, HEX + b'  "a"\n' + HEX + b'  "b"\n')
        assert read(document, root=tmp_path) == [ManifestLine(1, '"a"', DIGEST), ManifestLine(2, '"b"', DIGEST)]

    def test_files_of_both_readings_are_an_error_that_says_how_to_choose(self, tmp_path: Path) -> None:
        (tmp_path / '"b"').touch()
        (tmp_path / "a").symlink_to("nowhere")
        document = write(tmp_path, self.QUOTED)
        with pytest.raises(ManifestError) as caught:
            open_manifest(document, root=tmp_path)
        assert caught.value.code == "manifest-dialect-unclear"
        assert "--format quoted" in caught.value.hint
        assert "--format sha256sum" in caught.value.hint
        assert '"b"' in caught.value.message
        for dialect in (Dialect.QUOTED, Dialect.SHA256SUM, Dialect.BSD):
            assert len(read(document, dialect=dialect, root=tmp_path)) == 2

    def test_names_in_folders_are_looked_at_too(self, tmp_path: Path) -> None:
        (tmp_path / '"a').mkdir()
        (tmp_path / '"a' / 'b"').touch()
        assert dialect_of(write(tmp_path, HEX + b'  "a/b"\n'), tmp_path) is Dialect.SHA256SUM

    def test_without_a_root_the_current_folder_counts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        document = write(tmp_path, self.QUOTED)
        assert dialect_of(document) is Dialect.QUOTED
        (tmp_path / '"a"').touch()
        assert dialect_of(document) is Dialect.SHA256SUM


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (b"", Dialect.SHA256SUM),
        (b"SHA256 (a) = " + HEX, Dialect.BSD),
        (b"#\n" + HEX + b"  a\nSHA256 (a) = " + HEX, Dialect.SHA256SUM),
        (b"File,SHA256,Vault\n", Dialect.CSV),
        (b"File,SHA256", Dialect.CSV),
        (b"FILE,SHA256,VAULT\n", Dialect.SHA256SUM),
        (b"File,SHA256,Vault,More\n", Dialect.SHA256SUM),
        (b' \r\n\t{"files": []}', Dialect.JSON),
        (b"{ }", None),
        (b"{ words\n" + HEX + b"  a\n", Dialect.SHA256SUM),
    ],
)
def test_the_first_words_tell_the_other_dialects(content: bytes, dialect: Dialect | None, tmp_path: Path) -> None:
    if dialect is None:
        with pytest.raises(ManifestError, match="no list 'files'"):
            dialect_of(write(tmp_path, content))
    else:
        assert dialect_of(write(tmp_path, content)) is dialect


@pytest.fixture
def read_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes were asked for, call by call."""
    sizes: list[int] = []
    original = os.pread

    def count(descriptor: int, size: int, offset: int) -> bytes:
        sizes.append(size)
        return original(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", count)
    return sizes


def test_detection_reads_no_more_than_it_must(tmp_path: Path, read_sizes: list[int]) -> None:
    document = write(tmp_path, HEX + b"  a\n" + (HEX + b'  "b"\n') * 100_000)
    with open_manifest(document):
        assert sum(read_sizes) <= 2 << 20


def test_an_open_quote_does_not_hold_up_the_lines_behind_it(tmp_path: Path, read_sizes: list[int]) -> None:
    document = write(tmp_path, b'File,SHA256\n"x\n' + (b"b," + HEX + b"\n") * 100_000)
    with open_manifest(document) as manifest:
        read_sizes.clear()
        assert next(manifest.lines()).number == 2
        assert sum(read_sizes) <= 1 << 20


def test_a_table_needs_its_header(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        open_manifest(write(tmp_path, b"a," + HEX), dialect=Dialect.CSV)
    assert caught.value.code == "manifest-header"


def test_reasons_name_what_a_digest_looks_like(tmp_path: Path) -> None:
    rows = {
        32: "an MD5",
        40: "a SHA-1",
        56: "a SHA-224",
        96: "a SHA-384",
        128: "a SHA-512",
        8: "a CRC-32",
        50: "50 digits",
    }
    document = write(tmp_path, b"".join(b"0" * length + b"  x\n" for length in rows))
    for line, words in zip(read(document), rows.values(), strict=True):
        assert isinstance(line, BadLine)
        assert words in line.reason
    tagged = read(write(tmp_path, b"MD5 (x) = " + HEX[:32] + b"\nSHA512 (x) = " + HEX * 2))
    assert ["digest of MD5" in tagged[0][1], "digest of SHA512" in tagged[1][1]] == [True, True]


def test_reasons_name_what_is_wrong_with_quotes(tmp_path: Path) -> None:
    rows = {
        b'"x': "not closed",
        b'"': "not closed",
        b"x": "does not stand in",
        b'"a"b"': "not escaped",
        b'""': "no name",
    }
    document = write(tmp_path, b"".join(HEX + b"  " + name + b"\n" for name in rows))
    for line, words in zip(read(document, dialect=Dialect.QUOTED), rows.values(), strict=True):
        assert isinstance(line, BadLine)
        assert words in line.reason


PIECES = [b"file,", b"file,sha256x,", b") = ", b"SHA256 (", b'"', b'""', b'",', b"\\", b"\\n", b" ", b"[", HEX]


@pytest.mark.parametrize("piece", PIECES, ids=repr)
@pytest.mark.parametrize("dialect", [None, *Dialect], ids=str)
def test_no_line_takes_long_to_be_refused(piece: bytes, dialect: Dialect | None, tmp_path: Path) -> None:
    """A pattern that goes back again and again would take hours for these, not the time that a test has."""
    header = b"File,SHA256,Vault\n" if dialect is Dialect.CSV else b""
    for before in (b"", HEX + b'  "', b"SHA256 (", b"\\" + HEX + b"  ", b'{"'):
        document = write(tmp_path, header + before + piece * (900_000 // len(piece)) + b"\n")
        try:
            with open_manifest(document, dialect=dialect) as manifest:
                assert all(isinstance(line, BadLine) or len(line.name) > 100_000 for line in manifest.lines())
                assert isinstance(manifest.hint, str)
        except ManifestError as error:
            assert dialect in (None, Dialect.JSON)
            assert error.code in ("manifest-json", "manifest-deep", "manifest-form")


def test_json_is_one_object_as_the_page_says(tmp_path: Path) -> None:
    lines = [ManifestLine(1, 'a "b"\n', DIGEST, 7), ManifestLine(2, "\udcff", DIGEST)]
    content = b"".join(format_lines(Dialect.JSON, lines, created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))
    assert json.loads(content) == {
        "format": "archive-tui manifest",
        "created": "2026-01-02T03:04:05+00:00",
        "files": [{"path": 'a "b"\n', "size": 7, "sha256": DIGEST}, {"path_bytes": "/w==", "sha256": DIGEST}],
    }
    assert content.endswith(b"}\n")
    assert json.loads(b"".join(format_lines(Dialect.JSON, [])))["files"] == []


def test_lines_are_written_while_they_come() -> None:
    for dialect in WRITTEN_DIALECTS:
        endless = (ManifestLine(number, "a", DIGEST) for number in iter(int, 1))
        pieces = format_lines(dialect, endless)
        assert any(HEX in next(pieces) for _ in range(3))


def test_csv_is_not_written() -> None:
    with pytest.raises(ConfigurationError):
        format_lines(Dialect.CSV, [])
    for dialect in (Dialect.CSV, Dialect.JSON):
        with pytest.raises(ConfigurationError):
            format_line(dialect, "a", DIGEST)


@settings(max_examples=60, suppress_health_check=SAME_FOLDER)
@given(given_names=st.lists(names, min_size=1, max_size=6), end=st.sampled_from(["\n", "\r\n"]))
@example(given_names=['a,"b"\nc', "=1+1"], end="\n")
def test_tables_as_other_programs_write_them_are_read(given_names: list[str], end: str, tmp_path: Path) -> None:
    import csv
    import io

    table = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if any("\r" in name for name in given_names) else csv.QUOTE_MINIMAL
    writer = csv.writer(table, lineterminator=end, quoting=quoting)
    writer.writerow(["File", "SHA256", "Vault"])
    writer.writerows([name, DIGEST, "yes"] for name in given_names)
    document = write(tmp_path, os.fsencode(table.getvalue()))
    lines = read(document)
    assert [line.name for line in lines if isinstance(line, ManifestLine)] == given_names
    assert dialect_of(document) is Dialect.CSV


def test_a_record_begins_where_its_first_line_does(tmp_path: Path) -> None:
    content = b'File,SHA256\n"a\n\n\n",' + HEX + b"\n\nb," + HEX + b'\n"c\n,' + HEX + b"\nd," + HEX + b"\n"
    lines = read(write(tmp_path, content))
    assert [(line.number, type(line)) for line in lines] == [
        (2, ManifestLine), (7, ManifestLine), (8, BadLine), (9, BadLine), (10, ManifestLine),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "hostile", [h for h in HOSTILE_MANIFESTS if h.dialect is Dialect.JSON and h.bad], ids=lambda h: h.name
)
def test_the_faults_of_an_entry_do_not_hide_the_others(hostile: HostileManifest, tmp_path: Path) -> None:
    with open_manifest(write(tmp_path, hostile.content)) as manifest:
        assert manifest.count_lines() == len(hostile.good) + len(hostile.bad)


def lines_in_table(tmp_path: Path, content: bytes) -> tuple[list[int], list[int]]:
    """The numbers of the good lines and of the bad ones."""
    lines = read(write(tmp_path, b"File,SHA256\n" + content))
    bad = [line.number for line in lines if isinstance(line, BadLine)]
    return [line.number for line in lines if isinstance(line, ManifestLine)], bad


def test_a_quote_that_is_never_closed_hides_no_other_line(tmp_path: Path) -> None:
    good = b"name," + HEX + b"\n"
    for count in (1, 100, 3000):
        numbers = list(range(3, count + 3))
        assert lines_in_table(tmp_path, b'"x\n' + good * count) == (numbers, [2])
        assert lines_in_table(tmp_path, b'"x\n' + good * count + b'"y\n')[1] == [2, count + 3]
    assert lines_in_table(tmp_path, b'"x,y\n' + good + b'"a\nb",' + HEX + b"\n" + good) == ([3, 4, 6], [2])


def test_a_line_that_is_too_long_ends_what_is_open(tmp_path: Path) -> None:
    good = b"name," + HEX + b"\n"
    content = good + b'"x\n' + good + b"long" * (1 << 19) + b"\n" + good
    assert lines_in_table(tmp_path, content) == ([2, 4, 6], [3, 5])


def test_a_name_with_line_breaks_has_a_limit(tmp_path: Path) -> None:
    for count, numbers in ((1 << 14, [2]), (100_000, []), (1 << 17, [])):
        good, bad = lines_in_table(tmp_path, b'"' + b"\n" * count + b'",' + HEX + b"\n")
        assert (good, bool(bad)) == (numbers, not numbers)


def test_blanks_around_the_digest_are_none_of_it(tmp_path: Path) -> None:
    assert lines_in_table(tmp_path, b"name, " + HEX + b" \nname,\t" + HEX + b",yes\n") == ([2, 3], [])
