"""YAML is read as texts, and what people use to hurt readers of YAML is refused before it costs anything."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import ManifestError
from archive_tui.manifests import yaml_document
from archive_tui.manifests.yaml_document import LARGEST, MOST_NODES, read_yaml

DOCUMENTS = st.recursive(
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc äß:#-'", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_texts_come_back_as_they_were(document: Any) -> None:
    content = yaml.safe_dump(document).encode()
    assert read_yaml(content, "x") == yaml.safe_load(content) == document


@pytest.mark.parametrize(
    "text", ["0.1", "1_000", "2020-04-25", "yes", "No", "0x1f", "1e3", ".inf", "12:30:45", "true", "9" * 5000]
)
def test_what_looks_like_something_else_stays_a_text(text: str) -> None:
    assert read_yaml(f"a: {text}\nb: [{text}]".encode(), "x") == {"a": text, "b": [text]}


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_nothing_is_none_unless_it_is_quoted(text: str) -> None:
    assert read_yaml(f"a: {text}\nb: '{text}'".encode(), "x") == {"a": None, "b": text}


def test_a_byte_order_mark_is_no_content() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: b", "x") == {"a": "b"}


BOMBS = {
    "aliases that multiply": b"a: &a [x, x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (n, n) for n in range(50)),
    "an anchor": b"a: &a b",
    "an alias": b"a: *a",
    "an anchored mapping": b"&a {b: c}",
    "a merge key": b"a: &a {b: c}\nd: {<<: *a}",
    "a Python object": b"!!python/object/apply:os.system ['true']",
    "a tag": b"a: !thing b",
    "a binary": b"a: !!binary aGVsbG8=",
    "a set": b"!!set {a, b}",
    "deep lists": b"[" * LARGEST,
    "deep blocks": b"- " * (LARGEST // 2),
    "deep mappings": b"{a: " * (LARGEST // 4),
    "deep keys": b"? " * (LARGEST // 2),
    "a key that stands there twice": b"a: 1\nb: 2\na: 3",
    "a key twice, once quoted": b"a: 1\n'a': 3",
    "a key that is a list": b"? [a]\n: b",
    "a key that is nothing": b": b",
    "two documents": b"a: b\n---\na: c",
    "more entries than anybody has": b"- a\n" * (MOST_NODES + 1),
    "a hundred megabytes": b"a" * (100 << 20),
    "one byte too many": b" " * (LARGEST + 1),
    "no UTF-8": b"a: \xff",
    "UTF-16": "a: b".encode("utf-16"),
    "NUL": b"a: \x00",
    "control characters": b"a: \x1b[31m",
    "a tabulator": b"a:\n\tb: c",
    "no end": b"a: 'b",
    "no colon": b"a: b\nc",
    "a bracket": b"a: [b",
    "an unknown directive": b"%YAML 9.9\n---\na",
    "a bad escape": b'a: "\\q"',
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_refused(content: bytes) -> None:
    with pytest.raises(ManifestError, match=r"^the file cannot be used: "):
        read_yaml(content, "the file")


def test_the_line_of_a_mistake_is_named() -> None:
    with pytest.raises(ManifestError, match=r"it is no valid YAML \(line 2\)"):
        read_yaml(b"a: b\nb: @c\n", "x")


@pytest.mark.parametrize(
    "content", [b"a: '" + b"x" * 1_000_000 + b"'", b"a: " + b"9" * 1_000_000, b"#\n" * 1_000_000, b"\n" * 1_000_000]
)
def test_what_is_only_long_is_read(content: bytes) -> None:
    read_yaml(content, "x")


@given(st.binary(max_size=200) | st.text(st.sampled_from("ab:-?&*!|>'\"%@[]{},#~ \n\t"), max_size=60).map(str.encode))
def test_anything_is_read_or_refused(content: bytes) -> None:
    try:
        read_yaml(content, "x")
    except ManifestError as error:
        assert error.message.startswith("x cannot be used: ")


@given(DOCUMENTS)
def test_without_the_library_in_c_it_is_the_same(document: Any) -> None:
    content = yaml.safe_dump(document).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeLoader", raising=False)
        assert read_yaml(content, "x") == document


def test_limits_are_those_that_are_promised() -> None:
    assert (LARGEST, yaml_document.DEEPEST) == (16 << 20, 20)
    assert read_yaml(b"[" * 20 + b"]" * 20, "x") is not None
