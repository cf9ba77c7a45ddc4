"""Names in messages look as those of coreutils: compared with what it prints itself."""

from __future__ import annotations

import os
import shlex
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_tui.names.shell_quoting import quote_name
from tests.contracts.coreutils import needs_coreutils, run_sha256sum

SHOWN = {
    "plain-name_1.txt": "plain-name_1.txt",
    "": "''",
    "a b": "'a b'",
    "it's": '"it\'s"',
    "it's; rm": "'it'\\''s; rm'",
    "a:b": "'a:b'",
    "#first": "'#first'",
    "not#first": "not#first",
    "~": "'~'",
    "{": "'{'",
    "{}": "{}",
    "new\nline": "'new'$'\\n''line'",
    "\n": "''$'\\n'",
    "byte\udcff": "'byte'$'\\377'",
    "caf\u00e9": "caf\u00e9",
    "caf\u00e9 au lait": "'caf\u00e9 au lait'",
    "\u2028": "''$'\\342\\200\\250'",
    "\u0378": "''$'\\315\\270'",
    "\u202e": "\u202e",
}


@pytest.mark.parametrize(("name", "shown"), SHOWN.items(), ids=range(len(SHOWN)))
def test_quoting(name: str, shown: str) -> None:
    assert quote_name(name) == shown


name_bytes = st.lists(
    st.one_of(
        st.sampled_from(
            [b"'", b"\n", b"\\", b" ", b"\xff", b"a", b"#", b"~", b"{", b"\xe2\x80\xae", b"\t", b"-", b":"]
        ),
        st.integers(1, 255).filter(lambda byte: byte != ord("/")).map(lambda byte: bytes([byte])),
        st.characters(exclude_categories=["Cs", "Cn", "Cc"], exclude_characters="/").map(str.encode),
    ),
    min_size=1,
    max_size=9,
).map(b"".join)


@needs_coreutils
@settings(max_examples=20)
@given(st.lists(name_bytes.filter(lambda name: name not in (b".", b"..", b"-")), min_size=50, max_size=300))
def test_names_are_quoted_as_coreutils_quotes_them(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    _compare(tmp_path_factory.getbasetemp() / "empty", names)


@needs_coreutils
def test_every_assigned_character_is_quoted_as_coreutils_quotes_it(tmp_path: Path) -> None:
    points = [*range(1, 0x3000), *range(0x3000, 0x110000, 61), *range(0xE000, 0xE100), *range(0x1F300, 0x1F700)]
    characters = [chr(point) for point in points if point != ord("/")]
    # What is unassigned differs between the tables of two versions of Unicode.
    known = [character for character in characters if unicodedata.category(character) not in ("Cn", "Cs")]
    assert len(known) > 15_000
    for begin in range(0, len(known), 10_000):
        _compare(tmp_path, [f"z{character}".encode() for character in known[begin : begin + 10_000]])


def _compare(folder: Path, names: list[bytes]) -> None:
    folder.mkdir(exist_ok=True)
    messages = run_sha256sum(folder, "--", *names).err.split(b"\n")[:-1]
    shown = [message.removeprefix(b"archive-tui: ").rpartition(b": ")[0] for message in messages]
    ours = [quote_name(os.fsdecode(name)).encode() for name in names]
    assert len(shown) == len(names)
    different = [(name, theirs, own) for name, theirs, own in zip(names, shown, ours, strict=True) if theirs != own]
    assert different == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
def test_a_name_without_escapes_is_read_back_by_a_shell(name: str) -> None:
    quoted = quote_name(name)
    if "$'" not in quoted:
        assert shlex.split(quoted) == [name]


def test_escapes_are_read_back_by_bash(tmp_path: Path) -> None:
    names = ["new\nline", "byte\udcff end", "tab\t'quote", "\x01\x02", "'\udcfe"]
    words = " ".join(map(quote_name, names))
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {words}"], capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout.split(b"\0")[:-1] == [os.fsencode(name) for name in names]


@given(st.text(st.characters(codec=None, exclude_characters="\0"), max_size=20))
def test_no_control_character_and_no_surrogate_is_left(name: str) -> None:
    # Python has surrogates that stand for no byte; names of files never hold them.
    name = "".join(c for c in name if not 0xD800 <= ord(c) < 0xDC80 and not 0xDCFF < ord(c) <= 0xDFFF)
    quoted = quote_name(name)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in quoted)
