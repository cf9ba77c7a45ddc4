"""`manifest --check` and `manifest --create --format sha256sum` beside `sha256sum`: same output, same exit status.

Trees and manifests are generated; each example puts many cases into one manifest, because a process costs more than a
file.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_tui.cli.entry import run_command_line
from tests.contracts.coreutils import (
    Answer,
    assert_same,
    compare_check,
    needs_coreutils,
    run_program,
    run_sha256sum,
)

pytestmark = needs_coreutils

OPTIONS = ["--quiet", "--status", "--strict", "--warn", "--ignore-missing"]
ABSENT = b"0" * 64
GOOD = hashlib.sha256(b"good\n").hexdigest().encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good").write_bytes(b"good\n")
    (tmp_path / "other").write_bytes(b"other\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "link").symlink_to("good")
    return tmp_path


ROWS: dict[str, bytes] = {
    "all good": GOOD + b"  good\n",
    "mismatch": GOOD + b"  other\n",
    "mismatches": GOOD + b"  other\n" + ABSENT + b"  good\n",
    "missing": GOOD + b"  absent\n",
    "two missing": GOOD + b"  absent\n" + ABSENT + b"  gone\n",
    "two missing, one good": GOOD + b"  absent\n" + GOOD + b"  good\n" + ABSENT + b"  gone\n",
    "a folder": GOOD + b"  folder\n",
    "a loop and a broken link": GOOD + b"  loop\n" + GOOD + b"  broken\n",
    "a link": GOOD + b"  link\n",
    "a file as a folder": GOOD + b"  good/deeper\n",
    "a name too long": GOOD + b"  " + b"n" * 300 + b"\n",
    "a good and a junk line": GOOD + b"  good\njunk\n",
    "a good and two junk lines": b"junk\n" + GOOD + b"  good\n" + GOOD[:-1] + b"  good\n",
    "empty": b"",
    "only junk": b"junk\nmore\n",
    "wrong length": GOOD[:-2] + b"  good\n",
    "a digest of MD5": b"d41d8cd98f00b204e9800998ecf8427e  good\n",
    "comments and blanks": b"# one\n\n\r\n" + GOOD + b"  good\n#" + GOOD + b"  other\n",
    "only comments": b"# one\n\n",
    "everything at once": b"junk\n" + GOOD + b"  absent\n" + GOOD + b"  other\n" + GOOD + b"  good\nalso\n",
    "upper case": GOOD.upper() + b"  good\n",
    "lines that end in CR LF": GOOD + b"  good\r\n" + ABSENT + b"  other\r\n",
    "no final newline": GOOD + b"  good\n" + GOOD + b"  other",
    "binary mark": GOOD + b" *good\n",
    "one blank": GOOD + b" good\n",
    "a tab": GOOD + b"\tgood\n" + GOOD + b"\t*good\n",
    "BSD": b"SHA256 (good) = " + GOOD + b"\nSHA256 (other) = " + GOOD + b"\n",
    "BSD of another digest": b"SHA1 (good) = " + GOOD[:40] + b"\n",
    "BSD and GNU": b"SHA256 (good) = " + GOOD + b"\n" + GOOD + b"  good\n",
    "blanks in front": b"  \t" + GOOD + b"  good\n",
    "escapes": b"\\" + GOOD + b"  no\\nsuch\\\\file\n\\" + GOOD + b"  bad\\escape\n",
    "names in quotes and names without": GOOD + b'  "good"\n' + GOOD + b"  good\n",
    "no name": GOOD + b"\n" + GOOD + b"  \n",
    "bytes that are no UTF-8": GOOD + b"  \xff\xfe\n" + GOOD + b"  good\n",
    "names for messages": GOOD + b"  a b\n" + GOOD + b"  it's\n" + GOOD + b"  a:b\n" + GOOD + b"  \xe2\x80\xae\n",
    "UTF-16": "GOOD  good\n".encode("utf-16"),
}


Compare = Callable[..., None]


@pytest.fixture
def compare(folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Compare:
    """Compares as `compare_check` does; the program runs inside this process, which costs a tenth."""
    monkeypatch.chdir(folder)

    def call(*options: str) -> None:
        expected = run_sha256sum(folder, "--check", *options, "m")
        capfdbinary.readouterr()
        status = run_command_line(["manifest", "--check", *options, "--manifest", "m"])
        assert_same(Answer(status, *capfdbinary.readouterr()), expected)

    return call


@pytest.mark.parametrize("row", ROWS)
def test_each_row_of_the_table(folder: Path, compare: Compare, row: str) -> None:
    (folder / "m").write_bytes(ROWS[row])
    compare_check(folder, [])
    compare("--warn", "--strict")
    compare("--ignore-missing", "--quiet")


COMBINATIONS = [list(some) for count in range(len(OPTIONS) + 1) for some in itertools.combinations(OPTIONS, count)]


@pytest.mark.parametrize("row", ["everything at once", "two missing", "a good and a junk line", "only junk"])
def test_every_combination_of_options(folder: Path, compare: Compare, row: str) -> None:
    (folder / "m").write_bytes(ROWS[row])
    for options in COMBINATIONS:
        compare(*options)


def test_of_the_options_for_output_the_last_one_counts(folder: Path, compare: Compare) -> None:
    (folder / "m").write_bytes(ROWS["everything at once"])
    for options in itertools.permutations(["--quiet", "--status", "--warn"]):
        compare(*options)
        compare(*options, options[0])
    compare("-w")


@pytest.mark.parametrize(
    "manifest", ["absent", "folder", "loop", "broken", "good/deeper", "a b", "it's", "", "/dev/null"]
)
def test_a_manifest_that_cannot_be_read(folder: Path, manifest: str) -> None:
    assert compare_check(folder, [], manifest).status == 1


def test_a_manifest_from_standard_input(folder: Path) -> None:
    text = ROWS["everything at once"] + GOOD + b"  -\n"
    assert b"'standard input': 6: improperly" in compare_check(folder, ["--warn"], "-", text).err
    compare_check(folder, [], "-", b"junk\n")


def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "m").write_bytes(GOOD + b"  good\n" + GOOD + b"  other\n")
    (folder / "other").chmod(0)
    answer = compare_check(folder, [], without_privileges=True)
    assert answer.err.startswith(b"archive-tui: other: Permission denied\n")


def test_a_manifest_that_may_not_be_read(folder: Path) -> None:
    (folder / "m").write_bytes(GOOD + b"  good\n")
    (folder / "m").chmod(0)
    assert compare_check(folder, [], without_privileges=True).err == b"archive-tui: m: Permission denied\n"


def escape(name: bytes) -> bytes:
    return name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")


FORMS: list[Callable[[bytes, bytes, bytes], bytes]] = [
    lambda mark, digest, name: mark + digest + b"  " + name,
    lambda mark, digest, name: mark + digest + b" *" + name,
    lambda mark, digest, name: b" \t" + mark + digest + b"  " + name,
    lambda mark, digest, name: mark + b"SHA256 (" + name + b") = " + digest,
    lambda mark, digest, name: mark + b"SHA256(" + name + b")= " + digest,
]
JUNK = [
    b"junk", b"", b"\r", b"# comment", b" # no comment", b"0" * 63 + b"  a", b"0" * 65 + b"  a", b"SHA256 (a", b"\\",
    b"0" * 64, b"0" * 64 + b"  ", b"0" * 64 + b" a", b"\\" + b"0" * 64 + b"  a\\x", b"\xff\xfe", b"g" * 64 + b"  a",
    b"0" * 64 + b"\ta", b"SHA1 (a) = da39a3ee", b"\\SHA256 (a\\\\b) = " + b"1" * 64,
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One name, what lies there, and how it is listed."""

    name: bytes
    kind: str
    content: bytes
    form: int
    is_upper: bool
    ends_in_cr: bool
    is_wrong: bool
    is_escaped: bool

    def make(self, folder: bytes) -> bool:
        if self.name in (b".", b"..", b"-", b"m"):
            return False
        path = Path(os.fsdecode(folder + b"/" + self.name))
        if os.path.lexists(path):
            return False
        if self.kind == "file":
            path.write_bytes(self.content)
        elif self.kind == "folder":
            path.mkdir()
        elif self.kind == "loop":
            path.symlink_to(os.fsdecode(self.name))
        elif self.kind == "device":
            path.symlink_to("/dev/null")
        return True

    def line(self) -> bytes:
        digest = hashlib.sha256(self.content).hexdigest().encode() if not self.is_wrong else ABSENT
        escaped = escape(self.name)
        is_escaped = escaped != self.name or self.is_escaped
        line = FORMS[self.form](b"\\" * is_escaped, digest.upper() if self.is_upper else digest, escaped)
        return line + b"\r" * self.ends_in_cr


