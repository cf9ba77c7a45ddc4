"""A receipt says what was done and proven, for people and for programs, however many items there were."""

from __future__ import annotations

import dataclasses
import itertools
import json
import tracemalloc
from collections.abc import Iterator

from archive_tui.archives.datasets.receipt import PublishReceipt
from archive_tui.conflicts import Conflict, ConflictRule
from archive_tui.continuation import ItemMark
from archive_tui.integrity.evidence import Evidence, EvidenceLevel
from archive_tui.integrity.report import Finding, FindingKind, IntegrityReport
from archive_tui.jobs.job import FailedItem, JobSnapshot, LogLine, Question
from archive_tui.jobs.receipts.receipt import Attempt, Receipt, receipt_json, receipt_text
from archive_tui.jobs.states import JobState

FINDING = Finding(FindingKind.CHANGED, "raw/b.dat", "ab" * 32, "cd" * 32, 5, 5, "other content")
JOB = JobSnapshot(
    id=7, kind="verify-folder", title="verify \x1b[31mset", source="/data/set", destination="",
    command="archive-tui verify /data/set", state=JobState.FINDINGS, phases=(), findings=(FINDING,),
    message="Findings: 1 changed", started_at=1_700_000_000.0, ended_at=1_700_000_060.0,
    result=IntegrityReport("set", 2, 1, 10, 10, (FINDING,)), log=(LogLine(1_700_000_000.0, "Started."),),
    queued_at=1_699_999_999.0, ran_seconds=60.0,
)  # fmt: skip
MARKS = (
    ("verify", ItemMark("raw/a.dat", "same", digest="ef" * 32, size=5, evidence="read", at=1_700_000_001.0)),
    ("verify", ItemMark("raw/\udcff", "changed", is_good=False, size=5, detail="other content")),
)
RECEIPT = Receipt(
    JOB, MARKS, 2, (Attempt(1, 1_700_000_000.0, 1_700_000_060.0, "pid 1 on lab", "finished with findings"),),
    (Question(7, Conflict("x", "/data/x", "5 bytes", "6 bytes"), 1_700_000_002.0, ConflictRule.KEEP),),
)  # fmt: skip


def test_the_document_says_all_of_it() -> None:
    document = json.loads("".join(receipt_json(RECEIPT)))
    assert (document["job"], document["state"], document["source"]) == (7, "finished with findings", "/data/set")
    assert document["command"] == "archive-tui verify /data/set"
    assert (document["queued"], document["ended"]) == ("2023-11-14T22:13:19Z", "2023-11-14T22:14:20Z")
    assert document["exceptions"][0]["expected"] == "ab" * 32
    assert document["result"]["fields"]["files_ok"] == 1
    assert document["runs"][0]["process"] == "pid 1 on lab"
    assert document["decisions"][0]["answer"] == "keep"
    assert [item["item"] for item in document["items"]] == ["raw/a.dat", "raw/\udcff"]
    assert document["items"][0] == {
        "phase": "verify", "item": "raw/a.dat", "outcome": "same", "good": True, "size": 5, "sha256": "ef" * 32,
        "evidence": "read", "at": "2023-11-14T22:13:21Z",
    }  # fmt: skip
    assert document["items"][1]["good"] is False


def test_the_text_says_it_in_words_and_escapes_what_is_hostile() -> None:
    text = "".join(receipt_text(RECEIPT))
    assert "\x1b" not in text
    for part in ("finished with findings", "/data/set", "raw/b.dat", "ab" * 32, "pid 1 on lab", "Items (2)", "read"):
        assert part in text
    assert text.encode()  # what is no text is escaped


def test_evidence_is_told_in_words_with_its_digest_and_time() -> None:
    evidence = Evidence("memory:1", "set.1.0.0.zip", EvidenceLevel.ATTESTED, "ab" * 32, 12, 1_700_000_000.5, "By it.")
    made = PublishReceipt("published", "set", "1.0.0", "k", 2, 11, 12, "ab" * 32, None, evidence, "lab", 0.5, ("odd",))
    receipt = dataclasses.replace(RECEIPT, job=dataclasses.replace(JOB, findings=(), result=made))
    fields = json.loads("".join(receipt_json(receipt)))["result"]["fields"]
    assert (fields["evidence"]["level"], fields["evidence"]["checked_at"]) == ("attested", "2023-11-14T22:13:20Z")
    text = "".join(receipt_text(receipt))
    for part in ("attested: By it.", "SHA-256 " + "ab" * 32, "2023-11-14T22:13:20Z, 12 bytes", "remarks          odd"):
        assert part in text


def test_findings_are_listed_once_and_what_failed_before_the_end_too() -> None:
    document = json.loads("".join(receipt_json(RECEIPT)))
    assert len(document["exceptions"]) == 1 and "findings" not in document["result"]["fields"]
    failed = FailedItem("verify", "raw/c.dat", "It cannot be read", 1)
    paused = dataclasses.replace(
        JOB, state=JobState.PAUSED, findings=(), result=None, failed_items=(failed,), failed_count=3
    )
    text = "".join(receipt_text(dataclasses.replace(RECEIPT, job=paused)))
    assert "has not ended" in text and "It cannot be read" in text and "2 more are not listed" in text
    document = json.loads("".join(receipt_json(dataclasses.replace(RECEIPT, job=paused))))
    assert (document["has_ended"], document["failed_total"]) == (False, 3)
    assert "has not ended" not in "".join(receipt_text(RECEIPT))


def test_a_run_without_an_end_is_told_from_one_that_runs() -> None:
    attempts = (Attempt(1, 1.0, None, "pid 1 on lab", ""), Attempt(2, 2.0, None, "pid 2 on lab", ""))
    job = dataclasses.replace(JOB, state=JobState.RUNNING, attempt=2)
    document = json.loads("".join(receipt_json(dataclasses.replace(RECEIPT, job=job, attempts=attempts))))
    assert [run["outcome"] for run in document["runs"]] == ["its process vanished", "runs"]


def test_items_that_could_not_be_read_are_counted() -> None:
    short = dataclasses.replace(RECEIPT, items_total=5)
    document = json.loads("".join(receipt_json(short)))
    assert (document["items_total"], document["items_listed"]) == (5, 2)
    assert "Only 2 of 5 items could be read" in "".join(receipt_text(short))


def test_a_receipt_without_items_is_whole() -> None:
    bare = dataclasses.replace(RECEIPT, items=(), items_total=0, are_items_dropped=True)
    document = json.loads("".join(receipt_json(bare)))
    assert (document["items"], document["items_kept"]) == ([], False)
    assert "not kept any more" in "".join(receipt_text(bare))


def test_memory_does_not_grow_with_the_items() -> None:
    def items() -> Iterator[tuple[str, ItemMark]]:
        return (("copy", ItemMark(f"object-{number}", "copied", size=number)) for number in range(100_000))

    tracemalloc.start()
    try:
        length = sum(map(len, receipt_json(dataclasses.replace(RECEIPT, items=items(), items_total=100_000))))
        length += sum(map(len, receipt_text(dataclasses.replace(RECEIPT, items=items(), items_total=100_000))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length > 10_000_000
    assert peak < 2_000_000


def test_pieces_come_one_by_one() -> None:
    endless = dataclasses.replace(RECEIPT, items=itertools.repeat(MARKS[0]))
    assert len(list(itertools.islice(receipt_text(endless), 500))) == 500
