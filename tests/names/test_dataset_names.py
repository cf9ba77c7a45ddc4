import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import InvalidName
from archive_tui.names.dataset_names import (
    archive_key,
    check_dataset_name,
    check_version,
    manifest_key,
    next_version,
    parse_dataset_archive_name,
    parse_dataset_archive_version,
    version_number,
)
from archive_tui.names.object_keys import check_key

ARCHIVE_NAMES = {
    "dsetname.0.0.1.zip": ("dsetname", "0.0.1"),
    "dsetname.txt.0.2.1.zip": ("dsetname.txt", "0.2.1"),
    "path/to/dsetname.0.0.1.zip": ("path/to/dsetname", "0.0.1"),
    "//path/to/dsetname.0.0.1.zip": ("//path/to/dsetname", "0.0.1"),
    "dset.1.2.3.4.5.6.zip": ("dset.1.2.3", "4.5.6"),
    "with space-and_dash.10.20.30.zip": ("with space-and_dash", "10.20.30"),
    "x.0.0.1.zip.0.0.2.zip": ("x.0.0.1.zip", "0.0.2"),
}
NO_ARCHIVE_NAMES = [
    "dsetname.0.1.zip",
    "dsetname.0.a.1.csv",
    "dsetname.0.0.1.csv",
    "dsetname.0.0.1",
    ".0.0.1.zip",
    "0.0.1.csv",
    "dsetname.0.0.1.zip\n",
    "dsetname.0.0.1.ZIP",
    "dsetname.0.0.\u0661.zip",
    "donn\u00e9es.0.0.1.zip",
    "a:b.0.0.1.zip",
    "a.-1.0.0.zip",
    "a.0.0.1.manifest.json",
    "",
]


@pytest.mark.parametrize(("filename", "expected"), ARCHIVE_NAMES.items())
def test_archive_names_of_the_contract(filename: str, expected: tuple[str, str]) -> None:
    assert parse_dataset_archive_name(filename) == expected


@pytest.mark.parametrize("filename", NO_ARCHIVE_NAMES)
def test_other_names_are_no_archives(filename: str) -> None:
    assert parse_dataset_archive_name(filename) is None


def test_a_long_name_of_digits_is_parsed_in_no_time() -> None:
    assert parse_dataset_archive_name("1." * 20_000 + "x") is None
    assert parse_dataset_archive_name("1" * 40_000) is None


def test_versions() -> None:
    assert parse_dataset_archive_version("0.1.2") == [0, 1, 2]
    assert version_number("10.20.30") == (10, 20, 30)
    assert sorted(["1.10.0", "1.9.0"], key=version_number) == ["1.9.0", "1.10.0"]


