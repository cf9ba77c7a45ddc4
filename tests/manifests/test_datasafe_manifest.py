"""MANIFEST.yaml: ours is read by the rules of the original, the original's by ours; what lies is refused."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import ManifestError, MissingInformationError
from archive_tui.manifests.datasafe_manifest import (
    Checksum,
    DatasafeManifest,
    MetadataFile,
    format_datasafe_manifest,
    manifest_document,
    parse_datasafe_manifest,
)
from archive_tui.names.member_paths import find_path_fault

EXAMPLE = b"""format:
  type: datasafe dataset manifest
  version: 0.1.0
dataset:
  loi: ''
  complete: false
files:
  metadata:
  - name: test.info
    format: cwEPR Info file
    version: 0.1.4
  data:
    format: undetected
    names:
    - test
checksums:
- name: CHECKSUM
  format: MD5 checksum
  span: data, metadata
  value: f46475b4905fe2e1a388dc5c6a07ecbc
- name: CHECKSUM_data
  format: MD5 checksum
  span: data
  value: 74be16979710d4c4e7c6647856088456
"""
"""As the original writes it."""

ALL, DATA = "f46475b4905fe2e1a388dc5c6a07ecbc", "74be16979710d4c4e7c6647856088456"


def read_as_the_original_does(content: bytes) -> dict[str, Any]:
    """Its rules: of the checksums, a row whose span contains `metadata` is that of all files, any other that of the
    data; the last one counts. Keys that it does not know are nothing to it."""
    document = yaml.safe_load(content)
    found: dict[str, Any] = {
        "data": document["files"]["data"]["names"],
        "metadata": [row["name"] for row in document["files"]["metadata"]],
        "loi": document["dataset"]["loi"],
        "all checksum": "",
        "data checksum": "",
    }
    for row in document["checksums"]:
        found["all checksum" if "metadata" in row["span"] else "data checksum"] = row["value"]
    return found


def test_the_example_of_the_contract() -> None:
    manifest = parse_datasafe_manifest(EXAMPLE)
    assert manifest == DatasafeManifest(
        loi="",
        complete=False,
        metadata=(MetadataFile("test.info", "cwEPR Info file", "0.1.4"),),
        data_format="undetected",
        data_names=("test",),
        checksums=(
            Checksum("CHECKSUM", "MD5 checksum", "data, metadata", ALL),
            Checksum("CHECKSUM_data", "MD5 checksum", "data", DATA),
        ),
    )
    assert (manifest.checksum, manifest.data_checksum, manifest.algorithm) == (ALL, DATA, "md5")
    assert manifest.names == ("test", "test.info")
    assert format_datasafe_manifest(manifest) == EXAMPLE


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda name: find_path_fault(name) is None and name != "MANIFEST.yaml"
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TRICKY = st.sampled_from(["yes", "null", "~", "1.0", "2020-04-25", "- a", "a: b", "#", "*x", "&y", "!!x", "=", "<<"])


TRICKY_NAMES = TRICKY.filter(lambda name: find_path_fault(name) is None)


@st.composite
def manifests(draw: Callable[[st.SearchStrategy[Any]], Any]) -> DatasafeManifest:
    names = draw(st.lists(NAMES | TRICKY_NAMES, min_size=1, max_size=6, unique=True))
    count = draw(st.integers(1, len(names)))
    hexes = st.text("0123456789abcdef", min_size=32, max_size=32)
    with_digests = draw(st.sampled_from([0, 1, len(names)]))
    digests = {name: draw(st.text("0123456789abcdef", min_size=64, max_size=64)) for name in names[:with_digests]}
    return DatasafeManifest(
        loi=draw(TEXTS | TRICKY),
        complete=draw(st.booleans()),
        metadata=tuple(MetadataFile(name, draw(TEXTS | TRICKY), draw(TEXTS | TRICKY)) for name in names[count:]),
        data_format=draw(st.text("abc 1.", min_size=1) | TRICKY),
        data_names=tuple(names[:count]),
        checksums=(
            Checksum("CHECKSUM", "MD5 checksum", "data, metadata", draw(hexes)),
            Checksum("CHECKSUM_data", "MD5 checksum", "data", draw(hexes)),
        ),
        digests=MappingProxyType(digests),
    )


@given(manifests())
def test_round_trip_for_us_and_for_the_original(manifest: DatasafeManifest) -> None:
    content = format_datasafe_manifest(manifest)
    assert parse_datasafe_manifest(content) == manifest
    assert read_as_the_original_does(content) == {
        "data": list(manifest.data_names),
        "metadata": [each.name for each in manifest.metadata],
        "loi": manifest.loi,
        "all checksum": manifest.checksum,
        "data checksum": manifest.data_checksum,
    }
    order = ["format", "dataset", "files", "checksums"] + (["integrity"] if manifest.digests else [])
    assert list(yaml.safe_load(content)) == order


@given(manifests())
def test_without_the_library_in_c_it_is_written_as_well(manifest: DatasafeManifest) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeDumper", raising=False)
        content = format_datasafe_manifest(manifest)
    assert parse_datasafe_manifest(content) == manifest


def test_block_style_also_for_long_names() -> None:
    name = "/".join(["a" * 200] * 15)
    manifest = parse_datasafe_manifest(EXAMPLE.replace(b"- test\n", f"- {name}\n".encode()))
    digests = MappingProxyType({name: "0" * 64})
    whole = DatasafeManifest(data_names=manifest.data_names, checksums=manifest.checksums, digests=digests)
    assert parse_datasafe_manifest(format_datasafe_manifest(whole)).digests == {name: "0" * 64}


def test_our_digests_do_not_stand_where_the_original_looks() -> None:
    document = manifest_document(
        DatasafeManifest(data_names=("a",), checksums=(), digests=MappingProxyType({"a": "0" * 64}))
    )
    assert document["integrity"] == {"algorithm": "sha256", "files": {"a": "0" * 64}}
    assert document["checksums"] == []


def change(**parts: Any) -> bytes:
    document = yaml.safe_load(EXAMPLE)
    for path, value in parts.items():
        *way, last = path.split("__")
        place = document
        for key in way:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return yaml.safe_dump(document, sort_keys=False).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no dataset manifest"),
        (b"[]", "it is no dataset manifest"),
        (b"PK\x03\x04", "it is no valid YAML"),
        (b"foo", "it is no dataset manifest"),
        (b"files: []", "it is no dataset manifest"),
        (change(files__data=["test"]), "another form"),
        (change(files__data__names="test"), "another form"),
        (change(files__data__names=[["test"]]), "another form"),
        (change(files__metadata={"name": "x"}), "another form"),
        (change(files__metadata=["x"]), "another form"),
        (change(checksums={"name": "x"}), "another form"),
        (change(checksums=["x"]), "another form"),
        (change(dataset=["x"]), "another form"),
        (change(dataset__loi={"a": "b"}), "another form"),
        (change(files__data__names=["../test"]), "it has the part '..'"),
        (change(files__data__names=["a/../../b"]), "it has the part '..'"),
        (change(files__data__names=["/etc/passwd"]), "it begins with /"),
        (change(files__data__names=["a\\b"]), "backslash"),
        (change(files__data__names=["a//b"]), "empty part"),
        (change(files__data__names=["a" * 5000]), "more than"),
        (change(files__data__names=[None]), "it is empty"),
        (change(files__data__names=["test", "test"]), "listed twice"),
        (change(files__data__names=["test.info"]), "listed twice"),
        (change(files__data__names=["MANIFEST.yaml"]), "lists itself"),
        (change(integrity={"algorithm": "sha256", "files": {"other": "0" * 64}}), "does not list: other"),
        (change(integrity={"algorithm": "sha256", "files": {"test": "0" * 63}}), "no SHA-256"),
        (change(integrity={"algorithm": "sha256", "files": ["test"]}), "another form"),
    ],
)
def test_a_manifest_that_lies_or_is_none(content: bytes, reason: str) -> None:
    with pytest.raises(ManifestError, match=r"^X cannot be used: ") as caught:
        parse_datasafe_manifest(content, where="X")
    assert reason in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        change(files__data__names=[]),
        change(files__data=None),
        change(checksums=[]),
        change(checksums=None),
        change(checksums=[{"name": "CHECKSUM", "format": "MD5 checksum", "span": "data, metadata", "value": ""}]),
        change(checksums=[{"name": "CHECKSUM", "format": "MD5 checksum", "span": "data, metadata"}]),
        change(checksums=[{"name": "CHECKSUM_data", "format": "MD5 checksum", "span": "data", "value": DATA}]),
    ],
)
def test_names_and_checksums_are_what_a_manifest_cannot_do_without(content: bytes) -> None:
    with pytest.raises(MissingInformationError):
        parse_datasafe_manifest(content)


def test_one_checksum_is_enough_when_it_covers_all_or_digests_do() -> None:
    row = {"name": "C", "format": "MD5 checksum", "span": "data, metadata", "value": ALL.upper()}
    assert parse_datasafe_manifest(change(checksums=[row])).checksum == ALL
    digests = {"algorithm": "sha256", "files": {"test": "A" * 64, "test.info": "1" * 64}}
    manifest = parse_datasafe_manifest(change(checksums=[], integrity=digests))
    assert manifest.digests == {"test": "a" * 64, "test.info": "1" * 64}
    without = parse_datasafe_manifest(change(files__metadata=[], checksums=[{"span": "data", "value": DATA}]))
    assert (without.data_checksum, without.checksum, without.algorithm) == (DATA, "", "md5")


def test_a_dataset_without_metadata_is_one() -> None:
    for content in (change(files__metadata=[]), change(files__metadata=None)):
        assert parse_datasafe_manifest(content).metadata == ()


def test_what_nobody_knows_is_passed_over() -> None:
    content = change(comment="x", files__more=["y"], integrity={"algorithm": "blake3", "files": {"test": "1"}})
    assert parse_datasafe_manifest(content).digests == {}


def test_of_several_rows_the_last_one_counts_as_for_the_original() -> None:
    rows = yaml.safe_load(EXAMPLE)["checksums"]
    content = change(checksums=[*rows, {**rows[0], "value": "a" * 32}, {**rows[1], "value": "b" * 32}])
    manifest, original = parse_datasafe_manifest(content), read_as_the_original_does(content)
    assert manifest.checksum == original["all checksum"] == "a" * 32
    assert manifest.data_checksum == original["data checksum"] == "b" * 32


@pytest.mark.parametrize(
    ("form", "algorithm"),
    [("MD5 checksum", "md5"), ("SHA-256 checksum", "sha256"), ("sha512", "sha512"), ("", "md5"), (None, "md5")],
)
def test_the_algorithm_is_that_of_the_checksums(form: str | None, algorithm: str) -> None:
    rows = [{"name": "C", "span": "data, metadata", "value": ALL} | ({} if form is None else {"format": form})]
    assert parse_datasafe_manifest(change(checksums=rows)).algorithm == algorithm


KEYS = st.sampled_from(["files", "data", "names", "metadata", "name", "checksums", "span", "value"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=15,
)


@given(ANYTHING)
def test_any_document_is_a_manifest_or_refused(document: Any) -> None:
    try:
        manifest = parse_datasafe_manifest(yaml.safe_dump(document).encode())
    except ManifestError:
        return
    assert manifest.data_names
