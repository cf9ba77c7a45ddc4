import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.errors import ConfigurationError, InvalidName, ManifestError
from archive_tui.integrity.inventory import Entry, Inventory
from archive_tui.manifests.dataset_manifest import (
    TIME_NOT_RECORDED,
    ArchiveReference,
    DatasetManifest,
    format_dataset_manifest,
    manifest_time,
    parse_carried_manifest,
    parse_dataset_manifest,
)
from archive_tui.names.member_paths import check_member_path
from tests.names.test_member_paths import HOSTILE_PATHS

DIGEST = "ab" * 32
OTHER = "cd" * 32
CREATED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def document(**changes: Any) -> bytes:
    content: dict[str, Any] = {"datetime": "2024-05-06T07:08:09", "files": [{"file": "a.txt", "sha256": DIGEST}]}
    content.update(changes)
    return json.dumps(content).encode()


def refusal(data: bytes) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        parse_dataset_manifest(data, where="m.json")
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 1500
    return caught.value


def test_a_manifest_of_the_original_is_read() -> None:
    data = b"""{
  "datetime": "2021-03-04T05:06:07.891011",
  "files": [
    {"file": "b/c.txt", "sha256": "%b"},
    {"file": "a.txt", "sha256": "%b"}
  ]
}""" % (DIGEST.upper().encode(), OTHER.encode())
    manifest = parse_dataset_manifest(data)
    assert manifest.created == datetime(2021, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
    assert list(manifest.inventory) == [Entry("a.txt", None, OTHER), Entry("b/c.txt", None, DIGEST)]
    assert (manifest.dataset, manifest.archive, manifest.extra, manifest.file_extra) == ({}, None, {}, {})


def test_ours_is_written_as_the_format_says() -> None:
    manifest = DatasetManifest(
        CREATED,
        Inventory([Entry("b.txt", 5, OTHER), Entry("caf\u00e9.txt", None, DIGEST)]),
        dataset={"title": "T"},
        archive=ArchiveReference("x.0.0.1.zip", 7, DIGEST),
        extra={"zone": [1]},
        file_extra={"b.txt": {"note": "n"}, "gone.txt": {"note": "dropped"}},
    )
    expected = f"""{{
  "archive": {{
    "key": "x.0.0.1.zip",
    "sha256": "{DIGEST}",
    "size": 7
  }},
  "dataset": {{
    "title": "T"
  }},
  "datetime": "2024-05-06T07:08:09+00:00",
  "files": [
    {{
      "file": "b.txt",
      "note": "n",
      "sha256": "{OTHER}",
      "size": 5
    }},
    {{
      "file": "caf\u00e9.txt",
      "sha256": "{DIGEST}"
    }}
  ],
  "zone": [
    1
  ]
}}
"""
    written = format_dataset_manifest(manifest)
    assert written.decode() == expected
    again = parse_dataset_manifest(written)
    assert again.inventory == manifest.inventory
    assert again.file_extra == {"b.txt": {"note": "n"}}
    assert (again.created, again.dataset, again.archive, again.extra) == (
        manifest.created,
        manifest.dataset,
        manifest.archive,
        manifest.extra,
    )


def test_an_empty_list_is_written_and_read() -> None:
    written = format_dataset_manifest(DatasetManifest(CREATED, Inventory()))
    assert written == b'{\n  "datetime": "2024-05-06T07:08:09+00:00",\n  "files": []\n}\n'
    assert len(parse_dataset_manifest(written).inventory) == 0


def test_what_has_no_digest_is_not_written() -> None:
    with pytest.raises(ManifestError):
        format_dataset_manifest(DatasetManifest(CREATED, Inventory([Entry("a", 1, None)])))


@pytest.mark.parametrize(
    ("text", "created"),
    [
        ("2024-05-06T07:08:09Z", CREATED),
        ("2024-05-06T09:08:09+02:00", CREATED),
        ("2024-05-06 07:08:09", CREATED),
        ("2024-05-06", datetime(2024, 5, 6, tzinfo=UTC)),
    ],
)
def test_times(text: str, created: datetime) -> None:
    assert parse_dataset_manifest(document(datetime=text)).created == created


def test_a_time_is_written_in_utc() -> None:
    moment = datetime(2024, 5, 6, 9, 8, 9, tzinfo=timezone(timedelta(hours=2)))
    assert b'"2024-05-06T07:08:09+00:00"' in format_dataset_manifest(DatasetManifest(moment, Inventory()))


def test_a_missing_time_is_not_invented() -> None:
    assert parse_dataset_manifest(b'{"files": []}').created == TIME_NOT_RECORDED


def test_unknown_names_survive() -> None:
    files = [{"file": "a.txt", "sha256": DIGEST, "size": 3, "comment": {"x": [1, None]}}]
    manifest = parse_dataset_manifest(document(files=files, mine=[1.5], dataset="a text", archive=None))
    assert manifest.extra == {"mine": [1.5], "dataset": "a text", "archive": None}
    again = parse_dataset_manifest(format_dataset_manifest(manifest))
    assert again.extra == manifest.extra
    assert again.file_extra == {"a.txt": {"comment": {"x": [1, None]}}}


BROKEN = {
    "not JSON": (b"hello", "manifest-json"),
    "empty": (b"", "manifest-json"),
    "cut off": (document()[:-5], "manifest-json"),
    "two documents": (document() + document(), "manifest-json"),
    "a list": (b"[]", "manifest-form"),
    "a text": (b'"x"', "manifest-form"),
    "null": (b"null", "manifest-form"),
    "not UTF-8": (b'{"files": ["\xff"]}', "manifest-encoding"),
    "UTF-16": ('{"files": []}'.encode("utf-16"), "manifest-encoding"),
    "byte order mark": (b"\xef\xbb\xbf" + document(), "manifest-encoding"),
    "half a character": (document(note="@").replace(b"@", b"\\ud800"), "manifest-encoding"),
    "NaN": (document(note=float("nan")), "manifest-json"),
    "infinity": (document(note=float("-inf")), "manifest-json"),
    "a number without end": (document(note="@").replace(b'"@"', b"1e999"), "manifest-json"),
    "a number of 5,000 digits": (document(note="@").replace(b'"@"', b"9" * 5000), "manifest-json"),
    "too deep": (b'{"files": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "manifest-deep"),
    "deep objects": (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "manifest-deep"),
    "a name twice": (b'{"files": [], "files": []}', "manifest-json"),
    "no files": (b'{"datetime": "2024-05-06T07:08:09"}', "manifest-files"),
    "files no list": (document(files={"a": 1}), "manifest-files"),
    "files null": (document(files=None), "manifest-files"),
    "entry no object": (document(files=["a.txt"]), "manifest-file"),
    "entry null": (document(files=[None]), "manifest-file"),
    "entry without name": (document(files=[{"sha256": DIGEST}]), "manifest-file"),
    "name no text": (document(files=[{"file": 7, "sha256": DIGEST}]), "manifest-file"),
    "no digest": (document(files=[{"file": "a"}]), "manifest-digest"),
    "digest null": (document(files=[{"file": "a", "sha256": None}]), "manifest-digest"),
    "digest short": (document(files=[{"file": "a", "sha256": "ab"}]), "manifest-digest"),
    "digest no hex": (document(files=[{"file": "a", "sha256": "x" * 64}]), "manifest-digest"),
    "digest with newline": (document(files=[{"file": "a", "sha256": DIGEST + "\n"}]), "manifest-digest"),
    "digest number": (document(files=[{"file": "a", "sha256": 10**63}]), "manifest-digest"),
    "size text": (document(files=[{"file": "a", "sha256": DIGEST, "size": "3"}]), "manifest-size"),
    "size negative": (document(files=[{"file": "a", "sha256": DIGEST, "size": -1}]), "manifest-size"),
    "size true": (document(files=[{"file": "a", "sha256": DIGEST, "size": True}]), "manifest-size"),
    "size fraction": (document(files=[{"file": "a", "sha256": DIGEST, "size": 1.5}]), "manifest-size"),
    "size absurd": (document(files=[{"file": "a", "sha256": DIGEST, "size": 2**63}]), "manifest-size"),
    "listed twice": (document(files=[{"file": "a", "sha256": DIGEST}] * 2), "manifest-duplicate"),
    "letter case": (document(files=[{"file": n, "sha256": DIGEST} for n in ("a", "A")]), "clash-case"),
    "normal forms": (
        document(files=[{"file": n, "sha256": DIGEST} for n in ("\u00e9", "e\u0301")]),
        "clash-normalisation",
    ),
    "file and folder": (document(files=[{"file": n, "sha256": DIGEST} for n in ("a", "a/b")]), "clash-file-folder"),
    "itself": (document(files=[{"file": "manifest.json", "sha256": DIGEST}]), "path-manifest"),
    "time no text": (document(datetime=17), "manifest-datetime"),
    "time nonsense": (document(datetime="yesterday"), "manifest-datetime"),
    "time empty": (document(datetime=""), "manifest-datetime"),
    "time before time": (document(datetime="0001-01-01T00:00:00+14:00"), "manifest-datetime"),
    "archive without key": (document(archive={"size": 1, "sha256": DIGEST}), "manifest-archive"),
    "archive without size": (document(archive={"key": "x", "sha256": DIGEST}), "manifest-archive"),
    "archive size": (document(archive={"key": "x", "size": "1", "sha256": DIGEST}), "manifest-size"),
    "archive digest": (document(archive={"key": "x", "size": 1, "sha256": "no"}), "manifest-digest"),
}


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
def test_broken_documents_are_refused(data: bytes, code: str) -> None:
    assert refusal(data).code == code


@pytest.mark.parametrize(("path", "rule"), HOSTILE_PATHS.items(), ids=range(len(HOSTILE_PATHS)))
def test_hostile_paths_are_refused(path: str, rule: str) -> None:
    error = refusal(document(files=[{"file": "good", "sha256": DIGEST}, {"file": path, "sha256": DIGEST}]))
    assert error.code in (rule, "manifest-encoding" if rule == "path-encoding" else rule)


def test_an_enormous_document_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive_tui.manifests.manifest_document.LARGEST_MANIFEST", 100)
    assert refusal(b"{" + b" " * 100 + b"}").code == "manifest-too-large"


@given(st.binary(max_size=200))
def test_any_bytes_give_a_manifest_or_a_refusal(data: bytes) -> None:
    try:
        parse_dataset_manifest(data)
    except ManifestError as error:
        assert error.code != "integrity"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["datetime", "files", "archive", "dataset", "x"]), json_values),
    st.lists(st.dictionaries(st.sampled_from(["file", "sha256", "size", "y"]), json_values), max_size=3),
)
def test_any_json_gives_a_manifest_or_a_refusal(content: dict[str, Any], files: list[Any]) -> None:
    for candidate in (content, {**content, "files": files}):
        try:
            manifest = parse_dataset_manifest(json.dumps(candidate).encode())
        except ManifestError:
            continue
        assert parse_dataset_manifest(format_dataset_manifest(manifest)) is not None


