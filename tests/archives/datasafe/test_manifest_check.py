"""Files are judged by checksums and digests; what neither covers is not called right."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.archives.datasafe.manifest_check import (
    FileDigests,
    check_algorithm,
    check_manifest,
    digest_of_list,
    make_manifest,
)
from archive_tui.errors import ManifestError
from archive_tui.integrity.report import FindingKind
from archive_tui.manifests.datasafe_manifest import DatasafeManifest, MetadataFile

CONTENTS = st.dictionaries(st.text("abcdef/", min_size=1, max_size=5), st.binary(max_size=3), min_size=1, max_size=6)


def digests(contents: dict[str, bytes]) -> list[FileDigests]:
    return [
        FileDigests(name, len(data), hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest())
        for name, data in contents.items()
    ]


FILES = {"a.dat": b"1", "b.dat": b"2", "a.info": b"3"}
MANIFEST = make_manifest("42.1/ds/calc/geo/1", digests(FILES), metadata=[MetadataFile("a.info", "x", "1")])


def bare(manifest: DatasafeManifest) -> DatasafeManifest:
    """Without digests, as the original writes it."""
    return replace(manifest, digests={})


def test_what_is_made_is_right() -> None:
    assert (MANIFEST.data_names, MANIFEST.data_format, MANIFEST.complete) == (("a.dat", "b.dat"), "undetected", False)
    assert set(MANIFEST.digests) == set(FILES)
    check = check_manifest(MANIFEST, digests(FILES))
    assert (check.data_is_right, check.all_is_right, check.findings, check.is_right) == (True, True, (), True)
    with_itself = [*digests(FILES), FileDigests("MANIFEST.yaml", 1, "x", "y")]
    assert check_manifest(MANIFEST, with_itself).is_right


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"a.dat": b"x"}, (False, False, {(FindingKind.CHANGED, "a.dat")})),
        ({"a.info": b"x"}, (True, False, {(FindingKind.CHANGED, "a.info")})),
        (
            {"a.dat": b"2", "b.dat": b"1"},
            (True, True, {(FindingKind.CHANGED, "a.dat"), (FindingKind.CHANGED, "b.dat")}),
        ),
        ({"new": b""}, (True, True, {(FindingKind.EXTRA, "new")})),
    ],
)
def test_changes_are_found(change: dict[str, bytes], found: tuple[bool, bool, set[tuple[FindingKind, str]]]) -> None:
    check = check_manifest(MANIFEST, digests(FILES | change))
    assert (check.data_is_right, check.all_is_right, {(each.kind, each.path) for each in check.findings}) == found
    assert not check.is_right


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found_with_and_without_digests(name: str) -> None:
    there = digests({path: data for path, data in FILES.items() if path != name})
    for manifest in (MANIFEST, bare(MANIFEST)):
        check = check_manifest(manifest, there)
        assert [(each.kind, each.path) for each in check.findings] == [(FindingKind.MISSING, name)]
        assert not check.all_is_right
        assert check.data_is_right == (name == "a.info")


def test_checksums_alone_find_a_change_and_no_swap() -> None:
    assert not check_manifest(bare(MANIFEST), digests(FILES | {"a.dat": b"x"})).is_right
    swapped = digests(FILES | {"a.dat": b"2", "b.dat": b"1"})
    assert check_manifest(bare(MANIFEST), swapped).is_right, "names do not enter: that is why digests do"


@given(CONTENTS, CONTENTS)
def test_only_the_same_files_are_right(contents: dict[str, bytes], others: dict[str, bytes]) -> None:
    manifest = make_manifest("", digests(contents), metadata=[])
    assert check_manifest(manifest, digests(others)).is_right == (contents == others)


def test_a_checksum_of_a_list() -> None:
    one, two = (hashlib.md5(data).hexdigest() for data in (b"foo", b"bar"))
    assert digest_of_list([one, two]) == digest_of_list([two, one]) == "7813987d9dc87851f49ecbed9f875968"
    assert digest_of_list([hashlib.md5(b"").hexdigest()]) == "74be16979710d4c4e7c6647856088456"


@pytest.mark.parametrize("form", ["Fancy checksum", "shake_128 checksum", "xof"])
def test_kinds_that_nobody_knows(form: str) -> None:
    rows = tuple(replace(row, format=form) for row in MANIFEST.checksums)
    with pytest.raises(ManifestError, match="not known"):
        check_algorithm(replace(MANIFEST, checksums=rows))


def test_several_kinds() -> None:
    rows = (MANIFEST.checksums[0], replace(MANIFEST.checksums[1], format="SHA-256 checksum"))
    with pytest.raises(ManifestError, match="several kinds"):
        check_algorithm(replace(MANIFEST, checksums=rows))