name_bytes = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\n", b"\\", b"\r", b" ", b"-", b"*", b"'", b'"', b"\xff", b"(", b")", b"=", b"#", b"~", b"a"]
        ),
        st.integers(1, 255).filter(lambda byte: byte != ord("/")).map(lambda byte: bytes([byte])),
        st.sampled_from(["\u00e9".encode(), "\u202e".encode(), b"\xe2\x82", b"$'", b"\x1b[2J"]),
    ),
    min_size=1,
    max_size=8,
).map(b"".join)
cases = st.builds(
    Case,
    name=name_bytes,
    kind=st.sampled_from(["file", "file", "file", "missing", "folder", "loop", "device"]),
    content=st.binary(max_size=40),
    form=st.integers(0, len(FORMS) - 1),
    is_upper=st.booleans(),
    ends_in_cr=st.integers(0, 7).map(lambda number: number == 0),
    is_wrong=st.integers(0, 4).map(lambda number: number == 0),
    is_escaped=st.integers(0, 9).map(lambda number: number == 0),
)
_folders = itertools.count()


QUIET_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


PARTS = {
    "listed": st.lists(cases, min_size=20, max_size=60),
    "junk": st.lists(st.sampled_from(JUNK), max_size=6),
    "options": st.lists(st.sampled_from([*OPTIONS, "-w"]), max_size=4),
    "order": st.randoms(use_true_random=False),
    "has_final_newline": st.booleans(),
    "from_standard_input": st.booleans(),
}


