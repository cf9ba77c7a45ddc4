"""Checksums of the datasafe: every vector of the contract."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.datasafe import Generator, NoFileError
from archive_tui.errors import ConfigurationError


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in {"foo": "foo", "bar": "bar", "empty": "", "nothing": ""}.items():
        Path(name).write_text(content)


def test_texts() -> None:
    generator = Generator()
    assert generator.algorithm == "md5"
    assert generator.hash_string("foobar") == "3858f62230ac3c915f300c664312c63f"
    assert generator.hash_strings(["foo", "bar"]) == "96948aad3fcae80c08a35c9b5958cd89"
    assert generator.hash_strings(["bar", "foo"]) == "96948aad3fcae80c08a35c9b5958cd89"
    assert generator.hash_string() == generator.hash_strings() == hashlib.md5(b"").hexdigest()


@pytest.mark.parametrize(
    ("names", "value"),
    [
        ("foo", "acbd18db4cc2f85cedef654fccc4a4d8"),
        (["foo", "bar"], "7813987d9dc87851f49ecbed9f875968"),
        (["bar", "foo"], "7813987d9dc87851f49ecbed9f875968"),
        (("bar", "foo"), "7813987d9dc87851f49ecbed9f875968"),
        (["empty"], "74be16979710d4c4e7c6647856088456"),
        (["empty", "nothing"], "020eb29b524d7ba672d9d48bc72db455"),
        ("empty", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
)
def test_files(names: str | list[str], value: str) -> None:
    assert Generator().generate(filenames=names) == value


def test_any_algorithm_of_hashlib() -> None:
    generator = Generator()
    generator.algorithm = "sha256"
    assert generator.hash_string("foobar") == hashlib.sha256(b"foobar").hexdigest()
    assert generator.generate("foo") == hashlib.sha256(b"foo").hexdigest()
    for name in ("nonsense", "", "shake_128"):
        generator.algorithm = name
        with pytest.raises(ConfigurationError):
            generator.generate(["foo"])


def test_a_folder_alone_has_none_and_in_a_list_stands_for_its_files() -> None:
    Path("folder/sub").mkdir(parents=True)
    assert Generator().generate("folder") == ""
    Path("folder/sub/one").write_text("foo")
    Path("folder/two").write_text("bar")
    assert Generator().generate(["folder"]) == Generator().generate(["foo", "bar"])


@pytest.mark.parametrize("names", ["absent", ["foo", "absent"]])
def test_a_file_that_is_not_there(names: str | list[str]) -> None:
    with pytest.raises(NoFileError, match="absent"):
        Generator().generate(names)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=5))
def test_the_rule_for_texts(texts: list[str]) -> None:
    digest = hashlib.md5()
    for text in sorted(texts):
        digest.update(text.encode())
    assert Generator().hash_strings(texts) == digest.hexdigest()