@pytest.mark.parametrize(
    "text", ["0.1", "0.1.2.", "0.1.2.3", "a.b.c", "", "0.1.2\n", "0.1.-2", "\u0661.0.0", "9" * 5000 + ".0.0"]
)
def test_bad_versions(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_dataset_archive_version(text)
    assert isinstance(caught.value, InvalidName)
    assert caught.value.code == "version-form"


@pytest.mark.parametrize(
    ("versions", "increment", "expected"),
    [
        (None, "patch", "0.0.1"),
        (None, "minor", "0.1.0"),
        (None, "major", "1.0.0"),
        ([], "patch", "0.0.1"),
        (["2.4.60", "33.55.66"], "patch", "33.55.67"),
        (["2.4.60", "33.55.66"], "minor", "33.56.0"),
        (["2.4.60"], "major", "3.0.0"),
        (["9.0.0", "1.0.0"], "patch", "1.0.1"),
    ],
)
def test_next_version(versions: list[str] | None, increment: str, expected: str) -> None:
    assert next_version(versions, increment) == expected


def test_next_version_defaults_and_refusals() -> None:
    assert next_version() == "0.0.1"
    for versions, increment in ((None, "huge"), (None, ""), (["1.0"], "patch"), (["1.0.0", "x"], "major")):
        with pytest.raises(ValueError):
            next_version(versions, increment)


REFUSED_NAMES = {
    "": "name-empty",
    "/abs": "name-absolute",
    "//abs": "name-absolute",
    "a//b": "name-segment",
    "a/": "name-segment",
    "..": "name-segment",
    ".": "name-segment",
    "../x": "name-segment",
    "a/../b": "name-segment",
    "a/./b": "name-segment",
    "a\tb": "name-control",
    "a\n": "name-control",
    "a\x00b": "name-control",
    "a\x0bb": "name-control",
    "a\x85b": "name-control",
    "caf\u00e9": "name-characters",
    "a:b": "name-characters",
    "a\\b": "name-characters",
    "~x": "name-characters",
    "a\u00a0b": "name-characters",
    "a\u0661": "name-characters",
    "a\udcff": "name-characters",
    " a": "name-space",
    "a ": "name-space",
    "a/ b": "name-space",
    " ": "name-space",
    ".archive-tui-1.part/x": "key-temporary",
    "x" * 250: "key-too-long",
    "/".join(["x" * 200] * 5): "key-too-long",
}


@pytest.mark.parametrize(("name", "code"), REFUSED_NAMES.items())
def test_refused_dataset_names(name: str, code: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_dataset_name(name)
    assert caught.value.code == code
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "name", ["a", "a.b", "...a", "-a", "a b", "x/y/z", "a..b", "v.1.2.3", "x.0.0.1.zip", "_", "0", "a."]
)
def test_accepted_dataset_names(name: str) -> None:
    assert check_dataset_name(name) == name


@pytest.mark.parametrize("version", ["0.0.0", "1.2.3", "0.10.999999999"])
def test_accepted_versions(version: str) -> None:
    assert check_version(version) == version


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("01.0.0", "version-zero"),
        ("0.00.0", "version-zero"),
        ("1.0.0 ", "version-form"),
        ("1.0.0\n", "version-form"),
        ("1.0", "version-form"),
        ("\u0661.0.0", "version-form"),
        ("1.0.1234567890", "version-long"),
        ("9" * 5000 + ".0.0", "version-long"),
    ],
)
def test_refused_versions(version: str, code: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_version(version)
    assert caught.value.code == code


def test_keys() -> None:
    assert archive_key("a/b", "1.2.3") == "a/b.1.2.3.zip"
    assert manifest_key("a/b", "1.2.3") == "a/b.1.2.3.manifest.json"
    for make_key in (archive_key, manifest_key):
        with pytest.raises(InvalidName):
            make_key("../a", "1.2.3")
        with pytest.raises(InvalidName):
            make_key("a", "01.2.3")


likely_names = st.text(alphabet=string.ascii_letters + string.digits + "_-./ .", min_size=1, max_size=40)
any_names = st.one_of(likely_names, st.text(max_size=60), st.text(alphabet="a.1/ \n\u00e9", max_size=20))
numbers = st.integers(0, 10**9 - 1)
versions = st.builds("{}.{}.{}".format, numbers, numbers, numbers)


@given(any_names, versions)
def test_law_every_published_name_parses_back_to_itself(name: str, version: str) -> None:
    try:
        check_dataset_name(name)
    except InvalidName as refusal:
        assert refusal.code.startswith(("name-", "key-"))
        with pytest.raises(InvalidName):
            archive_key(name, version)
        return
    key = archive_key(name, version)
    assert parse_dataset_archive_name(key) == (name, version)
    assert check_key(key) == key
    assert check_key(manifest_key(name, version))
    assert parse_dataset_archive_name(manifest_key(name, version)) is None


@given(st.text(alphabet="0123456789.", max_size=20))
def test_law_every_published_version_parses_back_to_itself(text: str) -> None:
    try:
        check_version(text)
    except InvalidName:
        return
    assert ".".join(map(str, parse_dataset_archive_version(text))) == text


@given(versions, st.sampled_from(["major", "minor", "patch"]))
def test_the_next_version_is_higher(version: str, increment: str) -> None:
    assert version_number(next_version([version], increment)) > version_number(version)
