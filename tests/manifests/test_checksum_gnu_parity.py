"""GNU and BSD lines are read and written as the installed `sha256sum` does it: both are run, and compared."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archive_tui.manifests.checksum_lines import BadLine, Dialect, ManifestLine, format_lines, open_manifest

HEX = hashlib.sha256(b"a").hexdigest().encode()
SAME_FOLDER = [HealthCheck.function_scoped_fixture]

FRAGMENTS = [
    b"a", b" ", b"  ", b" *", b"*", b"\t", b"\\", b"\\\\", b"\\n", b"\\r", b"\\t", b"\r", b"\xff", b"\xc3\xa9", b"(",
    b")", b" = ", b"=", b'"', b"#", b"SHA256", b"SHA256 (", b"SHA256(", b"MD5 (", b"\x0b", b"\x0c", b"\xef\xbb\xbf",
    b"x" * 70, HEX, HEX.upper(), HEX[:-1], HEX + b"0", HEX[:32],
]  # fmt: skip
DIGESTS = [HEX, HEX, HEX, HEX.upper(), HEX[:-1], HEX + b"0", HEX[:32], HEX * 2]

names = st.lists(st.sampled_from(FRAGMENTS), min_size=0, max_size=4).map(b"".join)
leads = st.sampled_from([b"", b"", b"", b" ", b"\t ", b"\\", b"\\", b" \\", b"\\ ", b"\\\\"])
standard = st.tuples(
    leads, st.sampled_from(DIGESTS), st.sampled_from([b"  ", b"  ", b" *", b" ", b"\t", b"", b"\t "]), names
)
blanks = st.sampled_from([b"", b" ", b" ", b"\t", b"  "])
tagged = st.tuples(
    leads, st.just(b"SHA256"), blanks, st.just(b"("), names,
    st.just(b")"), blanks, st.just(b"="), blanks, st.sampled_from(DIGESTS),
)  # fmt: skip
plain = st.just((HEX + b"  plain",))
anything = st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(tuple)
one_line = st.one_of(standard, tagged, plain, anything).map(b"".join)
ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n"])
tagged_documents = st.lists(
    st.sampled_from(
        [b"SHA256 (a) = " + HEX, b"SHA256 (b) = " + HEX + b"\r", b"x SHA256 (c) = " + HEX, b"\\SHA256 (a\\n) = " + HEX]
    ),
    max_size=4,
).map(lambda lines: b"SHA256 (start) = " + HEX + b"\n" + b"".join(line + b"\n" for line in lines))

documents = st.tuples(
    st.lists(st.tuples(one_line, ends).map(b"".join), max_size=12).map(b"".join), st.one_of(st.just(b""), one_line)
).map(b"".join)


def check_with_sha256sum(document: Path, folder: Path) -> tuple[bytes, list[int]]:
    """What it prints about files of which none is there, and the numbers of the lines it does not take."""
    done = subprocess.run(
        ["sha256sum", "--check", "--warn", str(document)],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    marks = [line.split(b": ") for line in done.stderr.split(b"\n") if b": improperly formatted SHA256" in line]
    return done.stdout, [int(mark[2]) for mark in marks if mark[0] == b"sha256sum"]


def expected_output(name: str) -> bytes:
    """coreutils escapes a name only for an LF in it."""
    encoded = os.fsencode(name)
    if b"\n" in encoded:
        encoded = b"\\" + encoded.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return encoded + b": FAILED open or read\n"


def compare(content: bytes, place: Path) -> None:
    document, folder = place / "document", place / "empty"
    folder.mkdir(exist_ok=True)
    document.write_bytes(content)
    with open_manifest(document, dialect=Dialect.SHA256SUM, root=folder) as manifest:
        lines = list(manifest.lines())
        assert manifest.count_lines() >= len(lines)
    output, bad = check_with_sha256sum(document, folder)
    assert [line.number for line in lines if isinstance(line, BadLine)] == bad
    assert b"".join(expected_output(line.name) for line in lines if isinstance(line, ManifestLine)) == output
    assert all(re.fullmatch("[0-9a-f]{64}", line.digest) for line in lines if isinstance(line, ManifestLine))


@settings(max_examples=250, suppress_health_check=SAME_FOLDER)
@given(content=st.one_of(documents, tagged_documents))
@example(content=HEX + b"  \n" + HEX + b"  a\n")
@example(content=HEX + b"  a\n" + HEX + b" a\n" + HEX + b"  \n")
@example(content=HEX + b" a\n" + HEX + b"  a\n" + HEX + b" *a\n" + HEX + b"\t\ta\n")
@example(content=b"\\" + HEX + b" a\\q\n" + HEX + b"  a\n")
@example(content=b"SHA256 (a) = b) = " + HEX + b"\n")
@example(content=b"\n\r\n#\n #\n  \n" + HEX + b" *b")
def test_lines_are_taken_and_refused_as_sha256sum_does(content: bytes, tmp_path: Path) -> None:
    without_empty_names = content.replace(b"()", b"(x)")
    compare(without_empty_names, tmp_path)


@pytest.mark.parametrize(
    "form", [HEX + b"  f%d\n", HEX + b" *f%d\n", HEX + b" f%d\n", HEX + b"\tf%d\r\n", b"SHA256 (f%d) = " + HEX + b"\n"]
)
def test_many_lines_of_one_form_are_read_as_each_alone(form: bytes, tmp_path: Path) -> None:
    compare(b"".join(form % number for number in range(9000)), tmp_path)


@pytest.mark.parametrize("form", [HEX + b"  f%d\n", HEX + b" f%d\n", b"SHA256 (f%d) = " + HEX + b"\n"])
def test_what_is_odd_among_many_lines_is_seen(form: bytes, tmp_path: Path) -> None:
    odd = [
        HEX + b" one\n",
        HEX + b"  two\n",
        b"\\" + HEX + b"  a\\nb\n",
        b"#\n",
        b"\n",
        b"junk\n",
        HEX + b"  cr\r\n",
        HEX[2:] + b"  x\n",
    ]
    lines = [form % number for number in range(9000)]
    for place, line in enumerate(odd):
        lines.insert(700 + 1003 * place, line)
    compare(b"".join(lines), tmp_path)


def test_the_standard_input_is_not_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    content = HEX + b"  -\n" + HEX + b"  a\n\\" + HEX + b"  -\n" + b"SHA256 (-) = " + HEX + b"\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    with open_manifest("-", root=tmp_path) as manifest:
        lines = list(manifest.lines())
        assert [type(line) for line in lines] == [BadLine, ManifestLine, BadLine, BadLine]
        assert lines == list(manifest.lines())
    done = subprocess.run(
        ["sha256sum", "--check", "--warn"], input=content, cwd=tmp_path, capture_output=True, check=False
    )
    assert done.stdout == b"a: FAILED open or read\n"


def test_differences_from_sha256sum_are_those_that_are_written_down(tmp_path: Path) -> None:
    document = tmp_path / "document"
    document.write_bytes(HEX + b"  a\0b\nSHA256 () = " + HEX + b"\nSHA256 (a) = " + HEX + b"\0\n" + HEX + b"  c\n")
    with open_manifest(document, dialect=Dialect.SHA256SUM) as manifest:
        lines = list(manifest.lines())
    assert lines[:3] == [BadLine(1, "it holds a NUL"), BadLine(2, "it has no name"), BadLine(3, "it holds a NUL")]
    assert lines[3] == ManifestLine(4, "c", HEX.decode())
    assert check_with_sha256sum(document, tmp_path)[1] == []


def test_a_line_with_a_nul_settles_the_form_as_it_does_for_sha256sum(tmp_path: Path) -> None:
    document = tmp_path / "document"
    document.write_bytes(HEX + b" \0\n" + HEX + b"  c\n")
    with open_manifest(document, dialect=Dialect.SHA256SUM) as manifest:
        assert list(manifest.lines())[1] == ManifestLine(2, " c", HEX.decode())
    assert check_with_sha256sum(document, tmp_path)[0].endswith(b"\n c: FAILED open or read\n")


short_fragments = st.sampled_from([fragment for fragment in FRAGMENTS if len(fragment) < 8])
file_names = (
    st.lists(st.one_of(st.binary(min_size=1, max_size=6), short_fragments), max_size=5)
    .map(b"".join)
    .map(lambda name: name.replace(b"\0", b"0").replace(b"/", b"_"))
    .filter(lambda name: name not in (b"", b".", b"..", b"-"))
)


@settings(max_examples=40, suppress_health_check=SAME_FOLDER)
@given(st.lists(file_names, min_size=1, max_size=20, unique=True))
def test_what_is_written_is_what_sha256sum_writes(tmp_path: Path, given_names: list[bytes]) -> None:
    for name in given_names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"a")
    lines = [ManifestLine(0, os.fsdecode(name), HEX.decode()) for name in given_names]
    for option, dialect in (("--text", Dialect.SHA256SUM), ("--tag", Dialect.BSD)):
        command = ["sha256sum", option, "--", *given_names]
        expected = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
        assert b"".join(format_lines(dialect, lines)) == expected
        (tmp_path / ".." / "written").write_bytes(expected)
        subprocess.run(["sha256sum", "--check", "--status", "../written"], cwd=tmp_path, check=True)
