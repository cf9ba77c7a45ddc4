"""The manifest of a results store: the vectors of the contract, both layouts, what is refused, and what is kept."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import ManifestError
from archive_tui.manifests.store_manifest import (
    StoreManifest,
    StoreRecord,
    format_store_manifest,
    parse_store_manifest,
)

MD5, UUID = "b1946ac92492d2347c6235b4d2611184", "274913a2f66e4295811b527469a381a5"
EMPTY = "events: {}\nname: Test Store\n"
ONE = f"""events:
  S000000xx:
    Prod0:
      f1.txt:
        hash: {MD5}
        uuid: {UUID}
name: Test Store
"""


def parse(text: str) -> StoreManifest:
    return parse_store_manifest(text.encode(), "manifest.yaml")


def test_an_empty_store_is_written_as_the_original_writes_it() -> None:
    assert format_store_manifest(StoreManifest("Test Store")).decode() == EMPTY
    assert parse(EMPTY) == StoreManifest("Test Store")


def test_a_record_of_the_original_is_read_and_written_as_it_was() -> None:
    manifest = parse(ONE)
    assert manifest.find("S000000xx", "Prod0", "f1.txt") == StoreRecord(MD5, UUID)
    assert format_store_manifest(manifest).decode() == ONE


def test_our_fields_stand_beside_those_of_the_original() -> None:
    record = StoreRecord(MD5, UUID, "ab" * 32, 6)
    content = format_store_manifest(StoreManifest("n").with_record("e", "p", "f", record))
    fields = yaml.safe_load(content)["events"]["e"]["p"]["f"]
    assert fields == {"hash": MD5, "uuid": UUID, "sha256": "ab" * 32, "size": 6}
    assert parse_store_manifest(content, "x").find("e", "p", "f") == record


def test_what_nobody_here_knows_is_kept() -> None:
    text = ONE.replace("        uuid", "        owner: [me, you]\n        uuid") + "other:\n  deep: '1'\n"
    manifest = parse(text).with_record("S000000xx", "Prod1", "g", StoreRecord(MD5, "1" * 32, None, 3))
    document = yaml.safe_load(format_store_manifest(manifest))
    assert document["other"] == {"deep": "1"}
    assert document["events"]["S000000xx"]["Prod0"]["f1.txt"]["owner"] == ["me", "you"]
    assert document["events"]["S000000xx"]["Prod1"]["g"]["size"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "name: x\n",
        "events: {}\n",
        ONE.removesuffix("name: Test Store\n"),
        ONE[:90],
        "events: 3\nname: x\n",
        ONE.replace(MD5, MD5[:-1]),
        ONE.replace(MD5, "../../../etc/passwd"),
        ONE.replace(f"        uuid: {UUID}\n", ""),
        ONE.replace("hash", "sha256: short\n        hash"),
        ONE.replace("hash", "size: -1\n        hash"),
        ONE + ONE,
        "events: &a {}\nname: x\nb: *a\n",
        "events: !!python/object/apply:os.system [ls]\nname: x\n",
        "\x00",
    ],
)
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ManifestError):
        parse(text)


def test_each_cut_in_the_middle_is_refused() -> None:
    for length in range(len(ONE) - len("Test Store\n")):
        with pytest.raises(ManifestError):
            parse(ONE[:length])


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
hexadecimal = st.text("0123456789abcdef", min_size=32, max_size=32) | st.sampled_from(["1" * 32, "0b" + "1" * 30])


@given(names, names, names, hexadecimal, st.integers(0, 1 << 50))
def test_any_name_comes_back_and_any_reader_of_yaml_agrees(
    event: str, production: str, name: str, digits: str, size: int
) -> None:
    manifest = StoreManifest(name).with_record(event, production, name, StoreRecord(digits, digits, digits * 2, size))
    content = format_store_manifest(manifest)
    assert parse_store_manifest(content, "x") == manifest
    fields = yaml.safe_load(content)["events"][event][production][name]
    assert (fields["uuid"], fields["size"]) == (digits, size)
