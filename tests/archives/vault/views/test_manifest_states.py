"""What is kept of the lines of a manifest while jobs go over them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from archive_tui.archives.vault.outcomes import LineResult, Outcome
from archive_tui.archives.vault.views.manifest_states import DiskState, ManifestStates, StatesByDocument, VaultState
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.manifests.checksum_lines.line import ManifestLine
from archive_tui.operations.manifest_checking import LineState

LINE = ManifestLine(1, "a", "ab" * 32)
NOW = 1.7e9


def proof(level: EvidenceLevel) -> Evidence:
    return Evidence("mem://a", "k", level, "ab" * 32, 1, NOW, "Asked.")


def test_counts_follow_what_is_recorded_last() -> None:
    states = ManifestStates()
    for state in (LineState.CHANGED, LineState.MISSING, LineState.SAME):
        states.record_disk(5, state)
    states.record_disk(9000, LineState.SAME)

    assert states.disk.get(5) == DiskState.SAME
    assert states.disk.get(4) == states.disk.get(10**6) == DiskState.UNKNOWN
    assert +states.disk.counts == {DiskState.SAME: 2}
    assert states.version == 4


def test_the_age_is_that_of_the_evidence() -> None:
    states = ManifestStates()
    states.record_vault(3, proof(EvidenceLevel.ATTESTED))

    assert states.vault.get(3) == EvidenceLevel.ATTESTED
    assert states.vault.moment(3) == NOW
    assert states.vault.moment(2) is None


@pytest.mark.parametrize(
    ("outcome", "evidence", "state"),
    [
        (Outcome.HELD, proof(EvidenceLevel.LISTED), EvidenceLevel.LISTED),
        (Outcome.HELD, None, VaultState.HELD),
        (Outcome.ABSENT, None, VaultState.ABSENT),
        (Outcome.DAMAGED, proof(EvidenceLevel.DAMAGED), VaultState.DAMAGED),
        (Outcome.FAILED, None, VaultState.UNKNOWN),
    ],
)
def test_what_asking_says(outcome: Outcome, evidence: Evidence | None, state: int) -> None:
    states = ManifestStates()
    states.record_asked(0, LineResult(LINE, outcome, evidence=evidence))
    assert states.vault.get(0) == state


@pytest.mark.parametrize(
    ("outcome", "evidence", "disk", "vault"),
    [
        (Outcome.UPLOADED, proof(EvidenceLevel.ATTESTED), DiskState.SAME, EvidenceLevel.ATTESTED),
        (Outcome.ALREADY_THERE, proof(EvidenceLevel.LISTED), DiskState.UNKNOWN, EvidenceLevel.LISTED),
        (Outcome.CHANGED, None, DiskState.CHANGED, VaultState.UNKNOWN),
        (Outcome.MISSING, None, DiskState.MISSING, VaultState.UNKNOWN),
        (Outcome.UNREADABLE, None, DiskState.UNREADABLE, VaultState.UNKNOWN),
        (Outcome.FAILED, None, DiskState.UNKNOWN, VaultState.UNKNOWN),
    ],
)
def test_what_archiving_says(outcome: Outcome, evidence: Evidence | None, disk: int, vault: int) -> None:
    states = ManifestStates()
    states.record_archived(0, LineResult(LINE, outcome, evidence=evidence))
    assert (states.disk.get(0), states.vault.get(0)) == (disk, vault)


@pytest.mark.parametrize(
    ("outcome", "is_in_root", "disk", "vault"),
    [
        (Outcome.FETCHED, True, DiskState.SAME, VaultState.HELD),
        (Outcome.FETCHED, False, DiskState.UNKNOWN, VaultState.HELD),
        (Outcome.ALREADY_THERE, True, DiskState.SAME, VaultState.UNKNOWN),
        (Outcome.EXISTS, True, DiskState.CHANGED, VaultState.UNKNOWN),
        (Outcome.ABSENT, True, DiskState.UNKNOWN, VaultState.ABSENT),
        (Outcome.DAMAGED, True, DiskState.UNKNOWN, VaultState.DAMAGED),
        (Outcome.REFUSED, True, DiskState.UNKNOWN, VaultState.UNKNOWN),
    ],
)
def test_what_fetching_says(outcome: Outcome, is_in_root: bool, disk: int, vault: int) -> None:
    states = ManifestStates()
    states.record_fetched(0, LineResult(LINE, outcome), is_in_root=is_in_root)
    assert (states.disk.get(0), states.vault.get(0)) == (disk, vault)


def test_another_vault_knows_nothing_of_the_first() -> None:
    states = ManifestStates()
    states.begin_vault("mem://a", "object/", "lab")
    states.record_vault(0, proof(EvidenceLevel.READ))
    states.begin_vault("mem://a", "object/", "lab")
    assert states.vault.get(0) == EvidenceLevel.READ

    states.begin_vault("mem://b", "object/", "far")
    assert states.vault.get(0) == VaultState.UNKNOWN
    assert states.vault.counts.total() == 0
    assert states.vault_title == "far"


def test_two_threads_record_without_losing_a_count() -> None:
    states = ManifestStates()

    def record(state: LineState, start: int) -> None:
        for position in range(start, 20_000, 2):
            states.record_disk(position, state)

    threads = [threading.Thread(target=record, args=(state, at)) for at, state in enumerate(list(LineState)[:2])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert +states.disk.counts == {DiskState.SAME: 10_000, DiskState.CHANGED: 10_000}


def test_a_million_lines_take_ten_bytes_each() -> None:
    states = ManifestStates()
    states.put_disk(999_999, DiskState.SAME)
    states.vault.put(999_999, VaultState.HELD)
    size = sum(len(column.states) + len(column.times) * column.times.itemsize for column in (states.disk, states.vault))
    assert size <= 11_000_000


def test_a_reopened_document_is_known_until_it_changes(tmp_path: Path) -> None:
    document = tmp_path / "SHA256SUMS"
    document.write_text("x")
    kept = StatesByDocument()
    states = kept.of(document)

    assert kept.of(tmp_path / "." / "SHA256SUMS") is states
    os.utime(document, (time.time() + 5, time.time() + 5))
    assert kept.of(document) is not states


@pytest.mark.parametrize("moment", [-5.0, 1e12, float("inf"), float("-inf")])
def test_a_clock_that_was_far_off_breaks_nothing(moment: float) -> None:
    states = ManifestStates()
    states.put_disk(0, DiskState.SAME, moment)
    assert states.disk.get(0) == DiskState.SAME


def test_a_pane_may_look_while_another_vault_is_begun() -> None:
    states, is_over = ManifestStates(), threading.Event()

    def begin_again() -> None:
        for number in range(3000):
            states.begin_vault(f"mem://{number}", "object/", "lab")
            states.vault.put(number % 7000, VaultState.HELD)
        is_over.set()

    thread = threading.Thread(target=begin_again)
    thread.start()
    while not is_over.is_set():
        for position in range(0, 7000, 7):
            states.vault.get(position)
            states.vault.moment(position)
    thread.join()
    assert states.version > 3000