def _is_member_path(path: str) -> bool:
    try:
        return bool(check_member_path(path))
    except InvalidName:
        return False


entries = st.builds(
    Entry,
    st.from_regex(r"[a-z]{1,3}\.x(/[a-z\u00e4\u6f22 ]{0,3}[a-z]){0,2}", fullmatch=True).filter(_is_member_path),
    st.none() | st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
)
texts = st.text(st.characters(codec="utf-8"), max_size=10)


@given(
    st.lists(entries, max_size=6, unique_by=lambda entry: entry.path.split("/")[0]),
    st.dictionaries(texts, texts, max_size=3),
    st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)),
)
def test_what_is_written_is_read_back(listed: list[Entry], dataset: dict[str, str], created: datetime) -> None:
    manifest = DatasetManifest(created, Inventory(listed), dataset=dataset)
    written = format_dataset_manifest(manifest)
    assert parse_dataset_manifest(written) == manifest
    assert format_dataset_manifest(parse_dataset_manifest(written)) == written


@pytest.mark.parametrize("depth", [100, 700, 940, 990, 5000])
def test_deep_metadata_are_kept_or_refused(depth: int) -> None:
    try:
        manifest = parse_dataset_manifest(document(note="@").replace(b'"@"', b"[" * depth + b"]" * depth))
        written = format_dataset_manifest(manifest)
    except ManifestError as error:
        assert depth > 100
        assert error.code == "manifest-deep"
    else:
        assert parse_dataset_manifest(written) == manifest


