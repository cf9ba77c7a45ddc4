"""Names of manifest lines as paths below a folder: what is taken, what is taken away, what is refused by which rule."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import InvalidName
from archive_tui.names.fetch_paths import find_fetch_path

TAKEN = [
    "a", "a/b", "two words", " leading", "trailing ", "-dash", "*star", "a\nb", "a\rb", "a\\b", "\\n", '"quoted"',
    "\udcff\udcfe", "é", "e\u0301", "CON", "nul.txt", "COM1", "trailing.", "...", "..a", "a..", ".hidden", "~", "~root",
    "C:", "C:\\x", "\\\\server\\share", "\x01\x1b[31m", "\u202egpj", "a" * 255, "é" * 127, "/".join(["d" * 200] * 19),
    ".archive-tui-x", "x.part", "a:b", "#", "manifest.json",
]  # fmt: skip

REFUSED = {
    "path-empty": [""],
    "path-nul": ["a\0b", "\0"],
    "path-absolute": ["/", "/etc/passwd", "//a", "/./a"],
    "path-parent": ["..", "../a", "a/..", "a/../b", "./../a", "a/b/../../../c", "../"],
    "path-empty-segment": ["./", "a/", "a//", "././"],
    "path-dot": [".", "a/.", "./.", ".//."],
    "path-encoding": ["\ud800", "a\udc00"],
    "path-too-long": ["/".join(["d" * 200] * 21)],
    "path-segment-too-long": ["a" * 256, "é" * 128, "a/" + "\udcff" * 256 + "/b"],
    "path-temporary": [".archive-tui-x.part", "a/.archive-tui-.part", ".archive-tui-x.part/b"],
}


@pytest.mark.parametrize("name", TAKEN)
def test_names_that_are_taken_as_they_are(name: str) -> None:
    assert find_fetch_path(name) == name


@pytest.mark.parametrize(
    ("name", "path"), [("./a", "a"), ("a//b", "a/b"), (".//a", "a"), ("a/./b", "a/b"), ("././a///./b", "a/b")]
)
def test_what_means_nothing_is_taken_away(name: str, path: str) -> None:
    assert find_fetch_path(name) == path


@pytest.mark.parametrize(("rule", "name"), [(rule, name) for rule, names in REFUSED.items() for name in names])
def test_names_that_are_refused_by_a_rule(rule: str, name: str) -> None:
    with pytest.raises(InvalidName) as refused:
        find_fetch_path(name)
    assert refused.value.code == rule
    assert rule in refused.value.message
    refused.value.message.encode()  # can be shown anywhere


def test_a_message_does_not_grow_with_the_name() -> None:
    with pytest.raises(InvalidName) as refused:
        find_fetch_path("a" * 10_000_000)
    assert len(refused.value.message) < 400


@given(st.binary(max_size=60).map(os.fsdecode) | st.lists(st.sampled_from(["..", ".", "", "a", "é"])).map("/".join))
def test_a_path_is_relative_canonical_and_below(name: str) -> None:
    try:
        path = find_fetch_path(name)
    except InvalidName:
        return
    assert path
    assert not {"", ".", ".."} & set(path.split("/"))
    assert os.path.normpath("/root/" + path) == "/root/" + path
    assert os.path.normpath("/root/" + name) == "/root/" + path
    assert find_fetch_path(path) == path
