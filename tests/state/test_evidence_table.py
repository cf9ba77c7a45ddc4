"""Evidence: the newest finding counts, damage stands until the content was looked at again, history is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.state.database import open_state_database
from archive_tui.state.evidence_table import HISTORY_LENGTH, EvidenceTable, _text_after

STORE = "s3://aws/bucket"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[EvidenceTable]:
    database = open_state_database(tmp_path / "state.sqlite3")
    yield EvidenceTable(database)
    database.close()


def make_evidence(
    key: str, level: EvidenceLevel = EvidenceLevel.READ, *, store: str = STORE, at: float = 1.5
) -> Evidence:
    return Evidence(store, key, level, "0" * 64, 12, at, "read in full and hashed", "etag-1")


def test_a_finding_comes_back_as_it_was(table: EvidenceTable) -> None:
    evidence = make_evidence("d/ä ö'\"%_.zip")
    assert table.record(evidence)
    assert table.lookup(STORE, [evidence.key, "absent"]) == {evidence.key: evidence}
    listed = Evidence(STORE, "plain", EvidenceLevel.LISTED, None, 0, 2.0, "listed")
    assert table.record(listed)
    assert table.lookup(STORE, ["plain"]) == {"plain": listed}


def test_the_finding_recorded_last_counts_even_if_the_clock_went_back(table: EvidenceTable) -> None:
    table.record(make_evidence("k", EvidenceLevel.READ, at=2_000_000_000.0))
    table.record(make_evidence("k", EvidenceLevel.DAMAGED, at=1.0))
    assert table.lookup(STORE, ["k"])["k"].level is EvidenceLevel.DAMAGED


@pytest.mark.parametrize("level", EvidenceLevel)
def test_damage_stands_until_the_entire_content_was_looked_at(table: EvidenceTable, level: EvidenceLevel) -> None:
    table.record(make_evidence("k", EvidenceLevel.DAMAGED))
    table.record(make_evidence("k", level, at=9.0))
    weak = {EvidenceLevel.LISTED, EvidenceLevel.UNCHANGED, EvidenceLevel.RECORDED, EvidenceLevel.SAMPLED}
    expected = EvidenceLevel.DAMAGED if level in weak else level
    assert table.lookup(STORE, ["k"])["k"].level is expected
    assert [evidence.level for evidence in table.history(STORE, "k")] == [level, EvidenceLevel.DAMAGED]


def test_history_is_bounded_and_the_newest_comes_first(table: EvidenceTable) -> None:
    for number in range(HISTORY_LENGTH + 15):
        table.record(make_evidence("k", at=float(number)))
    table.record(make_evidence("other"))
    times = [evidence.checked_at for evidence in table.history(STORE, "k")]
    assert times == [float(number) for number in range(HISTORY_LENGTH + 14, 14, -1)]
    assert len(table.history(STORE, "other")) == 1


def test_an_object_reached_by_two_roots_has_one_record(table: EvidenceTable) -> None:
    table.record(make_evidence("x/y.zip", store="file:///data"))
    assert table.lookup("file://", ["data/x/y.zip"])["data/x/y.zip"].store == "file://"
    assert list(table.lookup_prefix("file:///data/x")) == ["y.zip"]


def test_a_prefix_is_a_plain_string_and_stores_are_apart(table: EvidenceTable) -> None:
    keys = ["d", "d/a", "d/b/c", "dd/a", "d_x", "e"]
    table.record_many(make_evidence(key) for key in keys)
    table.record(make_evidence("d/a", store=STORE + "2"))
    assert sorted(table.lookup_prefix(STORE, "d/")) == ["d/a", "d/b/c"]
    assert sorted(table.lookup_prefix(STORE, "d")) == sorted(keys[:5])
    assert sorted(table.lookup_prefix(STORE)) == sorted(keys)


def test_ten_thousand_keys_in_one_go(table: EvidenceTable) -> None:
    assert table.record_many(make_evidence(f"folder/{number}") for number in range(10_000))
    found = table.lookup(STORE, [f"folder/{number}" for number in range(5_000, 15_000)])
    assert len(found) == 5_000
    assert len(table.lookup_prefix(STORE, "folder/")) == 10_000


def test_many_findings_are_kept_all_or_none(table: EvidenceTable) -> None:
    findings = [make_evidence("good"), make_evidence("bad\udc80name")]
    assert not table.record_many(findings)
    assert table.lookup(STORE, ["good"]) == {}


def test_names_that_are_no_text_are_asked_for_without_harm(table: EvidenceTable) -> None:
    table.record(make_evidence("good"))
    assert list(table.lookup(STORE, ["bad\udc80name", "good"])) == ["good"]
    assert table.lookup_prefix(STORE, "bad\udc80") == {}
    assert table.history(STORE, "bad\udc80") == []


def test_without_a_database_nothing_is_recorded_and_nothing_raises(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    table = EvidenceTable(open_state_database(tmp_path / "file" / "state.sqlite3"))
    assert not table.record(make_evidence("k"))
    assert table.lookup(STORE, ["k"]) == {}
    assert table.lookup_prefix(STORE, "k") == {}
    assert table.history(STORE, "k") == []
    assert table.database.remarks


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_text_after_a_prefix_is_after_all_that_begin_with_it(prefix: str, rest: str) -> None:
    start = "s/" + prefix
    assert start.encode() <= (start + rest).encode() < _text_after(start).encode()