def test_the_order_of_the_entries_does_not_show() -> None:
    one, two = Entry("a", 1, DIGEST), Entry("b", 1, DIGEST)
    written = {format_dataset_manifest(DatasetManifest(CREATED, Inventory(es))) for es in ([one, two], [two, one])}
    assert len(written) == 1


def test_a_carried_manifest_keeps_its_metadata() -> None:
    carried = parse_carried_manifest(document(mine=1, dataset={"title": "T"}))
    assert carried is not None
    assert (carried.extra, carried.dataset, len(carried.inventory)) == ({"mine": 1}, {"title": "T"}, 1)


def test_a_carried_list_that_no_longer_holds_is_let_go() -> None:
    """The original made manifests that list themselves; their metadata are worth keeping all the same."""
    files = [{"file": "manifest.json", "sha256": DIGEST}]
    carried = parse_carried_manifest(document(files=files, mine=1))
    assert carried is not None
    assert (carried.extra, len(carried.inventory)) == ({"mine": 1}, 0)


@pytest.mark.parametrize(
    "data",
    [b"x", b"[]", b'{"files": []}', document(datetime=7), document(files={}), b'{"manifest_version": 3}', b"\xff"],
)
def test_documents_of_others_are_not_carried(data: bytes) -> None:
    assert parse_carried_manifest(data) is None


def test_the_time_of_a_new_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert before <= manifest_time() <= datetime.now(UTC)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert manifest_time() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    assert manifest_time() >= before


@pytest.mark.parametrize("text", ["x", "-1", "1.5", " 1", "9" * 30, "\u0661"])
def test_a_bad_source_date_epoch_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(ConfigurationError) as caught:
        manifest_time()
    assert caught.value.code == "source-date-epoch"
    assert caught.value.hint