@settings(max_examples=12, suppress_health_check=QUIET_CHECKS)
@given(parts=st.fixed_dictionaries(PARTS))
def test_generated_trees_and_manifests(tmp_path: Path, parts: dict[str, Any]) -> None:
    _compare_generated(tmp_path / str(next(_folders)), **parts)


@pytest.mark.slow
@settings(max_examples=120, suppress_health_check=QUIET_CHECKS)
@given(parts=st.fixed_dictionaries(PARTS))
def test_many_generated_trees_and_manifests(tmp_path: Path, parts: dict[str, Any]) -> None:
    _compare_generated(tmp_path / str(next(_folders)), **parts)


def _compare_generated(
    folder: Path,
    listed: list[Case],
    junk: list[bytes],
    options: list[str],
    order: random.Random,
    has_final_newline: bool,
    from_standard_input: bool,
) -> None:
    folder.mkdir()
    lines = [case.line() for case in listed if case.make(os.fsencode(folder))] + junk
    order.shuffle(lines)
    text = b"\n".join(lines) + b"\n" * has_final_newline
    (folder / "m").write_bytes(text)
    if from_standard_input:
        compare_check(folder, options, "-", text)
    else:
        compare_check(folder, options)


@settings(max_examples=8, suppress_health_check=QUIET_CHECKS)
@given(listed=st.lists(cases.filter(lambda case: case.kind != "device"), min_size=20, max_size=60))
def test_creation_of_generated_trees(tmp_path: Path, listed: list[Case]) -> None:
    folder = tmp_path / str(next(_folders))
    folder.mkdir()
    names = sorted({case.name for case in listed if case.make(os.fsencode(folder))})
    if not names:
        return
    expected = run_sha256sum(folder, "--", *names)
    answer = run_program(folder, "--create", "--format", "sha256sum", "--", *names[::-1], *names[:3])
    assert answer.out.split(b"\n") == expected.out.split(b"\n")
    patterns = [name for name in names if any(sign in name for sign in (b"*", b"?", b"["))]
    if not patterns:  # of a pattern that nothing matches, the message is another
        assert answer.err.split(b"\n") == expected.err.split(b"\n")
    assert answer.status == expected.status


def test_sha256sum_accepts_what_was_created(tmp_path: Path) -> None:
    for number, name in enumerate([b" a", b"-b", b"c\nd", b"e\\f", b"g\rh", b"\xff", b'"q"', b"*s", b"(x)"]):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(bytes([number]))
    for dialect in ("sha256sum", "bsd"):
        created = run_program(tmp_path, "--create", "--dir", ".", "--format", dialect)
        assert (created.status, created.err) == (0, b"")
        checked = run_sha256sum(tmp_path, "--check", "--strict", "--quiet", "-", stdin=created.out)
        assert (checked.status, checked.out, checked.err) == (0, b"", b"")
